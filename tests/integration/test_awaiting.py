"""Waiting for what was ordered, where Adobe's answers contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.errors import RequestRefused, Unavailable, Verdict
from dropglow.events import GaveUp, Postponed
from dropglow.firefly.wire import StillRunning
from dropglow.model import Billed, Failure, RemoteId, Stage, Submission
from dropglow.polling import Durations
from dropglow.retry import Repeats
from dropglow.runtime.awaiting import Awaiting, Patience
from dropglow.runtime.outcomes import Outcomes

if TYPE_CHECKING:
    from tests.conftest import FakeClock
    from tests.integration.conftest import Delivery


async def _still_running(_receipt: Submission) -> StillRunning:
    return StillRunning(word="running")


PAID: Final = Submission(remote_id=RemoteId("urn:ff:jobs:x:1"), status_url="")


async def _denied(_receipt: Submission) -> StillRunning:
    raise RequestRefused("no such job", hint="correct the rule or the file, then retry", code="404")


async def _down(_receipt: Submission) -> StillRunning:
    raise Unavailable("Adobe is down", code="503", verdict=Verdict.LATER)


def awaiting_by(clock: FakeClock, status: Any, *, places: int = 16) -> Awaiting:
    """Return who waits, where Adobe answers *status*."""
    client: Any = SimpleNamespace(status=status)
    setbacks: Any = SimpleNamespace()
    return Awaiting(
        client=client,
        clock=clock,
        setbacks=setbacks,
        durations=Durations(),
        patience=Patience(poll_s_min=1, poll_s_max=15, job_timeout_s=1800),
        outcomes=Outcomes(clock=clock, chance=lambda: 0.5, repeats=Repeats(places=places)),
    )


@pytest.mark.parametrize("elapsed_s", [1, 3600])
async def test_a_finished_job_that_runs_again_is_asked_later(
    clock: FakeClock, delivery: Delivery, elapsed_s: int
) -> None:
    """Adobe says of a job that it had finished that it runs: the wait is stored, so that nobody asks again at once."""
    awaiting = awaiting_by(clock, _still_running)
    job = replace(
        delivery.job,
        stage=Stage.FETCHING,
        submission=PAID,
        accepted_at=clock.now(),
        completed_at=clock.now(),
    )
    clock.move(elapsed_s)

    event = await awaiting.poll(job)

    assert isinstance(event, Postponed)
    assert event.until > clock.now()


@pytest.mark.parametrize(("hours", "expected"), [(23, Postponed), (25, GaveUp)])
async def test_a_paid_job_is_denied_for_a_day_before_that_is_believed(
    clock: FakeClock, delivery: Delivery, hours: int, expected: type[Postponed | GaveUp]
) -> None:
    """Its failures may have been of its results' storage, so that they do not count as denials."""
    failure = Failure(code="404", what="no such job", billed=Billed.YES)
    job = replace(
        delivery.job,
        stage=Stage.FETCHING,
        submission=PAID,
        completed_at=clock.now(),
        failure=failure,
        trips=40,
    )
    clock.move(hours * 3600)

    event = await awaiting_by(clock, _denied).poll(job)

    assert expected is type(event)


async def test_a_question_that_is_refused_is_nobodys_fault_here(clock: FakeClock, delivery: Delivery) -> None:
    """While it is asked again, nobody is told to correct a rule or a file, or to try again himself."""
    job = replace(delivery.job, stage=Stage.RUNNING, submission=PAID, accepted_at=clock.now())

    event = await awaiting_by(clock, _denied).poll(job)

    assert isinstance(event, Postponed)
    assert "it is asked again by itself" == event.failure.hint


async def test_an_outage_is_asked_about_by_all_jobs_together_and_not_by_each(
    clock: FakeClock, delivery: Delivery
) -> None:
    """A hundred jobs that fail at once come back one after the other, as many a minute as the places allow."""
    awaiting = awaiting_by(clock, _down, places=10)
    job = replace(delivery.job, stage=Stage.RUNNING, submission=PAID, accepted_at=clock.now())

    events = [await awaiting.poll(job) for _ in range(100)]

    soon = clock.now() + timedelta(seconds=30)
    early = [event for event in events if isinstance(event, Postponed) and event.until <= soon]
    assert 10 + 10 == len(early)
