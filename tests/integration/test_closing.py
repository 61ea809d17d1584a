"""Closing drops whose files do not want to move."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
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
    from tests.integration.conftest import DiskMaker

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ABC = DropKey("abc")


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


async def job_at(
    stage: Stage, ledger: MemoryLedger, inbox: Path, *, key: DropKey = ABC, path: str = "fox.txt"
) -> Job:
    """Admit a drop with one job, which stands there."""
    rule, place = RuleName("art"), inbox / f"{key}~{PurePath(path).name}"
    place.write_text("a fox")
    found = place.stat()
    after = After(done=str(inbox / "_done"), failed=str(inbox / "_failed"), held=str(inbox / "_held"))
    drop = Drop(
        key=key, inbox=str(inbox), path=path, place=str(place), rule=rule, rule_digest="d",
        sha256="a" * 64, size_bytes=5, device=found.st_dev, inode=found.st_ino, kind=Kind.PROMPT, after=after, admitted_at=NOW,
    )  # fmt: skip
    plan = DeliveryPlan(outbox=str(inbox / "out"), folder="", name="{stem}{ext}")
    order = Order(operation="generate", body={}, delivery=plan)
    job = Job(
        key=JobKey(f"{key}.1"),
        drop=key,
        rule=rule,
        inbox=str(inbox),
        source=path,
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
    (tmp_path / "abc~fox.txt").write_text("a fox, and more")
    with pytest.raises(RuntimeError):
        await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    drop = await ledger.drop(job.drop)
    assert DropState.FAILED is drop.state
    assert "went on writing this file" in drop.reason
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(each.name for each in (tmp_path / "_failed").iterdir())
    assert not (tmp_path / "_done").exists()


async def done_drops(ledger: MemoryLedger, inbox: Path, paths: Sequence[str]) -> list[DropKey]:
    """Admit drops whose jobs are delivered; return their keys."""
    keys = [DropKey(f"drop{number}") for number in range(len(paths))]
    for key, path in zip(keys, paths, strict=True):
        await job_at(Stage.DELIVERED, ledger, inbox, key=key, path=path)
    return keys


async def states(ledger: MemoryLedger, keys: Sequence[DropKey], inbox: Path) -> list[tuple[str, str]]:
    """Return for each drop how it stands, and the path of its file below the inbox."""
    drops = [await ledger.drop(key) for key in keys]
    return [(drop.state, str(Path(drop.place).relative_to(inbox))) for drop in drops]


async def test_what_is_ripe_together_is_put_away_together(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker
) -> None:
    """Each folder is synced once; a name that another one has by then gets a number."""
    ledger, disk = MemoryLedger(), faulty_disk()
    for folder in (tmp_path / "_done", tmp_path / "_done" / "a"):
        folder.mkdir()
    keys = await done_drops(ledger, tmp_path, ["fox.txt", "owl.txt", "a/elk.txt"])

    closed = await Closer(ledger=ledger, disk=disk, clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    assert 3 == closed
    found = await states(ledger, keys, tmp_path)
    assert [("done", "_done/fox.txt"), ("done", "_done/owl.txt"), ("done", "_done/a/elk.txt")] == found
    assert all((tmp_path / place).read_text() == "a fox" for _, place in found)
    assert sorted(map(str, [tmp_path, tmp_path / "_done", tmp_path / "_done" / "a"])) == sorted(disk.synced)


async def test_two_of_one_name_do_not_meet(tmp_path: Path, clock: FakeClock) -> None:
    """Whoever comes second gets a number, and so does one whose name was there before."""
    ledger = MemoryLedger()
    (tmp_path / "_done").mkdir()
    (tmp_path / "_done" / "owl.txt").write_text("somebody else's")
    keys = await done_drops(ledger, tmp_path, ["fox.txt", "fox.txt", "owl.txt"])

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    found = await states(ledger, keys, tmp_path)
    assert [("done", "_done/fox.txt"), ("done", "_done/fox_2.txt"), ("done", "_done/owl_2.txt")] == found
    assert "somebody else's" == (tmp_path / "_done" / "owl.txt").read_text()


async def test_one_that_does_not_move_keeps_nobody_else(tmp_path: Path, clock: FakeClock) -> None:
    """Neither does one that went on being written: it fails, and the others are done."""
    ledger = MemoryLedger()
    (tmp_path / "_done").mkdir()
    (tmp_path / "_done" / "a").write_text("a file where a folder is wanted")
    keys = await done_drops(ledger, tmp_path, ["fox.txt", "a/elk.txt", "owl.txt", "gone.txt"])
    (tmp_path / f"{keys[2]}~owl.txt").write_text("a fox, and more")
    (tmp_path / f"{keys[3]}~gone.txt").unlink()
    closer = Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns())

    closed = await closer.close_ripe()

    drops = [await ledger.drop(key) for key in keys]
    assert 3 == closed
    assert ["done", "open", "failed", "done"] == [drop.state for drop in drops]
    assert "" == drops[3].place
    assert closer.refused(1)[0] == 1
    assert sorted(["a", "fox.txt"]) == sorted(each.name for each in (tmp_path / "_done").iterdir())


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_over_many_is_healed(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker, after: bool
) -> None:
    """Some were moved and some were not: all are found, under their own names."""
    ledger = MemoryLedger()
    (tmp_path / "_done").mkdir()
    keys = await done_drops(ledger, tmp_path, ["fox.txt", "owl.txt"])
    dying = faulty_disk(faulty_disk.fault(verb="move_many", number=None, after=after))
    with pytest.raises(faulty_disk.power_cut):
        await Closer(ledger=ledger, disk=dying, clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    assert [("done", "_done/fox.txt"), ("done", "_done/owl.txt")] == await states(ledger, keys, tmp_path)
    assert ["fox.txt", "owl.txt"] == sorted(each.name for each in (tmp_path / "_done").iterdir())


async def test_what_is_not_synced_is_not_closed(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker
) -> None:
    """It is tried again; meanwhile the file lies at its new place, and nowhere else."""
    ledger = MemoryLedger()
    (tmp_path / "_done").mkdir()
    keys = await done_drops(ledger, tmp_path, ["fox.txt"])
    disk = faulty_disk(faulty_disk.fault(verb="sync_folder"))
    closer = Closer(ledger=ledger, disk=disk, clock=clock, tally=Tally(), turns=Turns())
    at_first = await closer.close_ripe()
    clock.move(3600)

    assert (0, 1) == (at_first, await closer.close_ripe())
    assert [("done", "_done/fox.txt")] == await states(ledger, keys, tmp_path)
