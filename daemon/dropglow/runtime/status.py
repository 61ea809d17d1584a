"""What the running service says of itself, for ``status``: a small document in the state folder.

Written when it changes and at most once a second, without a sync: it is a
convenience, the ledger is the truth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dropglow.ledger.belongings import write_private

if TYPE_CHECKING:
    # Not at run time: it brings the whole intake along, and ``status`` is to be quick.
    from dropglow.runtime.saying import InboxState

FILE_NAME: Final = "status.json"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStanding:
    """How what is on disk stands to what is in force."""

    faults: tuple[str, ...] = ()  # of the configuration on disk: ``file:line:column: message``
    faults_since: datetime | None = None
    restart_for: tuple[str, ...] = ()  # keys whose new values need a restart
    read_at: datetime | None = None  # when what is in force was read again; None: never since the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The service at one moment. Ages are seconds, times are UTC."""

    pid: int
    version: str
    started_at: datetime
    config: str
    sandbox: bool
    in_flight: int
    in_flight_limit: int
    in_hand: int
    trouble: str
    requests_last_minute: int
    requests_last_day: int
    inboxes: Sequence[InboxState]
    outboxes_away: Mapping[str, str] = field(default_factory=dict)  # by folder, why
    spending_paused: bool = False  # until somebody lets it go on
    config_faults: Sequence[str] = ()  # of what is on disk, while something older is in force
    config_faults_since: datetime | None = None
    config_read_at: datetime | None = None  # None: what is in force was read at the start
    restart_for: Sequence[str] = ()  # keys whose new values need a restart
    receivers_failing: Mapping[str, str] = field(default_factory=dict)  # of notifications, by name, why

    def document(self) -> dict[str, Any]:
        """Return the snapshot as JSON-able data."""
        document = asdict(self)
        for name in ("started_at", "config_faults_since", "config_read_at"):
            at: datetime | None = document[name]
            document[name] = None if at is None else at.isoformat(timespec="seconds")
        return {"version_of_document": VERSION, **document}


class StatusFile:
    """Keep ``status.json`` as it should be, with as few writes as possible."""

    def __init__(self, state: Path) -> None:
        """Write into the folder *state*."""
        self._path = state / FILE_NAME
        self._written = ""

    def publish(self, snapshot: Snapshot) -> None:
        """Write *snapshot* if it differs from what was written last. A full disk is no reason to stop."""
        text = json.dumps(snapshot.document(), indent=1, sort_keys=True)
        if text == self._written:
            return
        try:
            write_private(self._path, text)
        except OSError:
            return
        self._written = text

    def withdraw(self) -> None:
        """Remove the document at a stop."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return
        self._written = ""


def read_status(state: Path) -> dict[str, Any] | None:
    """Return the document of the service that runs on *state*, or None where there is none that can be read."""
    try:
        document = json.loads((state / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
