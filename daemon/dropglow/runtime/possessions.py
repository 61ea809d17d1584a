"""What a drop has on disk: its files, all together, by what each is known, and their last folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dropglow.disk import Disk, Stat
from dropglow.model import Companion, Drop, DropState, Member


def all_of(drop: Drop) -> tuple[Drop | Companion, ...]:
    """Return the drop itself and its companions: all of them are files with a place."""
    return (drop, *drop.companions)


def with_places(drop: Drop, places: Sequence[str]) -> Drop:
    """Return *drop* with these *places* of its files, in the order of ``all_of``."""
    place, *others = places
    companions = zip(drop.companions, others, strict=True)
    return replace(drop, place=place, companions=tuple(replace(each, place=to) for each, to in companions))


def is_numbered_as(found: Stat, file: Drop | Companion) -> bool:
    """Return whether what was *found* has the device and the inode that *file* was taken with."""
    return (found.device, found.inode) == (file.device, file.inode)


def is_its_file(disk: Disk, file: Drop | Companion) -> bool:
    """Return whether what stands at the file's place is the one that was dropped, by its content."""
    return is_of(disk, file, file.place)


def is_of(disk: Disk, file: Drop | Companion, place: str) -> bool:
    """Return whether what stands at *place* has the content of *file*."""
    if isinstance(file, Drop) and file.folder:
        return all(_is_member(disk, replace(file, place=place).place_of(each), each) for each in file.members)
    return _is_member(disk, place, file)


def last_folder(drop: Drop, state: DropState) -> str | None:
    """Return where the files of *drop* lie (absolute) when it stands so; None where none are left."""
    if drop.after.workshop:
        return None  # whatever came of it: the original is in the inbox
    match state:
        case DropState.DONE:
            return drop.after.done
        case DropState.HELD:
            return drop.after.held
        case _:
            return drop.after.failed


def _is_member(disk: Disk, place: str, file: Drop | Companion | Member) -> bool:
    found = disk.look(place)
    if found is None or not found.regular or found.size_bytes != file.size_bytes:
        return False
    return disk.digest(place) == file.sha256
