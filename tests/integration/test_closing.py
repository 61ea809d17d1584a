"""Closing drops whose files do not want to move."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pytest

from dropglow.disk import Disk, RealDisk, refusal
from dropglow.events import Abandoned, Began, Doubted, GaveUp, RetryAsked
from dropglow.intake.survey import MARK_FILE
from dropglow.landmarks import Memory, Role
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
from dropglow.runtime.ground import Ground
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
    stage: Stage,
    ledger: MemoryLedger,
    inbox: Path,
    *,
    key: DropKey = ABC,
    path: str = "fox.txt",
    folder: str = "",
) -> Job:
    """Admit a drop with one job, which stands there; its file lies in that *folder* of the inbox."""
    rule, place = RuleName("art"), inbox / folder / f"{key}~{PurePath(path).name}"
    (inbox / ".dropglow" / "work").mkdir(parents=True, exist_ok=True)
    place.write_text("a fox")
    found = place.stat()
    after = After(done=str(inbox / "_done"), failed=str(inbox / "_failed"), held=str(inbox / "_held"))
    drop = Drop(
        key=key, inbox=str(inbox), path=path, place=str(place), rule=rule, rule_digest="d",
        sha256=sha256(b"a fox").hexdigest(), size_bytes=5, device=found.st_dev, inode=found.st_ino, kind=Kind.PROMPT, after=after, admitted_at=NOW,
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


def mounted_again(file: Path) -> None:
    """Give *file* another inode, as some file systems do."""
    copy = file.with_name("copy")
    copy.write_bytes(file.read_bytes())
    copy.replace(file)


@pytest.mark.parametrize("stage", [Stage.DELIVERED, Stage.FAILED, Stage.IN_DOUBT])
async def test_a_file_with_another_inode_is_found_after_a_crash(
    tmp_path: Path, clock: FakeClock, stage: Stage
) -> None:
    """It lies in its last folder, the ledger does not know yet, and the share was mounted again: it is the same file."""
    ledger = DyingLedger()
    job = await job_at(stage, ledger, tmp_path)
    with pytest.raises(RuntimeError):
        await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()
    [file] = tmp_path.glob("_*/fox.txt")
    mounted_again(file)

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    assert str(file) == (await ledger.drop(job.drop)).place
    reports = {Stage.DELIVERED: [], Stage.FAILED: ["fox.txt.error.txt"], Stage.IN_DOUBT: ["fox.txt.held.txt"]}
    assert ["fox.txt", *reports[stage]] == sorted(each.name for each in tmp_path.rglob("*") if each.is_file())


@pytest.mark.parametrize("stage", [Stage.DELIVERED, Stage.FAILED])
@pytest.mark.parametrize("together", [False, True])
async def test_a_file_of_another_drop_is_not_taken_for_one_that_is_gone(
    tmp_path: Path, clock: FakeClock, stage: Stage, together: bool
) -> None:
    """It has the name and the content; whose it is the ledger knows, or will in a moment."""
    ledger = MemoryLedger()
    await job_at(stage, ledger, tmp_path)
    closer = Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns())
    if not together:
        await closer.close_ripe()
    await job_at(stage, ledger, tmp_path, key=DropKey("other"))
    (tmp_path / "other~fox.txt").unlink()

    await closer.close_ripe()

    drops = [await ledger.drop(key) for key in (ABC, DropKey("other"))]
    assert ["fox.txt", ""] == [Path(drop.place).name for drop in drops]
    assert DropState.OPEN not in {drop.state for drop in drops}


@pytest.mark.parametrize("renumbered", [False, True])
async def test_a_crash_over_the_second_of_one_name_and_content_is_healed(
    tmp_path: Path, clock: FakeClock, renumbered: bool
) -> None:
    """Each drop has its own file: by its inode, or, where a share numbered anew, because the other one is taken."""
    ledger = MemoryLedger()
    closer = Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns())
    work = ".dropglow/work"
    await job_at(Stage.DELIVERED, ledger, tmp_path, folder=work)
    await closer.close_ripe()
    await job_at(Stage.DELIVERED, ledger, tmp_path, key=DropKey("other"), folder=work)
    (tmp_path / work / "other~fox.txt").rename(tmp_path / "_done" / "fox_2.txt")
    if renumbered:
        mounted_again(tmp_path / "_done" / "fox_2.txt")

    await closer.close_ripe()

    drops = [await ledger.drop(key) for key in (ABC, DropKey("other"))]
    assert ["fox.txt", "fox_2.txt"] == [Path(drop.place).name for drop in drops]


@pytest.mark.parametrize(
    ("stage", "folder"), [(Stage.DELIVERED, "_done"), (Stage.FAILED, "_failed"), (Stage.IN_DOUBT, "_held")]
)
async def test_a_crash_over_two_of_one_name_and_content_is_healed(
    tmp_path: Path, clock: FakeClock, stage: Stage, folder: str
) -> None:
    """Both were put away, the ledger knows of neither, and a share numbered them anew: each drop has one, and its report."""
    ledger, keys, last = MemoryLedger(), (ABC, DropKey("other")), tmp_path / folder
    last.mkdir()
    for key in keys:
        await job_at(stage, ledger, tmp_path, key=key)
    for key, name in zip(keys, ("fox.txt", "fox_2.txt"), strict=True):
        (last / name).write_bytes((tmp_path / f"{key}~fox.txt").read_bytes())
    for key in keys:
        (tmp_path / f"{key}~fox.txt").unlink()

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    drops = [await ledger.drop(key) for key in keys]
    assert ["fox.txt", "fox_2.txt"] == sorted(Path(drop.place).name for drop in drops)
    assert (0 if stage is Stage.DELIVERED else 2) == len(list(last.glob("*.*.txt")))


@pytest.mark.parametrize("stage", [Stage.DELIVERED, Stage.FAILED, Stage.IN_DOUBT])
async def test_a_file_that_was_linked_into_the_inbox_twice_is_two(
    tmp_path: Path, clock: FakeClock, stage: Stage
) -> None:
    """Whoever drops by linking out of an archive drops one file again and again: each drop keeps its own name of it."""
    ledger, keys, archive = MemoryLedger(), (ABC, DropKey("other")), tmp_path / "archive.txt"
    closer = Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns())
    job = await job_at(stage, ledger, tmp_path)
    archive.hardlink_to((await ledger.drop(job.drop)).place)
    await closer.close_ripe()
    (tmp_path / "other~fox.txt").hardlink_to(archive)
    await job_at(stage, ledger, tmp_path, key=keys[1])

    await closer.close_ripe()

    drops = [await ledger.drop(key) for key in keys]
    assert drops[0].inode == drops[1].inode
    assert ["fox.txt", "fox_2.txt"] == [Path(drop.place).name for drop in drops]


async def test_a_linked_file_is_not_lost_where_two_last_folders_are_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    """It failed, was retried before the ledger knew, and is held now: ``_held`` leads to ``_failed``, where it is already."""
    ledger = DyingLedger()
    (tmp_path / "_failed").mkdir()
    (tmp_path / "_held").symlink_to("_failed")
    job = await job_at(Stage.FAILED, ledger, tmp_path)
    with pytest.raises(RuntimeError):
        await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()
    (tmp_path / "backup.txt").hardlink_to(tmp_path / "_failed" / "fox.txt")
    doubted = Doubted(failure=Failure(code="x", what="nobody knows"))
    for event in (RetryAsked(at=NOW), Began(at=NOW), doubted):
        job = await ledger.save(job, advance(job, event), event, at=NOW, owner=None)

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    drop = await ledger.drop(job.drop)
    assert DropState.HELD is drop.state
    assert "a fox" == Path(drop.place).read_text()


async def test_what_was_held_before_a_crash_fails_after_it(tmp_path: Path, clock: FakeClock) -> None:
    """Its order was settled before the next try: neither the file nor its report stays in ``_held``."""
    ledger = DyingLedger()
    job = await job_at(Stage.IN_DOUBT, ledger, tmp_path)
    with pytest.raises(RuntimeError):
        await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()
    abandoned = Abandoned(at=NOW)
    await ledger.save(job, advance(job, abandoned), abandoned, at=NOW, owner=None)

    await Closer(ledger=ledger, disk=RealDisk(), clock=clock, tally=Tally(), turns=Turns()).close_ripe()

    assert [("failed", "_failed/fox.txt")] == await states(ledger, [job.drop], tmp_path)
    assert [] == list((tmp_path / "_held").iterdir())
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(each.name for each in (tmp_path / "_failed").iterdir())


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


def watchful(ledger: MemoryLedger, disk: Disk, clock: FakeClock, inbox: Path) -> Closer:
    """Return what closes drops, and knows *inbox* again by the mark that is left in it here."""
    (inbox / ".dropglow" / MARK_FILE).write_text("0011223344556677")
    ground = Ground(Memory())
    ground.remember(Role.INBOX, str(inbox))
    return Closer(
        ledger=ledger, disk=disk, clock=clock, tally=Tally(), turns=Turns(), away=ground.last_folder_away
    )


@pytest.mark.parametrize("another", [False, True], ids=["missing", "another"])
@pytest.mark.parametrize("verb", ["move_many", "sync_folder"])
async def test_an_inbox_that_goes_while_what_is_done_is_put_away(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker, verb: str, another: bool
) -> None:
    """Its file is not taken for lost, and nothing is made in its place; with the inbox back the drop is closed."""
    inbox, away, ledger = tmp_path / "inbox", tmp_path / "away", MemoryLedger()
    (inbox / "_done").mkdir(parents=True)
    keys = await done_drops(ledger, inbox, ["fox.txt"])

    def go() -> None:
        inbox.rename(away)
        if another:
            inbox.mkdir()

    closer = watchful(ledger, faulty_disk(faulty_disk.fault(verb=verb, deed=go)), clock, inbox)

    at_first = await closer.close_ripe()
    made = list(inbox.rglob("*")) if another else list(tmp_path.glob("inbox"))
    (inbox.rmdir if another else inbox.exists)()
    away.rename(inbox)
    clock.move(3600)

    assert (0, []) == (at_first, made)
    assert 1 == await closer.close_ripe()
    assert [("done", "_done/fox.txt")] == await states(ledger, keys, inbox)


@pytest.mark.parametrize("another", [False, True], ids=["missing", "another"])
@pytest.mark.parametrize(("verb", "nth"), [("make_folder", 1), ("move", 1), ("make_folder", 2)])
async def test_an_inbox_that_goes_while_what_failed_is_put_away(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker, verb: str, nth: int, another: bool
) -> None:
    """The drop is closed once it is back, its report beside its file; the inbox itself is never made."""
    inbox, away, ledger = tmp_path / "inbox", tmp_path / "away", MemoryLedger()
    inbox.mkdir()
    job = await failed_job(ledger, inbox)

    def go() -> None:
        inbox.rename(away)
        if another:
            inbox.mkdir()

    closer = watchful(ledger, faulty_disk(faulty_disk.fault(verb=verb, nth=nth, deed=go)), clock, inbox)

    at_first = await closer.close_ripe()
    made = inbox.exists()
    if another:
        inbox.rename(tmp_path / "other")
    away.rename(inbox)
    clock.move(3600)

    assert (0, another) == (at_first, made)
    assert 1 == await closer.close_ripe()
    assert [("failed", "_failed/fox.txt")] == await states(ledger, [job.drop], inbox)
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(each.name for each in (inbox / "_failed").iterdir())
