"""What an installation made, so that exactly that can be undone: a document beside the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dropglow.errors import InstallationError
from dropglow.installation.wanted import CONFIGURATION

RECORD: Final = f"{CONFIGURATION}/.installed.json"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was made, in the order in which it was."""

    files: Mapping[str, str] = field(default_factory=dict)  # by path, the sum of what was written
    folders: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)  # by path, where it leads
    users: tuple[str, ...] = ()

    def with_file(self, path: str, sha256: str) -> Record:
        """Return the record with a file more, or with a newer one."""
        return replace(self, files={**self.files, path: sha256})

    def with_folder(self, path: str) -> Record:
        """Return the record with a folder more."""
        return replace(self, folders=tuple(dict.fromkeys((*self.folders, path))))

    def with_link(self, path: str, target: str) -> Record:
        """Return the record with a link more."""
        return replace(self, links={**self.links, path: target})

    def with_user(self, name: str) -> Record:
        """Return the record with a user more."""
        return replace(self, users=tuple(dict.fromkeys((*self.users, name))))

    def without(self, path: str) -> Record:
        """Return the record without what stood at *path*."""
        return replace(
            self,
            files={each: sha256 for each, sha256 in self.files.items() if each != path},
            links={each: target for each, target in self.links.items() if each != path},
            folders=tuple(each for each in self.folders if each != path),
        )

    def without_user(self, name: str) -> Record:
        """Return the record without the user *name*."""
        return replace(self, users=tuple(each for each in self.users if each != name))

    def text(self) -> str:
        """Return the document."""
        document = {
            "version_of_document": VERSION,
            "files": dict(self.files),
            "folders": list(self.folders),
            "links": dict(self.links),
            "users": list(self.users),
        }
        return json.dumps(document, indent=1) + "\n"


def read_record(text: str) -> Record:
    """Return the record that a document holds.

    Raises:
        InstallationError: It is none, or one of a newer Dropglow.
    """
    try:
        document = json.loads(text)
        if document["version_of_document"] != VERSION:
            raise _unreadable("it is of a newer Dropglow")
        return Record(
            files=_texts(document["files"]),
            folders=tuple(map(str, document["folders"])),
            links=_texts(document["links"]),
            users=tuple(map(str, document["users"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable("it is damaged") from error


def _texts(document: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in document.items()}


def _unreadable(why: str) -> InstallationError:
    return InstallationError(
        f"{RECORD} says what was installed, and cannot be read: {why}",
        hint="with a newer Dropglow, use that one; else remove by hand what systemd/README.md lists",
    )
