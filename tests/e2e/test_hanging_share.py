"""The real program on a share whose server answers nobody any more."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.config import load_config
from dropglow.disk import RealDisk
from dropglow.groundwork import make_folders
from dropglow.intake.lookout import Lookout

if TYPE_CHECKING:
    from tests.e2e.conftest import SiteMaker

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("bindfs") is None, reason="bindfs is not installed"),
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse is not there for us"),
]
MOUNT_S = 30.0
ANSWER_S = 60.0  # on the slowest machine; a share that hangs never answers


class Server:
    """Whoever serves the shares of one test."""

    def __init__(self) -> None:
        self._served: list[tuple[subprocess.Popen[bytes], Path]] = []

    def mount(self, server: Path, point: Path) -> None:
        server.mkdir(parents=True)
        process = subprocess.Popen(["bindfs", "-f", str(server), str(point)])
        self._served.append((process, point))
        deadline_s = time.monotonic() + MOUNT_S
        while not point.is_mount():
            if process.poll() is not None or time.monotonic() > deadline_s:
                pytest.skip("bindfs cannot mount here")
            time.sleep(0.01)

    def hang(self) -> None:
        for process, _ in self._served:
            process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        for process, _ in self._served:
            process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        for process, point in self._served:
            process.kill()
            subprocess.run(["fusermount3", "-u", "-z", str(point)], check=False, capture_output=True)
            process.wait(MOUNT_S)


@pytest.fixture
def nas() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


async def test_the_program_ends_although_its_shares_hang(make_site: SiteMaker, nas: Server) -> None:
    """Another inbox is served meanwhile; no thread that hangs keeps the process."""
    site = await make_site()
    (site.outbox / "prompts").mkdir()
    nas.mount(site.folder / "server" / "in", site.prompts)
    nas.mount(site.folder / "server" / "out", site.outbox / "prompts")
    source = site.prompt_source(1)
    process = await site.start()
    shutil.copy(source, site.folder / "server" / "in")
    await site.until(lambda: len(site.events("result.delivered")) == 1, process=process)
    await site.until(lambda: bool(site.events("drop.done")), process=process)
    nas.hang()
    shutil.copy(site.photo_source(1), site.photos)
    await site.until(lambda: len(site.events("drop.done")) == 2, process=process)
    began_s = time.monotonic()
    exit_code = await site.stop(process)

    assert 0 == exit_code
    assert time.monotonic() - began_s < 30


async def test_the_program_starts_although_a_share_hangs(make_site: SiteMaker, nas: Server) -> None:
    """A share that is dead before anybody looks delays a command by seconds; everything else goes on as ever."""
    site = await make_site()
    (site.outbox / "prompts").mkdir()
    nas.mount(site.folder / "server" / "in", site.prompts)
    nas.mount(site.folder / "server" / "out", site.outbox / "prompts")
    nas.hang()
    shutil.copy(site.photo_source(1), site.photos)

    process = await site.start()
    await site.until(lambda: len(site.events("drop.done")) == 1, process=process)
    await site.until(lambda: bool(site.events("inbox.offline")), process=process)
    checked = await asyncio.wait_for(site.command("check"), ANSWER_S)
    status = await asyncio.wait_for(site.command("status"), ANSWER_S)
    local = await asyncio.wait_for(site.command("explain", "beach.jpg"), ANSWER_S)
    dead = await asyncio.wait_for(site.command("explain", str(site.prompts / "fox.txt")), ANSWER_S)
    exit_code = await asyncio.wait_for(site.stop(process), ANSWER_S)

    assert [0, 0, 0, 1, 0] == [checked[0], status[0], local[0], dead[0], exit_code]
    assert f"the inbox {site.prompts} does not answer" in " ".join(checked[1].split())
    assert "does not answer" in " ".join(status[1].split())
    assert "does not answer" in " ".join(dead[1].split())
    assert 1 == len(site.events("inbox.offline"))
    assert [] == [each for each in site.events("config.warning") if "answer" in each["warning"]]


async def test_a_share_that_hung_at_the_start_is_served_once_it_answers(
    make_site: SiteMaker, nas: Server
) -> None:
    """What was dropped meanwhile is taken, without a restart."""
    site = await make_site()
    nas.mount(site.folder / "server", site.prompts)
    nas.hang()
    process = await site.start()
    await site.until(lambda: bool(site.events("inbox.offline")), process=process)

    shutil.copy(site.prompt_source(1), site.folder / "server")
    nas.wake()

    await site.until(lambda: len(site.events("drop.done")) == 1, process=process)
    assert 0 == await site.stop(process)


async def test_a_share_that_falls_silent_while_the_program_starts_does_not_keep_it(
    make_site: SiteMaker, nas: Server
) -> None:
    """It answered when the configuration was read, and hangs when missing folders are made: those are made all the same."""
    site = await make_site()
    nas.mount(site.folder / "server", site.prompts)
    config = load_config(str(site.folder), environ={}, cwd=str(site.folder))
    site.photos.rmdir()
    nas.hang()
    while not Lookout(patience_s=0.2)(str(site.prompts)).silent:  # noqa: ASYNC110 - the kernel remembers for a second
        await asyncio.sleep(0.1)

    await asyncio.wait_for(asyncio.to_thread(make_folders, config, RealDisk()), ANSWER_S)

    assert not config.silent
    assert site.photos.is_dir()
