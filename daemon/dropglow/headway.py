"""Tell where a running job's end lies from the progress that Adobe tells, as far as that has proved right.

A job that is at 40 percent after 20 seconds ends near 50. How near is learned for every kind of order: how finely
it counts, and how early or late ends came after what was told. A job whose answers contradict each other is not
believed any longer. Pure.

Percent is documented for video jobs (Adobe's OpenAPI document, AsyncResponseV3), a bare number for others
(AsyncTaskResponseV3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

_BAND_PERCENT: Final = 10  # what is learned at 42 percent holds from 40 to 49
_LEAST_PERCENT: Final = 1.0  # less than this tells nothing; a share of one is no percentage either
_HEALING: Final = 0.1  # of what a window is wider than an end showed, so much is taken off
# Answers may lie so much beside each other, as a factor: what the network adds to short jobs.
_TOLERANCE: Final = 1.05
_PROVED: Final = 2  # so many ends in a row that were where they were expected are believed
_WORTHLESS: Final = 3.0  # a window that reaches so many times as far as it begins tells nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer of a running job: its progress, and the seconds since its acceptance."""

    percent: float
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Between what times a job is expected to end, in seconds since its acceptance."""

    soonest_s: float
    latest_s: float
    proved: bool = False  # whether the latest ends were where such windows were

    @property
    def spread_s(self) -> float:
        """Return how much lies between the two."""
        return self.latest_s - self.soonest_s

    def contradicts(self, other: Window) -> bool:
        """Return whether no end can lie in both, not even with some tolerance."""
        return self.soonest_s > other.latest_s * _TOLERANCE or other.soonest_s > self.latest_s * _TOLERANCE


_ANYTIME: Final = Window(soonest_s=0.0, latest_s=math.inf)


@dataclass(slots=True)
class _Band:
    """How far ends lay from where an even pace would put them, as factors."""

    early: float = 1.0
    late: float = 1.0
    met: int = 0  # how many ends in a row did not contradict these


@dataclass(slots=True)
class Pace:
    """What is known of the progress that one kind of order tells."""

    step: int = 0  # percent by which it counts; 0: it never told any
    bands: dict[int, _Band] = field(default_factory=dict)

    def hear(self, percent: float) -> None:
        """Learn how finely this kind counts: told 20, 60 and 40, it may count by twenties."""
        whole = percent % 1.0 == 0.0
        self.step = math.gcd(self.step, int(percent)) if whole else 1

    def window(self, told: Told) -> Window:
        """Return when a job ends that told this."""
        even, band = self._even(told), self._band(told)
        soonest_s = max(told.elapsed_s, even.soonest_s * band.early)
        latest_s = max(soonest_s, even.latest_s * band.late)
        return Window(soonest_s=soonest_s, latest_s=latest_s, proved=band.met >= _PROVED)

    def learn(self, told: Told, *, running_s: float, ended_s: float) -> None:
        """Learn from a job that told this, ran at *running_s* still, and was found ended at *ended_s*.

        What the end contradicts is mended at once, what it shows to be too careful little by little.
        """
        even, band = self._even(told), self._band(told)
        soonest_s, latest_s = even.soonest_s * band.early, even.latest_s * band.late
        met = running_s <= latest_s * _TOLERANCE and soonest_s <= ended_s * _TOLERANCE
        band.met = band.met + 1 if met else 0
        if ended_s < soonest_s:
            # Found by a question that came late itself: the end may lie anywhere behind the one before.
            band.early = (running_s + ended_s) / 2 / even.soonest_s
        elif running_s > soonest_s:
            band.early += _HEALING * (min(running_s, latest_s) - soonest_s) / even.soonest_s
        if running_s > latest_s:
            band.late = running_s / even.latest_s
        elif ended_s < latest_s:
            band.late -= _HEALING * (latest_s - ended_s) / even.latest_s

    def _even(self, told: Told) -> Window:
        """Return the window of an even pace: the progress is what was told, or anything below the next step."""
        next_percent = min(100.0, told.percent + self.step)
        return Window(
            soonest_s=told.elapsed_s * 100.0 / next_percent, latest_s=told.elapsed_s * 100.0 / told.percent
        )

    def _band(self, told: Told) -> _Band:
        return self.bands.setdefault(int(told.percent) // _BAND_PERCENT, _Band())


@dataclass(slots=True)
class Track:
    """What one running job has told, and what follows from it."""

    running_s: float = 0.0  # when it was last seen running
    percent: float = 0.0  # the last that it told
    marks: dict[int, Told] = field(default_factory=dict)  # the first that it told in each band
    window: Window | None = None
    agreed: Window = _ANYTIME  # what all its answers have in common
    misled: bool = False

    def hear(self, pace: Pace, percent: float | None, elapsed_s: float) -> None:
        """Take in that the job ran at *elapsed_s* and told *percent*, or nothing."""
        self.running_s = elapsed_s
        if percent is None or percent >= 100.0 or elapsed_s <= 0.0:
            return  # a job that is through and still runs tells nothing
        if percent < max(_LEAST_PERCENT, self.percent):
            self.misled = self.misled or self.percent > 0.0  # it fell back
            return
        told = Told(percent=percent, elapsed_s=elapsed_s)
        pace.hear(percent)
        self.marks.setdefault(int(percent) // _BAND_PERCENT, told)
        fresh, agreed = pace.window(told), self.agreed
        self.misled = self.misled or fresh.contradicts(agreed)
        self.agreed = Window(
            soonest_s=max(fresh.soonest_s, agreed.soonest_s), latest_s=min(fresh.latest_s, agreed.latest_s)
        )
        if percent > self.percent:
            self.window = fresh  # told the same again, it was as far as that when it told so first
        self.percent = percent

    def expected(self, elapsed_s: float) -> Window | None:
        """Return when the job is expected to end; None where what it told is not to be believed, or is past."""
        window = self.window
        if window is None or self.misled or elapsed_s > window.latest_s * _TOLERANCE:
            return None
        return window if window.latest_s < window.soonest_s * _WORTHLESS else None

    def end(self, pace: Pace, ended_s: float) -> None:
        """Teach *pace* what this job told before it was found ended at *ended_s*."""
        for told in self.marks.values():
            pace.learn(told, running_s=self.running_s, ended_s=ended_s)
