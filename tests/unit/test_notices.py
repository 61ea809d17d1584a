"""What people are told of, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dropglow import vocabulary
from dropglow.notices import TOPICS, WAYS, Kind, noticed

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_failure_says_what_why_and_what_to_do() -> None:
    """The words are the log's own, on one line, with the facts beside them for programs."""
    fields = {
        "drop": "d1",
        "rule": "sizes",
        "source": "a.jpg",
        "reason": "it is\n cut off",
        "hint": "mend it",
        "place": "/i/_failed/a.jpg",
    }

    notice = noticed(vocabulary.DROP_FAILED, fields, at=NOON)

    assert notice is not None
    assert (Kind.FAILURE, "a.jpg failed: it is cut off", "mend it") == (notice.kind, notice.line, notice.hint)
    assert ("sizes", "d1", "/i/_failed/a.jpg") == (notice.rule, notice.facts["drop"], notice.facts["place"])
    assert NOON == notice.at


def test_where_an_event_has_no_hint_the_way_has_one() -> None:
    """Who reads of a held file is told the command that shows it."""
    notice = noticed(vocabulary.DROP_HELD, {"drop": "d1", "source": "a.jpg", "reason": "in doubt"}, at=NOON)

    assert notice is not None
    assert "dropglow show d1" == notice.hint


@pytest.mark.parametrize(
    ("ill", "well", "field"),
    [
        (vocabulary.SERVICE_TROUBLE, vocabulary.SERVICE_RECOVERED, ""),
        (vocabulary.CONFIG_BROKEN, vocabulary.CONFIG_RELOADED, ""),
        (vocabulary.SPENDING_PAUSED, vocabulary.SPENDING_RESUMED, ""),
        (vocabulary.INBOX_OFFLINE, vocabulary.INBOX_ONLINE, "inbox"),
        (vocabulary.OUTBOX_OFFLINE, vocabulary.OUTBOX_ONLINE, "outbox"),
    ],
)  # fmt: skip
def test_a_trouble_and_its_end_have_one_subject(ill: str, well: str, field: str) -> None:
    """What recovers is known by the name under which it fell ill."""
    fields = {field: "/a"} if field else {}

    trouble = noticed(ill, {**fields, "reason": "r"}, at=NOON)
    recovery = noticed(well, fields, at=NOON)

    assert trouble is not None
    assert recovery is not None
    assert (Kind.TROUBLE, Kind.RECOVERY) == (trouble.kind, recovery.kind)
    assert trouble.subject == recovery.subject
    assert trouble.name == recovery.name
    assert "r" in trouble.line
    assert not field or "/a" in trouble.subject


def test_what_is_no_news_is_not_told() -> None:
    """Most events are for the log alone."""
    assert noticed(vocabulary.JOB_SUBMITTED, {"job": "d1.1"}, at=NOON) is None


def test_a_missing_fact_is_a_question_mark_and_a_long_one_is_cut() -> None:
    """Nothing that an event lacks, or has too much of, keeps a person from hearing of it."""
    notice = noticed(vocabulary.DROP_FAILED, {"reason": "x" * 2000}, at=NOON)

    assert notice is not None
    assert notice.line.startswith("? failed: xxx")
    assert 600 > len(notice.line)


def test_every_way_is_of_an_event_and_has_a_topic() -> None:
    """The table speaks the vocabulary's words, and every kind can be asked for."""
    events = {value for name, value in vars(vocabulary).items() if name.isupper()}

    assert events >= set(WAYS)
    assert set(TOPICS) == set(Kind)
    assert not any(event.startswith("notify.") for event in WAYS), "a message about a message would never end"


def test_a_success_counts_its_results() -> None:
    """The digest adds them up."""
    notice = noticed(vocabulary.DROP_DONE, {"source": "a.jpg", "rule": "r", "results": 3}, at=NOON)

    assert notice is not None
    assert (Kind.SUCCESS, 3) == (notice.kind, notice.results)
