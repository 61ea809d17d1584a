"""Shares, as FUSE mounts written to from the other side: no events come, and they go, return and hang.

Ten times at any moment under load as a rule; ``TEST_OUTAGES=500 python3 daemon test tests/integration/stories/test_shares.py -rP``
takes some minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from PIL import Image

from dropglow.model import DropState

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

OUTAGES: Final = int(os.environ.get("TEST_OUTAGES", "10"))
HURRY: Final = 60.0
MOUNT_S: Final = 30.0
PATIENCE_S: Final = 60.0  # with the slowest machine


def impossible() -> str:
    """Return why no share can be mounted here."""
    if shutil.which("bindfs") is None or shutil.which("fusermount3") is None:
        return "bindfs and fuse3 are not installed"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse is not there, or not for us"
    return ""


pytestmark = pytest.mark.skipif(bool(impossible()), reason=impossible() or "shares can be mounted")


class Share:
    """A folder that shows another one, without telling of what happens there."""

    def __init__(self, server: Path, point: Path) -> None:
        self.server = server
        self.point = point
        self._process: subprocess.Popen[bytes] | None = None
        server.mkdir(parents=True, exist_ok=True)

    def mount(self) -> None:
        self._process = subprocess.Popen(["bindfs", "-f", str(self.server), str(self.point)])
        deadline_s = time.monotonic() + MOUNT_S
        while not self.point.is_mount():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                pytest.skip("bindfs cannot mount here")
            time.sleep(0.01)

    def unmount(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        subprocess.run(["fusermount3", "-u", "-z", str(self.point)], check=False, capture_output=True)
        self._process.kill()  # somebody may have a file open there still
        self._process.wait(MOUNT_S)
        self._process = None

    def hang(self) -> None:
        """Answer nobody any more, until ``unmount``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Callable[[Path], Share]]:
    """Return a maker of mounted shares; they are gone after the test."""
    shares: list[Share] = []

    def make(point: Path) -> Share:
        made = Share(tmp_path / "server" / str(len(shares)), point)
        shares.append(made)
        made.mount()
        return made

    yield make
    for each in shares:
        each.unmount()


def told(log: StringIO, event: str, **fields: object) -> list[dict[str, Any]]:
    """Return the records of this event with these fields."""
    records = [json.loads(line) for line in log.getvalue().splitlines()]
    return [each for each in records if each["event"] == event and fields.items() <= each.items()]


@asynccontextmanager
async def running(daemon: Daemon) -> Any:
    """Run the service during the block; yield a function that waits until something is so."""
    stop = asyncio.Event()

    async def until(seen: Callable[[], object]) -> None:
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while not seen():
            assert asyncio.get_running_loop().time() < deadline_s, "it never came to this"
            assert not run.done(), run.exception()
            await asyncio.sleep(0.005)

    async with daemon.service() as service:
        run = asyncio.create_task(service.run(stop, once=False))
        try:
            yield until
        finally:
            stop.set()
            await asyncio.wait_for(run, PATIENCE_S)


@contextmanager
def looks(folder: Path, *, at: Path) -> Iterator[list[Path]]:
    """Note each look over *folder* that begins while *at* is there; an audit hook hears it, in whichever thread."""
    place, seen, over = folder.stat(), [], False

    def hear(event: str, details: tuple[Any, ...]) -> None:
        if over or event != "os.scandir" or not isinstance(details[0], int):
            return
        if os.path.samestat(place, os.fstat(details[0])) and at.exists():
            seen.append(at)

    sys.addaudithook(hear)
    yield seen
    over = True


async def test_what_is_written_on_the_server_is_taken(
    make_daemon: DaemonMaker, share: Callable[[Path], Share], log: StringIO
) -> None:
    """An inbox on a share is polled, by itself, and a file is taken at the second look that can see it."""
    daemon = make_daemon()
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("rescan: 100ms", "rescan: 1s"))
    nas = share(daemon.prompts)
    written, fox = nas.server.parent / "fox.txt", nas.server / "fox.txt"
    written.write_text("a fox in the snow")
    async with running(daemon) as until:
        await until(lambda: told(log, "inbox.watched", inbox=str(daemon.prompts)))
        with looks(daemon.prompts, at=fox) as seen:
            written.rename(fox)  # whole at once: a file that grows is looked at as long as it grows
            await until((daemon.prompts / "_done/fox.txt").exists)

    (watched,) = told(log, "inbox.watched", inbox=str(daemon.prompts))
    assert ("poll", True) == (watched["mode"], "does not announce" in watched["reason"])
    assert 2 == len(seen)
    assert [] == await daemon.broken_promises(daemon.prompts / "fox.txt")


async def test_an_inbox_that_is_unmounted_for_a_minute(
    make_daemon: DaemonMaker, share: Callable[[Path], Share], log: StringIO
) -> None:
    """It is said once, nothing is lost or bought twice, and nothing is done under the bare mount point."""
    daemon = make_daemon("duration=20", hurry=HURRY)
    nas = share(daemon.prompts)
    names = [f"fox {number}.txt" for number in range(4)]
    async with running(daemon) as until:
        for name in names[:2]:
            (nas.server / name).write_text(f"a {name} in the snow")
        await until(lambda: daemon.books()["accepted"] == 2)
        nas.unmount()
        (daemon.prompts / "ghost.txt").write_text("not for you")
        await until(lambda: told(log, "inbox.offline"))
        (nas.server / names[2]).write_text("a third fox")
        gone_s = daemon.clock.monotonic()
        await until(lambda: daemon.clock.monotonic() > gone_s + 60)
        bare = sorted(path.name for path in daemon.prompts.iterdir())
        (daemon.prompts / "ghost.txt").unlink()
        nas.mount()
        (nas.server / names[3]).write_text("a fourth fox")

        await until(lambda: all((daemon.prompts / "_done" / name).exists() for name in names))

    assert ["ghost.txt"] == bare
    assert (1, 1) == (len(told(log, "inbox.offline")), len(told(log, "inbox.online")))
    assert 4 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(*(daemon.prompts / name for name in names))


async def test_an_inbox_that_is_not_mounted_at_the_start(
    make_daemon: DaemonMaker, share: Callable[[Path], Share], log: StringIO
) -> None:
    """What was known before a restart is known after it: the bare mount point stays bare."""
    daemon = make_daemon(hurry=HURRY)
    nas = share(daemon.prompts)
    (nas.server / "fox.txt").write_text("a fox in the snow")
    await daemon.run_once()
    nas.unmount()
    async with running(daemon) as until:
        await until(lambda: told(log, "inbox.offline"))
        bare = list(daemon.prompts.iterdir())
        (nas.server / "owl.txt").write_text("an owl in the snow")
        nas.mount()

        await until((daemon.prompts / "_done/owl.txt").exists)

    assert [] == bare
    assert (1, 1) == (len(told(log, "inbox.offline")), len(told(log, "inbox.online")))
    assert [] == await daemon.broken_promises(daemon.prompts / "fox.txt", daemon.prompts / "owl.txt")


async def test_an_outbox_that_is_unmounted_while_jobs_run(
    make_daemon: DaemonMaker, share: Callable[[Path], Share], log: StringIO
) -> None:
    """What is paid for is kept in the state folder and delivered afterwards; nothing more is bought meanwhile."""
    daemon = make_daemon("duration=20", hurry=HURRY)
    (daemon.outbox / "prompts").mkdir()
    nas = share(daemon.outbox / "prompts")
    daemon.prompt("fox.txt")
    kept = daemon.folder / "state" / "results"
    async with running(daemon) as until:
        await until(lambda: daemon.books()["accepted"])
        nas.unmount()
        await until(lambda: kept.exists() and [each for each in kept.iterdir() if each.name[0] != "."])
        daemon.prompt("owl.txt", "an owl in the snow")
        await until(lambda: told(log, "job.postponed", source="owl.txt"))
        bare, bought = list((daemon.outbox / "prompts").iterdir()), daemon.books()["accepted"]
        nas.mount()

        await until(lambda: len(list((daemon.prompts / "_done").glob("*.txt"))) == 2)

    assert ([], 1) == (bare, bought)
    assert (1, 1) == (len(told(log, "outbox.offline")), len(told(log, "outbox.online")))
    assert (2, []) == (daemon.books()["accepted"], list(kept.iterdir()))
    assert [] == await daemon.broken_promises(daemon.prompts / "fox.txt", daemon.prompts / "owl.txt")


async def test_a_share_that_hangs_holds_up_nobody_else(
    make_daemon: DaemonMaker, share: Callable[[Path], Share]
) -> None:
    """The other inbox goes on, and the service ends in time."""
    daemon = make_daemon()
    nas = share(daemon.prompts)
    async with running(daemon) as until:
        await until((nas.server / ".dropglow").exists)
        nas.hang()
        daemon.photo()

        await until((daemon.photos / "_done/beach.jpg").exists)
        began_s = time.monotonic()

    assert time.monotonic() - began_s < 30
    nas.unmount()
    assert 2 == len(daemon.results())


class Bustle:
    """People who drop files on the servers of two inboxes, and shares that come and go."""

    def __init__(self, daemon: Daemon, share: Callable[[Path], Share], seed: int) -> None:
        self.dice = random.Random(seed)
        self.dropped: list[Path] = []
        self._prompts, self._photos = share(daemon.prompts), share(daemon.photos)
        self._shares = (self._prompts, self._photos, share(daemon.outbox))

    def drop(self) -> None:
        """Let a file appear, whole; every fourth is a picture, and no two are alike."""
        number = len(self.dropped)
        nas, name = (self._prompts, f"fox {number}.txt") if number % 4 else (self._photos, f"{number}.png")
        new = nas.server / ".new"
        if number % 4:
            new.write_text(f"fox number {number} in the snow")
        else:
            Image.new("RGB", (64, 48), (number % 250, number // 250, 90)).save(new, "PNG")
        new.rename(nas.server / name)
        self.dropped.append(nas.point / name)

    async def outage(self) -> list[str]:
        """Take one share away for a moment; return what others than we left in its place."""
        nas = self.dice.choice(self._shares)
        ghost = nas.point / "ghost.txt"
        nas.unmount()
        if self.dice.random() < 0.3:
            ghost.write_text("not for you")
        await asyncio.sleep(self.dice.choice([0.0, 0.02, 0.1, 0.4]))
        ghost.unlink(missing_ok=True)
        left = sorted(path.name for path in nas.point.rglob("*") if path.is_file())
        for each in sorted(nas.point.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() else each.unlink()
        nas.mount()
        return [name for name in left if not name.startswith(".dropglow-")]

    def rested(self) -> bool:
        """Return whether every file is in one of the last folders, on the server."""
        last = [nas.server / name for nas in self._shares for name in ("_done", "_failed", "_held")]
        found = {path.name for folder in last for path in folder.glob("*")}
        return {path.name for path in self.dropped} <= found

    def strays(self) -> list[str]:
        """Return what lies in a last folder and is neither a file that was dropped nor a report about one."""
        names = {path.name + end for path in self.dropped for end in ("", ".error.txt", ".held.txt")}
        last = [nas.server / name for nas in self._shares for name in ("_done", "_failed", "_held")]
        found = [path for folder in last for path in folder.glob("*") if not path.name.startswith(".fuse")]
        return [str(path) for path in found if path.name not in names]


async def test_shares_that_come_and_go_under_load(
    make_daemon: DaemonMaker, share: Callable[[Path], Share], log: StringIO
) -> None:
    """Whenever they go: every file is in one place at the end, the ledger knows it, and the books are the ledger's."""
    daemon = make_daemon("duration=0.5-20", "job_failed=0.15", "submit_lost=0.02", hurry=HURRY)
    bustle, left = Bustle(daemon, share, OUTAGES), []
    async with running(daemon) as until:
        for _ in range(2):
            bustle.drop()  # an outbox is known once something was put into it
        await until(bustle.rested)
        for _ in range(OUTAGES):
            for _ in range(bustle.dice.randint(0, 3)):
                bustle.drop()
            await asyncio.sleep(bustle.dice.uniform(0.0, 0.4))
            left += await bustle.outage()
        await until(bustle.rested)
        async with asyncio.timeout(PATIENCE_S):
            while await daemon.drops(DropState.OPEN):  # noqa: ASYNC110 - the last of them is closed without a sign
                await asyncio.sleep(0.05)

    closed = await daemon.drops()
    print(f"{OUTAGES} outages, {len(closed)} files, {daemon.books()['accepted']} jobs")
    assert [] == [*left, *bustle.strays()]
    assert [] == [drop.path for drop in closed if not Path(drop.place).is_file()]
    assert len(bustle.dropped) == len(closed)
    assert [] == await daemon.broken_promises(*bustle.dropped)
