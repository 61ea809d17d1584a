"""Logging: JSON lines for collectors, and nothing that must not be shown."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from secrets import token_hex

import pytest
import structlog

from dropglow.ops.logging import set_up


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Log into memory, and leave logging as it was."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    out = io.StringIO()
    set_up(stream=out, json=True)
    yield out
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def records(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_an_event_is_one_json_line(lines: io.StringIO) -> None:
    """Name, level, time and facts are fields of one object."""
    structlog.stdlib.get_logger("dropglow").info("job.submitted", job="k1.1", rule="sizes")

    (record,) = records(lines)
    assert ("job.submitted", "info", "k1.1", "sizes") == tuple(
        record[name] for name in ("event", "level", "job", "rule")
    )
    assert str(record["timestamp"]).endswith("Z")


def test_a_signed_address_loses_its_query(lines: io.StringIO) -> None:
    """Signatures and tokens are removed, wherever in a record they are."""
    structlog.stdlib.get_logger("dropglow").warning(
        "job.postponed",
        reason="GET https://host/a.jpg?X-Amz-Signature=canary failed",
        more=["Authorization: Bearer canary.token-1"],
        deep={"url": "https://host/b?c=canary"},
    )

    assert "canary" not in lines.getvalue()
    assert "https://host/a.jpg?…" in lines.getvalue()


def test_a_library_logs_in_the_same_shape(lines: io.StringIO) -> None:
    """A plain record of another logger becomes the same kind of line; chatter below WARNING is dropped."""
    logging.getLogger("httpx").info("GET https://host/?secret")
    logging.getLogger("watchdog.observers").warning("Inotify queue overflowed")

    assert ["Inotify queue overflowed"] == [record["event"] for record in records(lines)]


def test_a_console_gets_words(lines: io.StringIO) -> None:
    """On a terminal a line begins with its time and reads as text."""
    out = io.StringIO()
    set_up(stream=out, json=False)
    structlog.stdlib.get_logger("dropglow").info("drop.done", source="beach.jpg")

    assert "drop.done" in out.getvalue()
    assert not out.getvalue().startswith("{")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_values(lines: io.StringIO, as_json: bool) -> None:
    """A fault of ours is logged with its lines, but without the variables or links that it met."""
    set_up(stream=lines, json=as_json)
    secret = token_hex(8)

    def meet_a_fault(client_secret: str) -> None:
        raise ValueError(f"cannot use https://h/a?sig={client_secret}")

    try:
        meet_a_fault(secret)
    except ValueError as fault:
        structlog.stdlib.get_logger("dropglow").critical("service.bug", exc_info=fault)

    assert "meet_a_fault" in lines.getvalue()
    assert secret not in lines.getvalue()
