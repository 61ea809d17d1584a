"""The lifeboat: what boards is there after a crash, and lands only where it belongs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.events import Accepted, Began
from dropglow.ledger.lifeboat import LIFEBOAT_FILE, SIZE_BYTES, Landed, Lifeboat
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import advance
from dropglow.model import (
    Job,
    JobKey,
    Order,
    RemoteId,
    Stage,
    Submission,
)
from dropglow.money import Fate
from tests.drops import PLAN, drop_of, job_of

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
ACCEPTED = Accepted(
    submission=Submission(
        remote_id=RemoteId("urn:ff:jobs:one"), status_url="https://x/s", cancel_url="https://x/c"
    ),
    at=AT,
)


async def queued(ledger: MemoryLedger) -> Job:
    """Return a job in *ledger* that was not ordered yet."""
    drop = drop_of("d1", at=AT)
    order = Order(operation="generate", body={}, size="2048x2048", seeds=(1,), prompt="a fox", delivery=PLAN)
    job = job_of(drop, order)
    await ledger.admit(drop, [job])
    return job


async def submitting(ledger: MemoryLedger) -> Job:
    """Return a job in *ledger* whose intent is stored and whose answer is not."""
    job = await queued(ledger)
    began = Began(at=AT)
    return await ledger.save(job, advance(job, began), began, at=AT, owner=None)


def opened(state: Path) -> Lifeboat:
    """Return a lifeboat as a new process finds it."""
    lifeboat = Lifeboat(state)
    lifeboat.open()
    return lifeboat


async def test_a_receipt_lands_with_its_job(tmp_path: Path) -> None:
    """Everything of it is there, and it lands once."""
    ledger = MemoryLedger()
    job = await submitting(ledger)
    assert opened(tmp_path).board(job, ACCEPTED)

    again = opened(tmp_path)
    landed = await again.land(ledger)

    assert [(Stage.RUNNING, ACCEPTED.submission)] == [(each.stage, each.submission) for each in landed.jobs]
    assert Landed() == await opened(tmp_path).land(ledger)


async def test_a_receipt_of_another_attempt_is_nobody_s(tmp_path: Path) -> None:
    """What the ledger took in after all is not told twice, and a later attempt is another order."""
    ledger = MemoryLedger()
    job = await submitting(ledger)
    lifeboat = opened(tmp_path)
    lifeboat.board(replace(job, attempt=job.attempt + 1), ACCEPTED)

    assert Landed() == await opened(tmp_path).land(ledger)
    assert Stage.SUBMITTING is (await ledger.job(job.key)).stage


async def test_a_receipt_says_that_an_older_copy_of_its_job_was_ordered(tmp_path: Path) -> None:
    """Whoever restores a copy of the ledger must not buy what is paid for: the order is booked, and goes on by its id."""
    ledger = MemoryLedger()
    job = await queued(ledger)
    opened(tmp_path).board(replace(job, attempt=1), ACCEPTED)

    landed = await opened(tmp_path).land(ledger)

    assert [(Stage.RUNNING, 1, ACCEPTED.submission)] == [
        (each.stage, each.attempt, each.submission) for each in landed.jobs
    ]
    assert [(Fate.BOUGHT, 1)] == [(each.fate, each.orders) for each in await ledger.costs()]


async def test_a_receipt_of_an_unknown_job_stays_aboard_and_is_told(tmp_path: Path) -> None:
    """A copy of the ledger may be older than the drop: what was paid for is not forgotten, whoever opens it."""
    ledger = MemoryLedger()
    job = await submitting(ledger)
    lifeboat = opened(tmp_path)
    lifeboat.board(replace(job, key=JobKey("d9.1")), ACCEPTED)
    lifeboat.board(job, ACCEPTED)

    first = await opened(tmp_path).land(ledger)
    second = await opened(tmp_path).land(ledger)

    assert [job.key] == [each.key for each in first.jobs]
    assert ["d9.1"] == [each.job for each in first.strange]
    assert Landed(strange=first.strange) == second


async def test_a_torn_receipt_costs_no_other(tmp_path: Path) -> None:
    """The power may go while one is written; the one before is whole."""
    ledger = MemoryLedger()
    job = await submitting(ledger)
    lifeboat = opened(tmp_path)
    lifeboat.board(job, ACCEPTED)
    path = tmp_path / LIFEBOAT_FILE
    whole = path.read_bytes().rstrip(b"\0")
    path.write_bytes((whole + whole[: len(whole) // 2]).ljust(SIZE_BYTES, b"\0"))

    assert [job.key] == [each.key for each in (await opened(tmp_path).land(ledger)).jobs]


async def test_a_full_boat_says_so(tmp_path: Path) -> None:
    """There is room for a hundred; nobody is told that he is safe who is not."""
    job = await submitting(MemoryLedger())
    lifeboat = opened(tmp_path)

    boarded = [lifeboat.board(job, ACCEPTED) for _ in range(1000)]

    assert 100 < boarded.count(True) < 1000
    assert SIZE_BYTES == (tmp_path / LIFEBOAT_FILE).stat().st_size


async def test_a_boat_that_is_put_away_takes_nobody(tmp_path: Path) -> None:
    """After the end of a service nothing boards."""
    job = await submitting(MemoryLedger())
    lifeboat = opened(tmp_path)
    lifeboat.close()

    assert not lifeboat.board(job, ACCEPTED)


def test_a_folder_without_room_is_told_before_anything_is_bought(tmp_path: Path) -> None:
    """Where the file cannot be made, the service does not begin."""
    (tmp_path / LIFEBOAT_FILE).mkdir()

    with pytest.raises(LedgerUnavailable, match="lifeboat"):
        opened(tmp_path)
