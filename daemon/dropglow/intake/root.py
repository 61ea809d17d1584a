"""The root of an inbox: is it there, is it the same one, is it ours alone?

A share that goes away leaves an empty folder behind, and one that comes back
may carry another device number. So the root is known by device and inode
while it stays, and by the owner's mark inside it after it returns.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import posixpath
import socket
from typing import Final

from dropglow.disk import Disk, refusal, shown
from dropglow.errors import DiskError, DropglowError, FileGone
from dropglow.intake.work import HIDDEN, PRIVATE

_LOCK_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_MOUNTED: Final = "is the share mounted? If the folder is meant to be another one, restart the service"


class InboxBusy(DropglowError):
    """Report that another service works on the inbox."""


class Root:
    """The folder of one inbox, locked against other services while open."""

    def __init__(self, folder: str, *, disk: Disk, ledger_identity: str) -> None:
        """Prepare; nothing is touched before ``open``."""
        self._folder = folder
        self._hidden = posixpath.join(folder, HIDDEN)
        self._disk = disk
        self._ledger_identity = ledger_identity
        self._identity: tuple[int, int] | None = None
        self._lock: int | None = None
        self.inodes_hold = True  # False where a rename gives a file another inode, as some FUSE systems do
        self.foreign_owner: str | None = None

    def open(self) -> None:
        """Make the folder if only itself is missing, lock it, and learn how it behaves.

        Raises:
            InboxBusy: Another service works on this inbox.
            DiskError: It is missing with its parent, or cannot be written to.
        """
        self._make()
        try:
            self._take_hold()
        except DropglowError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the lock."""
        self._let_go()
        self._identity = None

    def settle_ownership(self, *, work_is_empty: bool) -> None:
        """Adopt the inbox, unless another ledger's files are in its work folder: then name that ledger.

        Raises:
            DiskError: The mark cannot be read or written.
        """
        owner = self._owner()
        if owner is None or owner == self._ledger_identity or work_is_empty:
            self.adopt()
        else:
            self.foreign_owner = owner

    def adopt(self) -> None:
        """Write our ledger's identity into the inbox.

        Raises:
            DiskError: It cannot be written.
        """
        if self._owner() != self._ledger_identity:
            mark = f"{self._ledger_identity}\n".encode()
            self._disk.write(self._owner_file(), mark, mode=0o600, replace=True)
        self.foreign_owner = None

    def offline(self) -> str | None:
        """Return why nothing can be said about this inbox now; None when all is well.

        A root that returned, or was made anew on the same file system, is taken hold of again. Never makes the
        folder: that would put files under a mount point.
        """
        try:
            identity = self._look()
            if identity != self._identity:
                self._return_to(identity)
        except DropglowError as error:
            return error.message
        return None

    def _return_to(self, identity: tuple[int, int]) -> None:
        before = self._identity
        remade = before is not None and identity[0] == before[0]
        if not remade and self._owner() != self._ledger_identity:
            raise DiskError(
                f"{shown(self._folder)} is not the folder that it was when the service started",
                hint=_NOT_MOUNTED,
            )
        self._take_hold()
        self.adopt()

    def _make(self) -> None:
        # Path.is_dir raises where a share's server is gone.
        if os.path.isdir(self._folder):  # noqa: PTH112
            return
        if not os.path.isdir(posixpath.dirname(self._folder)):  # noqa: PTH112
            raise DiskError(
                f"the inbox {shown(self._folder)} is missing, and so is the folder that it should be in",
                hint="is the share mounted? Otherwise make the folder, or correct `inbox` in the rule",
            )
        self._disk.make_folder(self._folder)

    def _take_hold(self) -> None:
        identity = self._look()
        self._disk.make_folder(self._hidden, mode=PRIVATE)
        self._take_lock()
        self.inodes_hold = self._probe()
        self._identity = identity

    def _look(self) -> tuple[int, int]:
        try:
            found = os.stat(self._folder)  # noqa: PTH116 - names that are no UTF-8
        except OSError as error:
            raise refusal("reach", self._folder, error) from error
        return found.st_dev, found.st_ino

    def _take_lock(self) -> None:
        self._let_go()  # a second descriptor would be refused because of the first
        path = posixpath.join(self._hidden, "lock")
        try:
            lock = os.open(path, _LOCK_FLAGS, 0o600)
        except OSError as error:
            raise refusal("open", path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 200, 0).decode("utf-8", "replace").strip()
            os.close(lock)
            raise InboxBusy(
                f"another service works on the inbox {shown(self._folder)}: {holder or 'it left no name'}",
                hint="stop it, or give this service another inbox",
            ) from error
        except OSError:
            pass  # this file system knows no locks; claims are renames and need none
        self._lock = lock
        with contextlib.suppress(OSError):  # who holds it is told as a courtesy, which a full disk forbids
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _probe(self) -> bool:
        """Return whether a file keeps its inode over a rename, by trying it."""
        before, after = (posixpath.join(self._hidden, name) for name in ("probe", "probe-renamed"))
        for leftover in (before, after):
            self._disk.remove(leftover)
        made = self._disk.create(before).finish()
        self._disk.move(before, after)
        found = self._disk.look(after)
        self._disk.remove(after)
        return found is not None and (found.device, found.inode) == (made.device, made.inode)

    def _owner(self) -> str | None:
        try:
            mark = self._disk.read(self._owner_file())
        except FileGone:
            return None
        return mark.decode("utf-8", "replace").strip()

    def _owner_file(self) -> str:
        return posixpath.join(self._hidden, "owner")
