"""Know which outboxes can take results, before anything is bought for them.

A probe writes, renames and removes a small file, so its answer is kept for a
few seconds; jobs that ask meanwhile get the same one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from dropglow.clock import Clock
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.errors import DeliveryError, DiskError
from dropglow.ledger.base import Ledger, Query
from dropglow.lifecycle import PAID_FOR, RESTING
from dropglow.model import Job, Stage

FRESH_S: Final = 5.0
_ALL: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    at_s: float
    trouble: DeliveryError | None


class Outboxes:
    """Look after the outboxes of all rules."""

    def __init__(self, *, outbox: Outbox, spool: Spool, ledger: Ledger, clock: Clock) -> None:
        """Try with *outbox*, tidy with *spool* what *ledger* says is ours."""
        self._outbox = outbox
        self._spool = spool
        self._ledger = ledger
        self._clock = clock
        self._findings: defaultdict[str, dict[int, _Finding]] = defaultdict(
            dict
        )  # by the room that was wanted
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def trouble(self, outbox: str, *, needed_bytes: int) -> DeliveryError | None:
        """Return why results of *needed_bytes* could not be put into *outbox* now, or None when they could."""
        async with self._turns[outbox]:
            finding = self._findings[outbox].get(needed_bytes)
            if finding is None or self._clock.monotonic() >= finding.at_s + FRESH_S:
                trouble = await asyncio.to_thread(self._probe, outbox, needed_bytes)
                finding = _Finding(at_s=self._clock.monotonic(), trouble=trouble)
                self._findings[outbox][needed_bytes] = finding
        return finding.trouble

    def doubt(self, outbox: str) -> None:
        """Forget what is known of *outbox*: a result was refused there just now."""
        self._findings.pop(outbox, None)

    async def tidy(self) -> None:
        """Remove what a crash left of downloads and probes. For a start, before anything is fetched.

        An outbox that refuses is passed over: it is told when its jobs have their turn.
        """
        concerned: dict[str, list[Job]] = {}
        for job in await self._ledger.find(Query(stages=frozenset(Stage) - RESTING, limit=_ALL)):
            concerned.setdefault(job.order.delivery.outbox, []).append(job)
        await asyncio.gather(*(asyncio.to_thread(self._sweep, *each) for each in concerned.items()))

    def _probe(self, outbox: str, needed_bytes: int) -> DeliveryError | None:
        try:
            self._outbox.probe(outbox, needed_bytes=needed_bytes)
        except DeliveryError as trouble:
            return trouble
        return None

    def _sweep(self, outbox: str, jobs: list[Job]) -> None:
        self._outbox.clear_probe(outbox)
        try:
            self._spool.sweep_leftovers(job for job in jobs if job.stage in PAID_FOR)
        except (DeliveryError, DiskError):
            return
