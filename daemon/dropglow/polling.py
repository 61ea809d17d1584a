"""When to ask for a remote job's status: rarely at first, often around the expected end.

Adobe publishes no durations and no push; it advises to ask once a second. A
job that took three seconds the last hundred times needs no question after one.
``Durations`` learns how long each kind of order takes; ``next_look_s`` spends
the questions where the answer is likely to change. Pure.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from dataclasses import dataclass, field

from dropglow.model import Order

# What image operations took where somebody measured them: 3 to 10 s. Only used until we have our own.
UNKNOWN_S = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
REMEMBERED = 64
# The share of the remaining probability after which the next question is worth its price.
WORTH_ASKING = 0.22
LATE_FACTOR = 4.0


@dataclass(slots=True)
class Learned:
    """The latest durations of one kind of order, in seconds, kept sorted."""

    ordered: list[float] = field(default_factory=list)
    recent: deque[float] = field(default_factory=deque)

    def add(self, took_s: float) -> None:
        """Take one more duration in, and let the oldest go."""
        insort(self.ordered, took_s)
        self.recent.append(took_s)
        if len(self.recent) > REMEMBERED:
            self.ordered.remove(self.recent.popleft())


@dataclass(slots=True)
class Durations:
    """What we know about how long orders take, by their kind."""

    by_kind: dict[str, Learned] = field(default_factory=dict)

    def add(self, kind: str, took_s: float) -> None:
        """Learn that an order of this *kind* took *took_s* seconds from acceptance to success."""
        self.by_kind.setdefault(kind, Learned()).add(took_s)

    def of(self, kind: str) -> list[float]:
        """Return the known durations of *kind*, sorted; empty where nothing is known."""
        learned = self.by_kind.get(kind)
        return learned.ordered if learned else []


def kind_of(order: Order) -> str:
    """Return the kind under which the duration of *order* is learned."""
    return kind_named(operation=order.operation, model=order.model, size=order.size, images=order.images)


def kind_named(*, operation: str, model: str | None, size: str, images: int) -> str:
    """Return the kind for these facts, as a ledger keeps them."""
    return f"{operation}/{model or '-'}/{size}/{images}"


def next_look_s(known_s: list[float], *, elapsed_s: float, minimum_s: float, maximum_s: float) -> float:
    """Return in how many seconds to ask again, at least *minimum_s*, at most *maximum_s*.

    The next question is placed where ``WORTH_ASKING`` of the jobs that are still
    running by now will have ended, judged by what is known.

    Args:
        known_s: Durations of such orders, sorted; empty if none is known.
        elapsed_s: Seconds since the order was accepted.
        minimum_s: Never ask more often than this.
        maximum_s: Never wait longer than this.
    """
    known = known_s if len(known_s) >= 3 else sorted((*known_s, *UNKNOWN_S))
    ended = bisect_right(known, elapsed_s)
    remaining = known[ended:]
    if not remaining:
        # Longer than ever seen: ask at a distance that grows with the surprise.
        return _between(minimum_s, (elapsed_s - known[-1]) / 2, maximum_s)
    target_s = remaining[min(len(remaining) - 1, int(len(remaining) * WORTH_ASKING))]
    return _between(minimum_s, target_s - elapsed_s, maximum_s)


def late_look_s(maximum_s: float) -> float:
    """Return how many seconds lie between two questions about a job that is late."""
    return max(60.0, maximum_s * LATE_FACTOR)


def _between(low: float, value: float, high: float) -> float:
    return max(low, min(value, high))
