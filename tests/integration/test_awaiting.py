"""Waiting for what was ordered, where Adobe's answers contradict each other."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.events import Postponed
from dropglow.firefly.wire import StillRunning
from dropglow.model import RemoteId, Stage, Submission
from dropglow.polling import Durations
from dropglow.runtime.awaiting import Awaiting, Patience
from dropglow.runtime.outcomes import Outcomes

if TYPE_CHECKING:
    from tests.conftest import FakeClock
    from tests.integration.conftest import Delivery


async def _still_running(_receipt: Submission) -> StillRunning:
    return StillRunning(word="running")


@pytest.mark.parametrize("elapsed_s", [1, 3600])
async def test_a_finished_job_that_runs_again_is_asked_later(
    clock: FakeClock, delivery: Delivery, elapsed_s: int
) -> None:
    """Adobe says of a job that it had finished that it runs: the wait is stored, so that nobody asks again at once."""
    client: Any = SimpleNamespace(status=_still_running)
    setbacks: Any = SimpleNamespace()
    awaiting = Awaiting(
        client=client,
        clock=clock,
        setbacks=setbacks,
        durations=Durations(),
        patience=Patience(poll_s_min=1, poll_s_max=15, job_timeout_s=1800),
        outcomes=Outcomes(clock=clock, chance=lambda: 0.5),
    )
    job = replace(
        delivery.job,
        stage=Stage.FETCHING,
        submission=Submission(remote_id=RemoteId("urn:ff:jobs:x:1"), status_url=""),
        accepted_at=clock.now(),
        completed_at=clock.now(),
    )
    clock.move(elapsed_s)

    event = await awaiting.poll(job)

    assert isinstance(event, Postponed)
    assert event.until > clock.now()
