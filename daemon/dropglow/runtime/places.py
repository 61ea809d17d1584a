"""Move a drop's files from work to their last folder. Every move can be repeated after a crash.

A rename keeps the inode, and the inode is recorded with the drop: a file that
is not where it should be is recognised where it went. A drop and its companions
go everywhere together, under names that belong together: whoever moves them back
into the inbox finds them paired again.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import PurePath
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, FileGone, NameTaken
from dropglow.intake.work import WorkFolder
from dropglow.model import Companion, Drop, DropKey, DropState
from dropglow.naming import candidates, spare_names
from dropglow.runtime.footing import make_last_folder
from dropglow.runtime.possessions import all_of, is_its_file, is_numbered_as, is_of, last_folder, with_places
from dropglow.runtime.reporting import forget_beginnings, is_about_another, remove_reports_about

_NAME_BYTES_MAX: Final = 255
_LINKS_OF_OURS: Final = 2  # where moving means linking, and a crash came in between


def put_away(disk: Disk, drop: Drop, state: DropState) -> Drop:
    """Move the files of *drop* to where *state* wants them; return the drop with its new places.

    A file that somebody took away meanwhile leaves an empty place, and so does a copy of an original that stays.

    Raises:
        DiskError: The file system refused; nothing is lost, try again.
    """
    folder, files = last_folder(drop, state), all_of(drop)
    if folder is None:
        work = WorkFolder(drop.inbox, disk=disk, workshop=drop.after.workshop)
        for file in files:
            # Outside of work, somebody else's file may have the name by now.
            if file.place and (file.place == work.place(drop.key, file.path) or is_its_file(disk, file)):
                disk.remove(file.place)
        return with_places(drop, [""] * len(files))
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    if all(_rests(disk, file, parent) for file in files):
        return drop
    if any(file.place and disk.look(file.place) is not None for file in files):
        make_last_folder(disk, drop, parent)  # else there is nothing to go there, or its share is away
    return with_places(drop, _moved(disk, drop, parent))


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
        drop.key: with_places(drop, [target]) if fault is None else fault
        for (target, drop), fault in zip(moves.items(), faults, strict=True)
        if not isinstance(fault, FileGone | NameTaken)
    }


def are_known(drop: Drop) -> bool:
    """Return whether every file of *drop* has a place: what has none was deleted, taken away, or is on a share that is."""
    return all(file.place for file in all_of(drop))


def alike(disk: Disk, drop: Drop, state: DropState) -> Iterator[Drop]:
    """Yield *drop* with its files at the places in its last folder where the same content lies, best first; moves nothing.

    Some shares number files anew when they come back, or when they are renamed. Whose each is the ledger knows; here, only
    what a report says to be another drop's is left out.

    Raises:
        DiskError: The file system refused.
    """
    folder = last_folder(drop, state)
    if folder is None:
        return
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    for names in _names(disk, drop, parent):
        place, *others = (posixpath.join(parent, name) for name in names)
        if disk.look(place) is None:
            return  # nor did it get any later name
        if is_of(disk, drop, place) and not is_about_another(disk, drop, place):
            pairs = zip(drop.companions, others, strict=True)
            yield with_places(drop, [place, *(to if is_of(disk, each, to) else "" for each, to in pairs)])


def lies_there(disk: Disk, drop: Drop) -> bool:
    """Return whether what was dropped lies in its last folder, or in its inbox if it stays there, by its content.

    Raises:
        DiskError: The file system does not tell.
    """
    if drop.after.workshop:
        return is_of(disk, drop, posixpath.join(drop.inbox, drop.path))
    return bool(drop.place) and is_its_file(disk, drop)


def take_up(disk: Disk, drop: Drop) -> Drop:
    """Take up what an interrupted try left: return *drop* with its files where that put them, if it failed or held it; else as it is.

    By now something else may have become of it. They are known by their numbers alone: what is done may be deleted, and a
    copy of it that failed before is not the one. What that try wrote of a report is removed.

    Raises:
        DiskError: The file system refused.
    """
    if not drop.place or disk.look(drop.place) is not None:
        return drop
    forget_beginnings(disk, drop)
    for state in (DropState.FAILED, DropState.HELD):
        folder = last_folder(drop, state)
        if folder is not None and (found := _found_in(disk, drop, folder)) is not None:
            remove_reports_about(disk, found)
            return found
    return drop


def _found_in(disk: Disk, drop: Drop, folder: str) -> Drop | None:
    """Return *drop* with those of its files that lie in *folder*, the last one of a state, if it does itself."""
    parent = posixpath.dirname(posixpath.join(folder, drop.path))
    for names in _names(disk, drop, parent):
        targets = [posixpath.join(parent, name) for name in names]
        if _is_there(disk, drop, targets[0]):
            pairs = zip(all_of(drop), targets, strict=True)
            return with_places(drop, [to if _is_there(disk, file, to) else file.place for file, to in pairs])
        if all(disk.look(target) is None for target in targets):
            return None
    return None


def _plain_target(drop: Drop) -> str:
    """Return where the only file of a drop goes that is done; nothing where it is not alone, stays, or is deleted."""
    folder = last_folder(drop, DropState.DONE)
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


def _rests(disk: Disk, file: Drop | Companion, parent: str) -> bool:
    """Return whether a file is in its last folder already."""
    return bool(file.place) and posixpath.dirname(file.place) == parent and disk.look(file.place) is not None


def _moved(disk: Disk, drop: Drop, parent: str) -> list[str]:
    """Return where the files went: moved now, or found there because a crash came between."""
    files = all_of(drop)
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
    """Return whether *file* may go to *target*: nothing is there, or itself is."""
    there = disk.look(target)
    if there is None:
        return True
    if not is_numbered_as(there, file):
        return False
    # People link files, and drop one twice: this may be the name that it has for another drop.
    return there.links <= _LINKS_OF_OURS or not file.place or disk.look(file.place) is None


def _is_there(disk: Disk, file: Drop | Companion, target: str) -> bool:
    there = disk.look(target)
    return there is not None and is_numbered_as(there, file)


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
