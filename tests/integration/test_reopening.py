"""Opening a drop again whose ledger refuses: its files and its report are where they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.disk import RealDisk
from dropglow.errors import LedgerUnavailable
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import After, Companion, Drop, DropState, Kind
from dropglow.runtime.reopening import Reopener
from tests.drops import drop_of

if TYPE_CHECKING:
    from tests.conftest import FakeClock

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
        await Reopener(ledger=FullLedger(), disk=RealDisk(), clock=clock).reopen(drop, why="asked")

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
        await Reopener(ledger=Meddled(), disk=RealDisk(), clock=clock).reopen(drop, why="asked")

    found = files(tmp_path)
    assert b"theirs" == found["_failed/fox.jpg"]
    assert b"fox.jpg" == found[".dropglow/work/abc~fox.jpg"]
