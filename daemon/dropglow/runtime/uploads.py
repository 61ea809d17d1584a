"""Bring the pictures that an order needs into Adobe's storage, each content once.

An upload is free, lives seven days and serves every job that needs the same
bytes, of whatever drop. Jobs that ask at the same time wait for one upload.
What Firefly would not take is sent as a copy that it takes, and the copy
is as lasting as any upload: it is not even made again within those days.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO, assert_never

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, translated
from dropglow.errors import DiskError, DropglowError, FileGone, SourceFault
from dropglow.firefly.client import FireflyClient
from dropglow.fitness import Refusal
from dropglow.intake.copies import MEDIA_TYPES, Copies
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.inspect import examine, glance
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import UPLOAD_MARGIN
from dropglow.model import Facts, Job, Reference, Upload
from dropglow.naming import shown
from dropglow.pacing import Gate
from dropglow.preparing import AsIs, Copy, Stripped, told
from dropglow.rules.demands import planned
from dropglow.runtime.insisting import insist
from dropglow.runtime.sources import beside, files_of
from dropglow.runtime.telling import about, log
from dropglow.runtime.turns import Turns
from dropglow.runtime.writers import DROP_AGAIN, REWRITTEN


class GateClosed(DropglowError):
    """Report that the request limits forbid an upload before *until*."""

    def __init__(self, until: datetime) -> None:
        """Keep when it will be allowed."""
        super().__init__("the request limits are reached")
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One picture of an order: where its file is, what it holds, and what is to be sent of it."""

    slot: str
    name: str  # for messages; empty for the drop, whose messages are about it anyway
    path: str
    sha256: str
    facts: Facts
    sent: AsIs | Stripped | Copy
    of_rule: bool  # a drop and its companions were looked through when they were claimed

    @property
    def recipe(self) -> str:
        """Return what tells a copy's content from that of the file."""
        return "" if isinstance(self.sent, AsIs) else self.sent.recipe


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
        copies: Copies,
        storage: str = "",
        decoder: Decoder = IN_PROCESS,
    ) -> None:
        """Upload through *client*, remember in *ledger* (as lying in *storage*), count against *gate*."""
        self._client = client
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._gate = gate
        self._copies = copies
        self._storage = storage
        self._glance = functools.partial(glance, decoder=decoder)
        self._examine = functools.partial(examine, decoder=decoder)
        self._turns = Turns()
        self._lost: set[str] = set()  # ids that Adobe said it does not have
        self._copying = asyncio.Lock()  # a waiting thread would be missed elsewhere

    async def of(self, job: Job) -> tuple[Upload, ...]:
        """Return an upload for every reference of the job's order that is not an address.

        Raises:
            GateClosed: The request limits forbid an upload now.
            FireflyError: The upload did not work.
            SourceFault: Firefly would not take a picture, whatever is done to it; nothing is paid.
            DiskError: A picture cannot be read; ``FileGone`` where it is not there.
        """
        needed = [reference for reference in job.order.references if not reference.linked]
        return tuple([await self._one(job, reference) for reference in needed])

    def forget(self, upload_ids: Collection[str]) -> None:
        """Never use these uploads again: Adobe keeps one for seven days, but not for another account."""
        self._lost.update(upload_ids)

    async def _one(self, job: Job, reference: Reference) -> Upload:
        source = await self._source(job, reference)
        content = source.sha256 + source.recipe + self._storage
        async with self._turns.of(content):
            until = self._clock.now() + UPLOAD_MARGIN
            known = await insist(lambda: self._ledger.upload_of(content, now=until), self._clock)
            if known is None or known.upload_id in self._lost:
                known = await self._bring(job, source, content)
        return replace(known, slot=source.slot)

    async def _source(self, job: Job, reference: Reference) -> _Source:
        path, sha256 = await self._file(job, reference)
        name = "" if reference.of_drop else f"{shown(reference.path or reference.companion or '')}: "
        facts = await asyncio.to_thread(self._look, path, name, self._glance)
        sent = planned(job.order, reference.slot, facts)
        if isinstance(sent, Refusal):
            raise SourceFault(f"{name}{sent.message}", hint=sent.hint)
        return _Source(
            slot=reference.slot,
            name=name,
            path=path,
            sha256=sha256,
            facts=facts,
            sent=sent,
            of_rule=reference.path is not None,
        )

    async def _file(self, job: Job, reference: Reference) -> tuple[str, str]:
        """Return where the picture is, and the digest of its content."""
        if reference.path is not None:
            return reference.path, await asyncio.to_thread(self._disk.digest, reference.path)
        drop = await insist(lambda: self._ledger.drop(job.drop), self._clock)
        source = files_of(drop, job)[0]
        file = source if reference.companion is None else beside(drop, job, reference.companion)
        if file is None:
            raise FileGone(
                f"{shown(reference.companion or '')} was not dropped together with {shown(source.path)}",
                hint="drop both files again",
            )
        if not file.place:
            raise FileGone(
                f"{shown(file.path)} was taken away, and nobody knows where it is",
                hint="bring it into the inbox again",
            )
        return file.place, file.sha256

    def _look(self, path: str, name: str, how: Callable[[BinaryIO, str], Facts]) -> Facts:
        with self._disk.open_read(path) as stream, translated("read", path):
            facts = how(stream, path)
        if facts.fault is not None or facts.format is None:
            raise SourceFault(f"{name}{facts.fault or 'it is no picture'}", hint="replace it and try again")
        return facts

    async def _bring(self, job: Job, source: _Source, content: str) -> Upload:
        wait_s = self._gate.wait_s(self._clock.monotonic())
        if wait_s > 0:
            raise GateClosed(self._clock.now() + timedelta(seconds=wait_s))
        if source.of_rule:
            await asyncio.to_thread(self._look, source.path, source.name, self._examine)
        self._gate.count(self._clock.monotonic())
        match source.sent:
            case AsIs():
                assert source.facts.format is not None, "no plan sends what is no picture"
                upload = await self._send(source.path, MEDIA_TYPES[source.facts.format], content)
            case Stripped() | Copy():
                upload = await self._send_copy(job, source, source.sent, content)
            case _:
                assert_never(source.sent)
        if await asyncio.to_thread(self._disk.digest, source.path) != source.sha256:
            raise _changed(source)
        await insist(lambda: self._ledger.remember_upload(upload, at=self._clock.now()), self._clock)
        return upload

    async def _send_copy(self, job: Job, source: _Source, wanted: Stripped | Copy, content: str) -> Upload:
        async with self._copying:
            made = await asyncio.to_thread(self._copies.make, source.path, source.facts, wanted)
        log.info(
            vocabulary.UPLOAD_PREPARED,
            **about(job),
            slot=source.slot,
            picture=shown(source.path),
            reasons=list(wanted.reasons),
            from_format=source.facts.format,
            from_bytes=source.facts.size_bytes,
            to_format=made.format,
            to_bytes=made.size_bytes,
        )
        try:
            upload = await self._send(made.path, made.media_type, content)
        finally:
            await asyncio.to_thread(self._copies.remove, made)
        return replace(upload, prepared=told(wanted.reasons, form=made.format, size_bytes=made.size_bytes))

    async def _send(self, path: str, media_type: str, content: str) -> Upload:
        upload_id, valid_until = await self._client.upload(path, media_type)
        return Upload(slot="", sha256=content, upload_id=upload_id, valid_until=valid_until)


def _changed(source: _Source) -> DiskError | SourceFault:
    """Return what is wrong with a picture that is not what was looked through any more: an upload costs nothing yet.

    The rule's picture is sent again, as it is now. What was dropped is not what it was when it was taken.
    """
    if source.of_rule:
        return DiskError(f"{shown(source.path)} changed while it was sent", hint="it is sent again by itself")
    return SourceFault(f"{source.name}{REWRITTEN}", hint=DROP_AGAIN)
