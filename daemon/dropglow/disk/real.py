"""The machine's own disk."""

# ruff: noqa: PTH102, PTH105, PTH106, PTH108, PTH112, PTH118, PTH120, PTH208
# Names that are no UTF-8, ``O_NOFOLLOW`` and syncing want the calls of ``os``.

from __future__ import annotations

import errno
import grp
import io
import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO, Final

from dropglow.disk.base import NewFile, Stat
from dropglow.disk.descriptors import let_go
from dropglow.disk.reading import Reading, sha256_of
from dropglow.disk.refusals import refusal, translated, translated_naming
from dropglow.disk.rename import UNSUPPORTED, rename
from dropglow.errors import DiskError, FileGone
from dropglow.naming import shown

_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BUFFER_BYTES: Final = 1 << 16  # most results fit into it
_CREATE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class RealDisk:
    """The machine's own disk. See ``Disk`` for what each verb promises."""

    def look(self, path: str) -> Stat | None:
        """Return what is at *path* without following links; None when nothing is."""
        try:
            return _stat(os.lstat(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusal("look at", path, error) from error

    def open_read(self, path: str) -> BinaryIO:
        """Open an ordinary file for reading; never follows a link, never waits for a pipe's other end."""
        with translated("open", path), ExitStack() as undo:
            descriptor = os.open(path, _READ_FLAGS)
            undo.callback(os.close, descriptor)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DiskError(f"cannot open {shown(path)}: it is no ordinary file", hint="put a file there")
            undo.pop_all()
            return io.BufferedReader(Reading(descriptor), _BUFFER_BYTES)

    def read(self, path: str, *, limit_bytes: int = 1 << 20) -> bytes:
        """Return the content of a small file."""
        with self.open_read(path) as file, translated("read", path):
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise DiskError(f"cannot read {shown(path)}: it is larger than {limit_bytes} bytes")
        return data

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file as 64 hexadecimal digits."""
        with self.open_read(path) as file, translated("read", path):
            return sha256_of(file)

    def create(self, path: str, *, mode: int = 0o600) -> NewFile:
        """Create a file that does not exist yet, for writing."""
        with translated_naming("create", path):
            descriptor = os.open(path, _CREATE_FLAGS, mode)
        return _RealNewFile(path, descriptor)

    def write(
        self,
        path: str,
        data: bytes,
        *,
        mode: int = 0o666,
        group: str | None = None,
        replace: bool = False,
        temporary: str = "",
    ) -> None:
        """Make a small file appear, whole and synced."""
        if temporary:
            self.remove(temporary)
        else:
            temporary = os.path.join(os.path.dirname(path), f".dropglow-{secrets.token_hex(8)}.tmp")
        file = self.create(temporary, mode=mode)
        try:
            file.write(data)
            file.finish(group=group)
            self.publish(temporary, path, replace=replace)
        except DiskError:
            file.discard()
            with suppress(DiskError):
                self.remove(temporary)
            raise

    def move(self, source: str, target: str) -> None:
        """Rename without replacing, and sync both folders."""
        rename(source, target)
        self._sync_names(*_folders([(source, target)]))

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> tuple[DiskError | None, ...]:
        """Move each source to its target; sync every folder once, at the end."""
        faults = [_fault_of_renaming(source, target) for source, target in pairs]
        moved = [pair for pair, fault in zip(pairs, faults, strict=True) if fault is None]
        unsynced = {folder: self._fault_of_syncing(folder) for folder in _folders(moved)}
        return tuple(
            fault or unsynced.get(os.path.dirname(target)) or unsynced.get(os.path.dirname(source))
            for fault, (source, target) in zip(faults, pairs, strict=True)
        )

    def publish(self, temporary: str, final: str, *, replace: bool = False) -> None:
        """Give a finished file its final name, and sync the folders."""
        if not replace:
            self.move(temporary, final)
            return
        with translated_naming("publish", final, source=temporary):
            os.replace(temporary, final)
        self._sync_names(*_folders([(temporary, final)]))

    def sync_folder(self, folder: str) -> None:
        """Make what was renamed in *folder* survive a power cut, as far as its file system can."""
        with translated("open", folder):
            descriptor = os.open(folder, _FOLDER_FLAGS)
        try:
            _sync(descriptor)
        except OSError as error:
            raise refusal("sync", folder, error) from error
        finally:
            let_go(descriptor)  # what counts was said by the sync

    def make_folder(self, path: str, *, within: str = "/", mode: int = 0o777) -> None:
        """Make a folder and those above it where they are missing, but never *within*."""
        if os.path.isdir(path):
            return
        if path in {within, "/"}:
            raise DiskError(
                f"{shown(path)} is not there", hint="was it moved or deleted, or a share unmounted?"
            )
        try:
            os.mkdir(path, mode)
        except FileExistsError as error:
            if not os.path.isdir(path):
                raise refusal("make the folder", path, OSError(errno.ENOTDIR, "")) from error
            return
        except FileNotFoundError:
            self.make_folder(os.path.dirname(path), within=within, mode=mode)
            self.make_folder(path, within=within, mode=mode)
            return
        except OSError as error:
            raise refusal("make the folder", path, error) from error
        try:
            self._sync_names(os.path.dirname(path))
        except DiskError:
            # Or whoever asks again would find it, and put files into what a power cut takes away.
            with suppress(OSError):
                os.rmdir(path)
            raise

    def make_inside(self, folder: str, name: str, *, device: int, inode: int, mode: int = 0o777) -> None:
        """Make the folder *name* in the very *folder* that has these numbers."""
        with translated("open", folder):
            parent = os.open(folder, _FOLDER_FLAGS)
        try:
            found = os.fstat(parent)
            if (found.st_dev, found.st_ino) != (device, inode):
                raise DiskError(
                    f"{shown(folder)} became another folder", hint="is its share just coming or going?"
                )
            _make_in(parent, name, mode=mode)
        except OSError as error:
            raise refusal("make a folder in", folder, error) from error
        finally:
            let_go(parent)

    def remove(self, path: str) -> None:
        """Remove a file and sync its folder. A file that is missing already is fine."""
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise refusal("remove", path, error) from error
        self._sync_names(os.path.dirname(path))

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder. One that is missing already is fine."""
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise refusal("remove the folder", path, error) from error

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in *folder*, sorted."""
        with translated("list", folder):
            return tuple(sorted(os.listdir(folder)))

    def free_bytes(self, path: str) -> int:
        """Return how much this user may still write to the file system that holds *path*."""
        with translated("measure the free space of", path):
            figures = os.statvfs(path)
        return figures.f_bavail * figures.f_frsize

    def _sync_names(self, *folders: str) -> None:
        for folder in folders:
            if (fault := self._fault_of_syncing(folder)) is not None:
                raise fault

    def _fault_of_syncing(self, folder: str) -> DiskError | None:
        """Return why names in *folder* are not durable. One that is gone says nothing of the files that were in it."""
        try:
            self.sync_folder(folder)
        except FileGone as gone:
            return DiskError(gone.message, hint=gone.hint)
        except DiskError as fault:
            return fault
        return None


class _RealNewFile:
    """A file that is being written through its own descriptor, unbuffered."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self._size_bytes = 0

    @property
    def path(self) -> str:
        return self._path

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            with translated("write", self._path):
                written = os.write(self._open(), rest)
            self._size_bytes += written
            rest = rest[written:]

    def finish(self, *, mode: int | None = None, group: str | None = None) -> Stat:
        try:
            result = self._finish(mode, group)
        except DiskError:
            self.discard()
            self._unlink()
            raise
        return result

    def discard(self) -> None:
        if self._descriptor is None:
            return
        with suppress(OSError):
            self._close()
        self._unlink()

    def _finish(self, mode: int | None, group: str | None) -> Stat:
        descriptor = self._open()
        with translated("finish", self._path):
            # The group first: changing it may clear permission bits.
            if group is not None:
                os.fchown(descriptor, -1, group_id(group))
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
            result = _stat(os.fstat(descriptor))
            self._close()  # NFS may tell only now that the bytes were not stored
        return result

    def _open(self) -> int:
        assert self._descriptor is not None, "the file is finished or discarded"
        return self._descriptor

    def _close(self) -> None:
        descriptor, self._descriptor = self._open(), None
        os.close(descriptor)

    def _unlink(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)


def _make_in(parent: int, name: str, *, mode: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=parent)
    _sync(parent)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network file systems cannot sync folders: their server decides.
        if error.errno not in UNSUPPORTED:
            raise


def group_id(group: str) -> int:
    """Return the number of a group given by its name or number.

    Raises:
        DiskError: The machine knows no such group.
    """
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise DiskError(f"there is no group {group!r}", hint="look at `group` in the rule") from error


def _stat(result: os.stat_result) -> Stat:
    return Stat(
        device=result.st_dev,
        inode=result.st_ino,
        size_bytes=result.st_size,
        mtime_ns=result.st_mtime_ns,
        ctime_ns=result.st_ctime_ns,
        mode=result.st_mode,
        links=result.st_nlink,
    )


def _folders(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the folders to sync, once each, targets first: so nothing is ever at neither place."""
    targets = [os.path.dirname(target) for _, target in pairs]
    sources = [os.path.dirname(source) for source, _ in pairs]
    return tuple(dict.fromkeys(targets + sources))


def _fault_of_renaming(source: str, target: str) -> DiskError | None:
    try:
        rename(source, target)
    except DiskError as fault:
        return fault
    return None
