"""A report of an earlier file is looked for where there may be one, and nowhere is one missed that would be removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dropglow.disk import RealDisk
from dropglow.errors import DiskError
from dropglow.intake.plan import InboxPlan
from dropglow.model import After, Drop, DropKey, DropState
from dropglow.runtime.reporting import (
    clear_report,
    may_be_reported,
    read_reports,
    remove_reports,
    write_again,
    write_report,
)
from dropglow.runtime.reports import original_line
from tests.drops import drop_of

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker

LONG: Final = "n" * 251 + ".txt"


def a_drop(inbox: Path, path: str, workshop: str = "") -> Drop:
    (inbox / ".dropglow").mkdir(exist_ok=True)
    after = After(done=None, failed=f"{inbox}/_failed", held=f"{inbox}/_held", workshop=workshop)
    drop = drop_of("abc", at=datetime(2026, 1, 31, tzinfo=UTC), path=path)
    return replace(drop, inbox=str(inbox), place="", after=after, state=DropState.FAILED)


@pytest.mark.parametrize("path", ["fox.txt", "a/b/fox.txt", LONG, "f\udce9.txt"])
@pytest.mark.parametrize("keeps", [False, True])
def test_a_report_that_would_be_removed_is_never_missed(tmp_path: Path, path: str, keeps: bool) -> None:
    """Of whatever name, and also where originals stay: there it is told by what it says."""
    workshop = f"{tmp_path}/workshop" if keeps else ""
    drop = a_drop(tmp_path, path, workshop)
    plan = InboxPlan(folder=str(tmp_path), workshop=workshop)
    write_report(RealDisk(), drop, DropState.FAILED, f"original: {path}")

    found = may_be_reported(RealDisk(), plan, drop.after.failed, path)

    assert found


def test_no_report_is_laid_under_a_bare_mount_point(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """The share went when everything had been asked: not even the folder for it stays."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    drop = a_drop(inbox, "fox.txt")

    def unmount() -> None:
        inbox.rename(tmp_path / "away")
        inbox.mkdir()

    disk = faulty_disk(faulty_disk.fault(verb="make_folder", deed=unmount))

    with pytest.raises(DiskError, match="inbox is not there"):
        write_report(disk, drop, DropState.FAILED, "it failed")

    assert [] == list(inbox.iterdir())


def test_where_no_report_lies_none_is_to_be_removed(tmp_path: Path) -> None:
    """Not even where the file of another drop lies that failed."""
    drop = a_drop(tmp_path, "fox.txt")
    (tmp_path / "_failed").mkdir()
    (tmp_path / "_failed" / "fox.txt").touch()
    plan = InboxPlan(folder=str(tmp_path))

    assert not may_be_reported(RealDisk(), plan, drop.after.failed, "fox.txt")
    assert not may_be_reported(RealDisk(), plan, f"{tmp_path}/missing", "fox.txt")


def test_where_nothing_is_told_there_may_be_a_report(tmp_path: Path) -> None:
    """A name that the disk refuses may be one."""
    plan = InboxPlan(folder=str(tmp_path))

    assert may_be_reported(RealDisk(), plan, f"{tmp_path}/{'x' * 300}", "fox.txt")


def test_a_report_beside_its_file_is_not_removed_for_a_new_one(tmp_path: Path) -> None:
    """The earlier file still lies there, and nobody else tells why."""
    drop = a_drop(tmp_path, "fox.txt")
    write_report(RealDisk(), drop, DropState.FAILED, "it failed")
    (tmp_path / "_failed" / "fox.txt").touch()
    clear_report(RealDisk(), replace(drop, key=DropKey("abd")))
    beside = sorted(path.name for path in (tmp_path / "_failed").iterdir())
    (tmp_path / "_failed" / "fox.txt").unlink()
    clear_report(RealDisk(), replace(drop, key=DropKey("abd")))

    assert (["fox.txt", "fox.txt.error.txt"], []) == (beside, list((tmp_path / "_failed").iterdir()))


@pytest.mark.parametrize("keeps", [False, True])
def test_a_report_that_was_removed_too_early_is_laid_down_again(tmp_path: Path, keeps: bool) -> None:
    """Word by word, in the same place: beside its file, or where those about originals are."""
    drop = a_drop(tmp_path, "fox.txt", f"{tmp_path}/workshop" if keeps else "")
    if not keeps:
        drop = replace(drop, place=f"{tmp_path}/_failed/fox.txt")
    write_report(RealDisk(), drop, DropState.FAILED, f"{original_line(drop)}\nit failed")
    (report,) = (tmp_path / "_failed").iterdir()
    text = report.read_text()

    told = read_reports(RealDisk(), drop)
    remove_reports(RealDisk(), drop)
    gone = not report.exists()
    write_again(RealDisk(), drop, told)

    assert gone
    assert text == report.read_text()
    assert [report] == list((tmp_path / "_failed").iterdir())


def test_nothing_is_told_of_a_drop_that_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies where the service was started from."""
    (tmp_path / ".error.txt").write_text("of something else")
    monkeypatch.chdir(tmp_path)
    drop = a_drop(tmp_path, "fox.txt")

    told = read_reports(RealDisk(), drop)
    remove_reports(RealDisk(), drop)

    assert {} == told
    assert (tmp_path / ".error.txt").exists()
