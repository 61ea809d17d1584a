"""What is told to people who watch no log: which events, in which words. Pure.

An event of the log becomes a notice, or nothing. A trouble has a *subject*, so that its
end can be told by the same name; a failure of one file has none, and never ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from dropglow import vocabulary

DAY_S: Final = 86400.0


class Kind(StrEnum):
    """Say what sort of news it is."""

    FAILURE = "failed"
    HOLD = "held"
    ALARM = "alarm"  # a trouble without an end: it happened
    TROUBLE = "trouble"
    RECOVERY = "recovered"
    SUCCESS = "done"


class Topic(StrEnum):
    """Say what a receiver wants to hear of, as the configuration spells it."""

    FAILURES = "failures"
    HOLDS = "holds"
    TROUBLE = "trouble"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a receiver is sent, whatever happens."""

    per_hour: int = 12
    per_day: int = 60
    digest_s: float | None = DAY_S  # how long successes are gathered; None: they are not told


TOPICS: Final = {
    Kind.FAILURE: Topic.FAILURES,
    Kind.HOLD: Topic.HOLDS,
    Kind.ALARM: Topic.TROUBLE,
    Kind.TROUBLE: Topic.TROUBLE,
    Kind.RECOVERY: Topic.TROUBLE,
    Kind.SUCCESS: Topic.DIGEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, for a person."""

    kind: Kind
    event: str  # its name in the log
    line: str  # what happened and why
    hint: str = ""  # what to do
    subject: str = ""  # what is in trouble, or is well again
    name: str = ""  # what that is called in a sentence
    rule: str = ""
    results: int = 0
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)  # for programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once: a title, and a line for each thing that it tells of, as far as there is room."""

    kind: Kind  # of its most urgent notice
    title: str
    lines: tuple[str, ...]
    counts: Mapping[Kind, int]
    notices: tuple[Notice, ...] = ()

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How an event is told; the words take its fields."""

    kind: Kind
    words: str
    subject: str = ""  # the same for a trouble and for its end; takes fields as well
    name: str = ""
    hint: str = ""  # where the event has none of its own


_ASK: Final = "dropglow status"
# In the order of their urgency: service, folders, files.
WAYS: Final[Mapping[str, _Way]] = {
    vocabulary.SERVICE_FAILED: _Way(kind=Kind.ALARM, words="the service ended: {reason}"),
    vocabulary.SERVICE_TROUBLE: _Way(
        kind=Kind.TROUBLE, words="{reason}", subject="service", name="the service", hint=_ASK
    ),
    vocabulary.SERVICE_RECOVERED: _Way(
        kind=Kind.RECOVERY, words="the service is well again", subject="service", name="the service"
    ),
    vocabulary.SERVICE_BUG: _Way(
        kind=Kind.ALARM, words="a fault of Dropglow's own met job {job}", hint="the log has its traceback"
    ),
    vocabulary.SERVICE_STUCK: _Way(kind=Kind.ALARM, words="a part of the service is stuck: {reason}"),
    vocabulary.LEDGER_UNAVAILABLE: _Way(kind=Kind.ALARM, words="the ledger cannot be used: {reason}"),
    vocabulary.RECEIPT_UNSAFE: _Way(
        kind=Kind.ALARM, words="the receipt of job {job} cannot be stored anywhere"
    ),
    vocabulary.RECEIPT_STRANGE: _Way(
        kind=Kind.ALARM, words="there is a receipt of an order that this ledger does not know: {job_id}"
    ),
    vocabulary.BACKUP_FAILED: _Way(kind=Kind.ALARM, words="the ledger could not be copied: {reason}"),
    vocabulary.WISH_UNANSWERED: _Way(kind=Kind.ALARM, words="commands cannot be answered: {reason}"),
    vocabulary.CONFIG_BROKEN: _Way(
        kind=Kind.TROUBLE,
        words="{reason}",
        subject="configuration",
        name="the configuration",
        hint="dropglow check",
    ),
    vocabulary.CONFIG_RELOADED: _Way(
        kind=Kind.RECOVERY,
        words="the configuration is sound again, and in force",
        subject="configuration",
        name="the configuration",
    ),
    vocabulary.SPENDING_PAUSED: _Way(
        kind=Kind.TROUBLE, words="spending is paused: {reason}", subject="spending", name="spending"
    ),
    vocabulary.SPENDING_RESUMED: _Way(
        kind=Kind.RECOVERY, words="spending goes on", subject="spending", name="spending"
    ),
    vocabulary.BUDGET_SPENT: _Way(kind=Kind.ALARM, words="{reason}", hint="dropglow costs"),
    vocabulary.INBOX_OFFLINE: _Way(
        kind=Kind.TROUBLE,
        words="the inbox {inbox} is offline: {reason}",
        subject="inbox {inbox}",
        name="the inbox {inbox}",
    ),
    vocabulary.INBOX_ONLINE: _Way(
        kind=Kind.RECOVERY,
        words="the inbox {inbox} is back",
        subject="inbox {inbox}",
        name="the inbox {inbox}",
    ),
    vocabulary.INBOX_TROUBLE: _Way(kind=Kind.ALARM, words="in the inbox {inbox}: {source}: {reason}"),
    vocabulary.OUTBOX_OFFLINE: _Way(
        kind=Kind.TROUBLE,
        words="the outbox {outbox} is away: {reason}",
        subject="outbox {outbox}",
        name="the outbox {outbox}",
    ),
    vocabulary.OUTBOX_ONLINE: _Way(
        kind=Kind.RECOVERY,
        words="the outbox {outbox} is back",
        subject="outbox {outbox}",
        name="the outbox {outbox}",
    ),
    vocabulary.WATCHER_DEAF: _Way(kind=Kind.ALARM, words="{reason}", hint=_ASK),
    vocabulary.DROP_FAILED: _Way(kind=Kind.FAILURE, words="{source} failed: {reason}"),
    vocabulary.DROP_HELD: _Way(
        kind=Kind.HOLD, words="{source} is held: {reason}", hint="dropglow show {drop}"
    ),
    vocabulary.DROP_DONE: _Way(kind=Kind.SUCCESS, words="{source} is done"),
}
# What programs get of an event; no list, no traceback.
_FACTS: Final = (
    "drop",
    "job",
    "job_id",
    "rule",
    "source",
    "inbox",
    "outbox",
    "place",
    "reason",
    "hint",
    "until",
    "results",
)
_LONGEST: Final = 500  # characters of one fact: a reason may quote Adobe at length


class _Fields(dict[str, str]):
    """The fields of an event; one that is absent is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def noticed(event: str, fields: Mapping[str, Any], *, at: datetime) -> Notice | None:
    """Return what a person is told of *event*, if it is worth a word."""
    way = WAYS.get(event)
    if way is None:
        return None
    facts = {name: _short(str(fields[name])) for name in _FACTS if fields.get(name) is not None}
    said = _Fields(facts)
    results = fields.get("results")
    return Notice(
        kind=way.kind,
        event=event,
        line=_one_line(way.words.format_map(said)),
        hint=_one_line(facts.get("hint", "") or way.hint.format_map(said)),
        subject=way.subject.format_map(said),
        name=way.name.format_map(said),
        rule=facts.get("rule", ""),
        results=results if isinstance(results, int) else 0,
        at=at,
        facts=facts,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
