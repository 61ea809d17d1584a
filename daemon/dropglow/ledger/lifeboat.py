"""The lifeboat: a small file beside the ledger for receipts that the ledger cannot take in at once.

An order that was accepted while the ledger's disk fails is paid for, and its job id is known to this process
alone. The room in the file was taken before anything was bought, so that a full disk refuses nothing, and what is
put in is on the disk when ``board`` returns. At the next opening of the state folder ``land`` gives each receipt
to its job, before anybody can call it a doubt.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dropglow.errors import LedgerUnavailable, UnknownKey
from dropglow.events import Accepted, Began
from dropglow.ledger.base import Ledger
from dropglow.ledger.belongings import hand_over
from dropglow.lifecycle import advance
from dropglow.model import Job, JobKey, RemoteId, Stage, Submission
from dropglow.money import Booking, labels

LIFEBOAT_FILE: Final = "lifeboat"
SIZE_BYTES: Final = 64 * 1024  # a hundred receipts
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_DSYNC | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What Adobe answered to one attempt of one job."""

    job: JobKey
    attempt: int
    accepted: Accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What became of the receipts aboard; those that the ledger had taken in after all are in neither."""

    jobs: tuple[Job, ...] = ()  # got their receipts
    strange: tuple[
        Receipt, ...
    ] = ()  # of jobs that the ledger does not know: it is a copy older than their drops


class Lifeboat:
    """The lifeboat of one state folder. Belongs to whoever holds the folder."""

    def __init__(self, state: Path) -> None:
        """Prepare; ``open`` takes the room."""
        self._path = state / LIFEBOAT_FILE
        self._descriptor: int | None = None
        self._end = 0

    def open(self) -> None:
        """Take the room, and find out what is aboard.

        Raises:
            LedgerUnavailable: There is no room, or the file cannot be used.
        """
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
            self._descriptor = descriptor
            hand_over(descriptor, self._path.parent)
            os.posix_fallocate(descriptor, 0, SIZE_BYTES)
        except OSError as error:
            self.close()
            raise LedgerUnavailable(
                f"cannot make {self._path}: {(error.strerror or 'no reason given').lower()}",
                hint="is the disk full, or may the service's user not write there?",
            ) from error
        self._end = len(self._content())

    def close(self) -> None:
        """Let go of the file; what is aboard stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def board(self, job: Job, accepted: Accepted) -> bool:
        """Keep the receipt of *job*, whose intent is stored; return whether it is safe. Never raises."""
        submission = accepted.submission
        line = json.dumps(
            {
                "job": job.key,
                "attempt": job.attempt,
                "at": accepted.at.isoformat(),
                "remote_id": submission.remote_id,
                "status_url": submission.status_url,
                "cancel_url": submission.cancel_url,
            }
        )
        record = f"{line}\n".encode()
        if self._descriptor is None or self._end + len(record) > SIZE_BYTES:
            return False
        try:
            written = os.pwrite(self._descriptor, record, self._end)
        except OSError:
            return False
        self._end += written
        return written == len(record)

    async def land(self, ledger: Ledger) -> Landed:
        """Give every receipt aboard to its job in *ledger*; those of jobs that it does not know stay aboard.

        Raises:
            LedgerUnavailable: The ledger still cannot take them; they stay aboard.
        """
        jobs: list[Job] = []
        strange: dict[bytes, Receipt] = {}
        for line, receipt in self._receipts():
            try:
                job = await _given(ledger, receipt)
            except UnknownKey:
                strange[line] = receipt
                continue
            jobs += [] if job is None else [job]
        if self._end:
            self._keep(b"".join(line + b"\n" for line in strange))
        return Landed(jobs=tuple(jobs), strange=tuple(strange.values()))

    def _receipts(self) -> Iterator[tuple[bytes, Receipt]]:
        for line in self._content().splitlines():
            with contextlib.suppress(ValueError, KeyError):  # torn: the power went while it was written
                yield line, _receipt(json.loads(line))

    def _content(self) -> bytes:
        assert self._descriptor is not None, "open() comes first"
        return os.pread(self._descriptor, SIZE_BYTES, 0).rstrip(b"\0")

    def _keep(self, content: bytes) -> None:
        assert self._descriptor is not None, "open() comes first"
        try:
            os.pwrite(self._descriptor, content.ljust(SIZE_BYTES, b"\0"), 0)
        except OSError as error:
            raise LedgerUnavailable(f"cannot write {self._path}: {error.strerror}") from error
        self._end = len(content)


def _receipt(told: dict[str, str]) -> Receipt:
    submission = Submission(
        remote_id=RemoteId(told["remote_id"]), status_url=told["status_url"], cancel_url=told["cancel_url"]
    )
    accepted = Accepted(submission=submission, at=datetime.fromisoformat(told["at"]))
    return Receipt(job=JobKey(told["job"]), attempt=int(told["attempt"]), accepted=accepted)


async def _given(ledger: Ledger, receipt: Receipt) -> Job | None:
    """Return the job with its receipt; None where it did not wait for it any more.

    Raises:
        UnknownKey: There is no such job.
    """
    job, accepted = await ledger.job(receipt.job), receipt.accepted
    if job.stage is Stage.QUEUED and job.attempt == receipt.attempt - 1:
        # Its order was placed after this copy of the ledger was made.
        day, month = labels(accepted.at.astimezone())
        job = await _saved(ledger, job, Began(at=accepted.at, booking=Booking(day=day, month=month)))
    if job.stage is not Stage.SUBMITTING or job.attempt != receipt.attempt:
        return None  # the ledger took it in after all
    return await _saved(ledger, job, accepted)


async def _saved(ledger: Ledger, job: Job, event: Began | Accepted) -> Job:
    return await ledger.save(job, advance(job, event), event, at=event.at, owner=None)
