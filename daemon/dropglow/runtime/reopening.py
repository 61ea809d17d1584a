"""Open a closed drop again, because a person asked or moved its file back into the inbox.

The drop is opened first and its jobs are told afterwards: after a crash in
between, a drop whose jobs all rest is simply closed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.errors import DiskError, LedgerUnavailable
from dropglow.intake.work import WorkFolder
from dropglow.landmarks import Role
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, DropState, Job
from dropglow.runtime import places, reports, taking_back
from dropglow.runtime.certain import for_certain, known_by_content, prove_presence
from dropglow.runtime.ground import Ground
from dropglow.runtime.insisting import insist
from dropglow.runtime.reporting import read_reports, write_again, write_report


class Reopener:
    """Bring drops back into work. Whoever asks has the turn of the drop."""

    def __init__(self, *, ledger: Ledger, disk: Disk, clock: Clock, ground: Ground) -> None:
        """Change *ledger* and move files on *disk*; *ground* says whether an inbox is there: else no file is taken for lost."""
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._ground = ground

    async def reopen(self, drop: Drop, *, why: str, file_needed: bool = True) -> Drop:
        """Return *drop* open again, its file back in work. An open drop is returned as it is.

        Unless its *file_needed*, an original that stays in its inbox need not be there.

        Raises:
            DiskError: The file cannot be moved, or not be copied again; or its inbox is away.
            Conflict: Somebody else changed the drop at the same time.
        """
        if drop.state is DropState.OPEN:
            return drop
        if not (file_needed or not drop.after.workshop):
            return await self._open(drop, drop, why)
        away = partial(self._ground.away, Role.INBOX, drop.inbox)
        await prove_presence(away)
        told = await asyncio.to_thread(read_reports, self._disk, drop)
        taken = [drop]

        async def take_back() -> Drop:
            taken.append(await asyncio.to_thread(taking_back.take_back, self._disk, drop))
            return taken[-1]

        try:
            return await self._open(drop, await for_certain(take_back, away), why)
        except (DiskError, LedgerUnavailable):
            # It stays closed, and nobody would look for its file in work before the next start.
            with suppress(DiskError):
                await asyncio.to_thread(self._laid_back, drop, taken[-1], told)
            raise

    def _laid_back(self, drop: Drop, placed: Drop, told: Mapping[str, bytes]) -> None:
        taking_back.lay_back(self._disk, drop, placed)
        write_again(self._disk, drop, told)

    async def adopt(self, drop: Drop, claimed: Drop) -> Drop:
        """Return *drop* open again with the files of *claimed*, the same files dropped once more.

        Raises:
            DiskError: The file cannot be moved.
            Conflict: Somebody else changed the drop at the same time.
        """
        return await self._adopted(
            drop, await asyncio.to_thread(taking_back.exchange, self._disk, drop, claimed)
        )

    async def _adopted(self, drop: Drop, placed: Drop) -> Drop:
        why = "its file was saved again" if drop.after.workshop else "its file was moved back into the inbox"
        # The file is where the drop is to have it, and only the ledger can say so.
        return await insist(lambda: self._open(drop, placed, why), self._clock)

    async def hold_again(self, drop: Drop, claimed: Drop, jobs: Sequence[Job]) -> Drop:
        """Return the held *drop* with its files, which are those of *claimed*, back in ``_held`` beside its report.

        It is open meanwhile: whatever comes between, it is closed like any other, and so has its report in the end.

        Raises:
            DiskError: The file cannot be moved, or its report not be written; or its inbox went meanwhile.
            Conflict: Somebody else changed the drop at the same time.
        """
        try:
            known = await asyncio.to_thread(taking_back.exchange, self._disk, drop, claimed)
        except DiskError:  # from where it lies closing takes it, as soon as the disk lets it
            known = await asyncio.to_thread(taking_back.gathered, self._disk, drop, claimed)
        opened = await self._adopted(drop, known)
        now = self._clock.now()
        away = partial(self._ground.away, Role.INBOX, drop.inbox)
        put_back = partial(asyncio.to_thread, places.put_away, self._disk, opened, DropState.HELD)
        held = replace(await for_certain(put_back, away), state=DropState.HELD, closed_at=now)
        known_at = partial(known_by_content, opened, held, disk=self._disk, ledger=self._ledger)
        placed = await insist(known_at, self._clock)
        await asyncio.to_thread(self._report, placed, jobs, now)
        await prove_presence(away)
        what = "saved again" if drop.after.workshop else "moved into the inbox"
        detail = f"its file was {what}, and a person has to decide about it"
        return await insist(
            lambda: self._ledger.save_drop(opened, placed, event="HeldAgain", at=now, detail=detail),
            self._clock,
        )

    def _report(self, drop: Drop, jobs: Sequence[Job], now: datetime) -> None:
        """Lay the report about the held *drop* beside it."""
        text = reports.report(drop, jobs, state=DropState.HELD, at=now)
        write_report(self._disk, drop, DropState.HELD, text)
        WorkFolder(drop.inbox, disk=self._disk, workshop=drop.after.workshop).forget(drop.key)

    async def _open(self, before: Drop, placed: Drop, why: str) -> Drop:
        after = replace(placed, state=DropState.OPEN, closed_at=None)
        return await self._ledger.save_drop(before, after, event="Reopened", at=self._clock.now(), detail=why)
