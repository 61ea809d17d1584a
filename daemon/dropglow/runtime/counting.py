"""Count what happens, on its way into the ledger: the one place that every change of a job or a drop goes through.

A change is counted once it is stored, and never if it was refused; so what is counted is what the ledger knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from dropglow.clock import Clock
from dropglow.errors import LedgerUnavailable
from dropglow.events import Event
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, Job, Original

T = TypeVar("T")


class Counter(Protocol):
    """Whoever counts."""

    def happened(self, before: Job, after: Job, event: Event) -> None:
        """Note that *event* made *after* of the job *before*."""
        ...

    def admitted(self, drop: Drop, jobs: Sequence[Job]) -> None:
        """Note that *drop* was taken in, with its *jobs*."""
        ...

    def closed(self, drop: Drop) -> None:
        """Note that *drop* was put away."""
        ...

    def wrote(self, took_s: float) -> None:
        """Note that a change was safe after *took_s* seconds."""
        ...

    def could_not_write(self) -> None:
        """Note that the ledger could not take a change in."""
        ...


def counted(ledger: Ledger, counter: Counter, clock: Clock) -> Ledger:
    """Return *ledger* as it is, but for *counter* being told of every change, timed by *clock*."""
    return cast("Ledger", _Counted(ledger, counter, clock))


class _Counted:
    def __init__(self, ledger: Ledger, counter: Counter, clock: Clock) -> None:
        self._ledger = ledger
        self._counter = counter
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def admit(self, drop: Drop, jobs: Sequence[Job], *, originals: Sequence[Original] = ()) -> None:
        await self._timed(self._ledger.admit(drop, jobs, originals=originals))
        self._counter.admitted(drop, jobs)

    async def save(self, before: Job, after: Job, event: Event, *, at: datetime, owner: str | None) -> Job:
        saved = await self._timed(self._ledger.save(before, after, event, at=at, owner=owner))
        self._counter.happened(before, after, event)
        return saved

    async def save_drop(self, before: Drop, after: Drop, **what: Any) -> Drop:
        saved = await self._timed(self._ledger.save_drop(before, after, **what))
        if before.closed_at is None and after.closed_at is not None:
            self._counter.closed(after)
        return saved

    async def _timed(self, change: Awaitable[T]) -> T:
        began_s = self._clock.monotonic()
        try:
            answer = await change
        except LedgerUnavailable:
            self._counter.could_not_write()
            raise
        self._counter.wrote(self._clock.monotonic() - began_s)
        return answer
