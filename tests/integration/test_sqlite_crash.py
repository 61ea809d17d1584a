"""A process that is killed between two verbs: what it was told is stored, is."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import dropglow
from dropglow.events import Began, Event
from dropglow.ledger.base import Grant
from dropglow.ledger.sqlite import SqliteLedger
from dropglow.lifecycle import on_takeover
from dropglow.model import DropKey, JobKey, Stage

pytestmark = pytest.mark.crash

# Admits drops and carries their jobs through their whole life, and says so after each verb.
SERVICE = """
import asyncio, json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from dropglow.events import Accepted, Began, Completed, Delivered, Fetched
from dropglow.ledger.base import Grant
from dropglow.ledger.sqlite import SqliteLedger
from dropglow.lifecycle import advance
from dropglow.model import *

NOW = datetime.now(UTC)
ORDER = Order(operation="generate", body={}, delivery=DeliveryPlan(outbox="/o", folder="", name="{stem}{ext}"))
COMMON = {"rule": RuleName("r"), "inbox": "/in"}

def say(*words):
    print(json.dumps(words), flush=True)

async def live(ledger, number):
    key = DropKey(f"d{number:04}")
    drop = Drop(key=key, path="p", place="/w", rule_digest="d", sha256="a", size_bytes=1, device=1, inode=1,
                kind=Kind.PROMPT, after=After(done=None, failed="f", held="h"), admitted_at=NOW, **COMMON)
    job = Job(key=JobKey(f"{key}.1"), drop=key, source="p", order=ORDER, created_at=NOW, **COMMON)
    await ledger.admit(drop, [job])
    say("admitted", job.key, 0)
    await ledger.claim("me", now=NOW, until=NOW + timedelta(hours=1), grant=Grant(open_jobs=0, fresh_jobs=10000))
    receipt = Submission(remote_id=RemoteId("urn:" + job.key), status_url="")
    for event in (Began(at=NOW), Accepted(submission=receipt, at=NOW), Completed(outputs=(), at=NOW),
                  Fetched(artifacts=()), Delivered(paths=(), at=NOW)):
        say("will", job.key, job.revision + 1)
        job = await ledger.save(job, advance(job, event), event, at=NOW, owner="me")
        say(type(event).__name__, job.key, job.revision)

async def main():
    ledger = await SqliteLedger.open(Path(sys.argv[1]))
    for number in range(0, 10000, 8):
        await asyncio.gather(*(live(ledger, number + one) for one in range(8)))

asyncio.run(main())
"""


def killed_after(lines: int, path: Path) -> list[tuple[str, str, int]]:
    """Return what the service said before it was killed, some time after its *lines*-th line."""
    environment = {**os.environ, "PYTHONPATH": str(Path(dropglow.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    assert -signal.SIGKILL == process.wait()
    return [tuple(json.loads(line)) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("lines", [1, 2, 7, 40, 171, 503])
async def test_what_was_said_to_be_stored_is_stored(tmp_path: Path, lines: int) -> None:
    """After a kill every verb that returned is in the ledger, whole, with its history; at most one more a job."""
    path = tmp_path / "ledger.sqlite3"
    said = killed_after(lines, path)
    ledger = await SqliteLedger.open(path)

    promised: dict[str, int] = {}
    begun: dict[str, int] = {}
    for verb, key, revision in said:
        (begun if verb == "will" else promised)[key] = revision
    for key, revision in promised.items():
        job = await ledger.job(JobKey(key))
        history = await ledger.history(job.drop, job.key)
        assert revision <= job.revision <= max(revision, begun.get(key, 0))
        assert job.revision + 1 == len(history)
        assert job.stage.value == history[-1].after
    await ledger.close()


async def test_an_interrupted_order_is_found_and_taken_over(tmp_path: Path) -> None:
    """What was being sent at the kill is handed out again, and its new owner is told to doubt it."""
    path = tmp_path / "ledger.sqlite3"
    said = killed_after(60, path)
    at_began = [key for verb, key, _ in said if verb == Began.__name__]
    ledger = await SqliteLedger.open(path)
    submitting = (await ledger.counts()).jobs.get(Stage.SUBMITTING, 0)

    await ledger.release_all("me")
    first = await ledger.job(JobKey(at_began[0]))
    now = first.created_at
    taken = await ledger.claim("me", now=now, until=now, grant=Grant(open_jobs=1000, fresh_jobs=0))
    await ledger.close()

    events: list[Event | None] = [on_takeover(job) for job in taken]
    assert submitting == sum(event is not None for event in events)
    assert all(job.stage is not Stage.QUEUED for job in taken)


async def test_the_counters_survive(tmp_path: Path) -> None:
    """After a kill the counters agree with what they count."""
    path = tmp_path / "ledger.sqlite3"
    killed_after(200, path)
    ledger = await SqliteLedger.open(path)

    counts = await ledger.counts()
    ripe = {drop.key for drop in await ledger.ripe(limit=10_000)}
    await ledger.close()

    connection = sqlite3.connect(path)
    stages = dict(connection.execute("SELECT stage, count(*) FROM jobs GROUP BY stage"))
    rested = {
        DropKey(key) for (key,) in connection.execute("SELECT drop_key FROM jobs WHERE standing = 'resting'")
    }
    connection.close()
    assert stages == {stage.value: count for stage, count in counts.jobs.items()}
    assert rested == ripe
