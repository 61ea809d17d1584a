"""What a copy is told of the job that buys the same, while that one waits for money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dropglow.events import Postponed
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import TWIN_UNDER_WAY, advance
from dropglow.model import (
    Drop,
    Duplicates,
    Failure,
    Job,
    Order,
)
from dropglow.money import WAITS_FOR_MONEY
from dropglow.runtime.reusing import Reuse
from tests.conftest import FakeClock
from tests.drops import PLAN, drop_of, job_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
SHORT = Failure(code=WAITS_FOR_MONEY, what="it is spent")
NOBODY: Any = None  # neither outboxes nor the disk are asked before something was bought


async def dropped(ledger: MemoryLedger, key: str) -> tuple[Job, Drop]:
    """Return the job of a new drop, and the drop; all drops of this page have the same content."""
    drop = drop_of(key, at=NOON, path=f"{key}.txt")
    order = Order(operation="generate", body={}, results=1, images=1, delivery=PLAN)
    job = job_of(drop, order, duplicates=Duplicates.REUSE)
    await ledger.admit(drop, [job])
    return await ledger.job(job.key), drop


async def put_off(ledger: MemoryLedger, job: Job, event: Postponed) -> Job:
    """Return *job* as it is once *event* is stored."""
    return await ledger.save(job, advance(job, event), event, at=NOON, owner=None)


def reuse_of(ledger: MemoryLedger) -> Reuse:
    """Return who is asked."""
    return Reuse(
        ledger=ledger,
        disk=NOBODY,
        clock=FakeClock(),
        outboxes=NOBODY,
        outcomes=NOBODY,
        chance=lambda: 1.0,
    )


async def test_a_copy_waits_for_the_money_of_its_twin_and_names_it() -> None:
    """It waits for the same, until the same time, and says whom it has to be woken with."""
    ledger = MemoryLedger()
    first, _ = await dropped(ledger, "d1")
    await put_off(ledger, first, Postponed(until=NEXT_MONTH, failure=SHORT))
    copy, drop = await dropped(ledger, "d2")

    told = await reuse_of(ledger).of(copy, drop)

    assert isinstance(told, Postponed)
    assert (NEXT_MONTH, SHORT.code, SHORT.what, first.key) == (
        told.until,
        told.failure.code,
        told.failure.why,
        told.failure.twin,
    )
    assert f"job {first.key} waits for its budget" in told.failure.what


async def test_the_copy_of_a_copy_waits_for_the_one_that_pays() -> None:
    """Of three that are the same, both later ones are woken with the first."""
    ledger = MemoryLedger()
    first, _ = await dropped(ledger, "d1")
    await put_off(ledger, first, Postponed(until=NEXT_MONTH, failure=SHORT))
    for key in ("d2", "d3"):
        copy, drop = await dropped(ledger, key)
        told = await reuse_of(ledger).of(copy, drop)
        assert isinstance(told, Postponed)
        await put_off(ledger, copy, told)

        assert first.key == told.failure.twin


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=1)], ids=["just now", "before"])
async def test_a_copy_does_not_go_back_to_sleep_when_its_twin_was_woken(late: timedelta) -> None:
    """A twin that may go on has not done so yet: the copy asks again soon, whatever the twin waited for before."""
    ledger = MemoryLedger()
    first, _ = await dropped(ledger, "d1")
    await put_off(ledger, first, Postponed(until=NOON - late, failure=SHORT))
    copy, drop = await dropped(ledger, "d2")

    told = await reuse_of(ledger).of(copy, drop)

    assert isinstance(told, Postponed)
    assert told.failure.code == TWIN_UNDER_WAY
    assert NOON < told.until <= NOON + timedelta(seconds=30)
