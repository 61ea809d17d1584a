"""The real program under a service manager: ready, reloading, alive and stopping, over its socket."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

pytestmark = pytest.mark.e2e


class Manager:
    """What systemd is to the program: a socket, and an environment."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)

    def said(self, line: str) -> int:
        """Return how often *line* was said until now."""
        try:
            while True:
                self.heard += self._socket.recv(65536).decode().splitlines()
        except BlockingIOError:
            return self.heard.count(line)

    def status(self) -> str:
        """Return the latest status."""
        self.said("")
        return next((line for line in reversed(self.heard) if line.startswith("STATUS=")), "")

    def manages(self, site: Site, *, watchdog_s: float) -> None:
        site.environ |= {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": str(round(watchdog_s * 1e6))}

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Return a manager that listens."""
    manager = Manager(tmp_path)
    yield manager
    manager.close()


async def status_shows(site: Site, seen: Callable[[str], bool]) -> str:
    """Return what ``status`` says once it is as wanted: what it shows is written down once a second at most."""
    async with asyncio.timeout(60):
        while True:
            _, told = await site.command("status")
            if seen(told):
                return told


async def test_a_life_is_told_from_ready_to_stopping(make_site: SiteMaker, manager: Manager) -> None:
    """Ready once the inboxes are open, signs of life all along, stopping before it ends."""
    site = await make_site()
    manager.manages(site, watchdog_s=0.6)
    process = await site.start()
    await site.until(lambda: manager.said("READY=1") == 1, process=process)
    await site.until(lambda: manager.said("WATCHDOG=1") > 3, process=process)
    await site.until(lambda: "2 inboxes" in manager.status(), process=process)

    code = await site.stop(process)

    assert (0, 1, 1) == (code, manager.said("STOPPING=1"), manager.said("READY=1"))


async def test_a_hang_up_reloads_and_says_so(make_site: SiteMaker, manager: Manager) -> None:
    """SIGHUP reads the rules again: reloading, with its moment, and ready; a broken edit is in the status."""
    site = await make_site()
    manager.manages(site, watchdog_s=60)
    process = await site.start()
    await site.until(lambda: manager.said("READY=1") == 1, process=process)
    configuration = site.folder / "dropglow.yaml"
    sound = configuration.read_text()

    configuration.write_text(sound.replace("match", "mtach"))
    process.send_signal(signal.SIGHUP)
    await site.until(lambda: "on disk has 2 faults" in manager.status(), process=process)
    await status_shows(site, lambda told: "the old one is in force" in told)
    configuration.write_text(sound + sound[sound.index("  - name: prompts") :].replace("prompts", "posters"))
    process.send_signal(signal.SIGHUP)
    await site.until(lambda: "; 3 inboxes" in f"; {manager.status()[7:]}", process=process)
    mended = await status_shows(site, lambda told: "in force" not in told)
    await site.stop(process)

    moments = [line for line in manager.heard if line.startswith("MONOTONIC_USEC=")]
    assert manager.said("RELOADING=1") == len(moments) == manager.said("READY=1") - 1 >= 2
    assert "inbox/posters" in mended


async def test_a_loop_that_stands_still_gives_no_signs(make_site: SiteMaker, manager: Manager) -> None:
    """A process that is stopped is not alive; once it goes on, it is again."""
    site = await make_site()
    manager.manages(site, watchdog_s=0.6)
    process = await site.start()
    await site.until(lambda: manager.said("WATCHDOG=1") > 1, process=process)

    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.1)
    before = manager.said("WATCHDOG=1")
    await asyncio.sleep(1.0)
    meanwhile = manager.said("WATCHDOG=1") - before
    process.send_signal(signal.SIGCONT)

    await site.until(lambda: manager.said("WATCHDOG=1") > before + 1, process=process)
    assert 0 == meanwhile
    assert 0 == await site.stop(process)


async def test_the_sandbox_s_own_addresses_need_no_restart(make_site: SiteMaker, manager: Manager) -> None:
    """With the sandbox inside, a reload does not take the addresses of the file for new ones."""
    site = await make_site()
    manager.manages(site, watchdog_s=60)
    process = await site.start("--sandbox")
    await site.until(lambda: manager.said("READY=1") == 1, process=process)

    process.send_signal(signal.SIGHUP)
    await site.until(lambda: bool(site.events("config.reloaded")), process=process)
    await site.stop(process)

    assert [] == site.events("config.needs_restart")
