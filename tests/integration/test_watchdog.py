"""The watchdog is fed while the service is well, and only then."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.intake.watch import Doorbell
from dropglow.ledger.memory import MemoryLedger
from dropglow.ops.systemd import Manager
from dropglow.runtime.herald import Herald
from dropglow.runtime.pulse import SLACK_S, Pulse
from dropglow.runtime.staff import Staff

if TYPE_CHECKING:
    from tests.conftest import FakeClock

WATCHDOG_S = 60.0


class MoodyLedger(MemoryLedger):
    """A ledger that answers, refuses, or says nothing at all."""

    mood = "well"

    async def next_due(self, *, now: datetime) -> datetime | None:
        if self.mood == "refuses":
            raise LedgerUnavailable("the disk is full")
        if self.mood == "silent":
            await asyncio.Event().wait()
        return await super().next_due(now=now)


class Scene:
    """A herald with everything that it looks at, and a manager that listens."""

    def __init__(self, clock: FakeClock, folder: Path) -> None:
        self.clock = clock
        self.ledger = MoodyLedger()
        self.pulse = Pulse(clock)
        self.bells: list[Doorbell] = []
        self.staff = Staff((), doorbell=self._bell, clock=clock)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(str(folder / "notify"))
        self.ear.setblocking(False)
        self.herald = Herald(
            Manager(str(folder / "notify"), watchdog_s=WATCHDOG_S),
            staff=self.staff,
            ledger=self.ledger,
            pulse=self.pulse,
            clock=clock,
        )

    def _bell(self, ring: Callable[[str], None]) -> Doorbell:
        bell = Doorbell(asyncio.get_running_loop(), ring)
        self.bells.append(bell)
        return bell

    def signs(self) -> int:
        """Return how many signs of life came since the last time."""
        count = 0
        try:
            while True:
                count += self.ear.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            return count


@pytest.fixture
async def scene(clock: FakeClock, tmp_path: Path) -> AsyncIterator[Scene]:
    """Return a herald that watches over a service that is well."""
    scene = Scene(clock, tmp_path)
    await scene.staff.open()
    task = asyncio.create_task(scene.herald.watch())
    yield scene
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await scene.staff.close()
    scene.ear.close()


async def test_a_service_that_is_well_gives_three_signs_in_time(scene: Scene) -> None:
    """Two of them may get lost."""
    await scene.clock.advance(0)
    first = scene.signs()

    await scene.clock.advance(WATCHDOG_S)

    assert (1, 3) == (first, scene.signs())


async def test_a_task_that_is_missed_ends_the_signs(scene: Scene) -> None:
    """One task that does not come back is enough; when it does, all is well again."""
    scene.pulse.back_within("closing", 0.0)
    await scene.clock.advance(SLACK_S)
    scene.signs()
    await scene.clock.advance(2 * WATCHDOG_S)
    missed = scene.signs()

    scene.pulse.back_within("closing", WATCHDOG_S)
    await scene.clock.advance(WATCHDOG_S)

    assert (0, 3) == (missed, scene.signs())


async def test_a_dead_observer_ends_the_signs(scene: Scene) -> None:
    """Polling goes on, but a restart brings the events back."""
    await scene.clock.advance(0)
    await scene.bells[0].stop()
    scene.signs()

    await scene.clock.advance(2 * WATCHDOG_S)

    assert 0 == scene.signs()


async def test_a_ledger_that_refuses_has_answered(scene: Scene) -> None:
    """On a full disk a restart would help nobody."""
    await scene.clock.advance(0)
    scene.signs()
    scene.ledger.mood = "refuses"

    await scene.clock.advance(WATCHDOG_S)

    assert 3 == scene.signs()


async def test_a_ledger_that_says_nothing_is_an_ailment(scene: Scene) -> None:
    """Whoever waits for it waits for ever."""
    scene.ledger.mood = "silent"

    assert "the ledger does not answer" == await scene.herald.ailment(patience_s=0.05)
