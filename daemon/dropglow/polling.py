"""When to ask for a remote job's status: rarely at first, often around the expected end.

Adobe publishes no durations and no push; it advises to ask once a second. A
job that took three seconds the last hundred times needs no question after one.
``Durations`` learns how long each kind of order takes; ``next_look_s`` spends
the questions where the answer is likely to change. Pure.

An end is only known to lie between two questions. Learning the second of them
as the duration would put the next question there, or later, for good.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from dataclasses import dataclass, field

from dropglow.model import Order

REMEMBERED = 64
# So many durations are believed; the first ones are those of the quickest jobs.
ENOUGH = 8
# Before that: a first question a little below what anybody reports (3 to 10 s), then at a fifth of the time so far.
FIRST_S = 2.0
UNKNOWN_SHARE = 0.2
# The share of the remaining probability after which the next question is worth its price.
WORTH_ASKING = 0.23
# Beyond all experience, questions thin out with the time so far and with the surprise.
SURPRISE_SHARE = 0.1
# An end that the first question found is assumed this much earlier at least, as a share of its time.
EARLIER_SHARE = 0.05
LATE_FACTOR = 4.0
_DOUBLINGS = 6  # of a twentieth: more than everything
_GOLDEN = 0.618033988749895  # its multiples spread most evenly


@dataclass(slots=True)
class Learned:
    """The latest durations of one kind of order, in seconds, kept sorted."""

    ordered: list[float] = field(default_factory=list)
    recent: deque[float] = field(default_factory=deque)
    found_at_once: int = 0  # how many ends in a row the first question found

    def add(self, took_s: float) -> None:
        """Take one more duration in, and let the oldest go."""
        insort(self.ordered, took_s)
        self.recent.append(took_s)
        if len(self.recent) > REMEMBERED:
            self.ordered.remove(self.recent.popleft())

    def unasked_s(self, elapsed_s: float) -> float:
        """Return how long before *elapsed_s* an end may lie that the first question found then.

        About as far as the next question would lie after it; if this goes on, ever further.
        """
        usual_s = max(EARLIER_SHARE * elapsed_s, _distance_s(self.ordered, elapsed_s))
        return usual_s * 2.0 ** min(self.found_at_once - 1, _DOUBLINGS)


@dataclass(slots=True)
class Durations:
    """What we know about how long orders take, by their kind, and when jobs under way were last seen running."""

    by_kind: dict[str, Learned] = field(default_factory=dict)
    running_s: dict[str, float] = field(default_factory=dict)
    ended: int = 0

    def began(self, job: str) -> None:
        """Follow *job*, which was accepted just now."""
        self.running_s[job] = 0.0

    def seen_running(self, job: str, elapsed_s: float) -> None:
        """Note that *job* still ran *elapsed_s* seconds after its acceptance. One that is not followed is fine."""
        if job in self.running_s:
            self.running_s[job] = elapsed_s

    def seen_ended(self, job: str, kind: str, elapsed_s: float) -> None:
        """Learn from *job*, found ended *elapsed_s* seconds after its acceptance, and follow it no longer.

        Nothing is learned from a job that was not followed from its beginning: it may have ended long ago.
        """
        since_s = self.running_s.pop(job, None)
        if since_s is None:
            return
        learned = self.by_kind.setdefault(kind, Learned())
        learned.found_at_once = learned.found_at_once + 1 if since_s == 0.0 else 0
        if learned.found_at_once:
            since_s = max(0.0, elapsed_s - learned.unasked_s(elapsed_s))
        # Somewhere between the two questions: spread evenly, so that the middle does not attract all questions.
        self.ended += 1
        learned.add(since_s + (self.ended * _GOLDEN % 1.0) * (elapsed_s - since_s))

    def forget(self, job: str) -> None:
        """Follow *job* no longer. One that is not followed is fine."""
        self.running_s.pop(job, None)

    def add(self, kind: str, took_s: float) -> None:
        """Learn that an order of this *kind* took *took_s* seconds from its acceptance to its end."""
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
    running by now will have ended, judged by what is known. For jobs of any length that
    is under five questions a job, and finds the end within an eighth of the spread on average.

    Args:
        known_s: Durations of such orders, sorted; empty if none is known.
        elapsed_s: Seconds since the order was accepted.
        minimum_s: Never ask more often than this.
        maximum_s: Never wait longer than this.
    """
    return _between(minimum_s, _distance_s(known_s, elapsed_s), maximum_s)


def late_look_s(maximum_s: float) -> float:
    """Return how many seconds lie between two questions about a job that is late."""
    return max(60.0, maximum_s * LATE_FACTOR)


def _distance_s(known_s: list[float], elapsed_s: float) -> float:
    if len(known_s) < ENOUGH:
        return max(FIRST_S - elapsed_s, UNKNOWN_SHARE * elapsed_s)
    remaining = known_s[bisect_right(known_s, elapsed_s) :]
    if not remaining:
        return max(SURPRISE_SHARE * elapsed_s, (elapsed_s - known_s[-1]) / 2)
    return remaining[int(len(remaining) * WORTH_ASKING)] - elapsed_s


def _between(low: float, value: float, high: float) -> float:
    return max(low, min(value, high))
