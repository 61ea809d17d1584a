"""Make files in a state folder that are its owner's alone, whoever makes them.

An operator may run a command as root while the service runs as nobody
special; a file that the service cannot read would be lost on it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

# Some file systems cannot sync folders: their server, or nobody, sees to it.
_UNSYNCED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def hand_over(descriptor: int, folder: Path) -> None:
    """Give an open file to the owner of *folder*; do nothing unless we are root.

    Raises:
        OSError: The file system refused.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)


def write_private(path: Path, text: str) -> None:
    """Make *text* the content of *path*, whole or not at all, for the eyes of the folder's owner only. No sync.

    Raises:
        OSError: The file system refused; the old content stands.
    """
    whole = path.with_suffix(".part")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # one that a crash left may be anybody's to read
        hand_over(descriptor, path.parent)
        file.write(text)
    whole.replace(path)


def make_folder(folder: Path) -> None:
    """Make *folder* for its owner's eyes only, who is the owner of the folder around it.

    Raises:
        OSError: The file system refused.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    _sync_names([folder])
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        hand_over(descriptor, folder.parent)
    finally:
        os.close(descriptor)


def make_state_folder(state: Path) -> None:
    """Make *state*, for its owner's eyes only, and the folders around it where they are missing; their names last.

    Raises:
        OSError: The file system refused.
    """
    missing = [each for each in (state, *state.parents) if not each.exists()]
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_names(missing)


def _sync_names(made: Sequence[Path]) -> None:
    """Sync the names of folders that were made just now, the innermost first; where that fails, none is left.

    Whoever comes next would find them and trust them, with a ledger inside that a power cut takes away.
    """
    try:
        for each in made:
            sync_folder(each.parent)
    except OSError:
        with suppress(OSError):  # somebody was faster, and put something there
            for each in made:
                each.rmdir()
        raise


def sync_folder(folder: Path) -> None:
    """Let the names in *folder* survive a power cut, as far as its file system can.

    Raises:
        OSError: The disk fails.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCED:
            raise
    finally:
        os.close(descriptor)
