"""Make the events that say why a job waits or ends, in words for a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from dropglow import retry
from dropglow.clock import Clock
from dropglow.errors import DeliveryError, DiskError, FireflyError, SourceFault
from dropglow.events import Event, GaveUp, Postponed
from dropglow.model import Billed, Failure, Job

ANEW: Final = "trying again is a new order, and is billed again"


class Outcomes:
    """Turn faults into *Postponed* and *GaveUp*."""

    def __init__(self, *, clock: Clock, chance: Callable[[], float], repeats: retry.Repeats) -> None:
        """Date events by *clock*; *chance* returns numbers from 0 to 1. What Adobe is asked again is among *repeats*."""
        self._clock = clock
        self._chance = chance
        self._repeats = repeats

    def postponed(
        self,
        job: Job,
        error: FireflyError | DiskError | DeliveryError,
        backoff: retry.Backoff,
        *,
        hint: str = "",
    ) -> Event:
        """Return that *job* waits because of *error*, as long as *backoff* and the other side say, and for its turn.

        *hint* overrides the error's own.
        """
        now, asked = self._clock.now(), error.retry_at if isinstance(error, FireflyError) else None
        until = retry.again_at(now, backoff, job.trips, chance=self._chance(), not_before=asked)
        if backoff is retry.ASKING:  # behind a failed order or upload, all others wait anyway
            turn_s = self._repeats.book_s(self._clock.monotonic())
            until = max(until, now + timedelta(seconds=turn_s))
        return Postponed(until=until, failure=failure_of(error.message, error, _billed(job), hint=hint))

    def answered(self) -> None:
        """Note that Adobe answered a question or gave a result."""
        self._repeats.answered()

    def gave_up(
        self, what: str, error: FireflyError | DiskError | SourceFault, billed: Billed, *, hint: str = ""
    ) -> Event:
        """Return that a job ends because of *error*; *what* happened is said in our words."""
        return GaveUp(failure=failure_of(what, error, billed, hint=hint), at=self._clock.now())


def failure_of(
    what: str,
    error: FireflyError | DiskError | DeliveryError | SourceFault,
    billed: Billed,
    *,
    hint: str = "",
) -> Failure:
    """Return *error* as the reason that a job carries; *hint* overrides the error's own."""
    code = error.code if isinstance(error, FireflyError) else type(error).__name__
    why = "" if error.message == what else error.message
    return Failure(code=code, what=what, why=why, hint=hint or error.hint, billed=billed)


def _billed(job: Job) -> Billed:
    return Billed.YES if job.completed_at else Billed.UNKNOWN if job.accepted_at else Billed.NO
