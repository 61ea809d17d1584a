"""What is left behind in an inbox is tidied up, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.disk import RealDisk
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import After, Drop, DropKey, DropState, Kind, RuleName
from dropglow.runtime.tidying import EMPTY_FOR_S, Tidier

if TYPE_CHECKING:
    from tests.conftest import FakeClock


class Ground:
    """An inbox, a ledger that knows its drops, and who tidies it."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder = folder
        self.clock = clock
        self.ledger = MemoryLedger()
        self.tidier = Tidier(
            str(folder), ledger=self.ledger, disk=RealDisk(), clock=clock, in_thread=_at_once
        )

    async def drop(self, path: str, *, state: DropState = DropState.DONE, place: str = "") -> Drop:
        """Remember a drop that came from *path*; its file lies at *place* now."""
        drop = Drop(
            key=DropKey(path.replace("/", "-")),
            inbox=str(self.folder),
            path=path,
            place=place,
            rule=RuleName("r"),
            rule_digest="d",
            sha256="0" * 64,
            size_bytes=1,
            device=1,
            inode=1,
            kind=Kind.IMAGE,
            after=After(done=None, failed=f"{self.folder}/_failed", held=f"{self.folder}/_held"),
            state=state,
            admitted_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await self.ledger.admit(drop, ())
        return drop

    def report(self, drop: Drop) -> Path:
        """Write the report that lies beside the drop's file."""
        path = Path(f"{drop.place}.error.txt")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"It failed.\n\nRule r, drop {drop.key}, 2026-01-01\n")
        return path


async def _at_once(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


@pytest.fixture
def ground(tmp_path: Path, clock: FakeClock) -> Ground:
    """Return an empty inbox."""
    return Ground(tmp_path, clock)


async def test_an_emptied_folder_goes_after_an_hour(ground: Ground) -> None:
    """A folder that drops came from goes when it was empty for an hour, and the one around it an hour later."""
    (ground.folder / "shoes" / "red").mkdir(parents=True)
    await ground.drop("shoes/red/a.jpg")

    await ground.tidier.tidy()
    ground.clock.move(EMPTY_FOR_S - 1)
    await ground.tidier.tidy()
    stood = (ground.folder / "shoes" / "red").exists()
    ground.clock.move(1)
    await ground.tidier.tidy()

    assert stood
    assert not (ground.folder / "shoes" / "red").exists()
    assert (ground.folder / "shoes").exists()
    await ground.tidier.tidy()
    ground.clock.move(EMPTY_FOR_S)
    await ground.tidier.tidy()
    assert not (ground.folder / "shoes").exists()


async def test_a_folder_that_was_never_filled_stays(ground: Ground) -> None:
    """Nobody knows what a folder is for that nothing came from."""
    (ground.folder / "for tomorrow").mkdir()
    await ground.drop("a.jpg")

    await ground.tidier.tidy()
    ground.clock.move(10 * EMPTY_FOR_S)
    await ground.tidier.tidy()

    assert (ground.folder / "for tomorrow").exists()
    assert ground.folder.exists()


async def test_a_folder_in_use_begins_anew(ground: Ground) -> None:
    """A folder that was filled in between has its hour from when it was empty again."""
    folder = ground.folder / "shoes"
    folder.mkdir()
    await ground.drop("shoes/a.jpg")
    await ground.tidier.tidy()
    ground.clock.move(EMPTY_FOR_S)
    (folder / "b.jpg").touch()
    await ground.tidier.tidy()
    (folder / "b.jpg").unlink()

    await ground.tidier.tidy()

    assert folder.exists()


async def test_what_is_no_folder_any_more_is_left_alone(ground: Ground, tmp_path: Path) -> None:
    """A link in the place of an emptied folder is somebody's own."""
    (tmp_path / "elsewhere").mkdir()
    (ground.folder / "shoes").symlink_to(tmp_path / "elsewhere")
    await ground.drop("shoes/a.jpg")

    await ground.tidier.tidy()
    ground.clock.move(EMPTY_FOR_S)
    await ground.tidier.tidy()

    assert (tmp_path / "elsewhere").exists()
    assert (ground.folder / "shoes").is_symlink()


async def test_a_report_goes_with_its_file(ground: Ground) -> None:
    """When the file beside a report was taken away, the report goes."""
    drop = await ground.drop("a.jpg", state=DropState.FAILED, place=f"{ground.folder}/_failed/a.jpg")
    report = ground.report(drop)

    await ground.tidier.tidy()

    assert not report.exists()


async def test_a_report_stays_with_its_file(ground: Ground) -> None:
    """While the file is there, so is its report; and a file of that name that is no report of ours stays in any case."""
    there = await ground.drop("a.jpg", state=DropState.FAILED, place=f"{ground.folder}/_failed/a.jpg")
    gone = await ground.drop("b.jpg", state=DropState.FAILED, place=f"{ground.folder}/_failed/b.jpg")
    report, foreign = ground.report(there), ground.report(replace(gone, key=DropKey("another")))
    Path(there.place).touch()

    await ground.tidier.tidy()

    assert report.exists()
    assert foreign.exists()
