"""A disk that fails on demand, for every story about what a disk can do to us."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from dropglow.disk import NewFile, RealDisk, Stat, refusal
from dropglow.errors import DiskError


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

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        with self.turn("make_folder", path):
            super().make_folder(path, mode=mode)

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
