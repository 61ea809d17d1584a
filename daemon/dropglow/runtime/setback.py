"""Notice that the clock was set back, and cut short what was put off to a time that it will not show for long.

Waits stand in the ledger as times, so that a restart neither shortens nor forgets them; a clock that was wrong when one
was written would have the job wait for as long as it was set back. What waits for money is left to who minds it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from dropglow.clock import Clock
from dropglow.ledger.base import Ledger
from dropglow.model import JobKey
from dropglow.runtime.rousing import rouse

# Nobody is told to wait longer, except for money: what Adobe asks for counts for an hour at most.
LONGEST_WAIT: Final = timedelta(hours=2)
_ADJUSTED: Final = timedelta(minutes=1)  # by less a clock is set in passing, and nobody notices such a wait
_ALL: Final = 100_000


class Setback:
    """Watch the clock of one service."""

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        """Compare what *clock* shows from call to call; waits are in *ledger*."""
        self._ledger = ledger
        self._clock = clock
        self._latest: datetime | None = None

    async def heed(self, changed: Callable[[JobKey], None]) -> None:
        """Have go on what waits too long, if the clock was set back since the last call; *changed* is told.

        The first call looks as well, since the clock may have been set while nobody was there. Costs nothing otherwise.

        Raises:
            LedgerUnavailable: Call again.
        """
        now = self._clock.now()
        if self._latest is None or now < self._latest - _ADJUSTED:
            for job in await self._ledger.waiting(beyond=now + LONGEST_WAIT, limit=_ALL):
                await rouse(job, ledger=self._ledger, now=now)
                changed(job.key)
        self._latest = now  # last: a ledger that failed in between is asked again
