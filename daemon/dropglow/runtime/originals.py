"""Where originals stay in their inbox: make their copies again, and keep the reports about them.

A drop that failed or is held has no files of its own: its report lies in a folder outside of the inbox, the original
where it always was. What is asked for again is copied again, as long as the original is still the same content.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, FileGone
from dropglow.intake.copying import copy
from dropglow.intake.work import WorkFolder
from dropglow.model import Companion, Drop
from dropglow.naming import spare_names
from dropglow.rules.globs import folded
from dropglow.runtime.reports import ERROR_SUFFIX, HELD_SUFFIX, original_line

_NAME_BYTES_MAX: Final = 255


def copied_again(disk: Disk, drop: Drop) -> Drop:
    """Return *drop* with copies of its originals in work. Its markers have said what they had to say.

    Raises:
        FileGone: An original is no longer in the inbox.
        DiskError: It has another content by now, or cannot be copied.
    """
    work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
    place = _copied(disk, drop, drop, work)
    companions = tuple(
        each if each.kind is None else replace(each, place=_copied(disk, drop, each, work))
        for each in drop.companions
    )
    places = (place, *(each.place for each in companions if each.kind is not None))
    for folder in dict.fromkeys(posixpath.dirname(each) for each in places):
        disk.sync_folder(folder)
    return replace(drop, place=place, companions=companions)


def report_place(disk: Disk, drop: Drop, folder: str, suffix: str) -> str:
    """Return where the report about *drop* belongs below *folder*: a name that no report about another file has.

    Raises:
        DiskError: The file system does not tell.
    """
    parent, name = posixpath.split(path := posixpath.join(folder, drop.path))
    for candidate in spare_names(name, drop.key):
        path = report_name(posixpath.join(parent, candidate), suffix)
        if disk.look(path) is None or _is_about(disk, path, drop):
            break
    return path


def report_name(beside: str, suffix: str) -> str:
    """Return the name of a report *beside* a file, cut where it would be too long."""
    folder, name = posixpath.split(beside)
    raw = os.fsencode(name)
    return posixpath.join(folder, os.fsdecode(raw[: _NAME_BYTES_MAX - len(suffix)]) + suffix)


def reports_about(disk: Disk, drop: Drop, *, held: bool = True) -> Iterator[str]:
    """Yield the places of what reports there are about the original of *drop*; without *held*, only of those about failures.

    Raises:
        DiskError: The file system does not tell.
    """
    places = [(drop.after.failed, ERROR_SUFFIX)]
    if held:
        places.append((drop.after.held, HELD_SUFFIX))
    for folder, suffix in places:
        path = report_place(disk, drop, folder, suffix)
        if disk.look(path) is not None and _is_about(disk, path, drop):
            yield path


def remove_reports(disk: Disk, drop: Drop, *, held: bool = True) -> None:
    """Remove what reports there are about the original of *drop*; without *held*, only those about failures.

    Raises:
        DiskError: The file system refused.
    """
    for path in reports_about(disk, drop, held=held):
        disk.remove(path)


def _copied(disk: Disk, drop: Drop, file: Drop | Companion, work: WorkFolder) -> str:
    """Return the place of a copy of *file*, made now or left by an earlier try."""
    place = work.place(drop.key, file.path)
    if disk.look(place) is not None:
        if disk.digest(place) == file.sha256:
            return place
        disk.remove(place)
    work.prepare(drop.key, file.path)
    with disk.open_read(_original(disk, drop.inbox, file.path)) as source:
        _, sha256 = copy(disk, source, place)
    if sha256 != file.sha256:
        disk.remove(place)
        raise DiskError(
            f"{shown(posixpath.join(drop.inbox, file.path))} has another content than when it was taken",
            hint="what is there now is taken as a drop of its own, once it lies still",
        )
    return place


def _original(disk: Disk, inbox: str, path: str) -> str:
    """Return where an original lies; what belongs to a drop may be spelled otherwise than its rule spells it.

    Raises:
        FileGone: Nowhere.
    """
    wanted = posixpath.join(inbox, path)
    if disk.look(wanted) is not None:
        return wanted
    folder, name = posixpath.split(wanted)
    for other in _names(disk, folder):
        if folded(other) == folded(name):
            return posixpath.join(folder, other)
    raise FileGone(
        f"{shown(wanted)} is no longer there, and no copy of it was kept",
        hint="put it back as it was and ask again; or drop what you have instead",
    )


def _names(disk: Disk, folder: str) -> Iterator[str]:
    try:
        yield from disk.names(folder)
    except FileGone:
        return


def _is_about(disk: Disk, path: str, drop: Drop) -> bool:
    """Return whether the report at *path* is about the original of *drop*."""
    try:
        text = disk.read(path).decode("utf-8", "replace")
    except DiskError:
        return False
    return original_line(drop) in text.splitlines()
