"""What an operator settles about one inbox, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_SETTLE_S: Final = 2.0
DEFAULT_RESCAN_S: Final = 30.0


class WatchMode(StrEnum):
    """Say how arrivals are noticed; ``auto`` asks the file system's type."""

    AUTO = "auto"
    NOTIFY = "notify"
    POLL = "poll"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPlan:
    """Where an inbox is and how it is looked at."""

    folder: str  # absolute
    settle_s: float = DEFAULT_SETTLE_S
    watch: WatchMode = WatchMode.AUTO
    rescan_s: float = DEFAULT_RESCAN_S
    reserved: tuple[str, ...] = ()  # absolute folders inside it that are never scanned
    ignore: tuple[str, ...] = ()  # globs on paths below it, of what is never a drop
