"""The calls of the operating system, as a machine with shares answers them."""

# The calls of ``os`` are what is pretended here.

from __future__ import annotations

import ctypes
import errno
import os
import stat
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tests.simulation.shares import Shares


class Seen:
    """What a share tells of a file: an ``os.stat_result`` with numbers of its own."""

    __slots__ = (
        "st_ctime_ns",
        "st_dev",
        "st_gid",
        "st_ino",
        "st_mode",
        "st_mtime_ns",
        "st_nlink",
        "st_size",
        "st_uid",
    )

    def __init__(self, found: os.stat_result, device: int, inode: int) -> None:
        """Be *found* with these numbers."""
        self.st_mode, self.st_nlink, self.st_size = found.st_mode, found.st_nlink, found.st_size
        self.st_uid, self.st_gid = found.st_uid, found.st_gid
        self.st_mtime_ns, self.st_ctime_ns = found.st_mtime_ns, found.st_ctime_ns
        self.st_dev, self.st_ino = device, inode


class _Entry:
    """An ``os.DirEntry`` of a share."""

    __slots__ = ("_entry", "_path", "_shares", "name")

    def __init__(self, entry: os.DirEntry[str], folder: str, shares: Shares) -> None:
        self.name = entry.name
        self._entry = entry
        self._path = f"{folder}/{entry.name}"
        self._shares = shares

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._entry.is_dir(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool = True) -> Any:
        self._shares.reach("lstat", self._shares.logical(self._path))
        return _told(self._shares, self._entry.stat(follow_symlinks=follow_symlinks), self._path)


class _Listing:
    """What ``os.scandir`` returns."""

    def __init__(self, handle: int, shares: Shares) -> None:
        self._listing = os.scandir(handle)
        self._folder = shares.opened(handle)
        self._shares = shares

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listing.close()

    def __iter__(self) -> _Listing:
        return self

    def __next__(self) -> _Entry:
        return _Entry(next(self._listing), self._folder, self._shares)


class Reach(types.SimpleNamespace):
    """The operating system with shares in it: each call is one at which they may go, come back or refuse."""

    def __init__(self, shares: Shares, below: Any, path_of: Callable[[int], str]) -> None:
        """Be the system *below*, which has none, with *shares*; *path_of* tells what is open under a number."""
        super().__init__(**vars(below))
        self.path = types.SimpleNamespace(**vars(below.path))
        for verb, call in (
            ("rmdir", below.rmdir), ("unlink", below.unlink),
            ("listdir", below.listdir), ("statvfs", below.statvfs),
        ):  # fmt: skip
            setattr(self, verb, _gated(shares, verb, call))
        for verb in ("replace", "rename", "link"):
            setattr(self, verb, _crossing(shares, verb, getattr(below, verb)))
        for verb in ("lstat", "stat"):
            setattr(self, verb, _looking(shares, verb, getattr(below, verb)))
        for verb in ("write", "fsync"):
            setattr(self, verb, _on_open(shares, verb, getattr(below, verb), path_of))
        self.preadv = _on_open(
            shares, "read", below.preadv, lambda number: shares.logical(shares.opened(number))
        )
        self.mkdir = _making(shares, below.mkdir, path_of)
        self.open = _opening(shares, below.open)
        self.fstat = lambda number: _told(shares, os.fstat(number), shares.opened(number))
        self.scandir = lambda handle: _Listing(handle, shares)
        self.path.isdir = lambda path: self._is(path, self.stat, stat.S_ISDIR)
        self.path.isfile = lambda path: self._is(path, self.stat, stat.S_ISREG)
        self.path.islink = lambda path: self._is(path, self.lstat, stat.S_ISLNK)
        self.path.exists = lambda path: self._is(path, self.stat, bool)
        self.path.lexists = lambda path: self._is(path, self.lstat, bool)
        self.path.realpath = os.path.normpath

    @staticmethod
    def _is(path: str, look: Callable[[str], Any], kind: Callable[[int], bool]) -> bool:
        try:
            return kind(look(path).st_mode)
        except (OSError, ValueError):
            return False


def _gated(shares: Shares, verb: str, call: Any) -> Any:
    def gated(path: str, *args: Any, **kwargs: Any) -> Any:
        shares.reach(verb, path)
        if verb == "unlink":
            shares.removing(path)
        return call(path, *args, **kwargs)

    return gated


def _crossing(shares: Shares, verb: str, call: Any) -> Any:
    def gated(source: str, target: str, **kwargs: Any) -> Any:
        shares.crossing(verb, source, target)
        return call(source, target, **kwargs)

    return gated


def _looking(shares: Shares, verb: str, call: Any) -> Any:
    def gated(path: str, **kwargs: Any) -> Any:
        shares.reach(verb, path)
        return _told(shares, call(path, **kwargs), path)

    return gated


def _on_open(shares: Shares, verb: str, call: Any, path_of: Callable[[int], str]) -> Any:
    def gated(number: int, *args: Any) -> Any:
        shares.reach(verb, path_of(number))
        return call(number, *args)

    return gated


def _making(shares: Shares, call: Any, path_of: Callable[[int], str]) -> Any:
    def gated(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if dir_fd is None:
            shares.reach("mkdir", path)
            call(path, mode)
            return
        shares.reach("mkdir", f"{path_of(dir_fd)}/{path}")
        call(path, mode, dir_fd=dir_fd)

    return gated


def _opening(shares: Shares, call: Any) -> Any:
    def gated(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            shares.reach("open", f"{shares.logical(shares.opened(dir_fd))}/{path}")
            return os.open(path, flags, mode, dir_fd=dir_fd)
        shares.reach("create" if flags & os.O_CREAT else "open", path)
        number: int = call(path, flags, mode)
        return number

    return gated


def renamer(shares: Shares, below: Any) -> Any:
    """Return the system's call that renames without replacing; *below* is that of a machine without *shares*."""

    def renameat2(one: int, source: bytes, other: int, target: bytes, flags: int) -> int:
        before, after = os.fsdecode(source), os.fsdecode(target)
        try:
            shares.crossing("rename", before, after)
            if shares.cannot_rename(after) and not os.path.lexists(after):
                raise OSError(errno.EINVAL, "")  # noqa: TRY301 - as the kernel's answer, below
        except OSError as error:
            ctypes.set_errno(error.errno or errno.EIO)
            return -1
        answer: int = below(one, source, other, target, flags)
        return answer

    return renameat2


def _told(shares: Shares, found: os.stat_result, path: str) -> Any:
    """Return *found* as the share of the real *path* tells it."""
    numbers = shares.numbers(path, found.st_ino)
    return found if numbers is None else Seen(found, *numbers)
