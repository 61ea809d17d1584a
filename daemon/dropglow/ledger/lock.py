"""Hold the lock of a state folder: whoever has it is the one writer of its ledger."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from dropglow.errors import LedgerError, LedgerUnavailable
from dropglow.ledger.belongings import hand_over

LOCK_FILE: Final = "lock"
_TRIES: Final = 5
_GLANCE_S: Final = 0.02


class Busy(LedgerError):
    """Report that another process has the state folder."""


class StateLock:
    """The lock of one state folder. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Lock *folder*, once ``acquire`` is called."""
        self._path = folder / LOCK_FILE
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock and write our process id into it; return False where somebody else has it.

        Raises:
            LedgerUnavailable: The lock file cannot be opened.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise LedgerUnavailable(
                f"the lock {self._path} cannot be opened: {error.strerror}",
                hint="look at the permissions of the state folder",
            ) from error
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self._sign(descriptor)
        return True

    def release(self) -> None:
        """Let go of the lock. The file stays: to remove it would let two hold it."""
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None

    def owner_pid(self) -> int | None:
        """Return the process id that the holder wrote; None where there is none to read."""
        try:
            return int(self._path.read_bytes())
        except (OSError, ValueError):
            return None

    def _sign(self, descriptor: int) -> None:
        # Only a courtesy for messages: the lock itself is held already.
        with contextlib.suppress(OSError):
            hand_over(descriptor, self._path.parent)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _locked(descriptor: int) -> bool:
    """Return whether the lock is ours now. A command that only looks holds it for a moment: that is no owner."""
    for _ in range(_TRIES - 1):
        if _try_lock(descriptor):
            return True
        time.sleep(_GLANCE_S)
    return _try_lock(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
