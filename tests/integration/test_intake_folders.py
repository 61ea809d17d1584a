"""Whole folders in an inbox on a real disk: taken by one rename, given back by one, and never half."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from dropglow.clock import RealClock
from dropglow.disk import RealDisk
from dropglow.errors import DiskError
from dropglow.intake.claiming import Claimed, Party
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan
from dropglow.intake.wholes import manifest
from dropglow.model import DropKey, FolderSighting, Sighting

KEY = DropKey("abcdefghij")


class HandClock(RealClock):
    """A clock that runs when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class BusyDisk(RealDisk):
    """A disk on which somebody else is at work, and one file cannot be read."""

    def __init__(self) -> None:
        self.before_moving: Callable[[], object] = lambda: None
        self.at_opening: Callable[[str], object] = lambda _: None

    def open_read(self, path: str) -> BinaryIO:
        self.at_opening(path)
        return super().open_read(path)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> tuple[DiskError | None, ...]:
        self.before_moving()
        return super().move_many(pairs)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def disk() -> BusyDisk:
    return BusyDisk()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "in"


@pytest.fixture
def inbox(root: Path, clock: HandClock, disk: BusyDisk) -> Iterator[Inbox]:
    inbox = an_inbox(root, clock, disk)
    inbox.open()
    yield inbox
    inbox.close()


def an_inbox(root: Path, clock: HandClock, disk: RealDisk, *, ledger: str = "ours") -> Inbox:
    plan = InboxPlan(folder=str(root), reserved=(f"{root}/_done", f"{root}/kept/_failed"), folders=True)
    return Inbox(plan, disk=disk, clock=clock, ledger_identity=ledger)


def dropped(root: Path, name: str = "shoot") -> Path:
    """Drop a folder with two texts, an empty folder, and what a desktop leaves behind."""
    folder = root / name
    (folder / "sub" / "void").mkdir(parents=True)
    (folder / "fox.txt").write_text("a fox")
    (folder / "sub" / "owl.txt").write_text("an owl")
    (folder / ".DS_Store").write_text("x")
    return folder


def settled(inbox: Inbox, clock: HandClock) -> tuple[Sighting, ...]:
    inbox.sweep()
    clock.seconds += 2
    return inbox.sweep().settled


def claimed(inbox: Inbox, clock: HandClock) -> tuple[Claimed, ...]:
    (sighting,) = settled(inbox, clock)
    return inbox.claim([Party(key=KEY, drop=sighting)])


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


WHOLE = [".DS_Store", "fox.txt", "sub", "sub/owl.txt", "sub/void"]


def test_a_folder_is_claimed_by_one_rename(inbox: Inbox, root: Path, clock: HandClock) -> None:
    """All of it lies in the work folder then, and its content is that of its files by their paths."""
    dropped(root)

    (folder,) = claimed(inbox, clock)

    assert not (root / "shoot").exists()
    assert f"{root}/.dropglow/work/{KEY}~shoot" == folder.place
    assert WHOLE == files(Path(folder.place))
    digests = {each.sighting.path: each.sha256 for each in folder.members}
    assert ["shoot/fox.txt", "shoot/sub/owl.txt"] == list(digests)
    assert manifest(digests, below="shoot") == folder.sha256
    assert "a fox" == folder.members[0].facts.text


def test_a_file_beside_the_folders_is_told_as_ever(inbox: Inbox, root: Path, clock: HandClock) -> None:
    """And a folder around one of ours, where failed files go, is passed over."""
    dropped(root, "kept")
    (root / "single.txt").write_text("an elk")

    found = settled(inbox, clock)

    assert ["single.txt"] == [each.path for each in found]
    assert ["kept"] == [snag.path for snag in inbox.sweep().snags]


@pytest.mark.parametrize(
    "deed",
    [
        lambda folder: (folder / "new.txt").write_text("late"),
        lambda folder: (folder / "sub" / "owl.txt").write_text("an eagle"),
        lambda folder: (folder / "fox.txt").unlink(),
        lambda folder: (folder / "sub" / "void").rmdir(),
        lambda folder: (folder / "more").mkdir(),
        lambda folder: (folder / "new.txt.part").write_text("half"),
    ],
    ids=["another file", "another content", "one less", "a folder less", "a folder more", "a temporary file"],
)
def test_a_folder_that_changed_since_it_was_seen_goes_back(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk, deed: Callable[[Path], object]
) -> None:
    """Whatever somebody did at the last moment, it has to lie still again, whole."""
    folder = dropped(root)
    disk.before_moving = lambda: deed(folder)

    taken = claimed(inbox, clock)

    assert () == taken
    assert folder.is_dir()
    assert [] == files(root / ".dropglow" / "work")
    assert () == inbox.sweep().settled


def test_a_folder_that_is_written_while_it_is_looked_into_goes_back(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """The second look over it tells, where the files themselves do not."""
    dropped(root)
    disk.at_opening = lambda path: Path(path).with_name("late.txt").write_text("late")

    assert () == claimed(inbox, clock)
    assert (root / "shoot" / "late.txt").exists()


def test_a_file_that_is_gone_at_the_last_moment_sends_the_folder_back(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """It changed, so it has to lie still again."""
    dropped(root)
    disk.at_opening = lambda path: Path(path).write_text("changed")

    assert () == claimed(inbox, clock)
    assert WHOLE == files(root / "shoot")


def test_a_file_that_cannot_be_read_lets_the_folder_rest(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """The folder goes back whole, is told with the reason, and is left alone for a while."""

    def refuse(path: str) -> None:
        if path.endswith("owl.txt"):
            raise DiskError(f"cannot open {path}: permission denied")

    dropped(root)
    disk.at_opening = refuse

    taken = claimed(inbox, clock)

    (snag,) = inbox.sweep().snags
    assert () == taken
    assert WHOLE == files(root / "shoot")
    assert ("shoot", True) == (snag.path, "owl.txt: permission denied" in snag.reason)
    assert () == settled(inbox, clock)


def test_a_file_that_cannot_be_looked_into_lets_the_folder_rest(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """Before the claim already: it is the folder that is told and rests, not a file that nobody knows."""

    def refuse(path: str) -> None:
        raise DiskError(f"cannot open {path}: permission denied")

    dropped(root)
    (folder,) = settled(inbox, clock)
    assert isinstance(folder, FolderSighting)
    disk.at_opening = refuse

    facts = inbox.inspect(folder.members[0], of=folder)

    assert facts is None
    assert ["shoot"] == [snag.path for snag in inbox.sweep().snags]
    assert () == inbox.sweep().settled


def test_a_claimed_folder_that_nobody_admitted_goes_back_whole(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """After a crash: empty folders in it included, and to another name where its own is taken."""
    dropped(root)
    claimed(inbox, clock)
    inbox.close()
    dropped(root)
    after = an_inbox(root, clock, disk)

    after.open()
    (orphan,) = after.returning.orphans()
    back = after.returning.give_back(orphan)

    assert (KEY, "shoot", f"shoot.{KEY}") == (orphan.key, orphan.path, back)
    assert WHOLE == files(root / back)
    after.close()


def test_a_folder_that_another_ledger_claimed_is_held_whole(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """It may have been bought, and only the other ledger knows."""
    dropped(root)
    claimed(inbox, clock)
    inbox.close()
    other = an_inbox(root, clock, disk, ledger="another")

    other.open()
    (orphan,) = other.returning.orphans()
    held = other.returning.hold_foreign(orphan, held=f"{root}/_held")

    assert WHOLE == files(Path(held))
    assert (root / "_held" / "shoot.held.txt").exists()
    other.close()


def test_an_empty_folder_that_a_crash_left_in_work_is_removed(
    inbox: Inbox, root: Path, clock: HandClock, disk: BusyDisk
) -> None:
    """Where a file system cannot rename without replacing, one is made first; it was never anybody's."""
    inbox.close()
    (root / ".dropglow" / "work" / f"{KEY}~shoot").mkdir(parents=True)
    after = an_inbox(root, clock, disk)

    after.open()

    assert () == after.returning.orphans()
    after.close()
