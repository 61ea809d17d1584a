"""A clock that is set back, while jobs wait for a time that it showed before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.events import Postponed
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import advance
from dropglow.model import Failure, Job, JobKey, Order
from dropglow.money import WAITS_FOR_MONEY
from dropglow.runtime.setback import Setback
from tests.conftest import FakeClock
from tests.drops import PLAN, drop_of, job_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
FULL = Failure(code="DiskFull", what="the outbox is full")
SHORT = Failure(code=WAITS_FOR_MONEY, what="it is spent")


class AilingLedger(MemoryLedger):
    """A ledger that does not answer while it ails."""

    ails = False

    async def waiting(self, *, beyond: datetime, limit: int) -> tuple[Job, ...]:
        """Return what waits for long."""
        if self.ails:
            raise LedgerUnavailable("it does not answer", hint="wait")
        return await super().waiting(beyond=beyond, limit=limit)


async def waiting(ledger: MemoryLedger, key: str, failure: Failure, until: datetime) -> JobKey:
    """Return the key of a new job that was put off."""
    drop = drop_of(key, at=NOON)
    job = job_of(drop, Order(operation="generate", body={}, results=1, images=1, delivery=PLAN))
    await ledger.admit(drop, [job])
    event = Postponed(until=until, failure=failure)
    await ledger.save(job, advance(job, event), event, at=NOON, owner=None)
    return job.key


async def heeded(setback: Setback) -> list[JobKey]:
    """Return the jobs that go on."""
    gone_on: list[JobKey] = []
    await setback.heed(gone_on.append)
    return gone_on


@pytest.mark.parametrize(
    ("by", "goes_on"), [(timedelta(days=30), True), (timedelta(seconds=30), False), (timedelta(), False)]
)
async def test_what_waits_since_before_the_clock_was_set_back_goes_on(
    by: timedelta, *, goes_on: bool
) -> None:
    """A job that was put off by a minute does not wait for a month and a minute."""
    ledger, clock = MemoryLedger(), FakeClock()
    setback = Setback(ledger=ledger, clock=clock)
    job = await waiting(ledger, "d1", FULL, NOON + timedelta(minutes=1))
    await heeded(setback)
    clock.set_wall_clock(NOON - by)

    gone_on = await heeded(setback)

    assert ([job] if goes_on else []) == gone_on
    assert goes_on == ((await ledger.job(job)).not_before == clock.now())
    assert FULL == (await ledger.job(job)).failure


async def test_waits_for_money_and_short_ones_are_left_alone() -> None:
    """Whoever minds the money knows of clocks; and a wait that may be meant is none too long."""
    ledger, clock = MemoryLedger(), FakeClock()
    setback = Setback(ledger=ledger, clock=clock)
    await waiting(ledger, "d1", SHORT, NOON + timedelta(days=9))
    await waiting(ledger, "d2", FULL, NOON - timedelta(hours=1))
    await heeded(setback)
    clock.set_wall_clock(NOON - timedelta(hours=2))

    assert [] == await heeded(setback)


async def test_a_ledger_that_does_not_answer_is_asked_again() -> None:
    """That the clock was set back is not forgotten over it."""
    ledger, clock = AilingLedger(), FakeClock()
    setback = Setback(ledger=ledger, clock=clock)
    job = await waiting(ledger, "d1", FULL, NOON)
    await heeded(setback)
    clock.set_wall_clock(NOON - timedelta(days=1))
    ledger.ails = True
    with pytest.raises(LedgerUnavailable):
        await heeded(setback)
    ledger.ails = False

    assert [job] == await heeded(setback)


async def test_what_was_put_off_before_the_service_stopped_goes_on_too() -> None:
    """Nobody was there when the clock was set right; the next start looks."""
    ledger, clock, changed = MemoryLedger(), FakeClock(), list[JobKey]()
    key = await waiting(ledger, "1aaaaaaaaa", FULL, NOON + timedelta(days=10))

    await Setback(ledger=ledger, clock=clock).heed(changed.append)

    assert [key] == changed
    assert NOON == (await ledger.job(key)).not_before
