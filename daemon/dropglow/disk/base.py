"""The contract of the disk: what each verb promises, whichever disk keeps it."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from dropglow.errors import DiskError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What the file system knows about a name; links are not followed."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    mode: int  # type and permission bits, as ``st_mode``
    links: int

    @property
    def regular(self) -> bool:
        """Return whether this is an ordinary file: no folder, link, pipe or device."""
        return stat.S_ISREG(self.mode)

    @property
    def folder(self) -> bool:
        """Return whether this is a folder, and no link to one."""
        return stat.S_ISDIR(self.mode)


class NewFile(Protocol):
    """A file that is being written. It belongs to whoever created it until finished or discarded."""

    @property
    def path(self) -> str:
        """Return where the file is."""
        ...

    @property
    def size_bytes(self) -> int:
        """Return how much was written so far."""
        ...

    def write(self, data: bytes) -> None:
        """Append *data*.

        Raises:
            DiskFull: There is no room for it.
            DiskError: The file system refused.
        """
        ...

    def finish(self, *, mode: int | None = None, group: str | None = None) -> Stat:
        """Give the file its permissions and group, sync it, close it, and return what it is.

        After a failure the file is removed: what a failed sync leaves behind cannot
        be trusted, and syncing again would report success for lost pages.

        Raises:
            DiskFull: There is no room for it.
            DiskError: The file system refused, or there is no such group.
        """
        ...

    def discard(self) -> None:
        """Close the file and remove it. Does nothing once it is finished or discarded; never raises."""
        ...


class Disk(Protocol):
    """The verbs of the disk. All of them block, none of them logs."""

    def look(self, path: str) -> Stat | None:
        """Return what is at *path* without following links; None when nothing is.

        Raises:
            DiskError: The file system does not tell.
        """
        ...

    def open_read(self, path: str) -> BinaryIO:
        """Open an ordinary file for reading; never follows a link, never waits for a pipe's other end.

        Raises:
            FileGone: There is nothing at *path*.
            DiskError: It is no ordinary file, or cannot be read.
        """
        ...

    def read(self, path: str, *, limit_bytes: int = 1 << 20) -> bytes:
        """Return the content of a small file.

        Raises:
            FileGone: There is nothing at *path*.
            DiskError: It is larger than *limit_bytes*, no ordinary file, or cannot be read.
        """
        ...

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file as 64 hexadecimal digits. Costs reading it once.

        Raises:
            FileGone: There is nothing at *path*.
            DiskError: It is no ordinary file, or cannot be read.
        """
        ...

    def create(self, path: str, *, mode: int = 0o600) -> NewFile:
        """Create a file that does not exist yet, for writing.

        Raises:
            NameTaken: Something is at *path*, be it a dangling link.
            DiskFull: There is no room.
            DiskError: The file system refused.
        """
        ...

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
        """Make a small file appear, whole and synced. *mode* is subject to the umask.

        Written under a temporary name beside it, which is removed after a failure. A name of the caller's own for
        that, which nobody else uses at the time, has what an interrupted try left there removed by the next one.

        Raises:
            NameTaken: Something is at *path*, and *replace* is False.
            DiskFull: There is no room.
            DiskError: The file system refused.
        """
        ...

    def move(self, source: str, target: str) -> None:
        """Rename without replacing, and sync both folders. Never copies, never crosses file systems.

        A plain DiskError may leave the file at its target: it was moved, and the
        syncing failed, also because a folder is gone by then. Nothing is ever at neither place.

        Raises:
            NameTaken: Something is at *target*.
            FileGone: Nothing is at *source*.
            DiskError: The file system refused, or *target*'s folder is missing.
        """
        ...

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> tuple[DiskError | None, ...]:
        """Move each source to its target as ``move`` does; sync every folder once, at the end.

        Returns:
            For each pair None, or what ``move`` would have raised. A folder that
            cannot be synced is told for every pair that it concerns.
        """
        ...

    def publish(self, temporary: str, final: str, *, replace: bool = False) -> None:
        """Give a finished file its final name on the same file system, and sync the folders.

        Raises:
            NameTaken: Something is at *final*, and *replace* is False.
            FileGone: Nothing is at *temporary*.
            DiskError: The file system refused; the file may stand under either name.
        """
        ...

    def sync_folder(self, folder: str) -> None:
        """Make what was renamed in *folder* survive a power cut, as far as its file system can.

        Raises:
            FileGone: There is no such folder.
            DiskError: The file system refused.
        """
        ...

    def make_folder(self, path: str, *, within: str = "/", mode: int = 0o777) -> None:
        """Make a folder and those above it where they are missing, synced. *mode* is subject to the umask.

        *within*, which is *path* or above it, is never made: where it is missing, its share is away.
        One whose name cannot be synced is not left there.

        Raises:
            DiskFull: There is no room.
            DiskError: *within* is not there, something that is no folder stands in the way, or the file system refused.
        """
        ...

    def make_inside(self, folder: str, name: str, *, device: int, inode: int, mode: int = 0o777) -> None:
        """Make the folder *name* in *folder*, synced, if that still is the one with these numbers. One that is there is fine.

        Nothing is ever made in what a share leaves in its place that goes at this very moment.

        Raises:
            DiskFull: There is no room.
            DiskError: *folder* is another one by now, or is gone, or the file system refused.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove a file and sync its folder. A file that is missing already is fine.

        Raises:
            DiskError: The file system refused.
        """
        ...

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder. One that is missing already is fine.

        Raises:
            DiskError: It is not empty, or the file system refused.
        """
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in *folder*, sorted.

        Raises:
            FileGone: There is no such folder.
            DiskError: It cannot be read.
        """
        ...

    def free_bytes(self, path: str) -> int:
        """Return how much this user may still write to the file system that holds *path*.

        Raises:
            FileGone: There is nothing at *path*.
            DiskError: The file system does not tell.
        """
        ...
