"""A whole daemon in the test's own process: real files, real ledger, and the sandbox without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dropglow.app import build, own
from dropglow.clock import RealClock
from dropglow.config import Config, load_config
from dropglow.disk import Disk, RealDisk
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.ledger.base import Query
from dropglow.ledger.mailbox import Mailbox, Verb, Wish
from dropglow.ledger.sqlite import SqliteReader
from dropglow.model import Drop, DropState, Job
from dropglow.runtime.service import Outcome, Service
from dropglow.sandbox.app import make_app
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.world import World

CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""


class Daemon:
    """One configuration, one world; it may be run again and again."""

    def __init__(self, folder: Path, faults: Sequence[str], text: str) -> None:
        self.folder = folder
        self.world = World(faults=parse_faults(["duration=0.02-0.06", "pictures=plain", *faults]), seed=7)
        self.disk: Disk = RealDisk()
        self.photos = folder / "inbox" / "photos"
        self.prompts = folder / "inbox" / "prompts"
        self.outbox = folder / "outbox"
        for inbox in (self.photos, self.prompts, self.outbox):
            inbox.mkdir(parents=True)
        (folder / "dropglow.yaml").write_text(text)

    @property
    def config(self) -> Config:
        return load_config(str(self.folder), environ={}, cwd=str(self.folder))

    def faults(self, *words: str) -> None:
        """Let the world go wrong in these ways from now on, and in no others."""
        self.world.faults = parse_faults(["duration=0.02-0.06", "pictures=plain", *words])

    def photo(self, name: str = "beach.jpg", *, shade: int = 90) -> Path:
        path = self.photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (240, 160), (shade, 120, 200)).save(path)
        return path

    def prompt(self, name: str = "fox.txt", text: str = "a fox in the snow") -> Path:
        path = self.prompts / name
        path.write_text(text)
        return path

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Service]:
        async with own(self.folder / "state") as owned:
            client = FireflyClient(
                self.config.api,
                FixedCredentials(client_id="me", client_secret="secret"),
                RealClock(),
                connections=16,
                transport=httpx.ASGITransport(make_app(self.world)),
            )
            try:
                yield await build(
                    self.config, ledger=owned.ledger, client=client, clock=RealClock(), disk=self.disk
                )
            finally:
                await client.close()

    async def run_once(self) -> Outcome:
        """Run until everything rests."""
        async with self.service() as service:
            return await asyncio.wait_for(service.run(asyncio.Event(), once=True), 20)

    async def run_until(self, seen: Any) -> None:
        """Run until *seen* returns true, and stop in the middle of whatever goes on."""
        stop = asyncio.Event()
        async with self.service() as service:
            running = asyncio.create_task(service.run(stop, once=False))
            while not seen() and not running.done():  # noqa: ASYNC110 - a world outside tells nobody
                await asyncio.sleep(0.005)
            stop.set()
            await asyncio.wait_for(running, 20)

    async def jobs(self) -> tuple[Job, ...]:
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            return tuple(reversed(await reader.find(Query(limit=1000))))
        finally:
            await reader.close()

    async def drops(self, state: DropState | None = None) -> tuple[Drop, ...]:
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            return await reader.drops(states=None if state is None else frozenset({state}))
        finally:
            await reader.close()

    def wish(self, verb: Verb, target: str, argument: str = "") -> None:
        """Ask for something; it is carried out at the next run."""
        Mailbox(self.folder / "state" / "wishes").post(
            Wish(
                key=f"{verb.value}-{target}".replace(".", "-"),
                verb=verb,
                target=target,
                argument=argument,
                asked_at=RealClock().now(),
            )
        )

    def results(self) -> list[str]:
        """Return every visible file in the outbox, below it."""
        return sorted(
            str(path.relative_to(self.outbox))
            for path in self.outbox.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )

    def inbox(self) -> list[str]:
        """Return every visible file in the inboxes, below them."""
        root = self.folder / "inbox"
        return sorted(
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and ".dropglow" not in path.parts
        )

    def books(self) -> dict[str, Any]:
        return dict(json.loads(json.dumps(self.world.books())))


class DaemonMaker:
    """Makes daemons in one test's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *faults: str, text: str = CONFIGURATION) -> Daemon:
        return Daemon(self._folder, faults, text)


@pytest.fixture
def make_daemon(tmp_path: Path) -> DaemonMaker:
    """Return a maker of daemons: ``make_daemon("submit_lost=first:1")``."""
    return DaemonMaker(tmp_path)
