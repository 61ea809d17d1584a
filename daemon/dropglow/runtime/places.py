"""Move a drop's files between work, their last folder, and back. Every move can be repeated after a crash.

A rename keeps the inode, and the inode is recorded with the drop: a file that
is not where it should be is recognised where it went. A drop and its companions
go everywhere together, under names that belong together: whoever moves them back
into the inbox finds them paired again.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import PurePath
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, FileGone, NameTaken
from dropglow.intake.work import WorkFolder
from dropglow.model import Companion, Drop, DropKey, DropState, Member
from dropglow.naming import candidates, spare_names
from dropglow.rules.globs import folded
from dropglow.runtime import originals
from dropglow.runtime.footing import make_last_folder
from dropglow.runtime.reporting import (
    forget_beginnings,
    is_about_another,
    remove_reports,
    remove_reports_about,
)

_NAME_BYTES_MAX: Final = 255


def put_away(disk: Disk, drop: Drop, state: DropState) -> Drop:
    """Move the files of *drop* to where *state* wants them; return the drop with its new places.

    A file that somebody took away meanwhile leaves an empty place, and so does a copy of an original that stays.

    Raises:
        DiskError: The file system refused; nothing is lost, try again.
    """
    folder, files = _folder_of(drop, state), _files(drop)
    if folder is None:
        work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
        for file in files:
            # Outside of work, somebody else's file may have the name by now.
            if file.place and (file.place == work.place(drop.key, file.path) or _is_its_file(disk, file)):
                disk.remove(file.place)
        return _placed(drop, [""] * len(files))
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    if all(_rests(disk, file, parent) for file in files):
        return drop
    if any(file.place and disk.look(file.place) is not None for file in files):
        make_last_folder(disk, drop, parent)  # else there is nothing to go there, or its share is away
    return _placed(drop, _moved(disk, drop, parent))


def put_away_plainly(disk: Disk, drops: Sequence[Drop]) -> dict[DropKey, Drop | DiskError]:
    """Move the files of *drops* that are done, each to a name that is free, and sync every folder once.

    Returns the drops with their new places, or what the file system said. What is not as simple as that is not among
    them: several files, a folder to make, a taken name, a file that is not at its place. It is for ``put_away``.
    """
    moves: dict[str, Drop] = {}
    for drop in drops:
        target = _plain_target(drop)
        if target and target not in moves and _is_free_for_one(disk, target):
            moves[target] = drop
    faults = disk.move_many([(drop.place, target) for target, drop in moves.items()])
    return {
        drop.key: _placed(drop, [target]) if fault is None else fault
        for (target, drop), fault in zip(moves.items(), faults, strict=True)
        if not isinstance(fault, FileGone | NameTaken)
    }


def are_known(drop: Drop) -> bool:
    """Return whether every file of *drop* has a place: what has none was deleted, taken away, or is on a share that is."""
    return all(file.place for file in _files(drop))


def alike(disk: Disk, drop: Drop, state: DropState) -> Iterator[Drop]:
    """Yield *drop* with its files at the places in its last folder where the same content lies, best first; moves nothing.

    Some shares number files anew when they come back, or when they are renamed. Whose each is the ledger knows; here, only
    what a report says to be another drop's is left out.

    Raises:
        DiskError: The file system refused.
    """
    folder = _folder_of(drop, state)
    if folder is None:
        return
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    for names in _names(disk, drop, parent):
        place, *others = (posixpath.join(parent, name) for name in names)
        if disk.look(place) is None:
            return  # nor did it get any later name
        if _is_of(disk, drop, place) and not is_about_another(disk, drop, place):
            pairs = zip(drop.companions, others, strict=True)
            yield _placed(drop, [place, *(to if _is_of(disk, each, to) else "" for each, to in pairs)])


def lies_there(disk: Disk, drop: Drop) -> bool:
    """Return whether what was dropped lies in its last folder, or in its inbox if it stays there, by its content.

    Raises:
        DiskError: The file system does not tell.
    """
    if drop.after.workshop:
        return _is_member(disk, posixpath.join(drop.inbox, drop.path), drop)
    return bool(drop.place) and _is_its_file(disk, drop)


def take_up(disk: Disk, drop: Drop) -> Drop:
    """Take up what an interrupted try left: return *drop* with its files where that put them, if it failed it; else as it is.

    What it began of a report is removed.

    Raises:
        DiskError: The file system refused.
    """
    if not drop.place or disk.look(drop.place) is not None:
        return drop
    forget_beginnings(disk, drop)
    folder = _folder_of(drop, DropState.FAILED)
    if folder is None:
        return drop
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    for names in _names(disk, drop, parent):
        targets = [posixpath.join(parent, name) for name in names]
        if _is_there(disk, drop, targets[0]):
            pairs = zip(_files(drop), targets, strict=True)
            return _placed(drop, [to if _is_there(disk, file, to) else file.place for file, to in pairs])
        if all(disk.look(target) is None for target in targets):
            break
    return drop


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
    targets = [work.place(drop.key, file.path) for file in _files(drop)]
    found = _found(disk, drop, work)
    moved = {
        file.place: target
        for file, target in zip(_files(found), targets, strict=True)
        # What is there is a newer copy: both stay where they are.
        if file.place not in {"", target} and disk.look(target) is None
    }
    try:
        for file in _files(found):
            if file.place in moved:
                work.prepare(drop.key, file.path)
                disk.move(file.place, moved[file.place])
    except DiskError:
        pairs = zip(_files(drop), _files(found), strict=True)
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
    return _placed(found, [moved.get(file.place, file.place) for file in _files(found)])


def lay_back(disk: Disk, drop: Drop, taken: Drop) -> None:
    """Move the files of *drop* to where they lay before they were *taken* back; the last one first.

    Raises:
        DiskError: The file system refused, or somebody has a name by now; the rest is in work.
    """
    if drop.after.workshop:
        return  # copies, of which nobody takes notice
    for before, now in list(zip(_files(drop), _files(taken), strict=True))[::-1]:
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
    files = _files(known)
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
    return _placed(known, targets)


def gathered(disk: Disk, drop: Drop, claimed: Drop) -> Drop:
    """Return *drop* with its files where they lie, now that those of *claimed* came; moves nothing.

    What did not come may be in work already, after a crash; or taken away, or another drop's by now.

    Raises:
        DiskError: The file system refused.
    """
    work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
    known, came = regained(drop, claimed), {file.place for file in _files(claimed)}
    where = [
        file.place if file.place in came else _whereabouts(disk, drop, file, work) for file in _files(known)
    ]
    return _placed(known, where)


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


def _worth(companion: Companion) -> str | None:
    return None if companion.kind is None else companion.sha256


def found_again(drop: Drop, places: Mapping[str, str]) -> Drop:
    """Return *drop* with the places of those of its files that were found; *places* are by path below the inbox."""
    found = {folded(path): place for path, place in places.items()}
    return _placed(drop, [found.get(folded(file.path), file.place) for file in _files(drop)])


def _reports_lie_alone(disk: Disk, drop: Drop) -> bool:
    """Return whether the reports where *drop* was have no file beside them any more.

    That of another drop has the name now, or its own was copied into the inbox, and not moved: each keeps its report.
    """
    if drop.after.workshop:
        return True  # each names its original
    return bool(drop.place) and disk.look(drop.place) is None


def _is_its_file(disk: Disk, file: Drop | Companion) -> bool:
    """Return whether what stands at the file's place is the one that was dropped, by its content."""
    return _is_of(disk, file, file.place)


def _is_of(disk: Disk, file: Drop | Companion, place: str) -> bool:
    """Return whether what stands at *place* has the content of *file*."""
    if isinstance(file, Drop) and file.folder:
        return all(_is_member(disk, replace(file, place=place).place_of(each), each) for each in file.members)
    return _is_member(disk, place, file)


def _is_member(disk: Disk, place: str, file: Drop | Companion | Member) -> bool:
    found = disk.look(place)
    if found is None or not found.regular or found.size_bytes != file.size_bytes:
        return False
    return disk.digest(place) == file.sha256


def _folder_of(drop: Drop, state: DropState) -> str | None:
    if drop.after.workshop:
        return None  # whatever came of it: the original is in the inbox
    match state:
        case DropState.DONE:
            return drop.after.done
        case DropState.HELD:
            return drop.after.held
        case _:
            return drop.after.failed


def _plain_target(drop: Drop) -> str:
    """Return where the only file of a drop goes that is done; nothing where it is not alone, stays, or is deleted."""
    folder = _folder_of(drop, DropState.DONE)
    if folder is None or drop.companions or drop.folder or not drop.place:
        return ""
    target = posixpath.join(folder, drop.path)
    return target if posixpath.dirname(target) != posixpath.dirname(drop.place) else ""


def _is_free_for_one(disk: Disk, target: str) -> bool:
    """Return whether nothing is at *target*, and its folder is there; what refuses here is told by ``put_away``."""
    try:  # the dot follows a link to a folder
        return disk.look(f"{posixpath.dirname(target)}/.") is not None and disk.look(target) is None
    except DiskError:
        return False


def _files(drop: Drop) -> tuple[Drop | Companion, ...]:
    """Return the drop itself and its companions: all of them are files with a place."""
    return (drop, *drop.companions)


def _placed(drop: Drop, places: Sequence[str]) -> Drop:
    place, *others = places
    companions = zip(drop.companions, others, strict=True)
    return replace(drop, place=place, companions=tuple(replace(each, place=to) for each, to in companions))


def _rests(disk: Disk, file: Drop | Companion, parent: str) -> bool:
    """Return whether a file is in its last folder already."""
    return bool(file.place) and posixpath.dirname(file.place) == parent and disk.look(file.place) is not None


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
    return file.place if _is_its_file(disk, file) else ""


def _found(disk: Disk, drop: Drop, work: WorkFolder) -> Drop:
    """Return the closed *drop* with its files where they are: at their places, in work, moved back into the inbox, or nowhere.

    Raises:
        DiskError: The file system refused.
    """
    found = _placed(drop, [_whereabouts(disk, drop, file, work) for file in _files(drop)])
    if found.place or not (place := _in_the_inbox(disk, drop, drop, work)):
        return found  # companions in the inbox may belong to another drop that lies there
    pairs = zip(drop.companions, found.companions, strict=True)
    return _placed(found, [place, *(now.place or _in_the_inbox(disk, drop, was, work) for was, now in pairs)])


def _in_the_inbox(disk: Disk, drop: Drop, file: Drop | Companion, work: WorkFolder) -> str:
    """Return where *file* of a closed *drop* is if it was moved back into the inbox; nothing if it is not there.

    It may have the name that it was dropped under, or the one that it got in its last folder.
    """
    names, folder = [file.path], f"{_folder_of(drop, drop.state)}/"
    if file.place.startswith(folder):
        names.append(file.place.removeprefix(folder))
    if not file.place or disk.look(work.place(drop.key, file.path)) is not None:
        return ""  # there is no room for it, and a drop that is open has nothing in the inbox
    for name in names:
        place = posixpath.join(drop.inbox, name)
        if disk.look(place) is not None and _is_of(disk, file, place):
            return place
    return ""


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
        # None could go back either: they are together where they belong, and nobody would look for them elsewhere.


def _move_back(disk: Disk, moves: Iterable[tuple[str, str]]) -> None:
    """Undo *moves* as far as the disk lets it, the last one first."""
    for place, target in reversed(list(moves)):
        with suppress(DiskError):
            if place not in {"", target} and disk.look(place) is None:
                disk.move(target, place)


def _moved(disk: Disk, drop: Drop, parent: str) -> list[str]:
    """Return where the files went: moved now, or found there because a crash came between."""
    files = _files(drop)
    places = [file.place for file in files]
    for names in _names(disk, drop, parent):
        targets = [posixpath.join(parent, name) for name in names]
        pairs = list(zip(files, targets, strict=True))
        if all(_is_free(disk, file, target) for file, target in pairs):
            try:
                for number, (file, target) in enumerate(pairs):
                    places[number] = _moved_to(disk, file, places[number], target)
            except NameTaken:
                continue
            return places
    # Closed without its file, the drop would leave it hidden in work for ever.
    beside = posixpath.join(parent, PurePath(drop.path).name)
    raise NameTaken(f"no free name is left like {shown(beside)}", hint="clear that folder up")


def _is_free(disk: Disk, file: Drop | Companion, target: str) -> bool:
    return disk.look(target) is None or _is_there(disk, file, target)


def _is_there(disk: Disk, file: Drop | Companion, target: str) -> bool:
    there = disk.look(target)
    return there is not None and (there.device, there.inode) == (file.device, file.inode)


def _moved_to(disk: Disk, file: Drop | Companion, place: str, target: str) -> str:
    """Return *target* once the file is there; nothing where it is nowhere.

    Raises:
        NameTaken: Somebody was faster.
        DiskError: The file system refused.
    """
    if place not in {"", target}:
        # What stands at its own place is the drop's, and of the same content it may be another file than at first.
        with suppress(FileGone):
            disk.move(place, target)
            return target
    return target if _is_there(disk, file, target) else ""


def _names(disk: Disk, drop: Drop, parent: str) -> Iterator[tuple[str, ...]]:
    """Yield names for the drop and its companions, best first: ``a_2.jpg`` has ``a_2.mask.png``."""
    name = PurePath(drop.path).name
    stem = posixpath.splitext(name)[0]
    present = [PurePath(drop.place).name] if drop.companions and _rests(disk, drop, parent) else []
    others = [PurePath(each.path).name for each in drop.companions]
    spares = [candidates(other) for other in others]
    for main in chain(present, spare_names(name, drop.key)):
        new_stem = posixpath.splitext(main)[0]
        spare = [next(each) for each in spares]
        yield (
            main,
            *(
                _sibling(other, stem, new_stem) or another
                for other, another in zip(others, spare, strict=True)
            ),
        )


def _sibling(name: str, stem: str, new_stem: str) -> str:
    """Return *name* with another stem of its drop in it; nothing where that cannot be."""
    at = 0 if name.startswith(stem) else name.rfind(stem)
    if at < 0 or stem == new_stem:
        return ""
    changed = name[:at] + new_stem + name[at + len(stem) :]
    return changed if len(os.fsencode(changed)) <= _NAME_BYTES_MAX else ""
