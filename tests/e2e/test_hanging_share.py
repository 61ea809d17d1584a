"""The real program on a share whose server answers nobody any more."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import SiteMaker

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("bindfs") is None, reason="bindfs is not installed"),
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse is not there for us"),
]
MOUNT_S = 10.0


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
    assert time.monotonic() - began_s < 15
