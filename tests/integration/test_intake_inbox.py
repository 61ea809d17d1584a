"""An inbox on a real disk: settle, claim, give back, and what is never lost on the way."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest
from PIL import Image

from dropglow.clock import RealClock
from dropglow.disk import NewFile, RealDisk
from dropglow.errors import DiskError, DiskFull, DropglowError
from dropglow.intake.claiming import Partner, Party
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan
from dropglow.intake.returning import Orphan
from dropglow.intake.scan import Snag
from dropglow.intake.sweep import Sweep
from dropglow.model import DropKey, Facts, Format, Kind, Sighting

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker

KEY = DropKey("abcdefghij")
OTHER_KEY = DropKey("abcdefghik")


class HandClock(RealClock):
    """A clock that runs when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class StubbornDisk(RealDisk):
    """A disk that refuses some places, and lets somebody in before it moves anything."""

    def __init__(self) -> None:
        self.full = False
        self.unreadable: set[str] = set()
        self.immovable: set[str] = set()
        self.unsyncable: set[str] = set()  # folders
        self.sync_faults = -1  # how many there are to come; below zero: no end of them
        self.syncs = 0
        self.before_moving: Callable[[], object] = lambda: None
        self.before_opening: Callable[[], object] = lambda: None
        self.before_making: Callable[[], object] = lambda: None
        self.after_renaming: Callable[[], object] = lambda: None

    def create(self, path: str, *, mode: int = 0o600) -> NewFile:
        if self.full:
            raise DiskFull(f"cannot create {path}: no space is left", hint="free some")
        return super().create(path, mode=mode)

    def open_read(self, path: str) -> BinaryIO:
        self.before_opening()
        if Path(path).name in self.unreadable:
            raise DiskError(f"cannot open {path}: permission denied", hint="give it to us")
        return super().open_read(path)

    def make_inside(self, folder: str, name: str, *, device: int, inode: int, mode: int = 0o777) -> None:
        self.before_making()
        super().make_inside(folder, name, device=device, inode=inode, mode=mode)

    def sync_folder(self, folder: str) -> None:
        self.after_renaming()
        self.syncs += 1
        if folder in self.unsyncable and self.sync_faults:
            self.sync_faults -= 1
            raise DiskError(f"cannot sync {folder}: input/output error")
        super().sync_folder(folder)

    def move(self, source: str, target: str) -> None:
        if source in self.immovable:
            raise DiskError(f"cannot move {source}: permission denied", hint="give it to us")
        super().move(source, target)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> tuple[DiskError | None, ...]:
        self.before_moving()
        refused = DiskError("cannot move: permission denied", hint="give it to us")
        moved = iter(super().move_many([pair for pair in pairs if pair[0] not in self.immovable]))
        return tuple(refused if pair[0] in self.immovable else next(moved) for pair in pairs)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def disk() -> StubbornDisk:
    return StubbornDisk()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "in"


@pytest.fixture
def inbox(root: Path, clock: HandClock, disk: StubbornDisk) -> Iterator[Inbox]:
    inbox = an_inbox(root, clock, disk)
    inbox.open()
    yield inbox
    inbox.close()


def an_inbox(
    root: Path, clock: HandClock, disk: RealDisk, *, ledger: str = "ours", done: str = "_done"
) -> Inbox:
    plan = InboxPlan(folder=str(root), reserved=(str(root / done),))
    return Inbox(plan, disk=disk, clock=clock, ledger_identity=ledger)


def settled(inbox: Inbox, clock: HandClock) -> tuple[Sighting, ...]:
    inbox.sweep()
    clock.seconds += 2
    return inbox.sweep().settled


def lock_of(inbox: Inbox) -> int:
    """Return the descriptor that holds the inbox."""
    lock = os.path.realpath(Path(inbox.plan.folder) / ".dropglow" / "lock")
    held = (int(each.name) for each in Path("/proc/self/fd").iterdir() if os.path.realpath(each) == lock)
    return next(held)


def parties(sightings: Sequence[Sighting]) -> list[Party]:
    return [Party(key=key, drop=each) for key, each in zip([KEY, OTHER_KEY], sightings, strict=True)]


def in_inbox(root: Path) -> list[str]:
    """Return what a person sees."""
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and ".dropglow" not in path.parts
    )


# ---------------------------------------------------------------- looking


def test_a_missing_inbox_is_made(root: Path, inbox: Inbox) -> None:
    """A new rule needs no errand to the file manager."""
    assert root.is_dir()
    assert 0o700 == (root / ".dropglow").stat().st_mode & 0o777


def test_an_inbox_without_a_parent_is_not_made(tmp_path: Path, clock: HandClock, disk: StubbornDisk) -> None:
    """It would be made below the mount point of a share that is not there."""
    inbox = an_inbox(tmp_path / "share" / "in", clock, disk)

    with pytest.raises(DiskError, match="is missing"):
        inbox.open()


def test_files_present_at_the_start_are_taken_like_any_other(
    root: Path, clock: HandClock, disk: StubbornDisk
) -> None:
    """What arrived while nobody was at home settles like the rest."""
    root.mkdir()
    (root / "hill.txt").write_text("a green hill")
    inbox = an_inbox(root, clock, disk)
    inbox.open()

    assert ["hill.txt"] == [sighting.path for sighting in settled(inbox, clock)]
    inbox.close()


@pytest.mark.parametrize("arrive", [shutil.copy, shutil.copy2, os.rename, os.link])
def test_every_way_of_arriving_settles(
    root: Path, inbox: Inbox, clock: HandClock, tmp_path: Path, arrive: Callable[[Path, Path], object]
) -> None:
    """Copied, moved, linked, with an old date or a new one."""
    (tmp_path / "hill.txt").write_text("a green hill")
    os.utime(tmp_path / "hill.txt", (1, 1))
    arrive(tmp_path / "hill.txt", root / "hill.txt")

    assert ["hill.txt"] == [sighting.path for sighting in settled(inbox, clock)]


def test_a_slow_writer_is_waited_for(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Each new piece starts the quiet period again, and makes it longer."""
    with (root / "hill.txt").open("a") as writer:
        for _ in range(5):
            writer.write("more ")
            writer.flush()
            clock.seconds += 1.5
            growing = inbox.sweep()

            assert () == growing.settled
            assert 1 == growing.waiting
    clock.seconds += 8  # four times as long as a file that came in one piece

    assert ["hill.txt"] == [sighting.path for sighting in inbox.sweep().settled]


def test_our_own_folders_are_not_swept(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """What is done does not come round again."""
    (root / "_done").mkdir()
    (root / "_done" / "hill.txt").touch()

    assert Sweep() == inbox.sweep()


def test_what_is_passed_over_is_told(root: Path, inbox: Inbox) -> None:
    """An operator can ask why a file does not move."""
    os.mkfifo(root / "pipe.txt")

    assert (Snag(path="pipe.txt", reason="it is not a regular file"),) == inbox.sweep().snags


def test_inspecting_tells_what_rules_match_on(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Kind, format and size, before anything is claimed."""
    Image.new("RGB", (300, 200)).save(root / "beach.jpg")
    (sighting,) = settled(inbox, clock)

    facts = inbox.inspect(sighting)

    assert facts is not None
    assert (Kind.IMAGE, Format.JPEG, 300, 200) == (facts.kind, facts.format, facts.width, facts.height)


def test_inspecting_a_changed_or_vanished_file_tells_nothing(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """The next sweep sees what became of it."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    (root / "hill.txt").write_text("a blue hill")
    changed = inbox.inspect(sighting)
    (root / "hill.txt").unlink()

    assert (None, None) == (changed, inbox.inspect(sighting))


def test_an_unreadable_file_is_told_and_rests(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """It stays in the inbox, without a flood of tries."""
    (root / "hill.txt").write_text("a green hill")
    disk.unreadable = {"hill.txt"}
    (sighting,) = settled(inbox, clock)
    facts = inbox.inspect(sighting)
    resting = inbox.sweep()
    clock.seconds += 30

    assert facts is None
    assert () == resting.settled
    assert "permission denied" in resting.snags[0].reason
    assert (sighting,) == inbox.sweep().settled


# ---------------------------------------------------------------- claiming


def test_a_claimed_file_is_hidden_hashed_and_examined(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """From here on it is ours, under a path that remembers where it came from."""
    (root / "art").mkdir()
    (root / "art" / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    (claimed,) = inbox.claim([Party(key=KEY, drop=sighting)])

    assert str(root / ".dropglow" / "work" / KEY / "art" / "hill.txt") == claimed.place
    assert "a green hill" == Path(claimed.place).read_text()
    assert hashlib.sha256(b"a green hill").hexdigest() == claimed.sha256
    assert Facts(kind=Kind.PROMPT, text="a green hill") == claimed.facts
    assert [] == in_inbox(root)
    assert () == inbox.sweep().settled


def test_a_name_that_is_no_utf8_can_be_claimed(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """The raw name travels along."""
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.txt")).write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    (claimed,) = inbox.claim([Party(key=KEY, drop=sighting)])

    assert os.fsencode(claimed.place).endswith(b"~caf\xe9.txt")


def test_a_cut_off_photo_is_claimed_with_its_fault(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """It must end in ``_failed`` with a reason, and the rest of the batch goes on."""
    Image.effect_noise((300, 200), 60).save(root / "beach.jpg")
    os.truncate(root / "beach.jpg", (root / "beach.jpg").stat().st_size // 2)
    (root / "hill.txt").write_text("a green hill")
    claimed = inbox.claim(parties(settled(inbox, clock)))

    assert ["cut off" in (each.facts.fault or "") for each in claimed] == [True, False]


def test_a_file_that_vanished_before_the_claim_is_forgotten(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Whoever dropped it took it back, which is free."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    disk.before_moving = (root / "hill.txt").unlink

    assert () == inbox.claim([Party(key=KEY, drop=sighting)])
    assert Sweep() == inbox.sweep()
    assert () == inbox.returning.orphans()


def test_a_file_replaced_before_the_claim_goes_back(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """The rename takes whatever is there; what was not seen lying still is not kept."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    disk.before_moving = lambda: (root / "hill.txt").write_text("a blue mountain")
    claimed = inbox.claim([Party(key=KEY, drop=sighting)])
    after = inbox.sweep()
    clock.seconds += 2

    assert () == claimed
    assert "a blue mountain" == (root / "hill.txt").read_text()
    assert () == after.settled
    assert ["hill.txt"] == [each.path for each in inbox.sweep().settled]
    assert not (root / ".dropglow" / "work" / KEY).exists()


def test_a_file_still_written_after_the_claim_goes_back(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """A writer keeps its file over a rename; what it adds must not be lost or half bought."""
    with (root / "hill.txt").open("ab", buffering=0) as writer:
        writer.write(b"a green hill")
        (sighting,) = settled(inbox, clock)
        disk.before_opening = lambda: writer.write(b" with sheep")

        assert () == inbox.claim([Party(key=KEY, drop=sighting)])
    assert "a green hill with sheep" == (root / "hill.txt").read_text()


def test_a_newer_file_of_the_same_name_is_not_replaced_when_giving_back(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """The name is taken meanwhile, so the key becomes part of the other name."""
    (root / "hill.txt").write_text("a green hill")
    (claimed,) = inbox.claim([Party(key=KEY, drop=settled(inbox, clock)[0])])
    (root / "hill.txt").write_text("a blue hill")

    assert f"hill.{KEY}.txt" == inbox.returning.give_back(
        Orphan(key=KEY, place=claimed.place, path="hill.txt")
    )
    assert "a green hill" == (root / f"hill.{KEY}.txt").read_text()
    assert "a blue hill" == (root / "hill.txt").read_text()


def test_giving_back_makes_the_folder_again(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Somebody tidied the empty folder away."""
    (root / "art").mkdir()
    (root / "art" / "hill.txt").write_text("a green hill")
    (claimed,) = inbox.claim([Party(key=KEY, drop=settled(inbox, clock)[0])])
    (root / "art").rmdir()

    assert "art/hill.txt" == inbox.returning.give_back(
        Orphan(key=KEY, place=claimed.place, path="art/hill.txt")
    )
    assert ["art/hill.txt"] == in_inbox(root)


def test_a_file_that_cannot_be_moved_stays_and_rests(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """One stubborn file neither stops the batch nor is tried at every sweep."""
    (root / "fixed.txt").write_text("a green hill")
    (root / "loose.txt").write_text("a blue hill")
    disk.immovable = {str(root / "fixed.txt")}
    claimed = inbox.claim(parties(settled(inbox, clock)))
    clock.seconds += 2
    inbox.sweep()
    clock.seconds += 2
    after = inbox.sweep()

    assert ["loose.txt"] == [each.sighting.path for each in claimed]
    assert ["fixed.txt"] == in_inbox(root)
    assert () == after.settled
    assert ["fixed.txt"] == [snag.path for snag in after.snags]


def test_a_file_that_cannot_be_read_after_the_claim_goes_back_and_rests(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """A rename needs other rights than reading does."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    disk.unreadable = {f"{KEY}~hill.txt"}
    claimed = inbox.claim([Party(key=KEY, drop=sighting)])
    again = settled(inbox, clock)

    assert () == claimed
    assert ["hill.txt"] == in_inbox(root)
    assert () == again


def test_a_file_whose_work_folder_cannot_be_made_stays(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Something stands in the way of one file, and the others go on."""
    (root / "art").mkdir()
    (root / "art" / "a.txt").write_text("a green hill")
    (root / "b.txt").write_text("a blue hill")
    (root / ".dropglow" / "work").mkdir(exist_ok=True)
    (root / ".dropglow" / "work" / KEY).touch()
    claimed = inbox.claim(parties(settled(inbox, clock)))

    assert ["b.txt"] == [each.sighting.path for each in claimed]
    assert ["art/a.txt"] == in_inbox(root)
    assert ["art/a.txt"] == [snag.path for snag in inbox.sweep().snags]


def test_a_file_of_the_inbox_itself_is_claimed_without_a_folder_of_its_own(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """A folder for each drop would have to be synced, watched and removed again."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    (claimed,) = inbox.claim([Party(key=KEY, drop=sighting)])

    assert str(root / ".dropglow" / "work" / f"{KEY}~hill.txt") == claimed.place
    assert [(KEY, claimed.place, "hill.txt")] == [
        (orphan.key, orphan.place, orphan.path) for orphan in inbox.returning.orphans()
    ]


def test_a_name_too_long_for_the_key_beside_it_is_claimed_into_a_folder(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """A name may have 255 bytes; the key needs some of them."""
    name = "n" * 251 + ".txt"
    (root / name).write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    (claimed,) = inbox.claim([Party(key=KEY, drop=sighting)])

    assert str(root / ".dropglow" / "work" / KEY / name) == claimed.place
    assert [name] == [orphan.path for orphan in inbox.returning.orphans()]


def alone(sightings: Sequence[Sighting]) -> list[Party]:
    """Return a party for each, of which there is one at most."""
    return [Party(key=key, drop=each) for key, each in zip([KEY][: len(sightings)], sightings, strict=True)]


def in_work(root: Path) -> list[str]:
    """Return the names of everything in the work folder."""
    return sorted(path.name for path in (root / ".dropglow/work").rglob("*"))


def test_what_is_not_synced_is_not_claimed(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """A power cut might bring it back beside its drop: it goes back now, and the whole inbox waits, with the reason."""
    (root / "beach.txt").write_text("a beach")
    before = settled(inbox, clock)
    disk.unsyncable = {str(root)}

    claimed = inbox.claim(alone(before))

    assert () == claimed
    assert (["beach.txt"], []) == (in_inbox(root), in_work(root))
    assert (
        f"cannot sync {root}: input/output error; nothing is taken until that works" == inbox.sweep().offline
    )
    assert inbox.unsafe

    disk.unsyncable = set()
    clock.seconds += 600
    (file,) = inbox.claim(alone(settled(inbox, clock)))
    assert ("beach.txt", False) == (file.sighting.path, inbox.unsafe)


def test_a_disk_that_never_syncs_is_asked_now_and_then(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Looked at every second for an hour, it is asked at growing distances, and nothing is moved to and fro."""
    (root / "beach.txt").write_text("a beach")
    before = alone(settled(inbox, clock))
    disk.unsyncable = {str(root)}
    inbox.claim(before)
    disk.syncs = 0
    disk.before_moving = lambda: pytest.fail("it moves")

    for _ in range(3600):
        clock.seconds += 1
        assert inbox.sweep().offline is not None
    inbox.claim(before)

    assert 10 < disk.syncs < 40


def test_a_disk_that_once_did_not_sync_is_simply_tried_again(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """One fault that is over by the time it is looked into is not worth a word."""
    (root / "beach.txt").write_text("a beach")
    before = settled(inbox, clock)
    disk.unsyncable, disk.sync_faults = {str(root)}, 1

    assert () == inbox.claim(alone(before))
    again = settled(inbox, clock)

    assert () == inbox.sweep().snags
    assert ["beach.txt"] == [file.sighting.path for file in inbox.claim(alone(again))]


def test_a_folder_that_is_never_synced_keeps_its_own_files_alone(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Where the inbox itself can be synced, other files go on, and those of that folder rest, with the reason."""
    (root / "bad").mkdir()
    (root / "bad/beach.txt").write_text("a beach")
    disk.unsyncable = {str(root / "bad")}
    for _ in range(2):
        assert () == inbox.claim(alone(settled(inbox, clock)))
    (root / "hill.txt").write_text("a hill")

    claimed = inbox.claim(alone(settled(inbox, clock)))

    assert ["hill.txt"] == [file.sighting.path for file in claimed]
    assert ["bad/beach.txt"] == in_inbox(root)
    reason = f"cannot sync {root / 'bad'}: input/output error"
    sweep = inbox.sweep()
    assert ((Snag(path="bad/beach.txt", reason=reason),), None) == (sweep.snags, sweep.offline)


def test_what_is_neither_synced_nor_given_back_stays_known(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """It stays in work, admitted by nobody: a later look gives it back, and so would the next start."""
    (root / "beach.txt").write_text("a beach")
    before = settled(inbox, clock)
    disk.unsyncable = {str(root)}
    disk.immovable = {str(root / ".dropglow" / "work" / f"{KEY}~beach.txt")}

    assert () == inbox.claim(alone(before))
    assert [(KEY, "beach.txt")] == [(orphan.key, orphan.path) for orphan in inbox.returning.orphans()]
    disk.immovable = set()
    inbox.sweep()

    assert (["beach.txt"], ()) == (in_inbox(root), inbox.returning.orphans())


def test_what_cannot_be_given_back_is_tried_again_by_the_next_sweep(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """A claim in vain on a disk that is full for a moment strands nothing."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    disk.before_moving = lambda: (root / "hill.txt").write_text("a blue mountain")
    disk.immovable = {str(root / ".dropglow" / "work" / f"{KEY}~hill.txt")}
    claimed = inbox.claim([Party(key=KEY, drop=sighting)])
    stranded = in_inbox(root)
    disk.immovable = set()
    inbox.sweep()

    assert () == claimed
    assert [] == stranded
    assert ["hill.txt"] == in_inbox(root)


@pytest.mark.parametrize("verb", ["move_many", "sync_folder"])
def test_an_inbox_that_goes_while_a_file_is_claimed_gets_it_back(
    root: Path, clock: HandClock, faulty_disk: DiskMaker, verb: str
) -> None:
    """Moved or not, nobody could tell: the file lies where it was dropped once the inbox is back."""
    disk, away = faulty_disk(), root.with_name("away")
    inbox = an_inbox(root, clock, disk)
    inbox.open()
    (root / ".dropglow" / "work").mkdir()
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    count = sum(each == verb for each, _ in disk.calls)
    disk.faults = (faulty_disk.fault(verb=verb, nth=count + 1, deed=lambda: root.rename(away)),)

    claimed = inbox.claim([Party(key=KEY, drop=sighting)])
    offline = inbox.sweep().offline
    away.rename(root)
    inbox.sweep()

    assert () == claimed
    assert "is not there" in (offline or "")
    assert (["hill.txt"], ()) == (in_inbox(root), inbox.returning.orphans())


def test_two_services_never_claim_the_same_file(root: Path, clock: HandClock) -> None:
    """Where the lock is no help, a rename still has one winner."""
    inboxes = [an_inbox(root, clock, RealDisk()) for _ in range(2)]
    for inbox in inboxes:
        inbox.open()
        (root / ".dropglow" / "lock").unlink()
    for number in range(200):
        (root / f"{number}.txt").write_text("a green hill")
    lots = [settled(inbox, clock) for inbox in inboxes]
    taken: list[list[str]] = [[], []]

    def take(which: int) -> None:
        for number, sighting in enumerate(lots[which]):
            claimed = inboxes[which].claim([Party(key=DropKey(f"key{which}{number}"), drop=sighting)])
            taken[which] += [each.sighting.path for each in claimed]

    threads = [threading.Thread(target=take, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [200, 200] == [len(lot) for lot in lots]
    assert 200 == len(taken[0]) + len(taken[1]) == len({*taken[0], *taken[1]})
    for inbox in inboxes:
        inbox.close()


# ---------------------------------------------------------------- after a crash


def test_claimed_files_are_found_at_the_next_start(root: Path, clock: HandClock, disk: StubbornDisk) -> None:
    """A crash between the claim and the ledger loses nothing."""
    before = an_inbox(root, clock, disk)
    before.open()
    (root / "art").mkdir()
    (root / "art" / "hill.txt").write_text("a green hill")
    before.claim([Party(key=KEY, drop=settled(before, clock)[0])])
    before.close()
    after = an_inbox(root, clock, disk)
    after.open()
    (orphan,) = after.returning.orphans()
    after.returning.give_back(orphan)

    assert after.foreign_owner is None
    assert (KEY, "art/hill.txt") == (orphan.key, orphan.path)
    assert ["art/hill.txt"] == in_inbox(root)
    after.close()


def test_empty_work_folders_are_tidied_at_a_start(root: Path, clock: HandClock, disk: StubbornDisk) -> None:
    """A crash between moving a file to ``_done`` and forgetting its drop leaves folders only."""
    (root / ".dropglow" / "work" / KEY / "art").mkdir(parents=True)
    inbox = an_inbox(root, clock, disk)
    inbox.open()

    assert [] == list((root / ".dropglow" / "work").iterdir())
    inbox.close()


def test_files_of_another_ledger_are_held_with_a_note(
    root: Path, clock: HandClock, disk: StubbornDisk
) -> None:
    """They may have been bought, and only the other ledger knows."""
    theirs = an_inbox(root, clock, disk, ledger="theirs")
    theirs.open()
    (root / "hill.txt").write_text("a green hill")
    theirs.claim([Party(key=KEY, drop=settled(theirs, clock)[0])])
    theirs.close()
    ours = an_inbox(root, clock, disk)
    ours.open()
    owner = ours.foreign_owner
    (orphan,) = ours.returning.orphans()
    held = ours.returning.hold_foreign(orphan, held=str(root / "_held"))
    ours.adopt()

    assert "theirs" == owner
    assert "a green hill" == Path(held).read_text()
    assert "ledger theirs" in (root / "_held" / "hill.txt.held.txt").read_text()
    assert ours.foreign_owner is None
    assert "ours\n" == (root / ".dropglow" / "owner").read_text()
    ours.close()


def test_another_ledgers_empty_inbox_is_simply_adopted(
    root: Path, clock: HandClock, disk: StubbornDisk
) -> None:
    """A state folder made anew needs no ceremony where nothing is half done."""
    theirs = an_inbox(root, clock, disk, ledger="theirs")
    theirs.open()
    theirs.close()
    ours = an_inbox(root, clock, disk)
    ours.open()

    assert ours.foreign_owner is None
    ours.close()


def test_a_second_service_is_told_who_works_here(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Two services on one inbox would each take half."""
    with pytest.raises(DropglowError, match=f"process {os.getpid()} on "):
        an_inbox(root, clock, RealDisk()).open()


def test_a_closed_inbox_can_be_opened_by_another(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """The lock goes with the service."""
    inbox.close()
    other = an_inbox(root, clock, RealDisk())
    other.open()

    assert Sweep() == other.sweep()
    other.close()


def test_an_inbox_that_could_not_be_opened_can_be_opened_later(
    root: Path, clock: HandClock, disk: StubbornDisk
) -> None:
    """Half an opening keeps no lock that would shut us out ourselves."""
    inbox = an_inbox(root, clock, disk)
    disk.full = True
    with pytest.raises(DiskFull):
        inbox.open()
    disk.full = False
    inbox.open()

    assert Sweep() == inbox.sweep()
    inbox.close()


# ---------------------------------------------------------------- shares that go away


def test_a_lost_folder_is_offline_and_not_empty(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Nothing is made in its place, and nothing concluded."""
    root.rename(root.with_name("away"))

    assert "is not there" in (inbox.sweep().offline or "")
    assert not root.exists()


def test_the_same_folder_comes_back_by_itself(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """And what lay still before still does."""
    (root / "hill.txt").write_text("a green hill")
    (sighting,) = settled(inbox, clock)
    root.rename(root.with_name("away"))
    inbox.sweep()
    root.with_name("away").rename(root)

    assert (sighting,) == inbox.sweep().settled


def test_a_folder_made_anew_is_taken_up(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Somebody deleted the inbox and made it again; for half a minute it may still be an exchange of folders."""
    root.rename(root.with_name("away"))
    inbox.sweep()
    root.mkdir()
    (root / "hill.txt").write_text("a green hill")
    offline = inbox.sweep().offline
    untouched = [path.name for path in root.iterdir()]
    clock.seconds += 30

    assert "was replaced by another folder" in (offline or "")
    assert ["hill.txt"] == untouched
    assert ["hill.txt"] == [sighting.path for sighting in settled(inbox, clock)]
    assert "ours\n" == (root / ".dropglow" / "owner").read_text()


def test_a_folder_made_anew_on_a_full_disk_is_taken_up_later(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Until it can be written to, it is offline."""
    root.rename(root.with_name("away"))
    root.mkdir()
    disk.full = True
    inbox.sweep()
    clock.seconds += 30
    during = inbox.sweep()
    disk.full = False

    assert "no space is left" in (during.offline or "")
    assert Sweep() == inbox.sweep()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="wants a second file system")
def test_a_mount_point_without_its_share_is_offline(
    root: Path, inbox: Inbox, clock: HandClock, elsewhere: Path
) -> None:
    """The folder below the mount point is on another device and lacks our mark."""
    root.rename(root.with_name("away"))
    root.symlink_to(elsewhere)
    (elsewhere / "ghost.txt").write_text("not yours")

    assert "is not the folder that it was" in (inbox.sweep().offline or "")
    assert ["ghost.txt"] == [path.name for path in elsewhere.iterdir()]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="wants a second file system")
def test_a_share_mounted_under_another_device_number_is_known_by_its_mark(
    root: Path, inbox: Inbox, clock: HandClock, elsewhere: Path
) -> None:
    """Network file systems get a new number with each mount."""
    root.rename(root.with_name("away"))
    root.symlink_to(elsewhere)
    (elsewhere / ".dropglow").mkdir()
    (elsewhere / ".dropglow" / "owner").write_text("ours\n")
    (elsewhere / "hill.txt").write_text("a green hill")

    assert ["hill.txt"] == [sighting.path for sighting in settled(inbox, clock)]


def test_a_share_that_goes_while_it_is_taken_up_leaves_no_mark_below_it(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Our hidden folder in the bare mount point would say that this is the inbox from now on."""
    root.rename(root.with_name("away"))
    inbox.sweep()
    root.with_name("away").rename(root)

    def unmount() -> None:
        root.rename(root.with_name("away"))
        root.mkdir()

    disk.before_making = unmount
    during = inbox.sweep().offline
    made = list(root.iterdir())
    disk.before_making = lambda: None
    root.rmdir()
    root.with_name("away").rename(root)

    assert "became another folder" in (during or "")
    assert [] == made
    assert Sweep() == inbox.sweep()


def test_a_file_whose_share_went_while_it_was_claimed_comes_back(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """It was moved, and its share went before that could be told. No restart is needed to find it."""
    (root / "hill.txt").write_text("a green hill")
    found = settled(inbox, clock)
    work = root / ".dropglow" / "work" / f"{KEY}~hill.txt"
    disk.after_renaming = lambda: work.exists() and root.rename(root.with_name("away"))
    claimed = inbox.claim([Party(key=KEY, drop=found[0])])
    offline = inbox.sweep().offline
    disk.after_renaming = lambda: None
    moved = in_work(root.with_name("away"))
    root.with_name("away").rename(root)

    assert () == claimed
    assert offline is not None
    assert [f"{KEY}~hill.txt"] == moved
    assert inbox.sweep().offline is None
    assert ["hill.txt"] == in_inbox(root)
    assert [] == in_work(root)


def test_a_file_that_has_two_names_is_not_taken_twice(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """Where moving is linking, its share may go in between: while it has a name in work it is left alone."""
    (root / "hill.txt").write_text("a green hill")
    found = settled(inbox, clock)
    work = root / ".dropglow" / "work" / f"{KEY}~hill.txt"

    def link() -> None:
        os.link(root / "hill.txt", work)
        root.rename(root.with_name("away"))

    disk.before_moving = link
    inbox.claim([Party(key=KEY, drop=found[0])])
    disk.before_moving = lambda: None
    root.with_name("away").rename(root)
    disk.immovable = {str(work)}
    during = settled(inbox, clock)

    assert () == during
    work.unlink()
    disk.immovable = set()
    assert ["hill.txt"] == [sighting.path for sighting in settled(inbox, clock)]


def test_a_hidden_folder_that_somebody_removed_is_made_again(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """It is the same inbox, and files in it are taken as before."""
    mark = (root / ".dropglow" / "folder").read_text()
    shutil.rmtree(root / ".dropglow")
    (root / "hill.txt").write_text("a green hill")

    (claimed,) = inbox.claim([Party(key=KEY, drop=settled(inbox, clock)[0])])

    assert Path(claimed.place).exists()
    assert mark == (root / ".dropglow" / "folder").read_text()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on another file system."""
    folder = Path("/dev/shm") / f"dropglow-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


# ---------------------------------------------------------------- claiming what belongs together


def a_pair(root: Path, inbox: Inbox, clock: HandClock) -> Party:
    """Drop a picture and its mask, and return them as they are to be claimed."""
    (root / "art").mkdir()
    for name in ("art/hill.jpg", "art/hill.mask.png"):
        Image.new("RGB", (30, 20)).save(root / name)
    drop, mask = sorted(settled(inbox, clock), key=lambda each: each.path)
    return Party(key=KEY, drop=drop, partners=(Partner(path="art/HILL.mask.png", sighting=mask),))


def test_a_pair_is_claimed_under_one_key(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Both are hashed and examined; the partner goes by the name that its rule gives it."""
    (claimed,) = inbox.claim([a_pair(root, inbox, clock)])
    (partner,) = claimed.partners

    assert ("art/HILL.mask.png", Format.PNG) == (partner.path, partner.facts.format)
    assert hashlib.sha256(Path(partner.place).read_bytes()).hexdigest() == partner.sha256
    assert [] == in_inbox(root)
    assert {KEY} == {orphan.key for orphan in inbox.returning.orphans()}


@pytest.mark.parametrize("name", ["hill.jpg", "hill.mask.png"])
@pytest.mark.parametrize("trouble", ["gone", "changed", "immovable", "unreadable", "no folder"])
def test_where_one_of_a_pair_cannot_be_had_both_go_back(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk, name: str, trouble: str
) -> None:
    """All or none, whatever is in the way; the next claim finds what is left."""
    party, path = a_pair(root, inbox, clock), root / "art" / name
    match trouble:
        case "gone":
            disk.before_moving = lambda: path.unlink(missing_ok=True)
        case "changed":
            disk.before_moving = lambda: path.write_bytes(b"something else")
        case "immovable":
            disk.immovable = {str(path)}
        case "unreadable":
            disk.unreadable = {name}
        case _:
            (root / ".dropglow" / "work" / KEY).parent.mkdir(exist_ok=True)
            (root / ".dropglow" / "work" / KEY).write_text("in the way")
    claimed = inbox.claim([party])

    there = {"art/hill.jpg", "art/hill.mask.png"} - ({f"art/{name}"} if trouble == "gone" else set())
    assert () == claimed
    assert sorted(there) == in_inbox(root)


def test_of_several_pairs_the_sound_ones_are_claimed(
    root: Path, inbox: Inbox, clock: HandClock, disk: StubbornDisk
) -> None:
    """One pair that goes back keeps no other from being taken."""
    for name in ("a.txt", "a.x.txt", "b.txt", "b.x.txt"):
        (root / name).write_text(name)
    found = {each.path: each for each in settled(inbox, clock)}
    pairs = [
        Party(
            key=key,
            drop=found[f"{stem}.txt"],
            partners=(Partner(path=f"{stem}.x.txt", sighting=found[f"{stem}.x.txt"]),),
        )
        for key, stem in ((KEY, "a"), (OTHER_KEY, "b"))
    ]
    disk.immovable = {str(root / "a.x.txt")}

    (claimed,) = inbox.claim(pairs)

    assert OTHER_KEY == claimed.key
    assert ["a.txt", "a.x.txt"] == in_inbox(root)


def test_a_lock_that_cannot_be_let_go_in_order_is_let_go(tmp_path: Path, clock: HandClock) -> None:
    """Closing a file on a share that died may fail; the descriptor is gone all the same, and so is the inbox."""
    inbox = an_inbox(tmp_path, clock, RealDisk())
    inbox.open()
    os.close(lock_of(inbox))

    inbox.close()
    inbox.open()

    assert inbox.sweep().offline is None
    inbox.close()
