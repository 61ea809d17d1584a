"""A whole daemon in the test's own process: real files, real ledger, and the sandbox without a socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from PIL import Image

from dropglow.assembly import build
from dropglow.clock import Clock, RealClock
from dropglow.config import Config, load_config, survey_config
from dropglow.disk import Disk, RealDisk
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.holding import own
from dropglow.ledger.base import Query
from dropglow.ledger.mailbox import Mailbox, Verb, Wish
from dropglow.ledger.sqlite import SqliteReader
from dropglow.lifecycle import RESTING
from dropglow.model import Drop, DropState, Job, Stage
from dropglow.money import Fate
from dropglow.ops.logging import set_up
from dropglow.runtime.bell import Bell
from dropglow.runtime.service import Outcome, Service
from dropglow.sandbox.app import make_app
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.world import World
from tests.telling import Telling

PATIENCE_S = 60.0  # with the slowest machine
CANARY = "canary-client-secret"
# A client reads the certificates that this machine trusts, which takes longer than most of what it does here.
AUTHORITY = Path(__file__).parents[2] / "authority.pem"
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
    give_up: 200ms
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""


class HurriedClock:
    """A clock whose seconds are shorter than others', for patience that a test does not have."""

    def __init__(self, hurry: float) -> None:
        """Begin now, and run *hurry* times as fast as the machine's clock."""
        self._hurry = hurry
        self._began_at = datetime.now(UTC)
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=self.monotonic() - self._began_s)

    def monotonic(self) -> float:
        return self._began_s + (time.monotonic() - self._began_s) * self._hurry

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(max(0.0, delay_s / self._hurry))


class Daemon:
    """One configuration, one world; it may be run again and again."""

    def __init__(self, folder: Path, faults: Sequence[str], text: str, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.world = World(
            now=lambda: clock.now().timestamp(),
            faults=parse_faults(["duration=0.02-0.06", "pictures=plain", *faults]),
            seed=7,
        )
        self.disk: Disk = RealDisk()
        self.ledger: Callable[[Any], Any] = lambda ledger: ledger  # what stands between the service and it
        self.wire: Callable[[Any], Any] = lambda transport: transport  # the same before the world
        self.reload = Bell(clock)
        self._served: Config | None = None  # what the latest life was told
        self.sockets = False  # True: over the loopback interface, to wherever the configuration says
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
        config = self._served = self.config
        async with own(self.folder / "state") as owned:
            client = FireflyClient(
                config.api,
                FixedCredentials(client_id="canary-client-id", client_secret=CANARY),
                self.clock,
                connections=16,
                transport=None
                if self.sockets
                else self.wire(Telling(httpx.ASGITransport(make_app(self.world)))),
            )
            try:
                ledger = self.ledger(owned.ledger)
                yield await build(
                    config,
                    ledger=ledger,
                    client=client,
                    clock=self.clock,
                    disk=self.disk,
                    board=owned.lifeboat.board,
                    survey=lambda: survey_config(str(self.folder), environ={}, cwd=str(self.folder)),
                    reload=self.reload,
                )
            finally:
                await client.close()

    async def run_once(self) -> Outcome:
        """Run until everything rests."""
        async with self.service() as service:
            return await asyncio.wait_for(service.run(asyncio.Event(), once=True), PATIENCE_S)

    async def run_until(self, seen: Any) -> None:
        """Run until *seen* returns true, and stop in the middle of whatever goes on."""
        stop = asyncio.Event()
        async with self.service() as service:
            running = asyncio.create_task(service.run(stop, once=False))
            while not seen() and not running.done():  # noqa: ASYNC110 - a world outside tells nobody
                await asyncio.sleep(0.005)
            stop.set()
            await asyncio.wait_for(running, PATIENCE_S)

    async def jobs(self) -> tuple[Job, ...]:
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            return tuple(reversed(await reader.find(Query(limit=10_000))))
        finally:
            await reader.close()

    async def drops(self, state: DropState | None = None) -> tuple[Drop, ...]:
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            return await reader.drops(states=None if state is None else frozenset({state}), limit=10_000)
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

    async def history(self) -> dict[str, list[str]]:
        """Return the names of the events of every job, oldest first."""
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            drops = await reader.drops(limit=10_000)
            records = [record for drop in drops for record in await reader.history(drop.key)]
        finally:
            await reader.close()
        told: dict[str, list[str]] = {}
        for record in records:
            if record.job is not None:
                told.setdefault(record.job, []).append(record.event)
        return told

    async def broken_promises(self, *inputs: Path) -> list[str]:
        """Return what was promised and is not so, now that the service stopped with everything at rest."""
        return [
            *(self._misplaced(path) for path in inputs if self._misplaced(path)),
            *(f"left in work: {path}" for path in self.folder.glob("inbox/*/.dropglow/work/*")),
            *(f"left as a copy: {path}" for path in self.folder.glob("state/kept/*/*")),
            *(f"left in the outbox: {path}" for path in self.outbox.rglob(".*")),
            *await self._unkept_results(),
            *await self._unkept_money(),
        ]

    def _misplaced(self, path: Path) -> str:
        """Return where *path* is, unless it is in exactly one place, with a report where one is due."""
        folders = [path.parent, *(path.parent / name for name in ("_done", "_failed", "_held"))]
        found = [each for folder in folders if (each := folder / path.name).exists()]
        if len(found) != 1:
            return f"{path.name} is at {len(found)} places: {found}"
        suffix = {"_failed": ".error.txt", "_held": ".held.txt"}.get(found[0].parent.name)
        if suffix and not found[0].with_name(path.name + suffix).exists():
            return f"{found[0]} has no report"
        return ""

    async def _unkept_results(self) -> list[str]:
        """Return which results are missing, torn, or there without an order of ours."""
        jobs = await self.jobs()
        delivered = {Path(path): job for job in jobs for path in job.delivered}
        wrong = [f"missing: {path}" for path in delivered if not path.exists()]
        for path, job in delivered.items():
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
            if digest not in {artifact.sha256 for artifact in job.artifacts}:
                wrong.append(f"torn: {path}")
        expected = {str(path.relative_to(self.outbox)) for path in delivered}
        expected |= {f"{name}.json" for name in expected}
        expected |= self._reports()
        wrong += [f"nobody's: {name}" for name in self.results() if name not in expected]
        wrong += [f"{job.key} is {job.stage}" for job in jobs if job.stage not in RESTING]
        return wrong

    def _reports(self) -> set[str]:
        """Return the reports that lie below an outbox, as they do where originals stay in their inbox."""
        folders = {
            folder
            for rule in (self._served or self.config).rules
            if rule.keeps
            for folder in (rule.after.failed, rule.after.held)
        }
        return {
            str(path.relative_to(self.outbox)) for folder in folders for path in Path(folder).rglob("*.txt")
        }

    async def _unkept_money(self) -> list[str]:
        """Return where the ledger's view of what was bought is not that of the world's books."""
        books, jobs, history = self.books(), await self.jobs(), await self.history()
        known = {job.submission.remote_id: job for job in jobs if job.submission is not None}
        bought = {entry["id"]: entry for entry in books["jobs"]}
        doubts = [job for job in jobs if job.stage is Stage.IN_DOUBT]
        lost = [entry for remote_id, entry in bought.items() if remote_id not in known]
        wrong = [f"bought twice: {books['same_body_twice']}"] if books["same_body_twice"] else []
        wrong += [f"{remote_id} is known here only" for remote_id in known if remote_id not in bought]
        wrong += [
            f"{remote_id} belongs to another order than {job.key}"
            for remote_id, job in known.items()
            if remote_id in bought and bought[remote_id]["seeds"] != list(job.order.seeds)
        ]
        in_doubt = [list(job.order.seeds) for job in doubts]
        wrong += [f"nobody knows of {entry['id']}" for entry in lost if entry["seeds"] not in in_doubt]
        wrong += [
            f"{key} was ordered after a doubt: {events}"
            for key, events in history.items()
            if "Doubted" in events and "Began" in events[events.index("Doubted") :]
        ]
        return wrong + await self._unkept_books(books["images"])

    async def _unkept_books(self, charged: int) -> list[str]:
        """Return where ``costs`` tells another story than Adobe's books: only what is in doubt or failed may differ."""
        reader = SqliteReader.open(self.folder / "state" / "ledger.sqlite3")
        try:
            entries = await reader.costs()
        finally:
            await reader.close()
        bought = sum(each.amount.operations for each in entries if each.fate is Fate.BOUGHT)
        unsure = {Fate.IN_DOUBT, Fate.FAILED}
        perhaps = sum(each.amount.operations for each in entries if each.fate in unsure)
        if bought <= charged <= bought + perhaps:
            return []
        return [f"{charged} operations were charged, the ledger has {bought} and perhaps {perhaps}"]


class DaemonMaker:
    """Makes daemons in one test's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *faults: str, text: str = CONFIGURATION, hurry: float = 1.0) -> Daemon:
        return Daemon(self._folder, faults, text, RealClock() if hurry == 1.0 else HurriedClock(hurry))


@pytest.fixture(autouse=True)
def one_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine trust nobody but an authority that certified nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


@pytest.fixture
def make_daemon(tmp_path: Path) -> DaemonMaker:
    """Return a maker of daemons: ``make_daemon("submit_lost=first:1")``."""
    return DaemonMaker(tmp_path)


@pytest.fixture(autouse=True)
def log() -> Iterator[StringIO]:
    """Return everything that is logged, as JSON lines, however unimportant; it is printed at the end."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = StringIO()
    set_up(stream=stream, json=True, level=logging.DEBUG)
    yield stream
    print(stream.getvalue())
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
