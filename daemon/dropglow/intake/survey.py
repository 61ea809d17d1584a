"""Look where a folder is and what is mounted there, and tell in words why it is not the one that it was.

Blocks, for as long as a dead share likes: call it in a thread that can be done without.
"""

from __future__ import annotations

import os
import posixpath
from typing import Final

from dropglow.disk import let_go, refusal, shown
from dropglow.errors import DiskError
from dropglow.intake.mounts import mount_at, unmounted_point
from dropglow.intake.work import HIDDEN
from dropglow.landmarks import Landmark, Memory, Recognition, Role, recognise

MARK_FILE: Final = "folder"
# A folder made anew is taken up after this: somebody may be exchanging folders, and the former one come back.
REMADE_S: Final = 30.0
_MARK_BYTES_MAX: Final = 200


def survey(folder: str) -> Landmark:
    """Return how *folder* (absolute) is now, with the mark in its hidden folder.

    Raises:
        FileGone: It is not there.
        DiskError: The file system does not tell.
    """
    try:
        found = os.stat(folder)  # noqa: PTH116 - names that are no UTF-8; first: it wakes an automounter
        figures = os.statvfs(folder)
    except OSError as error:
        raise refusal("reach", folder, error) from error
    mark, place = _mark(folder), os.path.realpath(folder)
    return Landmark(
        device=found.st_dev,
        inode=found.st_ino,
        place=place,
        file_system=figures.f_fsid,
        mount=mount_at(place),
        mark=mark,
        invited=not mark and os.path.isdir(posixpath.join(folder, HIDDEN)),  # noqa: PTH112
    )


def absence(role: Role, folder: str, memory: Memory) -> DiskError | None:
    """Return why *folder* is not the one that *memory* knows; None when it is.

    An outbox that was made anew in its place will do: what is in an inbox is still owed an ending, until that is taken up.
    Of a folder that was never there, only a mount that /etc/fstab names and that is missing says anything.
    """
    if memory.known(role, folder) is None:
        return not_mounted(folder)
    try:
        found = survey(folder)
    except DiskError as error:
        return error
    return unlike(role, folder, found, memory)


def unlike(role: Role, folder: str, found: Landmark, memory: Memory) -> DiskError | None:
    """Return why *folder*, as it was *found*, is not the one that *memory* knows; None when it is."""
    known = memory.known(role, folder)
    if known is None:
        return not_mounted(folder)
    match recognise(known, found):
        case Recognition.ANOTHER:
            return strange(folder)
        case Recognition.REMADE if role is Role.INBOX:
            return replaced(folder)
        case _:
            return None


def replaced(folder: str) -> DiskError:
    """Return that the inbox *folder* was made anew, so that what lay in the former one is not to be had."""
    return DiskError(
        f"{shown(folder)} was replaced by another folder; unless the former one comes back, "
        f"a service with a rule for it takes this one up after {REMADE_S:g} s",
        hint=f"or, as where no rule names it any more, make the folder {HIDDEN} in it",
    )


def not_mounted(folder: str) -> DiskError | None:
    """Return that the share of *folder* is not mounted, where /etc/fstab says that there should be one."""
    point = unmounted_point(folder)
    if point is None:
        return None
    return DiskError(
        f"{shown(folder)} belongs on {shown(point)}, where nothing is mounted",
        hint=f"mount it, or take {shown(point)} out of /etc/fstab",
    )


def strange(folder: str) -> DiskError:
    """Return that *folder* is another one than it was, and what to do where that is meant."""
    return DiskError(
        f"{shown(folder)} is not the folder that it was: is the share mounted?",
        hint=f"if this is the one from now on, make the folder {HIDDEN} in it",
    )


def _mark(folder: str) -> str:
    try:
        descriptor = os.open(
            posixpath.join(folder, HIDDEN, MARK_FILE),
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
        )
    except OSError:
        return ""
    try:
        return os.read(descriptor, _MARK_BYTES_MAX).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        let_go(descriptor)
