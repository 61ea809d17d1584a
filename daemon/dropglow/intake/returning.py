"""Give back what lies in the work folder of an inbox and belongs to no drop: what was claimed in vain, and orphans.

It goes to where it was dropped, and replaces nothing there. What another ledger claimed may have been bought: that is
held for a person instead.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, NameTaken
from dropglow.intake.claiming import Spoiled
from dropglow.intake.plan import InboxPlan
from dropglow.intake.root import Root
from dropglow.intake.work import WorkFolder
from dropglow.model import DropKey
from dropglow.settle import Watches

_MAX_NAMES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A file in the work folder, as the file system alone tells it."""

    key: DropKey
    place: str  # absolute
    path: str  # below the inbox, where it was dropped


class Returning:
    """The way back out of the work folder of one inbox. Belongs to the inbox's thread."""

    def __init__(
        self, plan: InboxPlan, *, disk: Disk, work: WorkFolder, root: Root, watches: Watches
    ) -> None:
        """Move by *disk* what is in *work*; *root* knows whose it is, and *watches* see afresh what went back."""
        self._plan = plan
        self._disk = disk
        self._work = work
        self._moved = WorkFolder(plan.folder, disk=disk)  # where originals lie that are moved
        self._root = root
        self._watches = watches
        self._stranded: tuple[Orphan, ...] = ()  # claimed in vain, and not given back yet

    def orphans(self) -> tuple[Orphan, ...]:
        """Return every file in the work folder. Give back those whose key the ledger does not know.

        Raises:
            DiskError: The work folder cannot be read.
        """
        return tuple(
            Orphan(key=key, place=place, path=path)
            for work in self._works()
            for key, place, path in work.files()
        )

    def _works(self) -> Iterator[WorkFolder]:
        yield self._work
        # What was claimed before the rules said that originals stay, if that was us and can be undone.
        if self._plan.keeps and os.access(self._moved.root, os.W_OK) and self._root.is_ours():
            yield self._moved

    def give_back(self, orphan: Orphan) -> str:
        """Move a claimed file back to where it was dropped and return its path below the inbox.

        Replaces nothing: if the name is taken meanwhile, the key becomes part of the name. Where originals stay,
        what was claimed is a copy, which is removed.

        Raises:
            FileGone: It is no longer at its place.
            DiskError: It cannot be moved; it stays at its place.
        """
        self._watches.forget(orphan.path)
        if self._is_copy(orphan):
            self._disk.remove(orphan.place)
            self._work.forget(orphan.key)
            return orphan.path
        final = self._put(orphan, posixpath.join(self._plan.folder, orphan.path))
        self._moved.forget(orphan.key)
        return os.path.relpath(final, self._plan.folder)

    def hold_foreign(self, orphan: Orphan, *, held: str) -> str:
        """Move a file that another ledger claimed into the folder *held*, with a note, and return its new place.

        It may have been bought, and only the other ledger knows.

        Raises:
            FileGone: It is no longer at its place.
            DiskError: It cannot be moved, or there is no room for the note.
        """
        final = self._put(orphan, posixpath.join(held, orphan.path))
        note = _note(orphan, self._root.foreign_owner or "unknown")
        self._disk.write(f"{final}.held.txt", note.encode("utf-8", "replace"), replace=True)
        self._work.forget(orphan.key)
        return final

    def undo(self, spoiled: Sequence[tuple[DropKey, Spoiled]]) -> None:
        """Give back what is in the work folder of parties that were not claimed. Never raises: see ``try_again``."""
        orphans = (
            Orphan(key=key, place=self._work.place(key, sighting.path), path=sighting.path)
            for _, each in spoiled
            for key, sighting in each.moved
        )
        self._stranded = (*self._stranded, *orphans)
        self.try_again()
        for key, _ in spoiled:
            self._work.forget(key)

    def try_again(self) -> None:
        """Give back what was claimed in vain and is still here; what the disk does not let go now stays for the next try.

        So does what is not seen while the inbox is away: it may be there.
        """
        self._stranded = tuple(orphan for orphan in self._stranded if not self._is_dealt_with(orphan))

    def is_due(self, path: str) -> bool:
        """Return whether the file at *path* (below the inbox) may have another name in the work folder, and is not to be taken yet."""
        return any(orphan.path == path for orphan in self._stranded)

    def _is_dealt_with(self, orphan: Orphan) -> bool:
        """Give *orphan* back; return whether that is done, or it certainly is not here any more."""
        try:
            if self._disk.look(orphan.place) is not None:
                self.give_back(orphan)
            elif not self._certainly_left(orphan):
                return False
        except DiskError:
            return False
        self._work.forget(orphan.key)
        return True

    def _certainly_left(self, orphan: Orphan) -> bool:
        """Return whether a folder of ours, which is there, does not have it: of an inbox that is away nothing is known."""
        folder = posixpath.dirname(self._moved.root)
        for name in os.path.relpath(orphan.place, folder).split("/"):
            try:
                if name not in self._disk.names(folder):
                    return True
            except DiskError:
                return False
            folder = posixpath.join(folder, name)
        return False

    def _is_copy(self, orphan: Orphan) -> bool:
        return self._plan.keeps and not orphan.place.startswith(f"{self._moved.root}/")

    def _put(self, orphan: Orphan, wanted: str) -> str:
        """Move *orphan* to *wanted*, or to the first free name like it, and return which."""
        folder = posixpath.dirname(wanted)
        self._disk.make_folder(folder, within=posixpath.commonpath([self._plan.folder, folder]))
        for final in _candidates(wanted, orphan.key):
            try:
                self._disk.move(orphan.place, final)
            except NameTaken:
                continue
            return final
        raise NameTaken(f"no free name is left like {shown(wanted)}", hint="clear that folder up")


def _candidates(wanted: str, key: DropKey) -> Iterator[str]:
    yield wanted
    stem, extension = posixpath.splitext(wanted)
    yield f"{stem}.{key}{extension}"
    for number in range(2, _MAX_NAMES):
        yield f"{stem}.{key}.{number}{extension}"


def _note(orphan: Orphan, owner: str) -> str:
    return (
        f"{shown(orphan.path)} is held.\n\n"
        f"What: it was found half done in the work folder of this inbox, as drop {orphan.key}.\n"
        f"Why:  the service that took it kept its books in another state folder (ledger {owner}),\n"
        "      so nobody here can tell whether its results were ordered and paid for.\n"
        "Do:   start the service with its former state folder to see, or move the file back\n"
        "      into the inbox to order it (again).\n"
    )
