"""What an operator settles about one inbox, as plain data."""

from __future__ import annotations

import hashlib
import os
import posixpath
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WORKSHOPS_FOLDER: Final = "kept"  # in the state folder
_DIGITS: Final = 16
DEFAULT_SETTLE_S: Final = 2.0
DEFAULT_RESCAN_S: Final = 30.0


class WatchMode(StrEnum):
    """Say how arrivals are noticed; ``auto`` asks the file system's type."""

    AUTO = "auto"
    NOTIFY = "notify"
    POLL = "poll"


def workshop(state: str, inbox: str) -> str:
    """Return the folder below *state* for copies of what lies in *inbox*, which is known by its path; both absolute."""
    name = hashlib.sha256(os.fsencode(inbox)).hexdigest()[:_DIGITS]
    return posixpath.join(state, WORKSHOPS_FOLDER, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPlan:
    """Where an inbox is and how it is looked at."""

    folder: str  # absolute
    settle_s: float = DEFAULT_SETTLE_S
    watch: WatchMode = WatchMode.AUTO
    rescan_s: float = DEFAULT_RESCAN_S
    reserved: tuple[str, ...] = ()  # absolute folders inside it that are never scanned
    folders: bool = False  # True: each sub-folder is one drop
    ignore: tuple[str, ...] = ()  # globs on paths below it, of what is never a drop
    workshop: str = (
        ""  # absolute folder for copies, where originals stay and nothing is written into the inbox
    )

    @property
    def keeps(self) -> bool:
        """Return whether originals stay where they are."""
        return bool(self.workshop)
