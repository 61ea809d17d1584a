"""What a machine has that Dropglow is installed on: folders, files, a link and a user. Decides nothing and touches nothing.

Everything is put where ``systemd/README.md`` says, so that what was installed by hand and what was installed by the
command look the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

USER: Final = "dropglow"
ROOT: Final = "root"
PROGRAM: Final = "/usr/local/bin/dropglow"
UNITS: Final = "/etc/systemd/system"
CONFIGURATION: Final = "/etc/dropglow"
CREDENTIALS: Final = f"{CONFIGURATION}/credentials"
CREDENTIAL_FILES: Final = (f"{CREDENTIALS}/firefly_client_id", f"{CREDENTIALS}/firefly_client_secret")
STATE: Final = "/var/lib/dropglow"
DROPS: Final = "/srv/dropglow"
CATALOG: Final = "/usr/local/lib/systemd/catalog"
SERVICE: Final = "dropglow.service"
SOCKET: Final = "dropglow-http.socket"
RELOADS: Final = 253  # the first systemd that knows Type=notify-reload


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder, and whose it is."""

    path: str
    mode: int = 0o755
    owner: str = ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of root's.

    One that is *edited* belongs to the people of the machine once it was there: it is never replaced by another, and
    does not come again when they removed it.
    """

    path: str
    content: bytes
    edited: bool = False
    mode: int = 0o644

    @property
    def sha256(self) -> str:
        """Return the sum of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the system, with a group of the same name, who cannot log in."""

    name: str


Item = Folder | File | Link | User

# Where each shipped file goes; below the folder `systemd` of the project.
_FILES: Final = (
    ("dropglow.service", f"{UNITS}/{SERVICE}", False),
    ("dropglow@.service", f"{UNITS}/dropglow@.service", False),
    ("dropglow.catalog", f"{CATALOG}/dropglow.catalog", False),
    ("README.md", "/usr/local/share/doc/dropglow/README.md", False),
    ("first/dropglow.yaml", f"{CONFIGURATION}/dropglow.yaml", True),
    ("first/rules/first.yaml", f"{CONFIGURATION}/rules/first.yaml", True),
)
_SYSUSERS: Final = ("dropglow.sysusers", "/etc/sysusers.d/dropglow.conf", False)
_RELOAD: Final = ("drop-ins/notify-reload.conf", f"{UNITS}/{SERVICE}.d/notify-reload.conf", False)
_HTTP: Final = (
    ("dropglow-http.socket", f"{UNITS}/{SOCKET}", False),
    ("drop-ins/http.conf", f"{UNITS}/{SERVICE}.d/http.conf", False),
)


def wanted(shipped: Mapping[str, bytes], *, program: str, http: bool, systemd: int) -> tuple[Item, ...]:
    """Return what is to be there, in the order in which it is made.

    Args:
        shipped: The files of the project's folder ``systemd``, by their path below it.
        program: Absolute path of the command that runs now.
        http: Whether the service is to say how it is at the address of its socket unit.
        systemd: The version of systemd; 0: unknown, and taken for an old one.
    """
    chosen = [_SYSUSERS, *_FILES]
    if systemd >= RELOADS:
        chosen.append(_RELOAD)
    if http:
        chosen += _HTTP
    files = [File(path=path, content=shipped[name], edited=edited) for name, path, edited in chosen]
    folders = [
        Folder(path=CONFIGURATION),
        Folder(path=f"{CONFIGURATION}/rules"),
        Folder(path=CREDENTIALS, mode=0o700),
        *(
            Folder(path=path, mode=0o2770, owner=USER)
            for path in (DROPS, f"{DROPS}/inbox", f"{DROPS}/outbox")
        ),
    ]
    link = () if program == PROGRAM else (Link(path=PROGRAM, target=program),)
    # The configuration's folder first: what is done is noted there.
    return (folders[0], *link, files[0], User(name=USER), *folders[1:], *files[1:])
