"""What the history says about an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from dropglow.events import (
    Attached,
    Began,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Postponed,
    Prepared,
    RetryAsked,
)
from dropglow.ledger.history import detail, one_line
from dropglow.model import Failure, Output, RemoteId, Submission

NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
WHY: Final = Failure(code="busy", what="the service\nis busy")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Postponed(until=NOW, failure=WHY), "the service is busy; not before 2026-01-31 12:00:00"),
        (
            Declined(until=NOW, failure=WHY, counts=True),
            "the service is busy; not before 2026-01-31 12:00:00",
        ),
        (Doubted(failure=WHY), "the service is busy"),
        (Attached(submission=Submission(remote_id=RemoteId("urn:1"), status_url=""), at=NOW), "urn:1"),
        (Prepared(uploads=()), "0 uploads"),
        (Delivered(paths=("/a", "/b\udcff"), at=NOW), "/a, /b\\xff"),
        (Began(at=NOW), ""),
        (RetryAsked(at=NOW), ""),
    ],
)
def test_every_event_is_told_in_one_line(event: Event, line: str) -> None:
    """The line holds what the event's name does not say."""
    assert line == detail(event)


def test_links_are_not_told() -> None:
    """A signed link never enters the history; only the number of results does."""
    link = Output(index=0, seed=1, url="https://h/x?sig=secret")

    assert "2 results" == detail(Completed(outputs=(link, link), at=NOW))


def test_lines_are_bounded_and_storable() -> None:
    """Whatever a message contains, its line is one line, short, and free of what no database stores."""
    line = one_line("a\0b\r\nc\udc80 " + "x" * 5000)

    assert line.startswith("a\\0b c\\x80 xxx")
    assert 1000 == len(line)
