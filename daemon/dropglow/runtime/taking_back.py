"""Move a drop's files from its last folder, or from what was claimed anew, back into work: all of them, or none.

Every move can be repeated after a crash.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.intake.work import WorkFolder
from dropglow.model import Companion, Drop, DropState
from dropglow.rules.globs import folded
from dropglow.runtime import originals
from dropglow.runtime.possessions import all_of, is_its_file, is_numbered_as, is_of, last_folder, with_places
from dropglow.runtime.reporting import forget_beginnings, remove_reports, remove_reports_about


def take_back(disk: Disk, drop: Drop) -> Drop:
    """Move the files of *drop* from their last folder into work again, all or none, and remove its report.

    Who moved them back into the inbox and asks for their drop as well asks for one thing: they are taken from there.
    Originals that stay are copied again.

    Raises:
        DiskError: The file system refused; or an original that stays is not there as it was.
    """
    forget_beginnings(disk, drop)
    if drop.after.workshop:
        copied = originals.copied_again(disk, drop)
        remove_reports(disk, drop)
        return copied
    work = WorkFolder(drop.inbox, disk=disk)
    targets = [work.place(drop.key, file.path) for file in all_of(drop)]
    found = _found(disk, drop, work)
    moved = {
        file.place: target
        for file, target in zip(all_of(found), targets, strict=True)
        # What is there is a newer copy: both stay where they are.
        if file.place not in {"", target} and disk.look(target) is None
    }
    try:
        for file in all_of(found):
            if file.place in moved:
                work.prepare(drop.key, file.path)
                disk.move(file.place, moved[file.place])
    except DiskError:
        pairs = zip(all_of(drop), all_of(found), strict=True)
        before = [now.place if now.place in moved else known.place for known, now in pairs]
        _move_back(disk, zip(before, targets, strict=True))
        work.forget(drop.key)
        raise
    # Last: a file that could not be moved needs its report, and one that was moved has to go on.
    with suppress(DiskError):
        if found.place != drop.place:
            remove_reports_about(disk, drop)
        elif found.place in moved:
            remove_reports(disk, drop)
    return with_places(found, [moved.get(file.place, file.place) for file in all_of(found)])


def lay_back(disk: Disk, drop: Drop, taken: Drop) -> None:
    """Move the files of *drop* to where they lay before they were *taken* back; the last one first.

    Raises:
        DiskError: The file system refused, or somebody has a name by now; the rest is in work.
    """
    if drop.after.workshop:
        return  # copies, of which nobody takes notice
    for before, now in list(zip(all_of(drop), all_of(taken), strict=True))[::-1]:
        if before.place and now.place not in {"", before.place}:
            disk.move(now.place, before.place)


def exchange(disk: Disk, drop: Drop, claimed: Drop) -> Drop:
    """Move the files of *claimed* to where the same files of *drop* are worked on; return *drop* with them.

    The companions go first: after a crash in between, the drop itself goes back into the inbox, where it is seen.

    Raises:
        DiskError: The file system refused.
    """
    forget_beginnings(disk, drop)
    work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
    known = gathered(disk, drop, claimed)
    files = all_of(known)
    targets = [work.place(drop.key, file.path) if file.place else "" for file in files]
    for file in files:
        work.prepare(drop.key, file.path)
    pairs = zip([file.place for file in files], targets, strict=True)
    _exchange_all(disk, [(place, target) for place, target in pairs if place != target][::-1])
    # Last, as in `take_back`; what cannot be removed goes with its file, or with the next report.
    with suppress(DiskError):
        if _reports_lie_alone(disk, drop):
            remove_reports(disk, drop)
    work.forget(claimed.key)
    return with_places(known, targets)


def gathered(disk: Disk, drop: Drop, claimed: Drop) -> Drop:
    """Return *drop* with its files where they lie, now that those of *claimed* came; moves nothing.

    What did not come may be in work already, after a crash; or taken away, or another drop's by now.

    Raises:
        DiskError: The file system refused.
    """
    work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
    known, came = regained(drop, claimed), {file.place for file in all_of(claimed)}
    where = [
        file.place if file.place in came else _whereabouts(disk, drop, file, work) for file in all_of(known)
    ]
    return with_places(known, where)


def regained(drop: Drop, claimed: Drop) -> Drop:
    """Return *drop* with the files of *claimed* in place of its own that have the same content; moves nothing.

    A marker has no content that counts: any other stands for it, and one more goes along.
    """
    came: dict[str | None, list[Companion]] = {}
    for each in claimed.companions:
        came.setdefault(_worth(each), []).append(each)
    companions = [
        replace(news.pop(0), path=each.path) if (news := came.get(_worth(each))) else each
        for each in drop.companions
    ]
    return replace(
        drop,
        place=claimed.place,
        device=claimed.device,
        inode=claimed.inode,
        companions=(*companions, *came.get(None, ())),
    )


def found_again(drop: Drop, places: Mapping[str, str]) -> Drop:
    """Return *drop* with the places of those of its files that were found; *places* are by path below the inbox."""
    found = {folded(path): place for path, place in places.items()}
    return with_places(drop, [found.get(folded(file.path), file.place) for file in all_of(drop)])


def _worth(companion: Companion) -> str | None:
    return None if companion.kind is None else companion.sha256


def _reports_lie_alone(disk: Disk, drop: Drop) -> bool:
    """Return whether the reports where *drop* was have no file beside them any more.

    That of another drop has the name now, or its own was copied into the inbox, and not moved: each keeps its report.
    """
    if drop.after.workshop:
        return True  # each names its original
    return bool(drop.place) and disk.look(drop.place) is None


def _found(disk: Disk, drop: Drop, work: WorkFolder) -> Drop:
    """Return the closed *drop* with its files where they are: at their places, in work, moved back into the inbox, or nowhere.

    Raises:
        DiskError: The file system refused.
    """
    found = with_places(drop, [_whereabouts(disk, drop, file, work) for file in all_of(drop)])
    if found.place:
        return found  # companions in the inbox may belong to another drop that lies there
    place = _in_the_inbox(disk, drop, drop, work) or _renamed(disk, drop, work)
    if not place:
        return found
    folder = posixpath.relpath(posixpath.dirname(place), drop.inbox)
    pairs = zip(drop.companions, found.companions, strict=True)
    others = [now.place or _in_the_inbox(disk, drop, was, work, folder=folder) for was, now in pairs]
    return with_places(found, [place, *others])


def _whereabouts(disk: Disk, drop: Drop, file: Drop | Companion, work: WorkFolder) -> str:
    """Return where *file* of a closed *drop* is: at its place, in work already, or nowhere.

    Raises:
        DiskError: The file system refused.
    """
    target = work.place(drop.key, file.path)
    if target == file.place or not file.place:
        return file.place
    if disk.look(file.place) is None:
        # Moved already when a crash or a disk that did not sync came between; or taken away, and what has its name one
        # day is another file.
        if disk.look(target) is None:
            return ""
        disk.sync_folder(posixpath.dirname(target))
        return target
    # Else it was taken away, and another drop's file has the name now, and the report.
    return file.place if is_its_file(disk, file) else ""


def _in_the_inbox(
    disk: Disk, drop: Drop, file: Drop | Companion, work: WorkFolder, *, folder: str = ""
) -> str:
    """Return where *file* of a closed *drop* is if it was moved back into the inbox; nothing if it is not there.

    It may have the name that it was dropped under, or the one that it got in its last folder; or lie in *folder* (below the
    inbox), where the drop itself does.
    """
    if not _may_be_in_the_inbox(disk, drop, file, work):
        return ""
    names, last = [file.path], f"{last_folder(drop, drop.state)}/"
    if file.place.startswith(last):
        names.append(file.place.removeprefix(last))
    if folder:
        names += [posixpath.join(folder, posixpath.basename(name)) for name in names]
    for name in names:
        place = posixpath.normpath(posixpath.join(drop.inbox, name))
        if disk.look(place) is not None and is_of(disk, file, place):
            return place
    return ""


def _renamed(disk: Disk, drop: Drop, work: WorkFolder) -> str:
    """Return where in the inbox the held *drop* is, whatever it is called now: it is the same file, with the same content.

    Costs a look at everything in the inbox. One that failed is another order under another name.
    """
    if drop.state is not DropState.HELD or not _may_be_in_the_inbox(disk, drop, drop, work):
        return ""
    kept = {drop.after.done, drop.after.failed, drop.after.held}
    folders = [drop.inbox]
    while folders:
        folder = folders.pop()
        names: tuple[str, ...] = ()
        with suppress(DiskError):  # nor is anything taken out of it
            names = disk.names(folder)
        for name in names:
            place = posixpath.join(folder, name)
            if name.startswith(".") or place in kept or (there := disk.look(place)) is None:
                continue
            if is_numbered_as(there, drop) and is_of(disk, drop, place):
                return place
            if there.folder:
                folders.append(place)
    return ""


def _may_be_in_the_inbox(disk: Disk, drop: Drop, file: Drop | Companion, work: WorkFolder) -> bool:
    """Return whether there is room for *file* in work. A drop that is open has nothing in the inbox."""
    return bool(file.place) and disk.look(work.place(drop.key, file.path)) is None


def _exchange_all(disk: Disk, moves: Sequence[tuple[str, str]]) -> None:
    """Move all or none: what is not synced may have its former name after a power cut, and be taken for a new file.

    Raises:
        DiskError: The file system refused.
    """
    try:
        for place, target in moves:
            disk.move(place, target)
    except DiskError:
        _move_back(disk, moves)
        if any(disk.look(place) or not disk.look(target) for place, target in moves):
            raise


def _move_back(disk: Disk, moves: Iterable[tuple[str, str]]) -> None:
    """Undo *moves* as far as the disk lets it, the last one first."""
    for place, target in reversed(list(moves)):
        with suppress(DiskError):
            if place not in {"", target} and disk.look(place) is None:
                disk.move(target, place)
