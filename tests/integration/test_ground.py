"""A folder that does not answer is away, and nobody waits for it twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dropglow.errors import DiskError, FileGone
from dropglow.intake.survey import survey
from dropglow.landmarks import Landmark, Memory, Role
from dropglow.model import After, Drop, DropKey, Kind, RuleName
from dropglow.runtime.ground import WIDTH, Ground


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Return what a hanging look waits for; it hangs no longer than the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_folder_that_was_never_there_is_not_away(tmp_path: Path) -> None:
    """There is nothing to compare it with."""
    assert await Ground(Memory()).away(Role.OUTBOX, str(tmp_path / "new")) is None


async def test_a_known_folder_that_is_missing_is_away(tmp_path: Path) -> None:
    """It is never made again."""
    ground, folder = Ground(Memory()), tmp_path / "out"
    folder.mkdir()
    ground.remember(Role.OUTBOX, str(folder))
    there = await ground.away(Role.OUTBOX, str(folder))
    folder.rmdir()

    assert there is None
    assert isinstance(await ground.away(Role.OUTBOX, str(folder)), FileGone)


async def test_a_folder_that_went_meanwhile_is_not_remembered(tmp_path: Path) -> None:
    """What stands in the place of a share that went after it was asked for is not taken for it."""
    memory = Memory()
    known = survey(str(tmp_path))
    assert known.mount is not None
    share = replace(known, mount=replace(known.mount, point=f"{tmp_path}/deeper"))
    memory.remember(Role.OUTBOX, str(tmp_path), share)

    with pytest.raises(DiskError, match="is not the folder that it was"):
        Ground(memory).remember(Role.OUTBOX, str(tmp_path))

    assert share == memory.known(Role.OUTBOX, str(tmp_path))


async def test_another_folder_in_its_place_is_away(tmp_path: Path) -> None:
    """What is told says what to do where it is meant; doing it is believed."""
    memory = Memory()
    known = survey(str(tmp_path))
    assert known.mount is not None
    memory.remember(
        Role.OUTBOX, str(tmp_path), replace(known, mount=replace(known.mount, point=f"{tmp_path}/deeper"))
    )
    absence = await Ground(memory).away(Role.OUTBOX, str(tmp_path))
    (tmp_path / ".dropglow").mkdir()

    assert absence is not None
    assert "make the folder .dropglow in it" in absence.hint
    assert await Ground(memory).away(Role.OUTBOX, str(tmp_path)) is None


async def test_a_folder_that_hangs_is_away(release: threading.Event) -> None:
    """While a look hangs, the answer is known at once; other folders are asked as ever."""
    ground = Ground(Memory(), patience_s=0.05)
    with pytest.raises(DiskError, match="does not answer"):
        await ground.ask(Role.INBOX, "/dead", release.wait)
    looks: list[str] = []
    with pytest.raises(DiskError, match="does not answer"):
        await ground.ask(Role.INBOX, "/dead", lambda: looks.append("in vain"))
    other = await ground.ask(Role.INBOX, "/alive", lambda: 7)

    assert (7, []) == (other, looks)


async def test_looks_at_one_folder_go_on_beside_each_other() -> None:
    """A slow one holds up no quick one."""
    ground, together = Ground(Memory()), threading.Barrier(WIDTH)
    answers = await asyncio.gather(
        *(ground.ask(Role.OUTBOX, "/out", lambda: together.wait(5)) for _ in range(WIDTH))
    )

    assert set(range(WIDTH)) == set(answers)


class Looked(Memory):
    """A memory that counts the looks, of which the first takes until *release*."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self.count = 0
        self.begun = threading.Event()
        self._release = release

    def known(self, role: Role, folder: str) -> Landmark | None:
        self.count += 1
        self.begun.set()
        self._release.wait(5)
        return super().known(role, folder)


async def test_who_asks_at_the_same_time_shares_a_look(tmp_path: Path, release: threading.Event) -> None:
    """A hundred deliveries into one folder need one answer."""
    release.set()
    memory = Looked(release)
    ground = Ground(memory)

    answers = await asyncio.gather(*(ground.away(Role.OUTBOX, str(tmp_path)) for _ in range(100)))

    assert [None] * 100 == answers
    assert 1 == memory.count


async def test_an_answer_is_never_older_than_its_question(tmp_path: Path, release: threading.Event) -> None:
    """Who asks while a look is under way waits for the next one, and shares it."""
    memory = Looked(release)
    ground = Ground(memory)
    first = asyncio.create_task(ground.away(Role.OUTBOX, str(tmp_path)))
    await asyncio.to_thread(memory.begun.wait, 5)
    later = [asyncio.create_task(ground.away(Role.OUTBOX, str(tmp_path))) for _ in range(10)]
    await asyncio.sleep(0)
    before = memory.count
    release.set()
    await asyncio.gather(first, *later)

    assert (1, 2) == (before, memory.count)


async def test_who_stops_waiting_takes_no_answer_from_others(
    tmp_path: Path, release: threading.Event
) -> None:
    """A cancelled question leaves the look to those who share it."""
    memory = Looked(release)
    ground = Ground(memory)
    one, other = (asyncio.create_task(ground.away(Role.OUTBOX, str(tmp_path))) for _ in range(2))
    await asyncio.to_thread(memory.begun.wait, 5)
    one.cancel()
    release.set()

    assert await other is None
    assert one.cancelled()


def test_a_local_folder_is_not_remote(tmp_path: Path) -> None:
    """Nor is one that nobody knows."""
    ground = Ground(Memory())
    unknown = ground.is_remote(Role.OUTBOX, str(tmp_path))
    ground.remember(Role.OUTBOX, str(tmp_path))

    assert (False, False) == (unknown, ground.is_remote(Role.OUTBOX, str(tmp_path)))


def a_drop(*, workshop: str, failed: Path) -> Drop:
    """Return a drop whose last folder, where it fails, is *failed*."""
    return Drop(
        key=DropKey("drop"),
        inbox=str(failed.parents[1] / "in"),
        path="a.txt",
        place="",
        rule=RuleName("art"),
        rule_digest="d",
        sha256="5",
        size_bytes=5,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done=None, failed=str(failed), held=str(failed), workshop=workshop),
        admitted_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    )


async def test_a_report_waits_for_the_outbox_that_it_goes_into(tmp_path: Path) -> None:
    """Nothing is made where an outbox was that is away; one that was never there is nobody's mount point."""
    outbox = tmp_path / "out"
    outbox.mkdir()
    ground = Ground(Memory())
    ground.remember(Role.OUTBOX, str(outbox))
    outbox.rmdir()
    kept = a_drop(workshop="/state/kept/1", failed=outbox / "_failed")
    elsewhere = a_drop(workshop="/state/kept/1", failed=tmp_path / "reports")

    assert isinstance(await ground.last_folder_away(kept), FileGone)
    assert await ground.last_folder_away(elsewhere) is None


async def test_what_is_moved_waits_for_its_inbox(tmp_path: Path) -> None:
    """Its last folder is on the same share."""
    ground = Ground(Memory())
    inbox = tmp_path / "in"
    inbox.mkdir()
    ground.remember(Role.INBOX, str(inbox))
    inbox.rmdir()

    assert isinstance(await ground.last_folder_away(a_drop(workshop="", failed=inbox / "_failed")), FileGone)


@pytest.mark.parametrize(
    ("remote", "in_loop"), [(False, True), (True, False), (None, False)], ids=["local", "share", "no list"]
)
async def test_a_glance_is_taken_in_the_loop_on_a_local_disk_alone(
    tmp_path: Path, remote: bool | None, in_loop: bool
) -> None:
    """A share may hang, and with it whatever else the loop has to do; and what nobody knows may be one."""
    memory = Memory()
    known = survey(str(tmp_path))
    assert known.mount is not None
    mount = None if remote is None else replace(known.mount, remote=remote)
    memory.remember(Role.OUTBOX, str(tmp_path), replace(known, mount=mount))

    where = await Ground(memory).glance(Role.OUTBOX, str(tmp_path), threading.current_thread)

    assert in_loop is (where is threading.current_thread())


async def test_a_glance_at_a_folder_that_is_not_known_waits_for_a_thread(tmp_path: Path) -> None:
    """One that is known in another role only is not known in this one."""
    ground = Ground(Memory())
    ground.remember(Role.INBOX, str(tmp_path))

    where = await ground.glance(Role.OUTBOX, str(tmp_path), threading.current_thread)

    assert where is not threading.current_thread()


@pytest.mark.parametrize("remote", [False, True])
async def test_a_glance_that_is_refused_says_so(tmp_path: Path, remote: bool) -> None:
    """Wherever it was taken."""
    memory = Memory()
    known = survey(str(tmp_path))
    assert known.mount is not None
    memory.remember(Role.OUTBOX, str(tmp_path), replace(known, mount=replace(known.mount, remote=remote)))

    def refuse() -> None:
        raise FileGone("it went")

    with pytest.raises(FileGone):
        await Ground(memory).glance(Role.OUTBOX, str(tmp_path), refuse)
