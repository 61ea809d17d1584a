"""When to ask for a remote job's status: rarely at first, often around the expected end.

Adobe publishes no durations and no push; it advises to ask once a second. A
job that took three seconds the last hundred times needs no question after one.
``Durations`` learns how long each kind of order takes; ``next_look_s`` spends
the questions where the answer is likely to change. Pure.

An end is only known to lie between two questions. Learning the second of them
as the duration would put the next question there, or later, for good.

A kind of order whose running jobs tell their progress is asked once early, and
then where ``headway`` expects the end, if that is narrower than what is learned.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from dropglow.headway import Pace, Track, Window
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
# The first question about orders that are known to be slow, by their operation or model: videos take one to
# three minutes, image4_custom about one.
SLOW_FIRST_S: Final[Mapping[str, float]] = MappingProxyType({"video": 45.0, "image4_custom": 40.0})
# Of the time before the soonest end: a job that tells its progress is asked early, and once more just before it.
EARLY_SHARE: Final = 0.6
CLOSE_SHARE: Final = 0.9
# Ends that lie this near to each other, as a share of their time, are found by one question behind them all.
SHARP_SHARE: Final = 0.01
LEEWAY: Final = 1.05  # beyond the longest known duration, as a factor
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
    """What we know about how long orders take, by their kind, and what jobs under way have told."""

    by_kind: dict[str, Learned] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    running_s: dict[str, float] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    ended: int = 0

    def began(self, job: str) -> None:
        """Follow *job*, which was accepted just now."""
        self.running_s[job] = 0.0

    def seen_running(self, job: str, kind: str, elapsed_s: float, *, percent: float | None = None) -> None:
        """Note that *job* still ran *elapsed_s* seconds after its acceptance, and what progress it told, if any.

        A job that was not followed from its beginning is fine: what it tells counts, its duration does not.
        """
        if job in self.running_s:
            self.running_s[job] = elapsed_s
        pace = self.paces.setdefault(kind, Pace())
        self.tracks.setdefault(job, Track()).hear(pace, percent, elapsed_s)

    def seen_ended(self, job: str, kind: str, elapsed_s: float) -> None:
        """Learn from *job*, found ended *elapsed_s* seconds after its acceptance, and follow it no longer.

        No duration is learned from a job that was not followed from its beginning: it may have ended long ago.
        """
        since_s, track = self.running_s.pop(job, None), self.tracks.pop(job, None)
        if track is not None:
            track.end(self.paces[kind], elapsed_s)
        if since_s is None:
            return
        learned = self.by_kind.setdefault(kind, Learned())
        learned.found_at_once = learned.found_at_once + 1 if since_s == 0.0 else 0
        if learned.found_at_once:
            since_s = max(0.0, elapsed_s - learned.unasked_s(elapsed_s))
        if track is not None and (window := track.expected(elapsed_s)) is not None:
            since_s = max(since_s, min(window.soonest_s, elapsed_s))
        # Somewhere between the two questions: spread evenly, so that the middle does not attract all questions.
        self.ended += 1
        learned.add(since_s + (self.ended * _GOLDEN % 1.0) * (elapsed_s - since_s))

    def forget(self, job: str) -> None:
        """Follow *job* no longer. One that is not followed is fine."""
        self.running_s.pop(job, None)
        self.tracks.pop(job, None)

    def add(self, kind: str, took_s: float) -> None:
        """Learn that an order of this *kind* took *took_s* seconds from its acceptance to its end."""
        self.by_kind.setdefault(kind, Learned()).add(took_s)

    def of(self, kind: str) -> list[float]:
        """Return the known durations of *kind*, sorted; empty where nothing is known."""
        learned = self.by_kind.get(kind)
        return learned.ordered if learned else []

    def look_s(
        self, job: str, order: Order, *, elapsed_s: float, minimum_s: float, maximum_s: float
    ) -> float:
        """Return in how many seconds to ask about *job* again, at least *minimum_s*, at most *maximum_s*.

        Args:
            job: Its key; it need not be followed.
            order: What it is a job of.
            elapsed_s: Seconds since the order was accepted.
            minimum_s: Never ask more often than this.
            maximum_s: Never wait longer than this.
        """
        kind, track = kind_of(order), self.tracks.get(job)
        known_s, pace = self.of(kind), self.paces.get(kind)
        spread_s = _spread_s(known_s, elapsed_s)
        window = track.expected(elapsed_s) if track else None
        if window is not None and window.spread_s < spread_s:
            ahead_s = min(_toward_s(window, elapsed_s, minimum_s), _leap_s(window, known_s, elapsed_s))
            return _between(minimum_s, ahead_s, maximum_s)
        if track is None and pace is not None and pace.step and len(known_s) >= ENOUGH:
            early_s = _early_s(known_s, minimum_s) - elapsed_s
            if early_s > 0.0 and spread_s > _sharp_s(known_s[0], minimum_s):
                return _between(minimum_s, early_s, maximum_s)
        return next_look_s(
            known_s,
            elapsed_s=elapsed_s,
            minimum_s=minimum_s,
            maximum_s=maximum_s,
            first_s=first_look_s(order),
        )


def kind_of(order: Order) -> str:
    """Return the kind under which the duration of *order* is learned."""
    return kind_named(operation=order.operation, model=order.model, size=order.size, images=order.images)


def kind_named(*, operation: str, model: str | None, size: str, images: int) -> str:
    """Return the kind for these facts, as a ledger keeps them."""
    return f"{operation}/{model or '-'}/{size}/{images}"


def first_look_s(order: Order) -> float:
    """Return after how many seconds to ask first about an order of whose kind nothing is known."""
    return SLOW_FIRST_S.get(order.operation) or SLOW_FIRST_S.get(order.model or "", FIRST_S)


def next_look_s(
    known_s: list[float],
    *,
    elapsed_s: float,
    minimum_s: float,
    maximum_s: float,
    first_s: float = FIRST_S,
) -> float:
    """Return in how many seconds to ask again, at least *minimum_s*, at most *maximum_s*.

    The next question is placed where ``WORTH_ASKING`` of the jobs that are still
    running by now will have ended, judged by what is known. For jobs of any length that
    is under five questions a job, and finds the end within an eighth of the spread on average.

    Args:
        known_s: Durations of such orders, sorted; empty if none is known.
        elapsed_s: Seconds since the order was accepted.
        minimum_s: Never ask more often than this.
        maximum_s: Never wait longer than this.
        first_s: When to ask first while too little is known.
    """
    return _between(minimum_s, _distance_s(known_s, elapsed_s, first_s), maximum_s)


def late_look_s(maximum_s: float) -> float:
    """Return how many seconds lie between two questions about a job that is late."""
    return max(60.0, maximum_s * LATE_FACTOR)


def _toward_s(window: Window, elapsed_s: float, minimum_s: float) -> float:
    """Return in how many seconds to ask about a job that is expected to end in *window*."""
    soonest_s, left_s = max(window.soonest_s, elapsed_s), window.latest_s - elapsed_s
    if min(window.spread_s, left_s) <= _sharp_s(window.latest_s, minimum_s):
        return left_s
    ahead_s = min(CLOSE_SHARE * (soonest_s - elapsed_s), soonest_s - elapsed_s - minimum_s)
    if ahead_s >= minimum_s:
        return ahead_s  # a job close to its end tells the end more sharply
    if left_s <= minimum_s:
        return left_s  # a question before the end would only put off the one behind it
    return soonest_s + WORTH_ASKING * (window.latest_s - soonest_s) - elapsed_s


def _leap_s(window: Window, known_s: list[float], elapsed_s: float) -> float:
    """Return how far a question may be put off on the word of a job alone.

    As long again as the job has run while its kind has not proved honest, and not past all that is known.
    """
    farthest_s = math.inf if window.proved else elapsed_s
    if len(known_s) < ENOUGH or elapsed_s >= known_s[-1]:
        return farthest_s
    return min(farthest_s, known_s[-1] * LEEWAY - elapsed_s)


def _early_s(known_s: list[float], minimum_s: float) -> float:
    """Return when to ask first about a job that will tell its progress; the next question must be in time, too."""
    return min(EARLY_SHARE * known_s[0], known_s[0] - 1.2 * minimum_s)


def _sharp_s(at_s: float, minimum_s: float) -> float:
    return max(SHARP_SHARE * at_s, minimum_s / 2)


def _spread_s(known_s: list[float], elapsed_s: float) -> float:
    """Return how far the known durations beyond *elapsed_s* lie apart, but for the longest and shortest of them."""
    remaining = known_s[bisect_right(known_s, elapsed_s) :]
    if len(known_s) < ENOUGH or not remaining:
        return math.inf
    return remaining[len(remaining) * 9 // 10] - remaining[len(remaining) // 10]


def _distance_s(known_s: list[float], elapsed_s: float, first_s: float = FIRST_S) -> float:
    if len(known_s) < ENOUGH:
        return max(first_s - elapsed_s, UNKNOWN_SHARE * elapsed_s)
    remaining = known_s[bisect_right(known_s, elapsed_s) :]
    if not remaining:
        return max(SURPRISE_SHARE * elapsed_s, (elapsed_s - known_s[-1]) / 2)
    return remaining[int(len(remaining) * WORTH_ASKING)] - elapsed_s


def _between(low: float, value: float, high: float) -> float:
    return max(low, min(value, high))
