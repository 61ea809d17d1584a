"""What somebody sees who opens the service's address in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from dropglow import measures
from dropglow.measures import Reading
from dropglow.ops.dashboard import POLICY, Standing, page

AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
QUIET: Final[Reading] = {
    measures.INBOX_FILES: [(("ready",), 0), (("unmatched",), 0)],
    measures.INBOX_ONLINE: [(("beach",), True)],
    measures.OUTBOX_ONLINE: [(("beach",), True)],
    measures.JOBS: [(("beach", "queued"), 0), (("beach", "in_doubt"), 0)],
    measures.IN_FLIGHT: [((), 0)],
    measures.IN_FLIGHT_LIMIT: [((), 8)],
    measures.API_TROUBLE: [((), False)],
    measures.SPENDING_PAUSED: [((), False)],
    measures.CONFIG_FAULTS: [((), 0)],
    measures.RESTART_NEEDED: [((), False)],
    measures.BUILD: [(("1.2.3", "3.11"), 1)],
}


def html(*hindrances: str, **changes: Any) -> str:
    """Return the page of a quiet service, but for *changes*, which are named like the measures."""
    reading = {**QUIET, **{getattr(measures, name): value for name, value in changes.items()}}
    return page(Standing(reading=reading, hindrances=hindrances, at=AT))


def words(document: str) -> str:
    """Return what of a page can be read."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", document, flags=re.DOTALL).split())


def test_a_quiet_service_is_ready_and_has_nothing() -> None:
    """Nothing is told that nobody has to know."""
    text = words(html())

    assert text.startswith(
        "Dropglow Dropglow ready Files in the inboxes None wait. Jobs that are not over None."
    )
    assert "jobs 0 of 8" in text
    assert "2026-01-31 12:00:00 UTC · version 1.2.3" in text
    assert "Budgets" not in text


def test_what_keeps_files_out_comes_first() -> None:
    """And the title says so, for whoever has many tabs."""
    document = html("the ledger cannot be used")

    assert "<title>! Dropglow</title>" in document
    assert "Dropglow not ready the ledger cannot be used Files" in words(document)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "INBOX_ONLINE",
            [(("beach",), False)],
            "The inbox of the rule beach is offline; `dropglow status` says why.",
        ),
        (
            "OUTBOX_ONLINE",
            [(("beach",), False)],
            "The outbox of the rule beach is away; paid results wait.",
        ),
        ("SPENDING_PAUSED", [((), True)], "Spending is paused; `dropglow resume` lets it go on."),
        (
            "API_TROUBLE",
            [((), True)],
            "No orders go out for now, and files wait; `dropglow status` says why.",
        ),
        ("CONFIG_FAULTS", [((), 1)], "The configuration on disk has 1 fault; an older one is in force."),
        ("CONFIG_FAULTS", [((), 2)], "has 2 faults;"),
        ("RESTART_NEEDED", [((), True)], "A changed setting waits for a restart."),
        ("JOBS", [(("beach", "in_doubt"), 2)], "2 jobs in doubt: `dropglow status` shows"),
    ],
)
def test_a_trouble_is_one_sentence(name: str, value: Any, told: str) -> None:
    """The service takes files in all the same."""
    text = words(html(**{name: value}))

    assert "ready" in text
    assert told in text.partition("Files in the inboxes")[0]


def test_files_and_jobs_are_counted() -> None:
    """Only states that something is in have a line or a column."""
    text = words(
        html(
            INBOX_FILES=[(("ready",), 1234), (("settling",), 0), (("unmatched",), 2)],
            JOBS=[
                (("a", "queued"), 3),
                (("a", "in_doubt"), 1),
                (("b", "queued"), 0),
                (("c", "queued"), 4),
                (("c", "held"), 0),
            ],
        )
    )

    assert "Files in the inboxes ready to be taken 1,234 taken by no rule 2 Jobs" in text
    assert "rule queued in doubt a 3 1 c 4 0 At Adobe" in text


def test_a_ledger_that_does_not_answer_is_no_nought() -> None:
    """No table of jobs is better than a wrong one."""
    reading = {measure: values for measure, values in QUIET.items() if measure is not measures.JOBS}

    assert "The ledger does not say now." in page(Standing(reading=reading, hindrances=(), at=AT))


def test_budgets_say_what_is_left() -> None:
    """Of all rules together, and of one; never less than nothing."""
    document = html(
        BUDGET_LIMIT=[(("", "day", "images"), 100), (("beach", "month", "operations"), 2000)],
        BUDGET_LEFT=[(("", "day", "images"), 40), (("beach", "month", "operations"), -3)],
    )

    assert "all rules today 40 100 images beach this month 0 2,000 operations" in words(document)
    assert "<meter value=60 max=100></meter>" in document
    assert "class='number bad'>0<" in document


@pytest.mark.parametrize(
    ("up_s", "told"),
    [(59, "less than a minute"), (60, "1 minute"), (7300, "2 hours"), (86400 * 40, "40 days")],
)
def test_the_process_is_described(up_s: float, told: str) -> None:
    """Where it is known."""
    text = words(
        html(START_TIME=[((), AT.timestamp() - up_s)], MEMORY=[((), 65.4e6)], STATE_FREE=[((), 12.34e9)])
    )

    assert f"up for {told} · 65 MB of memory · 12.3 GB free for the ledger" in text


def test_names_of_rules_are_text() -> None:
    """A rule may be called anything."""
    name = "<script>alert('&')</script>"
    document = html(
        "<b>",
        JOBS=[((name, "queued"), 1)],
        INBOX_ONLINE=[((name,), False)],
        BUDGET_LIMIT=[((name, "day", "images"), 1)],
        BUDGET_LEFT=[((name, "day", "images"), 1)],
    )

    assert "<script" not in document
    assert "<b>" not in document


def test_a_service_without_places_has_no_bar() -> None:
    """Nought of nought is no share."""
    assert "<meter" not in html(IN_FLIGHT_LIMIT=[((), 0)])


def test_only_its_own_style_is_allowed() -> None:
    """The page names no address, and the browser is told to load nothing."""
    document = html()
    style = re.search(r"<style>(.*)</style>", document, flags=re.DOTALL)

    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert "://" not in document
