"""The real program as a process of its own, against the sandbox on loopback in the test's process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from dropglow.ledger.base import Query
from dropglow.ledger.sqlite import SqliteReader
from dropglow.model import Job, Stage
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

CONFIGURATION = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{in_flight: {in_flight}, requests_per_minute: off, requests_per_day: off, poll: {{min: 50ms, max: 500ms}}}}
budget: {{brake: off}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: {settle}
    rescan: 1s
    match: {{kind: image}}
    expand: {{sizes: [800x600, 900x700, 1000x800]}}
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: {settle}
    rescan: 1s
    match: {{kind: prompt}}
    generate: {{size: 1024x1024}}
"""


COMMAND_S = 60.0  # longer than any command may take on a busy machine
STOP_S = 60.0


class Site:
    """A folder with a configuration, a world that answers, and the program to start and stop."""

    def __init__(
        self, folder: Path, world: World, url: str, *, in_flight: int = 16, settle: str = "200ms"
    ) -> None:
        self.folder = folder
        self.world = world
        self.photos = folder / "inbox" / "photos"
        self.prompts = folder / "inbox" / "prompts"
        self.outbox = folder / "outbox"
        self.log = folder / "log.jsonl"
        self._started: list[asyncio.subprocess.Process] = []
        for made in (self.photos, self.prompts, self.outbox, folder / "source"):
            made.mkdir(parents=True)
        (folder / "dropglow.yaml").write_text(
            CONFIGURATION.format(url=url, in_flight=in_flight, settle=settle)
        )
        self.environ = {
            **os.environ,
            "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
            "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
            "PYTHONWARNINGS": "error",
        }

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start ``dropglow run`` and return the process; its log is appended to ``log``."""
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "dropglow",
                "--config",
                str(self.folder),
                "run",
                *arguments,
                env=self.environ,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )
        self._started.append(process)
        return process

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run one command to its end; return its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dropglow",
            "--config",
            str(self.folder),
            *arguments,
            env=self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
        )
        self._started.append(process)
        out, _ = await asyncio.wait_for(process.communicate(), COMMAND_S)
        return process.returncode or 0, out.decode()

    async def stop(self, process: asyncio.subprocess.Process) -> int:
        """Ask the service to stop, and return its exit code."""
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), STOP_S)

    async def close(self) -> None:
        """Kill whatever of it still runs: a test that failed stopped nothing."""
        for process in self._started:
            if process.returncode is None:
                process.kill()
                await asyncio.wait_for(process.wait(), STOP_S)

    async def until(
        self, seen: Callable[[], bool], *, process: asyncio.subprocess.Process, limit_s: float = 120
    ) -> None:
        """Look until *seen* holds; fail with the log's end when the process ended or time ran out."""
        deadline = asyncio.get_running_loop().time() + limit_s
        while not seen():
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                pytest.fail(f"it never came to this; exit code {process.returncode}; log:\n{self.tail()}")
            await asyncio.sleep(0.05)

    async def until_results(self, count: int, *, process: asyncio.subprocess.Process, inputs: int) -> None:
        """Look until there are *count* results, or all *inputs* rest because some of them are in doubt."""
        await self.until(lambda: len(self.results()) >= count or self.at_rest() == inputs, process=process)

    def tail(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-40:])

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log records of this event."""
        records = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [record for record in records if record.get("event") == name]

    def results(self) -> list[Path]:
        return [p for p in self.outbox.rglob("*") if p.is_file() and not p.name.startswith(".")]

    def count(self, *below: str) -> int:
        """Return how many visible files lie in these folders below the inboxes."""
        return sum(1 for name in below for p in (self.folder / "inbox" / name).glob("*") if p.is_file())

    def at_rest(self) -> int:
        """Return how many inputs lie in a last folder, reports not counted."""
        last = [p for name in ("_done", "_failed", "_held") for p in self.folder.glob(f"inbox/*/{name}/*")]
        return sum(1 for p in last if not p.name.endswith((".error.txt", ".held.txt")))

    def photo_source(self, number: int) -> Path:
        path = self.folder / "source" / f"photo{number:03}.jpg"
        picture = Image.effect_noise((240, 160), 40 + number).convert("RGB")
        ImageDraw.Draw(picture).text((10, 10), str(number), fill="white")
        picture.save(path)
        return path

    def prompt_source(self, number: int) -> Path:
        path = self.folder / "source" / f"prompt{number:03}.txt"
        path.write_text(f"prompt number {number}: a lighthouse in fog")
        return path

    async def drop(self, source: Path, inbox: Path, how: int) -> None:
        """Bring a file by ``cp``, by ``mv`` or by a slow writer, as *how* says."""
        target = inbox / source.name
        if how % 3 == 0:
            shutil.copyfile(source, target)
        elif how % 3 == 1:
            source.rename(target)
        else:
            await self.write_slowly(source, target)

    async def write_slowly(self, source: Path, target: Path) -> None:
        """Write a file in three pieces with pauses that are shorter than the settle time."""
        data = source.read_bytes()
        third = len(data) // 3 + 1
        with target.open("wb") as file:
            for start in range(0, len(data), third):
                file.write(data[start : start + third])
                file.flush()
                await asyncio.sleep(0.08)

    async def jobs(self, *stages: Stage) -> tuple[Job, ...]:
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            return await reader.find(Query(stages=frozenset(stages) or None, limit=10_000))
        finally:
            await reader.close()


class SiteMaker:
    """Makes sites in one test's folder; each has a sandbox of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._served: list[Sandbox] = []
        self._sites: list[Site] = []

    async def __call__(self, *faults: str, in_flight: int = 16, settle: str = "200ms") -> Site:
        world = World(faults=parse_faults(["pictures=plain", *faults]), seed=11)
        served = Sandbox(world)
        await served.__aenter__()
        self._served.append(served)
        site = Site(self._folder / "site", world, served.url, in_flight=in_flight, settle=settle)
        self._sites.append(site)
        return site

    async def close(self) -> None:
        for site in self._sites:
            await site.close()
        for served in self._served:
            await served.__aexit__(None, None, None)


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[SiteMaker]:
    """Return a maker of sites, each with the faults that it is given in words: ``duration=1-2``."""
    maker = SiteMaker(tmp_path)
    try:
        yield maker
    finally:
        await maker.close()
