"""Say what is to be known of one inbox: in ``status`` for as long as it is so, and once in the log."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any, assert_never

from dropglow import vocabulary
from dropglow.disk import shown
from dropglow.intake.sweep import Sweep
from dropglow.intake.unready import NotReady
from dropglow.rules.beside import partners
from dropglow.runtime.taking import Left
from dropglow.runtime.telling import log
from dropglow.runtime.waits import Incomplete, Lonely, Unmarked, Waiting


@dataclass(slots=True)
class InboxState:
    """What ``status`` shows of one inbox."""

    folder: str
    mode: str = ""
    mode_reason: str = ""
    ready: int = 0  # settled and waiting for room in the queue
    settling: int = 0
    unready: int = 0  # still, and not whole: somebody may be writing them
    unmatched: int = 0
    unmarked: int = 0  # drops that wait for the marker which says that they are whole
    incomplete: int = 0  # drops that wait for a file that belongs to them
    lonely: int = 0  # files that wait for the drop that they belong to
    passed_over: int = 0  # links, pipes and what cannot be read
    offline: str = ""
    swept: bool = False
    files: int = 0  # how many the last look saw
    look_s: float = 0.0  # how long it took
    missed: int = 0  # files that no event announced, since the start
    known: int = 0  # taken before, in an inbox whose originals stay


class Saying:
    """Say in the log what ``status`` shows of one inbox, whenever it changes."""

    def __init__(self, state: InboxState) -> None:
        """Keep *state* and the log alike."""
        self._state = state
        self._snags: dict[str, str] = {}

    def offline(self, reason: str) -> None:
        """Say that the inbox is away, for this *reason*; or, without one, that it is back."""
        if reason and not self._state.offline:
            log.error(vocabulary.INBOX_OFFLINE, inbox=self._state.folder, reason=reason)
        elif self._state.offline and not reason:
            log.info(vocabulary.INBOX_ONLINE, inbox=self._state.folder)
        self._state.offline = reason

    def passed_over(self, sweep: Sweep) -> None:
        """Say each thing that was passed over once, for as long as it is passed over."""
        snags = {snag.path: snag.reason for snag in sweep.snags}
        for path, reason in snags.items():
            if self._snags.get(path) != reason:
                log.warning(
                    vocabulary.INBOX_TROUBLE, inbox=self._state.folder, source=shown(path), reason=reason
                )
        self._snags = snags
        self._state.passed_over = len(snags)

    def not_ready(self, file: NotReady) -> None:
        """Say once that a file lies still and is not whole."""
        log.info(
            vocabulary.DROP_NOT_READY,
            inbox=self._state.folder,
            source=shown(file.path),
            reason=file.reason,
            give_up_s=round(file.until_s - file.since_s),
        )

    def waiting(self, waiting: Waiting) -> None:
        """Say once that something waits for what belongs to it."""
        fields: dict[str, Any] = {
            "inbox": self._state.folder,
            "source": shown(waiting.sighting.path),
            "patience_s": None if isinstance(waiting, Unmarked) else round(waiting.until_s - waiting.since_s),
        }
        match waiting:
            case Incomplete() | Unmarked():
                rule, templates, sighting = waiting.rule, waiting.templates, waiting.sighting
                missing = waiting.missing if isinstance(waiting, Incomplete) else ()
                wanted = [shown(path) for path in missing or partners(templates, sighting.path)]
                log.info(vocabulary.DROP_WAITING, rule=rule.name, waits_for=wanted, **fields)
            case Lonely(owners=owners):
                wanted = [shown(posixpath.basename(each.pattern)) for each in owners]
                log.info(vocabulary.COMPANION_WAITING, waits_for=wanted, **fields)
            case _:
                assert_never(waiting)

    def left(self, file: Left) -> None:
        """Say that no rule takes a file, and why none does."""
        log.warning(
            vocabulary.DROP_UNMATCHED,
            inbox=self._state.folder,
            source=shown(file.sighting.path),
            reasons=[f"{each.rule}: {each.reason}" for each in file.explanations],
        )
