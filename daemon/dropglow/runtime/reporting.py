"""Lay reports beside the files that they are about, and take them away once they are not true any more.

A report has its name only when it is whole, and goes with its file: one whose file was taken out of ``_failed`` is
removed, and that of another file of the same name stays. What reports say is written in ``reports``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.intake.plan import InboxPlan
from dropglow.model import Drop, DropState
from dropglow.naming import spare_names
from dropglow.runtime import originals
from dropglow.runtime.footing import make_last_folder
from dropglow.runtime.originals import report_name
from dropglow.runtime.reports import DONE_SUFFIX, ERROR_SUFFIX, HELD_SUFFIX

_SUFFIXES: Final = {DropState.HELD: HELD_SUFFIX, DropState.DONE: DONE_SUFFIX}


def write_report(disk: Disk, drop: Drop, state: DropState, text: str) -> None:
    """Write *text* beside the drop's file, or where it would be. An older report is replaced.

    Raises:
        DiskError: The file system refused.
    """
    folder = {DropState.DONE: drop.after.done, DropState.HELD: drop.after.held}.get(state)
    suffix = _SUFFIXES.get(state, ERROR_SUFFIX)
    path = _report_path(disk, drop, folder or drop.after.failed, suffix)
    parent = posixpath.dirname(path)
    make_last_folder(disk, drop, parent)
    forget_beginnings(disk, drop)
    disk.remove(path)
    data = text.encode("utf-8", "replace")
    disk.write(path, data, mode=0o644, temporary=_beginning(drop, parent))


def may_be_reported(disk: Disk, plan: InboxPlan, failed: str, path: str) -> bool:
    """Return whether there may be something for ``clear_report`` to remove.

    Args:
        disk: Where to look.
        plan: Of the inbox.
        failed: The folder for what failed (absolute).
        path: Of the new file, below the inbox.
    """
    if plan.keeps:
        return True  # reports about originals have other names, and are few
    try:
        return disk.look(report_name(posixpath.join(failed, path), ERROR_SUFFIX)) is not None
    except DiskError:
        return True


def clear_report(disk: Disk, drop: Drop) -> None:
    """Remove the report of an earlier file of this name that was taken out of ``_failed`` again.

    Raises:
        DiskError: The file system refused.
    """
    if drop.after.workshop:
        originals.remove_reports(disk, drop, held=False)
        return
    beside = posixpath.join(drop.after.failed, drop.path)
    if disk.look(beside) is None:
        disk.remove(report_name(beside, ERROR_SUFFIX))


def forget_report(disk: Disk, drop: Drop) -> None:
    """Remove the report of the failed *drop*, if its file was taken away from beside it. Any other file of that name stays.

    Nothing is concluded while the report cannot be seen: the whole folder may be away.

    Raises:
        DiskError: The file system refused.
    """
    if not drop.place or disk.look(drop.place) is not None:
        return
    path = report_name(drop.place, ERROR_SUFFIX)
    found = disk.look(path)
    if found is None or not found.regular:
        return
    if _is_about(disk, path, drop):
        disk.remove(path)


def remove_reports(disk: Disk, drop: Drop) -> None:
    """Remove every report beside the drop's file, or about its original.

    Raises:
        DiskError: The file system refused.
    """
    for path in _reports(disk, drop):
        disk.remove(path)


def read_reports(disk: Disk, drop: Drop) -> dict[str, bytes]:
    """Return what ``remove_reports`` would remove, by its places; what cannot be read is not among it."""
    found: dict[str, bytes] = {}
    with suppress(DiskError):
        for path in _reports(disk, drop):
            with suppress(DiskError):
                found[path] = disk.read(path)
    return found


def write_again(disk: Disk, drop: Drop, reports: Mapping[str, bytes]) -> None:
    """Lay *reports* of *drop* where they were; what is there by now stays.

    Raises:
        DiskError: The file system refused.
    """
    for path, data in reports.items():
        if disk.look(path) is None:
            disk.write(path, data, mode=0o644, temporary=_beginning(drop, posixpath.dirname(path)))


def remove_reports_about(disk: Disk, drop: Drop) -> None:
    """Remove the reports of a *drop* whose file was taken away; not those of another drop that has the name by now.

    Raises:
        DiskError: The file system refused.
    """
    for path in _beside(drop):
        if disk.look(path) is not None and _is_about(disk, path, drop):
            disk.remove(path)


def is_about_another(disk: Disk, drop: Drop, place: str) -> bool:
    """Return whether a report beside *place* says that what is there is another drop's than *drop*.

    Raises:
        DiskError: The file system does not tell.
    """
    reports = (report_name(place, suffix) for suffix in (ERROR_SUFFIX, HELD_SUFFIX, DONE_SUFFIX))
    return any(disk.look(path) is not None and not _is_about(disk, path, drop) for path in reports)


def forget_beginnings(disk: Disk, drop: Drop) -> None:
    """Remove what was written of a report about *drop* when the process died; what refuses is left for the next time."""
    for folder in filter(None, (drop.after.failed, drop.after.held, drop.after.done)):
        with suppress(DiskError):
            disk.remove(_beginning(drop, posixpath.dirname(posixpath.join(folder, drop.path))))


def _beginning(drop: Drop, parent: str) -> str:
    """Return what a report about *drop* in *parent* is called until it is whole: ours, and of nobody else's drop."""
    return posixpath.join(parent, f".dropglow-{drop.key}.tmp")


def _reports(disk: Disk, drop: Drop) -> Iterable[str]:
    """Return where reports about *drop* lie, or may lie, whatever they say."""
    return originals.reports_about(disk, drop) if drop.after.workshop else _beside(drop)


def _beside(drop: Drop) -> tuple[str, ...]:
    """Return the names that reports beside the drop's file have; without a file there are none."""
    suffixes = (ERROR_SUFFIX, HELD_SUFFIX, DONE_SUFFIX) if drop.place else ()
    return tuple(report_name(drop.place, suffix) for suffix in suffixes)


def _report_path(disk: Disk, drop: Drop, folder: str, suffix: str) -> str:
    if drop.after.workshop:
        return originals.report_place(disk, drop, folder, suffix)
    if drop.place:
        return report_name(drop.place, suffix)
    parent, name = posixpath.split(path := posixpath.join(folder, drop.path))
    for candidate in spare_names(name, drop.key):
        beside = posixpath.join(parent, candidate)
        path = report_name(beside, suffix)
        if disk.look(beside) is None or _is_about(disk, path, drop):
            break  # else another drop's file has that name by now, and needs its own report
    return path


def _is_about(disk: Disk, path: str, drop: Drop) -> bool:
    """Return whether the report at *path* is about *drop*; what cannot be read is not."""
    with suppress(DiskError):
        return f"drop {drop.key}," in disk.read(path).decode("utf-8", "replace")
    return False
