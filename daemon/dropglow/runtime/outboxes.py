"""Know which outboxes can take results, before anything is bought for them.

A probe writes, renames and removes a small file, so its answer is kept for a
few seconds; jobs that ask meanwhile get the same one. Before it, the folder has
to be the one that results went to before: nothing is written under a bare mount
point, and only an outbox that was never there is made.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import shown
from dropglow.errors import DeliveryError, DiskError, FileGone
from dropglow.landmarks import Role
from dropglow.ledger.base import Ledger, Query
from dropglow.lifecycle import PAID_FOR, RESTING
from dropglow.model import Job, Stage
from dropglow.runtime.ground import Ground
from dropglow.runtime.telling import log

FRESH_S: Final = 5.0
_ALL: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    at_s: float
    trouble: DeliveryError | None


class Outboxes:
    """Look after the outboxes of all rules."""

    def __init__(self, *, outbox: Outbox, spool: Spool, ledger: Ledger, clock: Clock, ground: Ground) -> None:
        """Try with *outbox*, tidy with *spool* what *ledger* says is ours; *ground* knows the folders."""
        self.away: dict[str, str] = {}  # outboxes that are not there, and why, for ``status``
        self._outbox = outbox
        self._spool = spool
        self._ledger = ledger
        self._clock = clock
        self._ground = ground
        self._findings: defaultdict[str, dict[int, _Finding]] = defaultdict(
            dict
        )  # by the room that was wanted
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def trouble(self, outbox: str, *, needed_bytes: int) -> DeliveryError | None:
        """Return why results of *needed_bytes* could not be put into *outbox* now, or None when they could."""
        async with self._turns[outbox]:
            finding = self._findings[outbox].get(needed_bytes)
            if finding is None or self._clock.monotonic() >= finding.at_s + FRESH_S:
                trouble = await self._examined(outbox, needed_bytes)
                finding = _Finding(at_s=self._clock.monotonic(), trouble=trouble)
                self._findings[outbox][needed_bytes] = finding
        return finding.trouble

    def is_remote(self, outbox: str) -> bool:
        """Return whether *outbox* is on a share, where writing may hang in the middle."""
        return self._ground.is_remote(Role.OUTBOX, outbox)

    async def absence(self, outbox: str) -> DeliveryError | None:
        """Return why *outbox* is not there, or not the one that it was; None when it is, or was never there."""
        return self._told(outbox, await self._ground.away(Role.OUTBOX, outbox))

    async def _examined(self, outbox: str, needed_bytes: int) -> DeliveryError | None:
        if (absence := await self.absence(outbox)) is not None:
            return absence
        try:
            return await self._ground.ask(Role.OUTBOX, outbox, lambda: self._probe(outbox, needed_bytes))
        except DiskError as silence:
            return self._told(outbox, silence)

    def _told(self, outbox: str, absence: DiskError | None) -> DeliveryError | None:
        """Say in the log what changed, and return *absence* as the outbox's."""
        if absence is None:
            self._say_away(outbox, "")
            return None
        self._say_away(outbox, absence.message)
        if isinstance(absence, FileGone):
            hint = "is the share mounted? otherwise make the folder again"
            return DeliveryError(f"the outbox {shown(outbox)} is not there", hint=hint)
        return DeliveryError(f"the outbox is away: {absence.message}", hint=absence.hint)

    def _say_away(self, outbox: str, reason: str) -> None:
        if reason and outbox not in self.away:
            log.error(vocabulary.OUTBOX_OFFLINE, outbox=outbox, reason=reason)
        elif outbox in self.away and not reason:
            log.info(vocabulary.OUTBOX_ONLINE, outbox=outbox)
        self.away = {name: why for name, why in self.away.items() if name != outbox}
        if reason:
            self.away[outbox] = reason

    def doubt(self, outbox: str) -> None:
        """Forget what is known of *outbox*: a result was refused there just now."""
        self._findings.pop(outbox, None)

    async def tidy(self, outboxes: Iterable[str]) -> None:
        """Remove what a crash left of downloads and probes, in *outboxes* and those of open jobs. For a start, before anything is fetched.

        An outbox that refuses is passed over: it is told when its jobs have their turn.
        """
        concerned: dict[str, list[Job]] = {outbox: [] for outbox in outboxes}
        for job in await self._ledger.find(Query(stages=frozenset(Stage) - RESTING, limit=_ALL)):
            concerned.setdefault(job.order.delivery.outbox, []).append(job)
        await asyncio.gather(*(self._tidy_one(*each) for each in concerned.items()))

    async def _tidy_one(self, outbox: str, jobs: list[Job]) -> None:
        if await self._ground.away(Role.OUTBOX, outbox) is None:
            with suppress(DiskError):
                await self._ground.ask(Role.OUTBOX, outbox, lambda: self._sweep(outbox, jobs))

    def _probe(self, outbox: str, needed_bytes: int) -> DeliveryError | None:
        try:
            new = self._ground.is_new(Role.OUTBOX, outbox)
            self._outbox.probe(outbox, needed_bytes=needed_bytes, make=new)
        except DeliveryError as trouble:
            return trouble
        with suppress(DiskError):  # it went at this very moment
            self._ground.remember(Role.OUTBOX, outbox)
        return None

    def _sweep(self, outbox: str, jobs: list[Job]) -> None:
        self._outbox.clear_probe(outbox)
        try:
            self._spool.sweep_leftovers(job for job in jobs if job.stage in PAID_FOR)
        except (DeliveryError, DiskError):
            return
