"""The dispatcher between its workers and the ledger: what it was given is carried, whenever it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dropglow.ledger.base import Grant
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import Drop, Job, JobKey
from dropglow.pacing import Gate
from dropglow.runtime.bell import Bell
from dropglow.runtime.dispatcher import Dispatcher
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.worker import Worker

if TYPE_CHECKING:
    from tests.conftest import FakeClock
    from tests.integration.conftest import Delivery


class LingeringLedger(MemoryLedger):
    """A ledger whose word that a job was released comes late: it was claimed again before."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()
        self._claimed = asyncio.Event()

    async def release(self, owner: str, keys: Sequence[JobKey]) -> None:
        await super().release(owner, keys)
        self.released.set()
        await self._claimed.wait()

    async def claim(self, owner: str, *, now: datetime, until: datetime, grant: Grant) -> tuple[Job, ...]:
        found = await super().claim(owner, now=now, until=until, grant=grant)
        if self.released.is_set():
            self._claimed.set()
        return found


class Hesitant:
    """A performer that may not order at first; who asks again has been carried again."""

    def __init__(self, clock: FakeClock) -> None:
        self.carried_again = asyncio.Event()
        self.reuse = SimpleNamespace(of=self._look)
        self.ordering = SimpleNamespace(held_until=lambda: clock.now() + timedelta(minutes=1))
        self._looks = 0

    async def _look(self, _job: Job, _drop: Drop) -> None:
        self._looks += 1
        if self._looks > 1:
            self.carried_again.set()
            await asyncio.Event().wait()


async def test_a_job_claimed_while_its_worker_lets_go_is_carried(
    clock: FakeClock, delivery: Delivery
) -> None:
    """The ledger gives a job anew before the worker that gave it back has ended: another worker takes it up."""
    ledger, performer, bell = LingeringLedger(), Hesitant(clock), Bell(clock)
    gate = Gate.of(per_minute=None, per_day=None)
    parts: Any = performer
    worker = Worker(
        ledger=ledger,
        performer=parts,
        clock=clock,
        owner="me",
        stage_changed=Bell(clock),
        board=lambda _job, _accepted: False,
    )
    dispatcher = Dispatcher(
        ledger=ledger,
        worker=worker,
        clock=clock,
        gate=gate,
        owner="me",
        in_flight=2,
        pulse=Pulse(clock),
        bell=bell,
        stage_changed=Bell(clock),
        ripe=Bell(clock),
        room_came=lambda: None,
    )
    await ledger.admit(delivery.drop, [delivery.job])
    running = asyncio.create_task(dispatcher.run())
    await ledger.released.wait()

    bell.ring()

    await asyncio.wait_for(performer.carried_again.wait(), 60)
    running.cancel()
    await asyncio.wait((running,))
