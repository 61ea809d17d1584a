"""Say in one line what an event was about, for the history. Pure.

Nothing secret enters: result links are signed, so only their number is told.
"""

from __future__ import annotations

from typing import Final, assert_never

from dropglow.events import (
    Abandoned,
    Accepted,
    Approved,
    Attached,
    Began,
    Borrowed,
    CancelAsked,
    CancelConfirmed,
    CancelSent,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Fetched,
    GaveUp,
    Held,
    Kept,
    LinksExpired,
    Postponed,
    Prepared,
    RanLate,
    ResubmitAsked,
    RetryAsked,
    SpoolLost,
)
from dropglow.naming import shown, storable

ADMITTED: Final = "Admitted"
_LENGTH_MAX: Final = 1000


def detail(event: Event) -> str:
    """Return one line about *event*; empty where its name says all."""
    return one_line(_words(event))


def one_line(text: str) -> str:
    """Return *text* as one line of bounded length that any database can store."""
    return " ".join(storable(text).replace("\0", "\\0").split())[:_LENGTH_MAX]


def _words(event: Event) -> str:
    match event:
        case Postponed(until=until, failure=failure) | Declined(until=until, failure=failure):
            return f"{failure.what}; not before {until:%Y-%m-%d %H:%M:%S}"
        case Doubted(failure=failure) | GaveUp(failure=failure) | Held(failure=failure):
            return failure.what
        case Accepted(submission=submission) | Attached(submission=submission):
            return submission.remote_id
        case Kept(twin=twin, paths=paths):
            return f"of job {twin}: {', '.join(shown(path) for path in paths)}"
        case Borrowed(twin=twin, submission=submission):
            return f"of job {twin}: {submission.remote_id}"
        case Prepared(uploads=uploads):
            return _count(len(uploads), "upload")
        case Completed(outputs=outputs):
            return _count(len(outputs), "result")
        case Fetched(artifacts=artifacts):
            return f"{_count(len(artifacts), 'result')}, {sum(artifact.size_bytes for artifact in artifacts)} bytes"
        case Delivered(paths=paths):
            return ", ".join(shown(path) for path in paths)
        case Began() | Approved() | RanLate() | LinksExpired() | SpoolLost():
            return ""
        case CancelAsked() | CancelSent() | CancelConfirmed() | RetryAsked() | ResubmitAsked() | Abandoned():
            return ""
        case _:
            assert_never(event)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
