"""Opening a drop again whose ledger refuses: its files and its report are where they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.disk import Disk, RealDisk
from dropglow.errors import DiskError, LedgerUnavailable
from dropglow.intake.survey import MARK_FILE
from dropglow.landmarks import Memory, Role
from dropglow.ledger.base import Ledger
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import After, Companion, Drop, DropState, Kind
from dropglow.runtime.ground import Ground
from dropglow.runtime.reopening import Reopener
from tests.drops import drop_of

if TYPE_CHECKING:
    from tests.conftest import FakeClock
    from tests.integration.conftest import DiskMaker

NOW = datetime(2026, 1, 31, tzinfo=UTC)


class FullLedger(MemoryLedger):
    """A ledger on a full disk."""

    async def save_drop(
        self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
    ) -> Drop:
        raise LedgerUnavailable("its disk is full")


def closed_drop(inbox: Path, state: DropState, suffix: str) -> Drop:
    """Return a closed drop with a mask, and lay both of them in their last folder, beside a report."""
    folder = inbox / f"_{state}"
    folder.mkdir()
    (inbox / ".dropglow").mkdir()
    for name in ("fox.jpg", "fox.mask.png", f"fox.jpg{suffix}"):
        (folder / name).write_bytes(name.encode())
    mask = Companion(
        path="fox.mask.png",
        place=str(folder / "fox.mask.png"),
        kind=Kind.IMAGE,
        sha256="0" * 64,
        size_bytes=12,
        device=1,
        inode=1,
    )
    after = After(done=f"{inbox}/_done", failed=f"{inbox}/_failed", held=f"{inbox}/_held")
    drop = drop_of("abc", at=NOW, path="fox.jpg")
    sha256 = RealDisk().digest(str(folder / "fox.jpg"))
    return replace(
        drop,
        inbox=str(inbox),
        place=str(folder / "fox.jpg"),
        sha256=sha256,
        size_bytes=7,
        companions=(replace(mask, sha256=RealDisk().digest(mask.place)),),
        after=after,
        state=state,
    )


def reopener(
    ledger: Ledger, clock: FakeClock, *, disk: Disk | None = None, inbox: Path | None = None
) -> Reopener:
    """Return what reopens the drops of *ledger*, whose *inbox* is known as it is now."""
    ground = Ground(Memory())
    if inbox is not None:
        ground.remember(Role.INBOX, str(inbox))
    return Reopener(ledger=ledger, disk=disk or RealDisk(), clock=clock, ground=ground)


def files(inbox: Path) -> dict[str, bytes]:
    return {str(path.relative_to(inbox)): path.read_bytes() for path in inbox.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("state", "suffix"), [(DropState.FAILED, ".error.txt"), (DropState.HELD, ".held.txt")]
)
async def test_what_the_ledger_does_not_store_is_taken_back(
    tmp_path: Path, clock: FakeClock, state: DropState, suffix: str
) -> None:
    """Nobody would look into the hidden work folder before the next start."""
    drop = closed_drop(tmp_path, state, suffix)
    before = files(tmp_path)

    with pytest.raises(LedgerUnavailable):
        await reopener(FullLedger(), clock).reopen(drop, why="asked")

    assert before == files(tmp_path)


async def test_a_name_that_somebody_took_meanwhile_stays_theirs(tmp_path: Path, clock: FakeClock) -> None:
    """Then the file stays in work, from where the next try or the next start brings it."""
    drop = closed_drop(tmp_path, DropState.FAILED, ".error.txt")

    class Meddled(FullLedger):
        async def save_drop(
            self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
        ) -> Drop:
            Path(before.place).write_bytes(b"theirs")
            return await super().save_drop(before, after, event=event, at=at, detail=detail)

    with pytest.raises(LedgerUnavailable):
        await reopener(Meddled(), clock).reopen(drop, why="asked")

    found = files(tmp_path)
    assert b"theirs" == found["_failed/fox.jpg"]
    assert b"fox.jpg" == found[".dropglow/work/abc~fox.jpg"]


@pytest.mark.parametrize("another", [False, True], ids=["missing", "another"])
async def test_nothing_is_reopened_while_its_inbox_is_away(
    tmp_path: Path, clock: FakeClock, another: bool
) -> None:
    """What cannot be seen is not taken for lost: who asks is told, and nothing is made in place of the inbox."""
    inbox, away, ledger = tmp_path / "inbox", tmp_path / "away", MemoryLedger()
    inbox.mkdir()
    drop = closed_drop(inbox, DropState.FAILED, ".error.txt")
    await ledger.admit(drop, [])
    mark(inbox)
    reopening = reopener(ledger, clock, inbox=inbox)
    before = files(inbox)
    inbox.rename(away)
    if another:
        inbox.mkdir()

    with pytest.raises(DiskError, match="was replaced" if another else "is not there"):
        await reopening.reopen(drop, why="asked")

    assert before == files(away)
    assert [] == (list(inbox.iterdir()) if another else list(tmp_path.glob("inbox")))
    assert drop == await ledger.drop(drop.key)


@pytest.mark.parametrize(("verb", "nth"), [("make_folder", 1), ("move", 1), ("move", 2), ("sync_folder", 3)])
async def test_an_inbox_that_goes_while_a_drop_is_reopened(
    tmp_path: Path, clock: FakeClock, faulty_disk: DiskMaker, verb: str, nth: int
) -> None:
    """The drop stays closed, and knows its files: asked again with the inbox back, all of them come."""
    inbox, away, ledger = tmp_path / "inbox", tmp_path / "away", MemoryLedger()
    inbox.mkdir()
    drop = closed_drop(inbox, DropState.FAILED, ".error.txt")
    await ledger.admit(drop, [])
    mark(inbox)
    going = faulty_disk.fault(verb=verb, nth=nth, deed=lambda: inbox.rename(away))
    reopening = reopener(ledger, clock, disk=faulty_disk(going), inbox=inbox)
    with pytest.raises(DiskError):
        await reopening.reopen(drop, why="asked")
    missing = not inbox.exists()
    away.rename(inbox)

    opened = await reopening.reopen(await ledger.drop(drop.key), why="asked")

    assert missing
    places = [opened.place, *(each.place for each in opened.companions)]
    assert [True, True] == [Path(place).is_file() for place in places]
    assert ".dropglow/work" in opened.place


def mark(inbox: Path) -> None:
    """Leave the mark by which a service knows the folder again."""
    (inbox / ".dropglow").mkdir(exist_ok=True)
    (inbox / ".dropglow" / MARK_FILE).write_text("0011223344556677")
