"""Remember over restarts how inboxes and outboxes were, in the state folder.

Only a folder that was never there may be made; so a lost or broken file is no
harm but for that: every folder is then as new.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.landmarks import Landmark, Memory, Mount, Role

ATLAS_FILE: Final = "folders.json"
_LIMIT_BYTES: Final = 8 << 20


class Atlas(Memory):
    """A memory that is a file as well. Safe to use from several threads."""

    def __init__(self, path: str, disk: Disk) -> None:
        """Read the file at *path* (absolute), if there is one."""
        super().__init__(dict(_read(path, disk)))
        self._path = path
        self._disk = disk
        self._turn = threading.Lock()

    def remember(self, role: Role, folder: str, landmark: Landmark) -> None:
        """Take *landmark* for the folder from now on, and write it down; a full disk is no reason to stop."""
        with self._turn:
            if self.known(role, folder) == landmark:
                return
            super().remember(role, folder, landmark)
            data = json.dumps(list(self._documents()), indent=1).encode()
            with suppress(DiskError):
                self._disk.write(self._path, data, mode=0o600, replace=True)

    def _documents(self) -> Iterator[dict[str, Any]]:
        for (role, folder), landmark in self._known.items():
            yield {"role": role.value, "folder": folder, **asdict(landmark)}


def _read(path: str, disk: Disk) -> Iterator[tuple[tuple[Role, str], Landmark]]:
    try:
        documents = json.loads(disk.read(path, limit_bytes=_LIMIT_BYTES))
    except (DiskError, ValueError):
        return
    for document in documents if isinstance(documents, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            yield _entry(dict(document))


def _entry(document: dict[str, Any]) -> tuple[tuple[Role, str], Landmark]:
    role, folder = Role(document.pop("role")), str(document.pop("folder"))
    mount = document.pop("mount")
    return (role, folder), Landmark(mount=None if mount is None else Mount(**mount), **document)
