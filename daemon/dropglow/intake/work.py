"""The hidden work folder of an inbox: ``.dropglow/work/<drop key>~<name>``.

A folder that is one drop lies there whole, under a name of the same kind. A file of a sub-folder, or with a name too long for the key beside it, lies in
``.dropglow/work/<drop key>/<path below the inbox>`` instead. Either way the path
is kept, so that a file can go back to where it was dropped by what the file
system alone remembers; and the usual claim makes no folder, which would have to
be synced, watched and removed again.

An inbox whose originals stay has its work folder, for copies, in the state folder.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.model import DropKey

HIDDEN: Final = ".dropglow"  # everything of ours in an inbox
PRIVATE: Final = 0o700
_JOIN: Final = "~"  # no drop key has it
_NAME_BYTES_MAX: Final = 255


class WorkFolder:
    """Where claimed files are until their drop is closed."""

    def __init__(self, inbox: str, *, disk: Disk, workshop: str = "") -> None:
        """Name the work folder of *inbox* (absolute), which is *workshop* where originals stay."""
        self._disk = disk
        self._root = workshop or posixpath.join(inbox, HIDDEN, "work")
        # Whoever holds the inbox has made it: where it is missing, this is not the inbox.
        self._within = "/" if workshop else posixpath.join(inbox, HIDDEN)

    @property
    def root(self) -> str:
        """Return the folder itself (absolute)."""
        return self._root

    def place(self, key: DropKey, path: str) -> str:
        """Return the absolute place of a claimed file."""
        if self._has_folder(key, path):
            return posixpath.join(self._root, key, path)
        return posixpath.join(self._root, _flat(key, path))

    def prepare(self, key: DropKey, path: str) -> None:
        """Make the folder that a file is to be claimed into. An inbox that is missing is not made.

        Raises:
            DiskError: The file system refused, or the inbox is not there.
        """
        folder = posixpath.dirname(self.place(key, path))
        self._disk.make_folder(folder, within=self._within, mode=PRIVATE)

    def files(self) -> Iterator[tuple[DropKey, str, str]]:
        """Yield drop key, absolute place and path below the inbox of every file here.

        Raises:
            DiskError: It cannot be read.
        """
        for name in self._names(self._root):
            entry = posixpath.join(self._root, name)
            key, joined, path = name.partition(_JOIN)
            if joined:
                yield DropKey(key), entry, path
                continue
            for place in self._files_below(entry):
                yield DropKey(key), place, os.path.relpath(place, entry)

    def forget(self, key: DropKey, paths: Iterable[str] | None = None) -> None:
        """Remove the folders of a drop that are empty, where it had any. What cannot be removed now, ``tidy`` tries at a start.

        Whoever knows the *paths* of all of its files below the inbox has nothing looked for that cannot be there.
        """
        if paths is not None and not any(self._has_folder(key, path) for path in paths):
            return
        with suppress(DiskError):
            self._prune(posixpath.join(self._root, key))

    def tidy(self) -> None:
        """Remove every empty folder that a crash left behind. A folder that is a drop stays as it is, with all in it.

        Raises:
            DiskError: It cannot be read.
        """
        for name in self._names(self._root):
            if _JOIN not in name:
                self.forget(DropKey(name))
                continue
            with suppress(DiskError):  # one that is not empty, or a file
                self._disk.remove_folder(posixpath.join(self._root, name))

    def _has_folder(self, key: DropKey, path: str) -> bool:
        """Return whether a file lies in a folder that its drop has for itself."""
        return "/" in path or len(os.fsencode(_flat(key, path))) > _NAME_BYTES_MAX

    def _names(self, folder: str) -> tuple[str, ...]:
        found = self._disk.look(folder)
        return self._disk.names(folder) if found is not None and found.folder else ()

    def _files_below(self, folder: str) -> Iterator[str]:
        for name in self._names(folder):
            path = posixpath.join(folder, name)
            found = self._disk.look(path)
            if found is not None and found.regular:
                yield path
            elif found is not None and found.folder:
                yield from self._files_below(path)

    def _prune(self, folder: str) -> None:
        found = self._disk.look(folder)
        if found is None or not found.folder:
            return
        for name in self._disk.names(folder):
            self._prune(posixpath.join(folder, name))
        if not self._disk.names(folder):
            self._disk.remove_folder(folder)


def _flat(key: DropKey, path: str) -> str:
    return f"{key}{_JOIN}{path}"
