"""A task that does not come back is missed, and no other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dropglow.runtime.pulse import SLACK_S, Pulse

if TYPE_CHECKING:
    from tests.conftest import FakeClock


def test_a_task_is_missed_after_its_wait_and_some_patience(clock: FakeClock) -> None:
    """What it announced counts, and then the slack."""
    pulse = Pulse(clock)
    pulse.back_within("closing", 60.0)
    pulse.back_within("wishes", 600.0)

    clock.move(60.0 + SLACK_S)
    in_time = pulse.missing()
    clock.move(1.0)

    assert ((), ("closing",)) == (in_time, pulse.missing())


def test_a_task_that_comes_back_is_not_missed(clock: FakeClock) -> None:
    """Each new wait replaces the one before."""
    pulse = Pulse(clock)
    pulse.back_within("closing", 60.0)
    clock.move(10_000.0)

    pulse.back_within("closing", 60.0)

    assert () == pulse.missing()


def test_a_task_may_wait_for_a_share_for_ever(clock: FakeClock) -> None:
    """Who says that nobody can tell is never missed."""
    pulse = Pulse(clock)
    pulse.back_within("reload", math.inf)

    clock.move(1e9)

    assert () == pulse.missing()
