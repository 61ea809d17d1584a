"""The clock: one of the two ports of the machine. The fake one lives in the tests.

Everything that needs the time takes a ``Clock`` or, better, ``now`` as an
argument, so that a test owns the time.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Final, Protocol

from dropglow.money import Period

_STEP: Final = timedelta(minutes=30)  # clocks are set on by no less


class Clock(Protocol):
    """Tell the time, and wait."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC. It may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals only."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait *delay_s* seconds of this clock; not at all when it is not positive."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Wait *delay_s* seconds without blocking the loop."""
        await asyncio.sleep(max(0.0, delay_s))


def next_turn(period: Period, local: datetime) -> datetime:
    """Return when the next day, or month, begins after *local*, where the machine stands; in UTC."""
    first = local.date() + timedelta(days=1)
    if period is Period.MONTH:
        first = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    # Without a zone, so that the machine's own rules say how far it is from UTC on that day.
    turn = datetime.combine(first, time_of_day.min).astimezone().astimezone(UTC)
    # Where clocks are set on at midnight there is none that day: it begins at one, and what lies before is over already.
    while turn.astimezone().date() < first:
        turn += _STEP
    return turn
