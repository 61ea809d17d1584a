"""An inbox whose originals stay: what is copied, what is known, and that nothing is written into it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from dropglow.clock import RealClock
from dropglow.disk import RealDisk
from dropglow.errors import DiskError
from dropglow.intake.claiming import Claimed, Partner, Party
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan, workshop
from dropglow.intake.root import InboxBusy
from dropglow.intake.sweep import Sweep
from dropglow.landmarks import Memory, Role
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import DropKey, Kind, Original, Sighting
from dropglow.runtime.recalling import Recalling

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker

KEY = DropKey("abcdefghij")


class HandClock(RealClock):
    """A clock that runs when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class WatchedDisk(RealDisk):
    """A disk that lets somebody in before it opens or creates anything."""

    def __init__(self) -> None:
        self.before_opening: Callable[[str], object] = lambda _: None

    def open_read(self, path: str) -> BinaryIO:
        self.before_opening(path)
        return super().open_read(path)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "hill.txt").write_text("a green hill")
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(workshop(str(tmp_path / "state"), str(tmp_path / "in")))


def kept_inbox(
    root: Path, shop: Path, clock: HandClock, disk: RealDisk, memory: Memory | None = None
) -> Inbox:
    plan = InboxPlan(folder=str(root), workshop=str(shop))
    return Inbox(plan, disk=disk, clock=clock, ledger_identity="ours", memory=memory)


@pytest.fixture
def disk() -> WatchedDisk:
    return WatchedDisk()


@pytest.fixture
def inbox(root: Path, shop: Path, clock: HandClock, disk: WatchedDisk) -> Iterator[Inbox]:
    inbox = kept_inbox(root, shop, clock, disk)
    inbox.open()
    yield inbox
    inbox.close()


def settled(inbox: Inbox, clock: HandClock) -> Sweep:
    inbox.sweep()
    clock.seconds += 2
    return inbox.sweep()


def claimed(inbox: Inbox, clock: HandClock) -> tuple[Claimed, ...]:
    """Copy everything that lies still, as one drop with its partners."""
    first, *others = settled(inbox, clock).unasked
    partners = tuple(Partner(path=each.path, sighting=each) for each in others)
    return inbox.claim([Party(key=KEY, drop=first, partners=partners)])


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_copy_is_taken_and_the_original_stays(
    root: Path, shop: Path, inbox: Inbox, clock: HandClock
) -> None:
    """The copy is in the state folder, hashed and examined; the inbox has not even a hidden folder."""
    (taken,) = claimed(inbox, clock)

    assert Path(taken.place).read_text() == "a green hill"
    assert Path(taken.place).is_relative_to(shop)
    assert hashlib.sha256(b"a green hill").hexdigest() == taken.sha256
    assert Kind.PROMPT is taken.facts.kind
    assert ["hill.txt"] == [path.name for path in root.iterdir()]


def test_what_was_copied_is_known_until_it_changes(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """The next look tells it as known; another content is settled anew, and asked about."""
    claimed(inbox, clock)
    known = settled(inbox, clock)
    (root / "hill.txt").write_text("a blue hill")
    settled(inbox, clock)  # one that changed waits twice as long
    changed = settled(inbox, clock)

    assert ((), 1, ()) == (known.settled, known.known, known.unasked)
    assert (["hill.txt"], 0) == ([each.path for each in changed.unasked], changed.known)


def test_who_writes_while_it_is_copied_is_waited_for(
    root: Path, shop: Path, inbox: Inbox, clock: HandClock, disk: WatchedDisk
) -> None:
    """An original that grows between the look and the end of its copy lies still again before it is taken."""
    sweep = settled(inbox, clock)

    def write(path: str) -> None:
        if path == str(root / "hill.txt"):
            disk.before_opening = lambda _: None
            with (root / "hill.txt").open("a") as file:
                file.write(" and a river")

    disk.before_opening = write
    taken = inbox.claim([Party(key=KEY, drop=sweep.unasked[0])])

    assert () == taken
    assert [] == files(shop)
    (again,) = claimed(inbox, clock)
    assert "a green hill and a river" == Path(again.place).read_text()


def test_writing_during_the_copy_is_noticed(
    root: Path, shop: Path, clock: HandClock, faulty_disk: DiskMaker
) -> None:
    """Whoever writes while the copy is being made, the same number of bytes even, is noticed by the time."""

    def write() -> None:
        (root / "hill.txt").write_text("a brown hill")
        os.utime(root / "hill.txt", ns=(1, 1))

    inbox = kept_inbox(root, shop, clock, faulty_disk(faulty_disk.fault(verb="file.finish", deed=write)))
    inbox.open()

    assert () == claimed(inbox, clock)
    assert [] == files(shop)
    inbox.close()


@pytest.mark.parametrize("verb", ["create", "file.write", "file.finish"])
def test_a_copy_that_cannot_be_written_leaves_nothing(
    root: Path, shop: Path, clock: HandClock, faulty_disk: DiskMaker, verb: str
) -> None:
    """A full disk spoils the whole drop: the original stays, is told with the reason, and rests for a while."""
    (root / "hill.md.txt").write_text("a partner")
    shop.mkdir(parents=True)
    fault = faulty_disk.fault(verb=verb, number=errno.ENOSPC, lasting=True)
    inbox = kept_inbox(root, shop, clock, faulty_disk(fault))
    inbox.open()

    assert () == claimed(inbox, clock)
    assert [] == files(shop)
    assert ["hill.md.txt", "hill.txt"] == files(root)
    assert 1 == len(settled(inbox, clock).snags)
    inbox.close()


def test_copies_that_are_not_synced_are_none(
    root: Path, shop: Path, clock: HandClock, faulty_disk: DiskMaker
) -> None:
    """Where the state folder's disk refuses to sync, nothing is taken out of the inbox, and that is said of all of it."""
    shop.mkdir(parents=True)
    fault = faulty_disk.fault(verb="sync_folder", number=errno.EIO, lasting=True)
    inbox = kept_inbox(root, shop, clock, faulty_disk(fault))
    inbox.open()

    assert () == claimed(inbox, clock)
    assert ([], ["hill.txt"]) == (files(shop), files(root))
    offline = settled(inbox, clock).offline
    assert offline is not None
    assert "nothing is taken until that works" in offline
    inbox.close()


def test_an_original_that_cannot_be_read_is_told(
    root: Path, inbox: Inbox, clock: HandClock, disk: WatchedDisk
) -> None:
    """A file without permission is passed over, with the reason."""
    sweep = settled(inbox, clock)

    def refuse(path: str) -> None:
        raise DiskError(f"cannot open {path}: permission denied")

    disk.before_opening = refuse
    inbox.claim([Party(key=KEY, drop=sweep.unasked[0])])

    assert ["hill.txt"] == [snag.path for snag in settled(inbox, clock).snags]


def test_an_original_that_went_is_forgotten(root: Path, shop: Path, inbox: Inbox, clock: HandClock) -> None:
    """A file that somebody took away between the look and the copy is no trouble."""
    sweep = settled(inbox, clock)
    (root / "hill.txt").unlink()

    taken = inbox.claim([Party(key=KEY, drop=sweep.unasked[0])])

    assert ((), []) == (taken, files(shop))
    assert () == inbox.sweep().snags


def test_copies_that_nobody_knows_are_removed_and_not_given_back(
    root: Path, shop: Path, inbox: Inbox, clock: HandClock, disk: WatchedDisk
) -> None:
    """After a crash before the admission, the copy is an orphan; giving it back leaves the inbox alone."""
    (taken,) = claimed(inbox, clock)
    inbox.close()
    next_life = kept_inbox(root, shop, clock, disk)
    next_life.open()
    (orphan,) = next_life.returning.orphans()

    next_life.returning.give_back(orphan)

    assert [] == files(shop)
    assert ["hill.txt"] == files(root)
    assert taken.place == orphan.place
    next_life.close()


def test_an_inbox_that_is_missing_is_not_made(tmp_path: Path, shop: Path, clock: HandClock) -> None:
    """Nothing is put under what may be a mount point."""
    inbox = kept_inbox(tmp_path / "away", shop, clock, RealDisk())

    with pytest.raises(DiskError, match="is missing"):
        inbox.open()

    assert not (tmp_path / "away").exists()


def test_a_folder_that_went_and_came_back_is_taken_up_again(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """While it is away nothing is said of its files; afterwards they are there as before."""
    claimed(inbox, clock)
    root.rename(root.with_name("away"))
    away = inbox.sweep()
    root.with_name("away").rename(root)

    assert "it is not there" in (away.offline or "")
    assert 1 == settled(inbox, clock).known


def test_it_is_remembered_without_a_mark(root: Path, shop: Path, clock: HandClock) -> None:
    """Where it lies and what is mounted there is known of it, and nothing else can be."""
    memory = Memory()
    inbox = kept_inbox(root, shop, clock, RealDisk(), memory)
    inbox.open()
    inbox.close()

    known = memory.known(Role.INBOX, str(root))
    assert known is not None
    assert ("", str(root)) == (known.mark, known.place)


def test_a_second_service_on_this_machine_is_refused(
    root: Path, inbox: Inbox, tmp_path: Path, clock: HandClock
) -> None:
    """Another state folder would know nothing of what was taken, and buy it all again."""
    other = kept_inbox(root, tmp_path / "other", clock, RealDisk())

    with pytest.raises(InboxBusy):
        other.open()


def test_a_lock_of_somebody_elses_is_let_go_with_its_owner(
    root: Path, inbox: Inbox, clock: HandClock
) -> None:
    """A service that closed its inbox leaves it free."""
    inbox.close()
    handle = os.open(root, os.O_RDONLY)

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.close(handle)


def recalling(inbox: Inbox, ledger: MemoryLedger, asked: list[int]) -> Recalling:
    """Return what asks *ledger*, noting how many paths each question had."""

    class Counting(MemoryLedger):
        async def originals(self, inbox: str, paths: object) -> dict[str, Original]:
            assert isinstance(paths, list)
            asked.append(len(paths))
            return await ledger.originals(inbox, paths)

    async def at_once(function: Callable[..., object], *args: object) -> object:
        return function(*args)

    return Recalling(inbox=inbox, ledger=Counting(), clock=RealClock(), in_thread=at_once)


def original(sighting: Sighting, root: Path, *, mtime_ns: int | None = None) -> Original:
    return Original(
        inbox=str(root),
        path=sighting.path,
        size_bytes=sighting.size_bytes,
        mtime_ns=sighting.mtime_ns if mtime_ns is None else mtime_ns,
        drop=KEY,
    )


async def test_the_ledger_is_asked_once_about_each_file(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """In batches, and never again while a file stays as it is, whether it was known or not."""
    for number in range(1200):
        (root / f"{number}.txt").write_text("x")
    ledger, asked = MemoryLedger(), list[int]()
    sweep = settled(inbox, clock)
    await ledger.remember_originals([original(each, root) for each in sweep.unasked[:700]])
    recall = recalling(inbox, ledger, asked)

    first = await recall.recall(sweep)
    second = await recall.recall(inbox.sweep())

    assert [500, 500, 201] == asked
    assert (501, 700) == (len(first.settled), first.known)
    assert (501, 700, ()) == (len(second.settled), second.known, second.unasked)


async def test_a_file_with_another_time_is_not_known(root: Path, inbox: Inbox, clock: HandClock) -> None:
    """Size and time say whether it is as it was when it was taken."""
    ledger = MemoryLedger()
    sweep = settled(inbox, clock)
    await ledger.remember_originals([original(sweep.unasked[0], root, mtime_ns=1)])

    recalled = await recalling(inbox, ledger, []).recall(sweep)

    assert (1, 0) == (len(recalled.settled), recalled.known)
