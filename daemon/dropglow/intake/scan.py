"""Walk an inbox and tell every file that may be a drop, and whatever was passed over.

Never follows links, never leaves the file system that the inbox is on, never
opens a file. Folders are opened relative to their parents, so that a folder
exchanged for a link during the walk leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from dropglow.disk import let_go
from dropglow.errors import DiskError
from dropglow.intake.ignore import Ignored, is_unfinished_file, is_unfinished_folder
from dropglow.model import Sighting

MAX_DEPTH: Final = 32  # folders; every level of the walk holds a file descriptor

_ROOT: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW: Final = _ROOT | os.O_NOFOLLOW

# What a folder answers that was removed, or exchanged for something else, during the walk.
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

_USUAL: Final = Ignored()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snag:
    """Something in an inbox that was passed over, and why, in plain words."""

    path: str  # below the inbox
    reason: str
    hides: bool = False  # True: nobody knows what lies there


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Something in a sub-folder that is no candidate, or the sub-folder itself: told where folders are taken whole."""

    sighting: Sighting
    unfinished: bool = False  # True: its name says that somebody is still writing there


def scan(
    root: str, *, reserved: AbstractSet[str] = frozenset(), ignored: Ignored = _USUAL
) -> Iterator[Sighting | Snag]:
    """Yield every candidate below *root*, in no order, with a snag for each thing passed over.

    Streams: memory does not grow with the number of files. *reserved* are paths
    below the root of folders that are not looked into, and *ignored* knows what else is none of our
    business. Costs one ``lstat`` a file.

    Raises:
        DiskError: The root cannot be opened; nothing is known about its files then.
    """
    for found in _scanned(root, reserved=reserved, ignored=ignored):
        if not isinstance(found, Other):
            yield found


def scan_all(
    root: str, *, below: str = "", reserved: AbstractSet[str] = frozenset(), ignored: Ignored = _USUAL
) -> Iterator[Sighting | Snag | Other]:
    """Yield what ``scan`` yields, and everything else that is in sub-folders, and those themselves.

    Where *root* is itself a sub-folder of an inbox, *below* says which. Costs one ``lstat`` for each of them.

    Raises:
        DiskError: The root cannot be opened; nothing is known about its files then.
    """
    yield from _scanned(root, reserved=reserved, ignored=ignored, below=below, others=True)


def _scanned(
    root: str, *, reserved: AbstractSet[str], ignored: Ignored, below: str = "", others: bool = False
) -> Iterator[Sighting | Snag | Other]:
    try:
        handle, found = _opened(root, _ROOT)
    except OSError as error:
        raise DiskError(
            f"{root} cannot be read: {error.strerror}",
            hint="is the share mounted, and may the daemon's user read the folder?",
        ) from error
    try:
        walk = _Walk(found.st_dev, reserved, ignored, others=others)
        if below and others:
            yield Other(sighting=walk.sighting(below, found))
        yield from walk.below(handle, f"{below}/" if below else "", below.count("/") + (2 if below else 1))
    finally:
        let_go(handle)


def _opened(name: str, flags: int, *, parent: int | None = None) -> tuple[int, os.stat_result]:
    handle = os.open(name, flags, dir_fd=parent)
    try:
        return handle, os.fstat(handle)
    except OSError:
        let_go(handle)
        raise


class _Walk:
    """One pass over one tree."""

    def __init__(self, device: int, reserved: AbstractSet[str], ignored: Ignored, *, others: bool) -> None:
        self._device = device
        self._ignored = ignored
        self._reserved = reserved
        self._others = others

    def below(self, handle: int, prefix: str, depth: int) -> Iterator[Sighting | Snag | Other]:
        """Yield what lies in the open folder *handle*, whose path is *prefix*, and below it."""
        try:
            listing = os.scandir(handle)
        except OSError as error:
            yield from _unless_gone(prefix.rstrip("/"), error)
            return
        with listing as entries:
            while True:
                try:
                    entry = next(entries, None)
                except OSError as error:  # a share that fails in the middle of a listing
                    yield from _unless_gone(prefix.rstrip("/"), error)
                    return
                if entry is None:
                    return
                if _is_folder(entry):
                    yield from self._folder(handle, entry, prefix, depth)
                elif self._ignored.file(path := prefix + entry.name, entry.name):
                    yield from self._other(entry, path, unfinished=is_unfinished_file(entry.name))
                else:
                    yield from self._file(entry, path)

    def _folder(
        self, parent: int, entry: os.DirEntry[str], prefix: str, depth: int
    ) -> Iterator[Sighting | Snag | Other]:
        name, path = entry.name, prefix + entry.name
        if self._ignored.folder(path, name) or path in self._reserved:
            yield from self._other(entry, path, unfinished=is_unfinished_folder(name))
            return
        if depth >= MAX_DEPTH:
            yield Snag(path=path, reason=f"it lies more than {MAX_DEPTH} folders deep", hides=True)
            return
        try:
            handle, found = _opened(name, _BELOW, parent=parent)
        except OSError as error:
            yield from _unless_gone(path, error)
            return
        try:
            if found.st_dev != self._device:
                yield Snag(path=path, reason="another file system is mounted there", hides=True)
                return
            if self._others:
                yield Other(sighting=self.sighting(path, found))
            yield from self.below(handle, f"{path}/", depth + 1)
        finally:
            let_go(handle)

    def _file(self, entry: os.DirEntry[str], path: str) -> Iterator[Sighting | Snag | Other]:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError as error:
            yield from _unless_gone(path, error)
            return
        if stat.S_ISREG(found.st_mode):
            yield self.sighting(path, found)
            return
        link = stat.S_ISLNK(found.st_mode)
        reason = "it is a link, and links are never followed" if link else "it is not a regular file"
        yield Snag(path=path, reason=reason)
        yield from self._other(entry, path, unfinished=False)

    def _other(self, entry: os.DirEntry[str], path: str, *, unfinished: bool) -> Iterator[Other]:
        """Yield what is no candidate, where a whole folder is asked for and it is still there."""
        if not self._others or "/" not in path:
            return
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return
        yield Other(sighting=self.sighting(path, found), unfinished=unfinished)

    def sighting(self, path: str, found: os.stat_result) -> Sighting:
        """Return what *found* tells, with equal numbers as one object: a big inbox keeps a sighting a file."""
        mtime_ns, ctime_ns = found.st_mtime_ns, found.st_ctime_ns
        return Sighting(
            path=path,
            device=self._device if found.st_dev == self._device else found.st_dev,
            inode=found.st_ino,
            size_bytes=found.st_size,
            mtime_ns=mtime_ns,
            ctime_ns=mtime_ns if ctime_ns == mtime_ns else ctime_ns,
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # file systems that do not list types: looking at it as a file says why
        return False


def _unless_gone(path: str, error: OSError) -> Iterator[Snag]:
    if error.errno not in _GONE:
        yield Snag(path=path, reason=f"it cannot be read: {error.strerror}", hides=True)
