"""The hidden work folder of an inbox: ``.dropglow/work/<drop key>/<path below the inbox>``.

The path is kept, so that a file can go back to where it was dropped by what the
file system alone remembers.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.model import DropKey

HIDDEN: Final = ".dropglow"  # everything of ours in an inbox
PRIVATE: Final = 0o700


class WorkFolder:
    """Where claimed files are until their drop is closed."""

    def __init__(self, inbox: str, *, disk: Disk) -> None:
        """Name the work folder of *inbox* (absolute)."""
        self._disk = disk
        self._root = posixpath.join(inbox, HIDDEN, "work")

    def place(self, key: DropKey, path: str) -> str:
        """Return the absolute place of a claimed file."""
        return posixpath.join(self._root, key, path)

    def prepare(self, key: DropKey, path: str) -> None:
        """Make the folder that a file is to be claimed into.

        Raises:
            DiskError: The file system refused.
        """
        self._disk.make_folder(posixpath.dirname(self.place(key, path)), mode=PRIVATE)

    def files(self) -> Iterator[tuple[DropKey, str, str]]:
        """Yield drop key, absolute place and path below the inbox of every file here.

        Raises:
            DiskError: It cannot be read.
        """
        for key in self._names(self._root):
            folder = posixpath.join(self._root, key)
            for place in self._files_below(folder):
                yield DropKey(key), place, os.path.relpath(place, folder)

    def forget(self, key: DropKey) -> None:
        """Remove the folders of a drop that are empty. What cannot be removed now, ``tidy`` tries at a start."""
        with suppress(DiskError):
            self._prune(posixpath.join(self._root, key))

    def tidy(self) -> None:
        """Remove every empty folder that a crash left behind.

        Raises:
            DiskError: It cannot be read.
        """
        for key in self._names(self._root):
            self.forget(DropKey(key))

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
        for name in self._names(folder):
            self._prune(posixpath.join(folder, name))
        found = self._disk.look(folder)
        if found is not None and found.folder and not self._disk.names(folder):
            self._disk.remove_folder(folder)
