"""The purse, while somebody changes the budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dropglow.events import Postponed
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import advance
from dropglow.model import After, DeliveryPlan, Drop, DropKey, Failure, Job, JobKey, Kind, Order, RuleName
from dropglow.money import WAITS_FOR_MONEY, Budget, Budgets, Limit
from dropglow.pacing import Gate
from dropglow.runtime.purse import Purse

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TIGHT = Budgets(common=Budget(per_day=Limit(most=1)))
AMPLE = Budgets(common=Budget(per_day=Limit(most=9), per_month=Limit(most=9)))


class StillClock:
    """A clock at noon."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, _delay_s: float) -> None:
        """Return at once."""


class BusyLedger(MemoryLedger):
    """A ledger that takes its time to say what waits; meanwhile something else happens."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        """Have *meanwhile* happen each time."""
        super().__init__()
        self._meanwhile = meanwhile

    async def parked(self, *, limit: int) -> tuple[Job, ...]:
        """Return what waits for money."""
        self._meanwhile()
        return await super().parked(limit=limit)


async def waiting(ledger: MemoryLedger) -> Job:
    """Return a job in *ledger* that waits until tomorrow for its budget."""
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    drop = Drop(
        key=DropKey("d1"),
        inbox="/in",
        path="fox.txt",
        place="/in/.dropglow/work/d1~fox.txt",
        rule=RuleName("art"),
        rule_digest="digest",
        sha256="0" * 64,
        size_bytes=3,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done="/in/_done", failed="/in/_failed", held="/in/_held"),
        admitted_at=NOON,
    )
    job = Job(
        key=JobKey("d1.1"),
        drop=drop.key,
        rule=drop.rule,
        inbox=drop.inbox,
        source=drop.path,
        order=Order(operation="generate", body={}, results=2, images=2, delivery=plan),
        created_at=NOON,
    )
    await ledger.admit(drop, [job])
    event = Postponed(until=NOON + timedelta(days=1), failure=Failure(code=WAITS_FOR_MONEY, what="spent"))
    return await ledger.save(job, advance(job, event), event, at=NOON, owner=None)


async def test_budgets_may_change_while_it_is_looked_what_they_allow() -> None:
    """A reload in that moment breaks nothing, and what it allows is found at the next look."""
    ledger = BusyLedger(lambda: purse.allow(AMPLE))
    purse = Purse(
        ledger=ledger, clock=StillClock(), gate=Gate.of(per_minute=None, per_day=None), budgets=TIGHT
    )
    job = await waiting(ledger)
    woken: list[JobKey] = []

    await purse.wake(woken.append)
    at_first = list(woken)
    await purse.wake(woken.append)

    assert ([], [job.key]) == (at_first, woken)
