"""Events are believed until files come that none announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dropglow.intake.plan import InboxPlan, WatchMode
from dropglow.intake.sweep import Sweep
from dropglow.runtime.listening import Listening
from dropglow.runtime.saying import InboxState

if TYPE_CHECKING:
    from tests.conftest import FakeClock


def a_listener(clock: FakeClock, watch: WatchMode = WatchMode.AUTO) -> Listening:
    listening = Listening(InboxPlan(folder="/in", watch=watch), shown=InboxState(folder="/in"), clock=clock)
    listening.decide(every_s=30.0, mode="notify", reason="it is on ext4")
    listening.weigh(Sweep())
    return listening


def miss(listening: Listening, clock: FakeClock, count: int) -> None:
    for _ in range(count):
        clock.move(30)
        listening.weigh(Sweep(arrived=1))
    clock.move(30)
    listening.weigh(Sweep())


def test_an_inbox_whose_events_do_not_come_is_polled(clock: FakeClock) -> None:
    """More often, and status says why."""
    listening = a_listener(clock)
    miss(listening, clock, 3)

    assert 5.0 == listening.every_s
    assert ("poll", 3) == (listening._shown.mode, listening._shown.missed)
    assert "events did not announce 3 files" in listening._shown.mode_reason


def test_it_listens_again_once_events_come(clock: FakeClock) -> None:
    """After an hour without a miss."""
    listening = a_listener(clock)
    miss(listening, clock, 3)
    clock.move(3600)
    listening.rang()
    listening.weigh(Sweep(arrived=1))

    assert (30.0, "notify", "it is on ext4") == (
        listening.every_s,
        listening._shown.mode,
        listening._shown.mode_reason,
    )


def test_a_folder_watched_afresh_is_believed_again(clock: FakeClock) -> None:
    """It may be mounted differently now."""
    listening = a_listener(clock)
    miss(listening, clock, 3)
    listening.decide(every_s=30.0, mode="notify", reason="it is on ext4")
    miss(listening, clock, 2)

    assert "notify" == listening._shown.mode


@pytest.mark.parametrize("watch", [WatchMode.NOTIFY, WatchMode.POLL])
def test_who_asks_for_a_mode_gets_it(clock: FakeClock, watch: WatchMode) -> None:
    """The operator knows better; what was missed is counted all the same."""
    listening = a_listener(clock, watch)
    miss(listening, clock, 5)

    assert ("notify", 5) == (listening._shown.mode, listening._shown.missed)
