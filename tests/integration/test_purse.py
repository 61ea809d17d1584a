"""The purse, while somebody changes the budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dropglow.events import CancelAsked, Postponed
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import advance
from dropglow.model import Failure, Job, JobKey, Order, RuleName
from dropglow.money import WAITS_FOR_MONEY, Budget, Budgets, Limit
from dropglow.pacing import Gate
from dropglow.runtime.purse import Purse
from dropglow.runtime.telling import sentence
from tests.conftest import FakeClock
from tests.drops import PLAN, drop_of, job_of

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TIGHT = Budgets(common=Budget(per_day=Limit(most=1)))
ENOUGH_FOR_ONE = Budgets(common=Budget(per_day=Limit(most=2)))
AMPLE = Budgets(common=Budget(per_day=Limit(most=9), per_month=Limit(most=9)))


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


class BriefLedger(MemoryLedger):
    """A ledger that tells no more than one job at once."""

    async def parked(self, *, limit: int) -> tuple[Job, ...]:
        """Return the first that waits for money."""
        return await super().parked(limit=min(limit, 1))


def purse_of(ledger: MemoryLedger, budgets: Budgets) -> Purse:
    """Return the purse of a service that spends under *budgets*."""
    gate = Gate.of(per_minute=None, per_day=None)
    return Purse(ledger=ledger, clock=FakeClock(), gate=gate, budgets=budgets)


async def waiting(
    ledger: MemoryLedger, key: str = "d1", *, copy_of: Job | None = None, rule: str = "prompts"
) -> Job:
    """Return a job in *ledger* that waits until tomorrow for its budget, or for that of the job it is a copy of."""
    drop = replace(drop_of(key, at=NOON), rule=RuleName(rule))
    job = job_of(drop, Order(operation="generate", body={}, results=2, images=2, delivery=PLAN))
    await ledger.admit(drop, [job])
    twin = None if copy_of is None else copy_of.key
    failure = Failure(code=WAITS_FOR_MONEY, what="spent", twin=twin)
    event = Postponed(until=NOON + timedelta(days=1), failure=failure)
    return await ledger.save(job, advance(job, event), event, at=NOON, owner=None)


async def test_budgets_may_change_while_it_is_looked_what_they_allow() -> None:
    """A reload in that moment breaks nothing, and what it allows is found at the next look."""
    ledger = BusyLedger(lambda: purse.allow(AMPLE))
    purse = purse_of(ledger, TIGHT)
    job = await waiting(ledger)
    woken: list[JobKey] = []

    await purse.wake(woken.append)
    at_first = list(woken)
    await purse.wake(woken.append)

    assert ([], [job.key]) == (at_first, woken)


async def test_a_copy_is_woken_with_its_twin() -> None:
    """There is money for one of two that are the same: both go on, for the other one costs nothing."""
    ledger = MemoryLedger()
    twin = await waiting(ledger)
    copy = await waiting(ledger, "d2", copy_of=twin)
    woken: list[JobKey] = []

    await purse_of(ledger, ENOUGH_FOR_ONE).wake(woken.append)

    assert [twin.key, copy.key] == woken


async def test_a_copy_sleeps_as_long_as_its_twin() -> None:
    """While there is no money for the first of two that are the same, neither is disturbed."""
    ledger = MemoryLedger()
    twin = await waiting(ledger)
    await waiting(ledger, "d2", copy_of=twin)
    woken: list[JobKey] = []

    await purse_of(ledger, TIGHT).wake(woken.append)

    assert [] == woken


@pytest.mark.parametrize("budgets", [Budgets(), TIGHT], ids=["lifted", "spent"])
async def test_a_copy_whose_twin_waits_no_more_goes_on(budgets: Budgets) -> None:
    """Once its twin was cancelled, a copy is woken, to see what it is to do without."""
    ledger = MemoryLedger()
    twin = await waiting(ledger)
    copy = await waiting(ledger, "d2", copy_of=twin)
    asked = CancelAsked(at=NOON)
    await ledger.save(twin, advance(twin, asked), asked, at=NOON, owner=None)
    woken: list[JobKey] = []

    await purse_of(ledger, budgets).wake(woken.append)

    assert [copy.key] == woken


async def test_a_copy_sleeps_although_its_twin_is_one_of_too_many() -> None:
    """Of more jobs than one look takes in, a twin may not be among those that are seen: it is asked for."""
    ledger = BriefLedger()
    twin = await waiting(ledger, "d2")
    await waiting(ledger, "d1", copy_of=twin)
    woken: list[JobKey] = []

    await purse_of(ledger, TIGHT).wake(woken.append)

    assert [] == woken


async def test_what_was_woken_says_that_there_is_money() -> None:
    """Until its turn comes nobody reads that a budget is spent; it is still counted with what will be paid."""
    ledger = MemoryLedger()
    twin = await waiting(ledger)
    copy = await waiting(ledger, "d2", copy_of=twin)

    await purse_of(ledger, ENOUGH_FOR_ONE).wake(lambda _: None)

    found = [(await ledger.job(each.key)).failure for each in (twin, copy)]
    assert [
        "there is money for it again: it waits for its turn",
        "there is money again for job d1.1, which buys the same: it waits for that",
    ] == [sentence(each) for each in found if each is not None]
    assert (twin.key, 2) == (found[1] and found[1].twin, (await ledger.counts()).parked)


async def test_no_rule_keeps_the_jobs_of_another_asleep() -> None:
    """More jobs than one look takes in wait for a budget that is spent: those of a rule that has money go on all the same."""
    ledger = BriefLedger()
    await waiting(ledger, "d1")
    await waiting(ledger, "d2")
    rich = await waiting(ledger, "d3", rule="rich")
    budgets = Budgets(by_rule={RuleName("prompts"): Budget(per_day=Limit(most=1))})
    woken: list[JobKey] = []

    await purse_of(ledger, budgets).wake(woken.append)

    assert [rich.key] == woken


async def test_what_one_look_did_not_take_in_is_woken_by_the_next() -> None:
    """Budgets are lifted while more wait than one look takes in: no money moves after that, and all of them go on."""
    ledger = BriefLedger()
    purse = purse_of(ledger, Budgets())
    jobs = [await waiting(ledger, key) for key in ("d1", "d2", "d3")]
    woken: list[JobKey] = []

    for job in jobs:
        await purse.wake(woken.append)
        asked = CancelAsked(at=NOON)  # it waits for money no more
        gone_on = await ledger.job(job.key)
        await ledger.save(gone_on, advance(gone_on, asked), asked, at=NOON, owner=None)

    assert [job.key for job in jobs] == woken


async def test_what_was_put_off_after_the_last_look_is_looked_at_once_more() -> None:
    """Money may come while a job is being put off for want of it, and nothing changes after that."""
    ledger = MemoryLedger()
    purse = purse_of(ledger, Budgets())
    woken: list[JobKey] = []
    await purse.wake(woken.append)
    job = await waiting(ledger)

    purse.put_off(job)
    await purse.wake(woken.append)

    assert [job.key] == woken


async def test_where_nothing_changed_no_job_is_asked_for() -> None:
    """A job that waits, and whose budget is what it was, costs no look at the jobs."""
    looks: list[str] = []
    ledger = BusyLedger(lambda: looks.append("a look"))
    purse = purse_of(ledger, TIGHT)
    purse.put_off(await waiting(ledger))

    for _ in range(3):
        await purse.wake(lambda _: None)

    assert ["a look"] == looks
