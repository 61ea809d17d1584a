"""Bring the pictures that an order needs into Adobe's storage, each content once.

An upload is free, lives seven days and serves every job that needs the same
bytes, of whatever drop. Jobs that ask at the same time wait for one upload.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from dropglow.clock import Clock
from dropglow.delivery.media import HEAD_BYTES, media_of
from dropglow.disk import Disk
from dropglow.errors import DropglowError
from dropglow.firefly.client import FireflyClient
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import UPLOAD_MARGIN
from dropglow.model import Job, Reference, Upload
from dropglow.pacing import Gate
from dropglow.runtime.insisting import insist
from dropglow.runtime.turns import Turns


class GateClosed(DropglowError):
    """Report that the request limits forbid an upload before *until*."""

    def __init__(self, until: datetime) -> None:
        """Keep when it will be allowed."""
        super().__init__("the request limits are reached")
        self.until = until


class Uploads:
    """Know what lies in Adobe's storage, and bring what does not."""

    def __init__(
        self,
        *,
        client: FireflyClient,
        ledger: Ledger,
        disk: Disk,
        clock: Clock,
        gate: Gate,
        storage: str = "",
    ) -> None:
        """Upload through *client*, remember in *ledger* (as lying in *storage*), count against *gate*."""
        self._client = client
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._gate = gate
        self._storage = storage
        self._turns = Turns()

    async def of(self, job: Job) -> tuple[Upload, ...]:
        """Return an upload for every reference of the job's order.

        Raises:
            GateClosed: The request limits forbid an upload now.
            FireflyError: The upload did not work.
            DiskError: A picture cannot be read; ``FileGone`` where it is not there.
        """
        return tuple([await self._one(job, reference) for reference in job.order.references])

    async def _one(self, job: Job, reference: Reference) -> Upload:
        path, sha256 = await self._source(job, reference)
        async with self._turns.of(sha256):
            until = self._clock.now() + UPLOAD_MARGIN
            known = await insist(
                lambda: self._ledger.upload_of(sha256 + self._storage, now=until), self._clock
            )
            if known is None:
                known = await self._bring(path, sha256)
        return replace(known, slot=reference.slot)

    async def _source(self, job: Job, reference: Reference) -> tuple[str, str]:
        if reference.path is not None:
            return reference.path, await asyncio.to_thread(self._disk.digest, reference.path)
        drop = await insist(lambda: self._ledger.drop(job.drop), self._clock)
        return drop.place, drop.sha256

    async def _bring(self, path: str, sha256: str) -> Upload:
        wait_s = self._gate.wait_s(self._clock.monotonic())
        if wait_s > 0:
            raise GateClosed(self._clock.now() + timedelta(seconds=wait_s))
        self._gate.count(self._clock.monotonic())
        media_type = await asyncio.to_thread(self._media_type, path)
        upload_id, valid_until = await self._client.upload(path, media_type)
        content = sha256 + self._storage
        upload = Upload(slot="", sha256=content, upload_id=upload_id, valid_until=valid_until)
        await insist(lambda: self._ledger.remember_upload(upload, at=self._clock.now()), self._clock)
        return upload

    def _media_type(self, path: str) -> str:
        with self._disk.open_read(path) as file:
            media = media_of(file.read(HEAD_BYTES))
        return "application/octet-stream" if media is None else media.media_type
