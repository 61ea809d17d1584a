"""A desk for the commands, with a ledger filled by hand through the real lifecycle, and a bench beside a pretend Adobe."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from dropglow.cli.main import main
from dropglow.clock import RealClock
from dropglow.disk import RealDisk
from dropglow.events import (
    Accepted,
    Began,
    CancelAsked,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Fetched,
    GaveUp,
    Held,
    Postponed,
    RanLate,
)
from dropglow.holding import own
from dropglow.ledger.lock import StateLock
from dropglow.ledger.sqlite import SqliteLedger, SqliteReader
from dropglow.lifecycle import advance
from dropglow.model import (
    After,
    Artifact,
    Billed,
    DeliveryPlan,
    Drop,
    DropKey,
    Failure,
    Job,
    JobKey,
    Kind,
    Order,
    Output,
    RemoteId,
    RuleName,
    Submission,
)
from dropglow.money import WAITS_FOR_APPROVAL, WAITS_FOR_MONEY
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.turns import Turns
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

CONFIGURATION: Final = """
state: ./state
rules:
  - {name: sizes, inbox: inbox/photos, outbox: outbox, expand: {sizes: [800x600, 900x700, 1000x800]}}
  - {name: art, inbox: inbox/prompts, outbox: outbox, generate: {size: 2048x2048}}
"""
REFUSED: Final = Failure(
    code="prompt_unsafe", what="nothing was ordered", why="content policy", hint="change the prompt"
)
LOST: Final = Failure(
    code="no_answer",
    what="nobody knows whether Adobe accepted this order",
    why="the connection was cut",
    hint="look for it at Adobe",
    billed=Billed.UNKNOWN,
)
ARTIFACT: Final = Artifact(
    index=0, seed=1, temporary="/out/.part", device=1, inode=2, size_bytes=3, sha256="5", media_type="image/jpeg",
    extension=".jpg",
)  # fmt: skip
SHORT: Final = Failure(code=WAITS_FOR_MONEY, what="the budget is spent")
FULL: Final = Failure(code="DiskFull", what="the outbox is full", hint="make room")


def events(stage: str, key: str, outbox: Path, at: datetime) -> tuple[Event, ...]:
    """Return what has to happen to a new job so that it stands at *stage*."""
    began = Began(at=at)
    accepted = Accepted(submission=Submission(remote_id=RemoteId(f"urn:{key}"), status_url=""), at=at)
    completed = Completed(outputs=(Output(index=0, seed=1, url="https://x/?signed"),), at=at)
    delivered = Delivered(paths=(str(outbox / f"{key}.jpg"),), at=at)
    return {
        "queued": (),
        "running": (began, accepted),
        "late": (began, accepted, RanLate(at=at)),
        "fetching": (began, accepted, completed),
        "held up": (began, accepted, completed, Postponed(until=at + timedelta(hours=1), failure=FULL)),
        "delivered": (began, accepted, completed, Fetched(artifacts=()), delivered),
        "in doubt": (began, Doubted(failure=LOST)),
        "skipped": (began, accepted, completed, Fetched(artifacts=(ARTIFACT,)), replace(delivered, paths=())),
        "failed": (GaveUp(failure=REFUSED, at=at),),
        "held": (Held(failure=Failure(code=WAITS_FOR_APPROVAL, what="too many images wait")),),
        "short": (Postponed(until=at + timedelta(hours=1), failure=SHORT),),
        "declined": (began, Declined(failure=REFUSED, until=at + timedelta(hours=1), counts=True)),
        "cancelled": (CancelAsked(at=at),),
    }[stage]


class Desk:
    """A folder with a configuration and a state, and the commands at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.photos = folder / "inbox" / "photos"
        self.outbox = folder / "outbox"
        self.photos.mkdir(parents=True)
        self.outbox.mkdir()
        (folder / "dropglow.yaml").write_text(CONFIGURATION)

    def run(self, *arguments: str) -> Result:
        """Run one command as from a script: nothing is a terminal."""
        return CliRunner().invoke(main, ["--config", str(self.folder), *arguments])

    def drop(
        self,
        key: str,
        *stages: str,
        name: str = "beach.jpg",
        reason: str = "",
        age: timedelta = timedelta(minutes=5),
        rule: str = "sizes",
    ) -> None:
        """Put a drop into the ledger, with a job at each of *stages*; when all of them rest, it is closed."""
        drop = replace(self._new_drop(key, name, reason, datetime.now(UTC) - age), rule=RuleName(rule))
        asyncio.run(self._drop(drop, stages, drop.admitted_at))

    async def _drop(self, drop: Drop, stages: tuple[str, ...], at: datetime) -> None:
        async with own(self.state) as owned:
            jobs = [self._new_job(drop, ordinal, at) for ordinal in range(1, len(stages) + 1)]
            await owned.ledger.admit(drop, jobs)
            for job, stage in zip(jobs, stages, strict=True):
                await _live(owned.ledger, job, events(stage, job.key, self.outbox, at), at)
            await Closer(
                ledger=owned.ledger, disk=RealDisk(), clock=RealClock(), tally=Tally(), turns=Turns()
            ).close_ripe()

    def _new_drop(self, key: str, name: str, reason: str, at: datetime) -> Drop:
        place = self.photos / ".dropglow" / "work" / key / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"picture")
        found = place.stat()
        return Drop(
            key=DropKey(key),
            inbox=str(self.photos),
            path=name,
            place=str(place),
            rule=RuleName("sizes"),
            rule_digest="digest",
            sha256=hashlib.sha256(b"picture").hexdigest(),
            size_bytes=found.st_size,
            device=found.st_dev,
            inode=found.st_ino,
            kind=Kind.IMAGE,
            after=After(
                done=str(self.photos / "_done"),
                failed=str(self.photos / "_failed"),
                held=str(self.photos / "_held"),
            ),
            reason=reason,
            admitted_at=at,
        )

    def _new_job(self, drop: Drop, ordinal: int, at: datetime) -> Job:
        order = Order(
            operation="expand",
            body={},
            size="800x600",
            seeds=(40 + ordinal,),
            prompt="a calm sea",
            delivery=DeliveryPlan(outbox=str(self.outbox), folder="", name="{stem}{ext}"),
        )
        return Job(
            key=JobKey(f"{drop.key}.{ordinal}"),
            drop=drop.key,
            rule=drop.rule,
            inbox=drop.inbox,
            source=drop.path,
            order=order,
            created_at=at,
        )

    def look(self, question: Callable[[SqliteReader], Any]) -> Any:
        """Return the answer of the ledger to *question*."""

        async def ask() -> Any:
            reader = SqliteReader.open(self.state / "ledger.sqlite3")
            try:
                return await question(reader)
            finally:
                await reader.close()

        return asyncio.run(ask())

    def stages(self, key: str) -> list[str]:
        """Return where the jobs of this drop stand, in order."""
        return [job.stage.value for job in self.look(lambda reader: reader.jobs_of(DropKey(key)))]

    def files(self) -> list[str]:
        """Return every visible file in the inbox, below it."""
        found = (path.relative_to(self.photos) for path in self.photos.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if path.parts[0] != ".dropglow")

    def lock(self) -> StateLock:
        """Return the lock of the state folder, held, as a service holds it."""
        lock = StateLock(self.state)
        assert lock.acquire()
        return lock


async def _live(ledger: SqliteLedger, job: Job, events: tuple[Event, ...], at: datetime) -> None:
    for event in events:
        job = await ledger.save(job, advance(job, event), event, at=at, owner=None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk in an empty folder; no service has ever run there."""
    return Desk(tmp_path)


@contextmanager
def serving(world: World) -> Iterator[str]:
    """Serve *world* beside the test, and give its address."""
    ready, address = threading.Event(), [""]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with Sandbox(world) as sandbox:
            address[0] = sandbox.url
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


class Bench:
    """A configuration beside a pretend Adobe that goes wrong as it is told."""

    def __init__(self, folder: Path, address: str, world: World) -> None:
        self.folder = folder
        self.address = address
        self.world = world
        for name in ("in", "out"):
            (folder / name).mkdir()

    def run(self, text: str, *words: str, faults: tuple[str, ...] = (), **environ: str) -> Result:
        """Return what a command says about a configuration of this text."""
        (self.folder / "dropglow.yaml").write_text(f"state: ./state\n{text}")
        self.world.faults = parse_faults(faults)
        usual = {
            "DROPGLOW_API_URL": self.address,
            "DROPGLOW_TOKEN_URL": f"{self.address}/ims/token/v3",
            "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
            "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
        }
        result = CliRunner().invoke(main, ["--config", str(self.folder), *words], env=usual | environ)
        assert "canary" not in result.output
        assert "Traceback" not in result.output
        return result

    def lines(self, result: Result) -> list[str]:
        return result.stdout.replace(f"{self.folder}/", "").splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a bench in an empty folder; nothing was asked yet."""
    world = World()
    with serving(world) as address:
        yield Bench(tmp_path, address, world)
