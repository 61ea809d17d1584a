"""The root of an inbox whose originals stay: nothing is ever written into it, and it may be read-only.

Without a mark of ours in it, the folder is known by where it lies and by what is mounted there; see ``landmarks``.
Whose its copies are says the state folder that they lie in.
"""

from __future__ import annotations

import fcntl
import os
from typing import Final

from dropglow.disk import let_go, refusal, shown
from dropglow.errors import DiskError
from dropglow.intake.root import InboxBusy, Root
from dropglow.intake.survey import not_mounted
from dropglow.landmarks import Landmark

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class KeptRoot(Root):
    """The folder of an inbox that is only read."""

    def settle_ownership(self, *, work_is_empty: bool) -> None:
        """Do nothing: the copies lie beside the ledger that knows them."""

    def adopt(self) -> None:
        """Do nothing, for the same reason."""

    def _make(self) -> None:
        if (unmounted := not_mounted(self._folder)) is not None:
            raise unmounted
        if not os.path.isdir(self._folder):  # noqa: PTH112
            raise DiskError(
                f"the inbox {shown(self._folder)} is missing",
                hint="is the share mounted? With `done: keep` an inbox is never made; or correct `inbox` in the rule",
            )

    def _take_hold(self, found: Landmark, mark: str) -> None:  # noqa: ARG002 - the mark of folders that are written to
        self._take_lock()
        self.inodes_hold = False  # many read-only mounts make them up; size and times tell enough here
        self._hold(found, found.mark)

    def _furnished(self) -> bool:
        return True

    def _take_lock(self) -> None:
        """Lock the folder itself, which writes nothing: another service on this machine would buy the same files."""
        self._let_go()
        try:
            lock = os.open(self._folder, _FOLDER_FLAGS)
        except OSError as error:
            raise refusal("open", self._folder, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            let_go(lock)
            raise InboxBusy(
                f"another service works on the inbox {shown(self._folder)}",
                hint="stop it, or give this service another inbox",
            ) from error
        except OSError:
            pass  # this file system knows no locks, or none for a folder
        self._lock = lock
