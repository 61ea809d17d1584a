"""A disk that fails on demand, and an order on its way into an outbox."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import Disk, NewFile, RealDisk, Stat, refusal
from dropglow.errors import DiskError
from dropglow.model import (
    After,
    Artifact,
    DeliveryPlan,
    Drop,
    DropKey,
    Job,
    JobKey,
    Kind,
    Order,
    Output,
    RuleName,
)

AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)


class PowerCut(BaseException):  # no Exception: nothing on the way may handle it
    """The machine stops here. What was done stays done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, once or for ever.

    ``verb`` is a method of the disk (``create``, ``move`` …) or of a file that is being written
    (``file.write``, ``file.finish``); None means every verb that changes something.
    """

    verb: str | None = None
    nth: int = 1  # counted from one, among the calls of this verb
    number: int | None = errno.EIO  # of the error; None cuts the power
    after: bool = False  # the call does its work first, and then fails
    lasting: bool = False  # every later call fails as well
    deed: Callable[[], object] | None = None  # instead of failing: what somebody else does at this moment


class FaultyDisk(RealDisk):
    """The real disk with faults. Verbs that are made of other verbs fail in their middle, too.

    ``calls`` are the changing calls in order, ``synced`` the files and folders that were synced.
    """

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        self.calls: list[tuple[str, str]] = []
        self.synced: list[str] = []
        self.bites = 0

    def create(self, path: str, *, mode: int = 0o600) -> NewFile:
        with self.turn("create", path):
            return _FaultyFile(self, super().create(path, mode=mode))

    def move(self, source: str, target: str) -> None:
        with self.turn("move", target):
            super().move(source, target)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> tuple[DiskError | None, ...]:
        with self.turn("move_many", pairs[0][1] if pairs else ""):
            return super().move_many(pairs)

    def publish(self, temporary: str, final: str, *, replace: bool = False) -> None:
        with self.turn("publish", final):
            super().publish(temporary, final, replace=replace)

    def sync_folder(self, folder: str) -> None:
        with self.turn("sync_folder", folder):
            super().sync_folder(folder)
            self.synced.append(folder)

    def make_folder(self, path: str, *, within: str = "/", mode: int = 0o777) -> None:
        with self.turn("make_folder", path):
            super().make_folder(path, within=within, mode=mode)

    def make_inside(self, folder: str, name: str, *, device: int, inode: int, mode: int = 0o777) -> None:
        with self.turn("make_inside", f"{folder}/{name}"):
            super().make_inside(folder, name, device=device, inode=inode, mode=mode)

    def remove(self, path: str) -> None:
        with self.turn("remove", path):
            super().remove(path)

    def remove_folder(self, path: str) -> None:
        with self.turn("remove_folder", path):
            super().remove_folder(path)

    @contextmanager
    def turn(self, verb: str, path: str) -> Iterator[None]:
        """Count one call, and let it fail where a fault says so."""
        self.calls.append((verb, path))
        due = [fault for fault in self.faults if self._is_due(fault, verb)]
        for fault in due:
            self._bite(fault, path, after=False)
        yield
        for fault in due:
            self._bite(fault, path, after=True)

    def _is_due(self, fault: Fault, verb: str) -> bool:
        if fault.verb not in {None, verb}:
            return False
        count = sum(fault.verb in {None, called} for called, _ in self.calls)
        return count == fault.nth or (fault.lasting and count > fault.nth)

    def _bite(self, fault: Fault, path: str, *, after: bool) -> None:
        if fault.after is not after:
            return
        self.bites += 1
        if fault.deed is not None:
            fault.deed()
            return
        if fault.number is None:
            raise PowerCut
        raise refusal("use", path, OSError(fault.number, os.strerror(fault.number)))


class _FaultyFile:
    """A file of the faulty disk."""

    def __init__(self, disk: FaultyDisk, file: NewFile) -> None:
        self._disk = disk
        self._file = file

    @property
    def path(self) -> str:
        return self._file.path

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def write(self, data: bytes) -> None:
        with self._disk.turn("file.write", self.path):
            self._file.write(data)

    def finish(self, *, mode: int | None = None, group: str | None = None) -> Stat:
        with self._disk.turn("file.finish", self.path):
            result = self._file.finish(mode=mode, group=group)
            self._disk.synced.append(self.path)
            return result

    def discard(self) -> None:
        self._file.discard()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskMaker:
    """Makes faulty disks; tests cannot import this file, so it carries what they need."""

    fault: type[Fault] = Fault
    power_cut: type[PowerCut] = PowerCut

    def __call__(self, *faults: Fault) -> FaultyDisk:
        return FaultyDisk(*faults)


@pytest.fixture
def faulty_disk() -> DiskMaker:
    """Return a maker of disks: ``faulty_disk(faulty_disk.fault(verb="publish", number=errno.ENOSPC))``."""
    return DiskMaker()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One drop, one order for it, and an outbox in a folder of its own."""

    outbox: Path
    drop: Drop
    job: Job
    now: datetime = AT

    def planned(self, **changes: Any) -> Delivery:
        """Return the same with another plan: ``planned(sidecar=True)``."""
        order = replace(self.job.order, delivery=replace(self.job.order.delivery, **changes))
        return replace(self, job=replace(self.job, order=order))

    def fetch(self, disk: Disk, *, count: int = 1, data: bytes | None = None) -> Job:
        """Return the job with *count* results in the spool, as a worker would have them."""
        artifacts = [self._fetch_one(disk, index, data or picture(index)) for index in range(count)]
        return replace(self.job, artifacts=tuple(artifacts))

    def _fetch_one(self, disk: Disk, index: int, data: bytes) -> Artifact:
        file = Spool(disk).open(self.job, Output(index=index, seed=70 + index, url="https://h/x?sig=s"))
        file.write(data)
        return file.finish(expected_bytes=len(data))

    def deliver(self, disk: Disk, job: Job) -> list[str]:
        """Deliver *job* and return the final names below the outbox."""
        paths = Outbox(disk).deliver(job, self.drop, now=self.now)
        return [str(Path(path).relative_to(self.outbox)) for path in paths]

    def visible(self) -> dict[str, bytes]:
        """Return every file in the outbox that is not hidden, with its content."""
        return {name: data for name, data in self.files().items() if not Path(name).name.startswith(".")}

    def files(self) -> dict[str, bytes]:
        """Return every file in the outbox, with its content."""
        return {
            str(path.relative_to(self.outbox)): path.read_bytes()
            for path in sorted(self.outbox.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


def picture(number: int = 0, kind: str = "JPEG") -> bytes:
    """Return a small picture; another number gives other bytes."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 8), (number * 40 % 256, 90, 160)).save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    """Return a drop with one order whose results go to ``<tmp_path>/out``, which is there."""
    (tmp_path / "out").mkdir()
    key = DropKey("abcdefghij")
    drop = Drop(
        key=key,
        inbox=f"{tmp_path}/in",
        path="beach.txt",
        place=f"{tmp_path}/in/.dropglow/work/abcdefghij/beach.txt",
        rule=RuleName("art"),
        rule_digest="d",
        sha256="5",
        size_bytes=5,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done=None, failed=f"{tmp_path}/in/_failed", held=f"{tmp_path}/in/_held"),
        admitted_at=AT,
    )
    plan = DeliveryPlan(outbox=f"{tmp_path}/out", folder="", name="{stem}_{seed}{ext}")
    order = Order(operation="generate", body={"prompt": "x"}, tokens={"stem": "beach"}, delivery=plan)
    job = Job(
        key=JobKey("abcdefghij.1"),
        drop=key,
        rule=drop.rule,
        inbox=drop.inbox,
        source=drop.path,
        order=order,
        created_at=AT,
    )
    return Delivery(outbox=tmp_path / "out", drop=drop, job=job)
