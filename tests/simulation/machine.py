"""The machine under the service: a real folder in memory, with everything in between that a power cut forgets.

The product's own disk code runs on it, call by call. What was not synced is remembered here, and undone when the
power goes: names by the folder, contents by the file. Each call that changes something is a point at which the
process may die or the call may fail.
"""

# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH120, PTH208, PTH112
# The calls of ``os`` are what is pretended here.

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import hashlib
import os
import random
import re
import shutil
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dropglow.disk import reading, real, rename
from dropglow.intake import claiming, copying, inbox, kept_root, mounts, returning, root, scan, survey
from dropglow.landmarks import Mount
from tests.simulation.reach import Reach, renamer
from tests.simulation.shares import TABLE, Shares

CHANGES: Final = frozenset({
    "create", "write", "fsync", "sync_folder", "rename", "replace", "link", "unlink", "mkdir", "rmdir", "commit", "connect",
    "send", "answer",
})  # fmt: skip


_read_mounts: Final = mounts._mounts
_read_text: Final = mounts._text


@functools.cache
def _mounted(table: str) -> tuple[Mount, ...]:
    """Return where the simulated folders can lie, but for shares: nothing of it comes or goes meanwhile."""
    places = f"{os.path.realpath(tempfile.gettempdir())}/", "/dev/shm/"
    return tuple(
        mount
        for mount in _read_mounts(table)
        if any(place.startswith(f"{mount.point.rstrip('/')}/") for place in places)
    )


def _without_links() -> Any:
    """Return the operating system where no path leads elsewhere: looking for links is a tenth of a seed."""
    system = types.SimpleNamespace(**vars(os))
    system.path = types.SimpleNamespace(**vars(os.path))
    system.path.realpath = os.path.normpath
    return system


_PLAIN: Final = _without_links()
_PLAINLY: Final = (survey, mounts, inbox)  # which look for links again and again
_LOOKING: Final = (
    claiming,
    copying,
    inbox,
    kept_root,
    reading,
    returning,
    root,
    scan,
    survey,
)  # and shares go meanwhile


class Died(BaseException):
    """The process is dead: from here on nothing has any effect."""


# The workshop of an inbox that is only read is called by the path of this machine, which differs from run to run.
_KEPT: Final = re.compile("/kept/[0-9a-f]{16}")


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Something that the disk refuses, once or until it is mended."""

    number: int
    verbs: frozenset[str]
    below: str  # a folder; everything in it
    from_effect: int
    times: int  # how often; below zero for ever


@dataclass(frozen=True, slots=True)
class _Deed:
    """One change of names that is not durable yet, and how it is undone."""

    verb: str
    path: str
    target: str = ""
    saved: str = ""  # where what it removed is kept
    mode: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return (self.path, self.target) if self.target else (self.path,)

    def touches(self, folder: str) -> bool:
        return any(os.path.dirname(name) == folder for name in self.names)


class _Pins:
    """What stays, and what has to stay with it: no file system keeps a name in a folder that never was."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._removed: set[str] = set()

    def add(self, deed: _Deed) -> None:
        self._names.update(deed.names)
        if deed.verb == "rmdir":
            self._removed.add(deed.path)

    def need(self, deed: _Deed) -> bool:
        if self._names.intersection(deed.names) or any(deed.touches(folder) for folder in self._removed):
            return True
        if deed.verb != "mkdir":
            return False
        inside = any(name.startswith(f"{deed.path}/") for name in self._names)
        return inside or not os.path.isdir(deed.path) or bool(os.listdir(deed.path))


@dataclass(slots=True, kw_only=True)
class Fate:
    """When and how a life ends, if it does, and what goes wrong on its disk."""

    dies_at: int = 0  # at the how-manieth effect; zero: never
    of: str = ""  # which effects count: how what they are noted as begins; none: all of them
    power: bool = False  # the machine goes down, and not the process alone
    journal: bool = True  # names become durable in order, as on ext4; else each folder for itself
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def late(self) -> bool:
        """Return whether it comes after all that may go wrong with an order: such a life is to get so far."""
        return " " in self.of


class Machine:
    """One machine for one seed: it may lose its power again and again."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        """Use *root*, which is emptied first."""
        self.root = str(root)
        self.grave = f"{root}/.graves"
        self.counts: Counter[str] = Counter()
        self.effects = 0
        self.dead = False
        self.fate = Fate()
        self._towards_death = 0
        self.trace = hashlib.sha256()
        self.story: list[str] | None = None
        self.intruder: Callable[[str], None] = _nobody  # takes a name that is about to be given
        self._dice = dice
        self.kept: set[str] = set()  # what was removed, and the disk refused that or brought it back
        self._deeds: list[_Deed] = []
        self._dirty: set[int] = set()  # inodes whose content is not synced
        self._open: dict[int, str] = {}
        self._graves = 0
        self.shares = Shares(str(root), dice, self.counts, self.note)
        self.shares.settle = self.everything_is_durable
        self.shares.is_dead = lambda: self.dead
        for name in os.listdir(root):
            found = f"{root}/{name}"
            shutil.rmtree(found) if os.path.isdir(found) else os.unlink(found)
        os.mkdir(self.grave)

    # The points at which things go wrong.

    def begin(self, fate: Fate) -> None:
        """Begin a life with this fate."""
        self.fate, self.effects, self.dead = fate, 0, False
        self._towards_death = 0

    def step(self, verb: str, subject: str) -> None:
        """Go past one point of an effect, or die there, or refuse."""
        if self.dead:
            raise Died
        self.effects += 1
        line = f"{verb} {subject.removeprefix(self.root)}"
        self.note(line)
        self._count(line, f"died at {verb}")
        for trouble in self.fate.troubles:
            if self._bites(trouble, verb, subject):
                trouble.times -= 1
                self.counts[f"{errno.errorcode[trouble.number]} at {verb}"] += 1
                if verb == "unlink":
                    self.kept.add(subject)
                raise OSError(trouble.number, os.strerror(trouble.number), subject)

    def past(self, verb: str, subject: str = "") -> None:
        """Go past the end of an effect, or die there."""
        self._count(f"{verb} {subject.removeprefix(self.root)}", f"died after {verb}")

    def _count(self, line: str, why: str) -> None:
        if line.startswith(self.fate.of):
            self._towards_death += 1
            if self._towards_death == self.fate.dies_at:
                self.die(why)

    def die(self, why: str) -> None:
        """End this life here.

        Raises:
            Died: Always.
        """
        self.counts[why] += 1
        self.note(why)
        self.dead = True
        raise Died

    def note(self, line: str) -> None:
        """Write one line into the trace."""
        line = _KEPT.sub("/kept/…", line)
        self.trace.update(line.encode("utf-8", "surrogateescape"))
        if self.story is not None:
            self.story.append(line)

    def _bites(self, trouble: Trouble, verb: str, subject: str) -> bool:
        return (
            trouble.times != 0
            and self.effects >= trouble.from_effect
            and verb in trouble.verbs
            and subject.startswith(trouble.below)
        )

    # What a crash leaves behind.

    @property
    def pending(self) -> bool:
        """Return whether a power cut could forget the last name that some file got."""
        return any(
            deed.verb == "rename" and "/." not in deed.target.removeprefix(self.root) for deed in self._deeds
        )

    def everything_is_durable(self) -> None:
        """Let the kernel have written every name by now: somebody else acted on them."""
        self._deeds.clear()

    def go_down(self) -> None:
        """Close what the dead process had open; if the power went, forget what was not synced."""
        self.dead = True
        for descriptor in self._open:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._open.clear()
        if self.fate.power:
            self.counts["power cut"] += 1
            self._undo()
            self._tear()
        else:
            self.counts["process killed"] += 1

    def _undo(self) -> None:
        kept = self._dice.randint(0, len(self._deeds)) if self.fate.journal else 0
        pins = _Pins()
        for number in range(len(self._deeds) - 1, -1, -1):
            deed = self._deeds[number]
            stays = number < kept if self.fate.journal else self._dice.random() < 0.5
            if stays or pins.need(deed):
                pins.add(deed)
            else:
                self.counts["name forgotten"] += 1
                if deed.verb == "unlink":
                    self.kept.add(deed.path)
                self.note(f"undone {deed.verb} {deed.path.removeprefix(self.root)}")
                _undo(deed)
        self._deeds.clear()

    def _tear(self) -> None:
        if not self._dirty:
            return
        for folder, _, names in os.walk(self.root):
            for name in sorted(names):
                path = f"{folder}/{name}"
                found = os.lstat(path)
                if found.st_ino in self._dirty and found.st_size and self._dice.random() < 0.8:
                    self.counts["content forgotten"] += 1
                    self.note(f"torn {path.removeprefix(self.root)}")
                    os.truncate(path, self._dice.choice((0, 0, found.st_size // 2)))
        self._dirty.clear()

    # The calls of the operating system.

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Be the operating system below the product's disk, and its source of chance, for a while."""
        chance, os_chance = random._urandom, os.urandom  # type: ignore[attr-defined]
        with contextlib.ExitStack() as undo:
            for module, name, stand_in in self._stand_ins():
                undo.callback(setattr, module, name, getattr(module, name))
                setattr(module, name, stand_in)
            random._urandom = os.urandom = self._dice.randbytes  # type: ignore[attr-defined]
            try:
                yield
            finally:
                random._urandom, os.urandom = chance, os_chance  # type: ignore[attr-defined]

    def _stand_ins(self) -> Iterator[tuple[Any, str, Any]]:
        system, renameat2 = self._system(), self._renameat2
        yield mounts, "_mounts", _mounted
        for module in _PLAINLY:
            yield module, "os", _PLAIN
        if self.shares.all:
            around = Reach(self.shares, _PLAIN, lambda _number: "")
            for module in _LOOKING:
                yield module, "os", around
            yield mounts, "_mounts", lambda table: self.shares.mounts(_mounted(table))
            yield mounts, "_text", lambda path: self.shares.table() if path == TABLE else _read_text(path)
            system = Reach(self.shares, system, lambda number: self._open.get(number, ""))
            renameat2 = renamer(self.shares, renameat2)
        yield real, "os", system
        yield rename, "os", system
        yield rename, "_renameat2", renameat2

    def _system(self) -> Any:
        system = types.SimpleNamespace(**vars(os))
        for name in (
            "open",
            "write",
            "fsync",
            "close",
            "mkdir",
            "rmdir",
            "unlink",
            "replace",
            "rename",
            "link",
        ):
            setattr(system, name, getattr(self, "_open_" if name == "open" else f"_{name}"))
        for name in ("lstat", "listdir", "statvfs"):
            setattr(system, name, self._living(getattr(os, name)))
        return system

    def _living(self, call: Any) -> Any:
        def checked(*args: Any, **kwargs: Any) -> Any:
            if self.dead:
                raise Died
            return call(*args, **kwargs)

        return checked

    def _open_(self, path: str, flags: int, mode: int = 0o777) -> int:
        if self.dead:
            raise Died
        if not flags & os.O_CREAT:
            self._may_read(path)
            descriptor = os.open(path, flags, mode)
        else:
            self.step("create", path)
            descriptor = os.open(path, flags, mode)
            self._deeds.append(_Deed("create", path))
            self._dirty.add(os.fstat(descriptor).st_ino)
        if flags & (os.O_CREAT | os.O_DIRECTORY):
            self._open[descriptor] = path
        if flags & os.O_CREAT:
            self.past("create")
        return descriptor

    def _may_read(self, path: str) -> None:
        for trouble in self.fate.troubles:
            if self._bites(trouble, "read", path):
                trouble.times -= 1
                self.counts[f"{errno.errorcode[trouble.number]} at read"] += 1
                raise OSError(trouble.number, os.strerror(trouble.number), path)

    def _write(self, descriptor: int, data: Any) -> int:
        path = self._open.get(descriptor, "")
        self.step("write", path)
        self._dirty.add(os.fstat(descriptor).st_ino)
        if len(data) > 1 and self._dice.random() < 0.05:
            data = data[: len(data) // 2]
            self.counts["short write"] += 1
        written = os.write(descriptor, data)
        self.past("write")
        return written

    def _fsync(self, descriptor: int) -> None:
        path = self._open.get(descriptor, "")
        if os.path.isdir(path):
            self.step("sync_folder", path)
            self._sync_names(path)
            self.past("sync_folder", path)
            return
        self.step("fsync", path)
        self._dirty.discard(os.fstat(descriptor).st_ino)
        self.past("fsync")

    def _sync_names(self, folder: str) -> None:
        touching = [number for number, deed in enumerate(self._deeds) if deed.touches(folder)]
        if not touching:
            return
        if self.fate.journal:
            del self._deeds[: touching[-1] + 1]
            return
        pins, rest = _Pins(), []
        for deed in reversed(self._deeds):
            if deed.touches(folder) or pins.need(deed):
                pins.add(deed)
            else:
                rest.append(deed)
        self._deeds = rest[::-1]

    def _close(self, descriptor: int) -> None:
        if self.dead:
            raise Died
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def _mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if self.dead:
            raise Died
        if dir_fd is not None:  # wherever that is by now
            path = f"{self.shares.opened(dir_fd)}/{path}"
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self.step("mkdir", path)
        os.mkdir(path, mode)
        self._deeds.append(_Deed("mkdir", path))
        self.past("mkdir")

    def _rmdir(self, path: str) -> None:
        self.step("rmdir", path)
        mode = os.lstat(path).st_mode
        os.rmdir(path)
        self._deeds.append(_Deed("rmdir", path, mode=mode & 0o7777))
        self.past("rmdir")

    def _unlink(self, path: str) -> None:
        if self.dead:
            raise Died
        if not os.path.lexists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self.step("unlink", path)
        self._deeds.append(_Deed("unlink", path, saved=self._bury(path)))
        self.past("unlink")

    def _rename(self, source: str, target: str) -> None:
        self._replace(source, target)

    def _replace(self, source: str, target: str) -> None:
        self.step("replace", target)
        self.intruder(target)  # who replaces what was not there may replace what just came
        os.lstat(source)
        if not os.path.isdir(os.path.dirname(target)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), target)
        saved = self._bury(target) if os.path.lexists(target) else ""
        os.rename(source, target)
        self._deeds.append(_Deed("replace", source, target=target, saved=saved))
        self.past("replace")

    def _link(self, source: str, target: str, *, follow_symlinks: bool = True) -> None:
        self.step("link", target)
        os.link(source, target, follow_symlinks=follow_symlinks)
        self._deeds.append(_Deed("link", target))
        self.past("link")

    def _renameat2(self, _from: int, source: bytes, _to: int, target: bytes, _flags: int) -> int:
        before, after = os.fsdecode(source), os.fsdecode(target)
        try:
            self.step("rename", after)
            self.intruder(after)
            os.lstat(before)  # as the kernel does, which looks for the source first
            if os.path.lexists(after):
                raise OSError(errno.EEXIST, "")  # noqa: TRY301 - as the kernel's answer, below
            os.rename(before, after)
        except OSError as error:
            ctypes.set_errno(error.errno or errno.EIO)
            return -1
        self._deeds.append(_Deed("rename", before, target=after))
        self.past("rename", after)
        return 0

    def _bury(self, path: str) -> str:
        self._graves += 1
        grave = f"{self.grave}/{self._graves}"
        os.rename(path, grave)
        return grave


def _nobody(_path: str) -> None:
    """Take no name."""


def _undo(deed: _Deed) -> None:
    match deed.verb:
        case "create" | "link":
            os.unlink(deed.path)
        case "mkdir":
            os.rmdir(deed.path)
        case "rmdir":
            os.mkdir(deed.path, deed.mode)
        case "unlink":
            os.rename(deed.saved, deed.path)
        case _:
            os.rename(deed.target, deed.path)
            if deed.saved:
                os.rename(deed.saved, deed.target)
