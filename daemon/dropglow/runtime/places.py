"""Move a drop's file between work, its last folder, and back. Every move can be repeated after a crash.

A rename keeps the inode, and the inode is recorded with the drop: a file that
is not where it should be is recognised where it went.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from dropglow.disk import Disk
from dropglow.errors import DiskError, FileGone, NameTaken
from dropglow.intake.work import WorkFolder
from dropglow.model import Drop, DropState
from dropglow.naming import candidates
from dropglow.runtime.reports import ERROR_SUFFIX, HELD_SUFFIX

_TRIES: Final = 1000


def put_away(disk: Disk, drop: Drop, state: DropState) -> Drop:
    """Move the file of *drop* to where *state* wants it; return the drop with its new place.

    A file that somebody took away meanwhile leaves an empty place.

    Raises:
        DiskError: The file system refused; nothing is lost, try again.
    """
    folder = _folder_of(drop, state)
    if folder is None:
        disk.remove(drop.place)
        return replace(drop, place="")
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    if drop.place and posixpath.dirname(drop.place) == parent and disk.look(drop.place) is not None:
        return drop
    disk.make_folder(parent)
    return replace(drop, place=_moved(disk, drop, parent))


def take_back(disk: Disk, drop: Drop) -> Drop:
    """Move the file of *drop* from its last folder into work again, and remove its report.

    Raises:
        DiskError: The file system refused.
    """
    target = WorkFolder(drop.inbox, disk=disk).place(drop.key, drop.path)
    if target == drop.place or not drop.place or disk.look(drop.place) is None:
        return drop
    if not _is_its_file(disk, drop):
        return replace(drop, place="")  # taken away; another drop's file has the name now, and the report
    _remove_reports(disk, drop)
    disk.make_folder(posixpath.dirname(target))
    try:
        disk.move(drop.place, target)
    except NameTaken:
        return drop  # the work folder holds a newer copy: leave both where they are
    return replace(drop, place=target)


def exchange(disk: Disk, drop: Drop, claimed: Drop) -> str:
    """Move the file of *claimed* to where the same file of *drop* is worked on; return that place.

    Raises:
        DiskError: The file system refused.
    """
    work = WorkFolder(drop.inbox, disk=disk)
    target = work.place(drop.key, drop.path)
    if drop.place and (disk.look(drop.place) is None or _is_its_file(disk, drop)):
        _remove_reports(disk, drop)
    work.prepare(drop.key, drop.path)
    try:
        disk.move(claimed.place, target)
    except DiskError:
        # Where only the syncing failed, the file is there already, and nobody would look for it.
        if disk.look(claimed.place) is not None or disk.look(target) is None:
            raise
    work.forget(claimed.key)
    return target


def write_report(disk: Disk, drop: Drop, state: DropState, text: str) -> None:
    """Write *text* beside the drop's file, or where it would be. An older report is replaced.

    Raises:
        DiskError: The file system refused.
    """
    folder = drop.after.held if state is DropState.HELD else drop.after.failed
    suffix = HELD_SUFFIX if state is DropState.HELD else ERROR_SUFFIX
    beside = drop.place or posixpath.join(folder, drop.path)
    disk.make_folder(posixpath.dirname(beside))
    path = _report_name(beside, suffix)
    disk.remove(path)
    disk.write(path, text.encode("utf-8", "replace"), mode=0o644)


def clear_report(disk: Disk, drop: Drop) -> None:
    """Remove the report of an earlier file of this name that was taken out of ``_failed`` again.

    Raises:
        DiskError: The file system refused.
    """
    beside = posixpath.join(drop.after.failed, drop.path)
    if disk.look(beside) is None:
        disk.remove(_report_name(beside, ERROR_SUFFIX))


def _remove_reports(disk: Disk, drop: Drop) -> None:
    for suffix in (ERROR_SUFFIX, HELD_SUFFIX):
        disk.remove(_report_name(drop.place, suffix))


def _is_its_file(disk: Disk, drop: Drop) -> bool:
    """Return whether what stands at the drop's place is the file that was dropped, by its content."""
    found = disk.look(drop.place)
    if found is None or not found.regular or found.size_bytes != drop.size_bytes:
        return False
    return disk.digest(drop.place) == drop.sha256


def _report_name(beside: str, suffix: str) -> str:
    folder, name = posixpath.split(beside)
    room = 255 - len(suffix)
    raw = os.fsencode(name)
    return posixpath.join(folder, os.fsdecode(raw[:room]) + suffix)


def _folder_of(drop: Drop, state: DropState) -> str | None:
    match state:
        case DropState.DONE:
            return drop.after.done
        case DropState.HELD:
            return drop.after.held
        case _:
            return drop.after.failed


def _moved(disk: Disk, drop: Drop, parent: str) -> str:
    """Return where the file went: moved now, or found there because a crash came between."""
    names = candidates(PurePath(drop.path).name)
    for _ in range(_TRIES):
        target = posixpath.join(parent, next(names))
        there = disk.look(target)
        if there is not None and (there.device, there.inode) == (drop.device, drop.inode):
            return target
        if there is not None:
            continue
        if not drop.place:
            return ""
        try:
            disk.move(drop.place, target)
        except NameTaken:
            continue
        except FileGone:
            return ""
        return target
    return ""
