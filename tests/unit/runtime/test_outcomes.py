"""How long a job waits after trouble, and whose waiting makes others wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from dropglow import retry
from dropglow.errors import Unavailable
from dropglow.events import Postponed
from dropglow.model import DeliveryPlan, DropKey, Job, JobKey, Order, RuleName
from dropglow.runtime.outcomes import Outcomes
from tests.conftest import FakeClock

TROUBLE: Final = Unavailable("no connection", code="broken")
JOB: Final = Job(
    key=JobKey("abcdefghij.1"),
    drop=DropKey("abcdefghij"),
    rule=RuleName("art"),
    inbox="/in",
    source="beach.txt",
    order=Order(
        operation="generate",
        body={},
        size="100x200",
        delivery=DeliveryPlan(outbox="/out", folder="", name="x{ext}"),
    ),
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
)


def waits_after(failures: int, backoff: retry.Backoff) -> timedelta:
    """Return how long a question waits that fails after so many *failures* of the kind of *backoff*."""
    clock = FakeClock()
    outcomes = Outcomes(clock=clock, chance=lambda: 0.0, repeats=retry.Repeats(places=4))
    for _ in range(failures):
        outcomes.postponed(JOB, TROUBLE, backoff)
    event = outcomes.postponed(JOB, TROUBLE, retry.ASKING)
    assert isinstance(event, Postponed)
    return event.until - clock.now()


def test_a_failed_question_waits_longer_after_many_others() -> None:
    """Fifty questions in vain at once are repeated one after the other."""
    assert waits_after(50, retry.ASKING) > timedelta(minutes=4)


def test_failed_orders_and_uploads_make_no_question_wait() -> None:
    """Behind a failed order all others wait, so it takes no turn from questions and downloads."""
    assert waits_after(50, retry.ORDERING) == timedelta(seconds=retry.ASKING.floor_s)
