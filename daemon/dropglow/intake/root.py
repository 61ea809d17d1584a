"""The root of an inbox: is it there, is it the same one, is it ours alone?

While it stays, device and inode tell. Once they changed, and at a start, what
is remembered of it does, with the mark that we left inside; see ``landmarks``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import posixpath
import secrets
import socket
from dataclasses import replace
from typing import Final, assert_never

from dropglow.clock import Clock
from dropglow.disk import Disk, let_go, refusal, shown
from dropglow.errors import DiskError, DropglowError, FileGone
from dropglow.intake.survey import MARK_FILE, REMADE_S, not_mounted, replaced, strange, survey
from dropglow.intake.work import HIDDEN, PRIVATE
from dropglow.landmarks import Landmark, Memory, Recognition, Role, recognise

_LOCK_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class InboxBusy(DropglowError):
    """Report that another service works on the inbox."""


class Root:
    """The folder of one inbox, locked against other services while open."""

    def __init__(
        self, folder: str, *, disk: Disk, ledger_identity: str, clock: Clock, memory: Memory | None = None
    ) -> None:
        """Prepare; nothing is touched before ``open``. *memory* knows how the folder was in earlier lives."""
        self._folder = folder
        self._hidden = posixpath.join(folder, HIDDEN)
        self._disk = disk
        self._ledger_identity = ledger_identity
        self._clock = clock
        self._memory = Memory() if memory is None else memory
        self._identity: tuple[int, int] | None = None
        self._remade: tuple[int, int] | None = None  # a folder made anew, and since when it is there
        self._remade_at_s = 0.0
        self._starting = True
        self._lock: int | None = None
        self.inodes_hold = True  # False where a rename gives a file another inode, as some FUSE systems do
        self.foreign_owner: str | None = None

    def open(self) -> None:
        """Lock the folder and learn how it behaves. One that was never there is made, if only itself is missing.

        Raises:
            InboxBusy: Another service works on this inbox.
            DiskError: It is missing, is not the one that it was, or cannot be written to.
        """
        starting, self._starting = self._starting, False
        if self._memory.known(Role.INBOX, self._folder) is None:
            self._make()
        try:
            self._hold_again(patient=not starting)
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

    def is_ours(self) -> bool:
        """Return whether the mark in the folder says that our ledger was the last to claim files out of it.

        Raises:
            DiskError: The mark cannot be read.
        """
        return self._owner() == self._ledger_identity

    def adopt(self) -> None:
        """Write our ledger's identity into the inbox.

        Raises:
            DiskError: It cannot be written.
        """
        if not self.is_ours():
            mark = f"{self._ledger_identity}\n".encode()
            self._disk.write(self._owner_file(), mark, mode=0o600, replace=True)
        self.foreign_owner = None

    def offline(self) -> str | None:
        """Return why nothing can be said about this inbox now; None when all is well.

        A root that returned is taken hold of again; one that was made anew in its place, after a while. Never
        makes the folder, and nothing in it before it is known: that would put files under a mount point.
        """
        try:
            identity = self._look()
            if identity != self._identity or not self._furnished():
                self.close()  # our lock would keep an unmounted share alive
                self._hold_again(patient=True)
                self.adopt()
        except DropglowError as error:
            self.close()
            return error.message
        return None

    def _hold_again(self, *, patient: bool) -> None:
        found = survey(self._folder)
        known = self._memory.known(Role.INBOX, self._folder)
        if known is None and (unmounted := not_mounted(self._folder)) is not None:
            raise unmounted  # it went since it was looked for
        mark = self._recognised(known, found, patient=patient) if known else found.mark
        self._take_hold(found, mark or secrets.token_hex(8))

    def _recognised(self, known: Landmark, found: Landmark, *, patient: bool) -> str:
        """Return the mark that the folder is to have; none for one made anew."""
        match recognise(known, found):
            case Recognition.SAME:
                self._remade = None
                return known.mark
            case Recognition.REMADE:
                if patient:
                    self._wait_for_another((found.device, found.inode))
                return ""
            case Recognition.ANOTHER:
                raise strange(self._folder)
            case other:
                assert_never(other)

    def _wait_for_another(self, identity: tuple[int, int]) -> None:
        now_s = self._clock.monotonic()
        if identity != self._remade:
            self._remade, self._remade_at_s = identity, now_s
        if now_s < self._remade_at_s + REMADE_S:
            raise replaced(self._folder)

    def _make(self) -> None:
        # Path.is_dir raises where a share's server is gone.
        if (unmounted := not_mounted(self._folder)) is not None:
            raise unmounted
        if os.path.isdir(self._folder):  # noqa: PTH112
            return
        if not os.path.isdir(posixpath.dirname(self._folder)):  # noqa: PTH112
            raise DiskError(
                f"the inbox {shown(self._folder)} is missing, and so is the folder that it should be in",
                hint="is the share mounted? Otherwise make the folder, or correct `inbox` in the rule",
            )
        self._disk.make_folder(self._folder, within=posixpath.dirname(self._folder))

    def _take_hold(self, found: Landmark, mark: str) -> None:
        """Make what we need in the folder that was *found*, in no other: our folder under a bare mount point would invite us."""
        self._disk.make_inside(self._folder, HIDDEN, device=found.device, inode=found.inode, mode=PRIVATE)
        self._take_lock()
        self.inodes_hold = self._probe()
        if survey(self._folder).mark != mark:
            path = posixpath.join(self._hidden, MARK_FILE)
            self._disk.write(path, f"{mark}\n".encode(), mode=0o600, replace=True)
        self._hold(found, mark)

    def _hold(self, found: Landmark, mark: str) -> None:
        held = survey(self._folder)
        if (held.device, held.inode, held.mark) != (found.device, found.inode, mark):
            raise DiskError(
                f"{shown(self._folder)} became another folder while it was taken up",
                hint="is its share just coming or going?",
            )
        self._memory.remember(Role.INBOX, self._folder, replace(held, invited=False))
        self._identity = (held.device, held.inode)

    def _look(self) -> tuple[int, int]:
        try:
            found = os.stat(self._folder)  # noqa: PTH116 - names that are no UTF-8
        except OSError as error:
            raise refusal("reach", self._folder, error) from error
        return found.st_dev, found.st_ino

    def _furnished(self) -> bool:
        """Return whether our folder in it is still there, which somebody may have removed."""
        return os.path.isdir(self._hidden)  # noqa: PTH112

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
            let_go(lock)
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
        lock, self._lock = self._lock, None
        if lock is not None:
            let_go(lock)

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
