"""Closing drops whose files do not want to move."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.disk import RealDisk, refusal
from dropglow.events import GaveUp, RetryAsked
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import advance
from dropglow.model import (
    After,
    DeliveryPlan,
    Drop,
    DropKey,
    DropState,
    Failure,
    Job,
    JobKey,
    Kind,
    Order,
    RuleName,
    Stage,
)
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.turns import Turns

if TYPE_CHECKING:
    from tests.conftest import FakeClock

NOW = datetime(2026, 1, 31, tzinfo=UTC)


class UnwillingDisk(RealDisk):
    """A disk that moves nothing."""

    def move(self, source: str, target: str) -> None:
        raise refusal("move to", target, OSError(errno.EACCES, os.strerror(errno.EACCES)))


class DyingLedger(MemoryLedger):
    """A ledger whose process dies before it has stored the first end of a drop."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = False

    async def save_drop(
        self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
    ) -> Drop:
        if not self.dead:
            self.dead = True
            raise RuntimeError("died")
        return await super().save_drop(before, after, event=event, at=at, detail=detail)


async def job_at(stage: Stage, ledger: MemoryLedger, inbox: Path) -> Job:
    """Admit a drop with one job, which stands there."""
    key, rule = DropKey("abc"), RuleName("art")
    (inbox / "fox.txt").write_text("a fox")
    found = (inbox / "fox.txt").stat()
    after = After(done=str(inbox / "_done"), failed=str(inbox / "_failed"), held=str(inbox / "_held"))
    drop = Drop(
        key=key, inbox=str(inbox), path="fox.txt", place=str(inbox / "fox.txt"), rule=rule, rule_digest="d",
        sha256="a" * 64, size_bytes=5, device=found.st_dev, inode=found.st_ino, kind=Kind.PROMPT, after=after, admitted_at=NOW,
    )  # fmt: skip
    plan = DeliveryPlan(outbox=str(inbox / "out"), folder="", name="{stem}{ext}")
    order = Order(operation="generate", body={}, delivery=plan)
    job = Job(
        key=JobKey("abc.1"),
        drop=key,
        rule=rule,
        inbox=str(inbox),
        source="fox.txt",
        order=order,
        created_at=NOW,
        stage=stage,
    )
    await ledger.admit(drop, [job])
    return job


async def failed_job(ledger: MemoryLedger, inbox: Path) -> Job:
    """Admit a drop with one job, which failed."""
    job = await job_at(Stage.QUEUED, ledger, inbox)
    gave_up = GaveUp(failure=Failure(code="x", what="it failed"), at=NOW)
    return await ledger.save(job, advance(job, gave_up), gave_up, at=NOW, owner=None)


async def test_a_drop_that_was_put_off_and_retried_wakes_nobody(tmp_path: Path, clock: FakeClock) -> None:
    """A file that could not be moved is tried again; once its job is retried, there is nothing to try."""
    ledger = MemoryLedger()
    job = await failed_job(ledger, tmp_path)
    closer = Closer(ledger=ledger, disk=UnwillingDisk(), clock=clock, tally=Tally(), turns=Turns())
    await closer.close_ripe()
    put_off_s = closer.next_try_s()
    retried = RetryAsked(at=NOW)
    await ledger.save(job, advance(job, retried), retried, at=NOW, owner=None)
    clock.move(3600)

    await closer.close_ripe()

    assert put_off_s is not None
    assert closer.next_try_s() is None


async def test_what_failed_before_a_crash_fails_after_it(tmp_path: Path, clock: FakeClock) -> None:
    """A file that somebody went on writing is in ``_failed`` when the service dies over it, and stays there."""
    ledger = DyingLedger()
    job = await job_at(Stage.DELIVERED, ledger, tmp_path)
    (tmp_path / "fox.txt").write_text("a fox, and more")
    with pytest.raises(RuntimeError):
        await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    drop = await ledger.drop(job.drop)
    assert DropState.FAILED is drop.state
    assert "went on writing this file" in drop.reason
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(each.name for each in (tmp_path / "_failed").iterdir())
    assert not (tmp_path / "_done").exists()
