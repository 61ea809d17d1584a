"""Open a closed drop again, because a person asked or moved its file back into the inbox.

The drop is opened first and its jobs are told afterwards: after a crash in
between, a drop whose jobs all rest is simply closed again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, DropState
from dropglow.runtime import places
from dropglow.runtime.insisting import insist


class Reopener:
    """Bring drops back into work. Whoever asks has the turn of the drop."""

    def __init__(self, *, ledger: Ledger, disk: Disk, clock: Clock) -> None:
        """Change *ledger* and move files on *disk*."""
        self._ledger = ledger
        self._disk = disk
        self._clock = clock

    async def reopen(self, drop: Drop, *, why: str) -> Drop:
        """Return *drop* open again, its file back in work. An open drop is returned as it is.

        Raises:
            DiskError: The file cannot be moved.
            Conflict: Somebody else changed the drop at the same time.
        """
        if drop.state is DropState.OPEN:
            return drop
        placed = await asyncio.to_thread(places.take_back, self._disk, drop)
        return await self._open(drop, placed, why)

    async def adopt(self, drop: Drop, claimed: Drop) -> Drop:
        """Return *drop* open again with the file of *claimed*, the same file dropped once more.

        Raises:
            DiskError: The file cannot be moved, or the old report not removed.
            Conflict: Somebody else changed the drop at the same time.
        """
        place = await asyncio.to_thread(places.exchange, self._disk, drop, claimed)
        placed = replace(drop, place=place, device=claimed.device, inode=claimed.inode)
        why = "its file was moved back into the inbox"
        # The file is in its new place already, and only the ledger can say so.
        return await insist(lambda: self._open(drop, placed, why), self._clock)

    async def _open(self, before: Drop, placed: Drop, why: str) -> Drop:
        after = replace(placed, state=DropState.OPEN, closed_at=None)
        return await self._ledger.save_drop(before, after, event="Reopened", at=self._clock.now(), detail=why)
