"""What the schema itself forbids, and what its indexes spare: plain SQL against a real ledger."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest

from dropglow.events import Accepted, Began
from dropglow.ledger import accounts, claims, queries, verbs
from dropglow.ledger.base import Grant, Query
from dropglow.ledger.codec import job_fixed, job_from, job_moving, to_us
from dropglow.ledger.migrate import migrate
from dropglow.lifecycle import advance, allowed
from dropglow.model import (
    After,
    DeliveryPlan,
    Drop,
    DropKey,
    DropState,
    Job,
    JobKey,
    Kind,
    Order,
    RemoteId,
    RuleName,
    Stage,
    Submission,
)

NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR_US: Final = 3_600_000_000


def make_job() -> Job:
    """Return a queued job."""
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    return Job(
        key=JobKey("drop.1"),
        drop=DropKey("drop"),
        rule=RuleName("art"),
        inbox="/in",
        source="beach.txt",
        order=Order(operation="generate", body={"prompt": "x"}, delivery=plan),
        created_at=NOW,
    )


def make_drop() -> Drop:
    """Return its drop."""
    return Drop(
        key=DropKey("drop"),
        inbox="/in",
        path="beach.txt",
        place="/in/.dropglow/work/drop/beach.txt",
        rule=RuleName("art"),
        rule_digest="d",
        sha256="a",
        size_bytes=5,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done=None, failed="/in/_failed", held="/in/_held"),
        admitted_at=NOW,
    )


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Return a ledger with one job that is running at Adobe."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("PRAGMA foreign_keys = ON")
    migrate(made)
    job = make_job()
    verbs.admit(made, make_drop(), [(job, job_fixed(job), job_moving(job))])
    receipt = Submission(remote_id=RemoteId("urn:1"), status_url="https://a/s")
    for event in (Began(at=NOW), Accepted(submission=receipt, at=NOW)):
        after = advance(job, event)
        verbs.save(made, job, after, event, at=NOW, owner=None, moving=job_moving(after))
        job = stored_job(made)
    yield made
    made.close()


def stored_job(connection: sqlite3.Connection) -> Job:
    """Return the stored job."""
    return job_from(queries.job(connection, "drop.1"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET event = 'Delivered'",
        "DELETE FROM history",
        "DELETE FROM jobs",
        "DELETE FROM submissions",
        "DELETE FROM drops",
        "UPDATE submissions SET remote_id = 'urn:2'",
        "UPDATE submissions SET remote_id = NULL",
        "INSERT INTO submissions (job, attempt, begun_at) VALUES ('drop.1', 2, 0)",
        "INSERT INTO submissions (job, attempt, begun_at) VALUES ('nobody', 1, 0)",
        "UPDATE jobs SET fixed = '{}'",
        "UPDATE jobs SET moving = NULL",
        "UPDATE jobs SET stage = 'queued'",
        "UPDATE jobs SET stage = 'paused'",
        "UPDATE jobs SET stage = 'failed'",  # and still ready: it does not rest
        "UPDATE jobs SET standing = 'taken'",
        "UPDATE jobs SET standing = 'waiting'",
        "UPDATE jobs SET owner = 'me'",
        "UPDATE jobs SET priority = 'high'",
        "UPDATE drops SET kind = 'video'",
        "UPDATE drops SET state = 'lost'",
    ],
)
def test_the_schema_refuses_what_must_not_happen(connection: sqlite3.Connection, statement: str) -> None:
    """Not even plain SQL rewrites the past, forgets a purchase, or takes a step that does not exist."""
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_the_schema_knows_the_lifecycles_arrows(connection: sqlite3.Connection) -> None:
    """The table that the guard looks into holds every arrow of the lifecycle and no other."""
    arrows = {(before, after) for before, after in product(Stage, Stage) if allowed(before, after)}

    assert arrows == set(connection.execute("SELECT before, after FROM transitions"))


def test_a_submission_ends_once(connection: sqlite3.Connection) -> None:
    """What became of a submission is written once."""
    connection.execute("UPDATE submissions SET outcome = 'GaveUp'")

    with pytest.raises(sqlite3.IntegrityError, match="ends once"):
        connection.execute("UPDATE submissions SET outcome = NULL")


def test_nothing_frequent_scans_a_table(connection: sqlite3.Connection) -> None:
    """Whatever the service asks all day long is answered by an index that holds little else."""
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    now_us = to_us(NOW)
    claims.claim(
        connection,
        "a",
        now_us=now_us,
        until_us=now_us + HOUR_US,
        grant=Grant(open_jobs=4, fresh_jobs=4),
        last=b"/in",
    )
    claims.claim(
        connection,
        "b",
        now_us=now_us + HOUR_US,
        until_us=now_us + 2 * HOUR_US,
        grant=Grant(open_jobs=4, fresh_jobs=4),
        last=b"",
    )
    claims.release(connection, "b", ["drop.1"])
    claims.release_all(connection, "b")
    claims.next_due(connection, now_us)
    verbs.ripe(connection, 10)
    verbs.reopenable(connection, inbox=b"/in", path=b"p", place=b"q", sha256="a", rule_digest="d")
    verbs.has_place(connection, place=b"q", sha256="a")
    queries.tally(connection)
    queries.queued(connection, b"/in")
    queries.jobs_of(connection, "drop")
    queries.history(connection, "drop", None)
    queries.upload_of(connection, "a", now_us)
    queries.requests_since(connection, now_us)
    queries.timings(connection, 10)
    queries.named(connection, "urn:1")
    queries.find(connection, Query())
    queries.drops(connection, states=frozenset({DropState.OPEN}), inbox=None, limit=10)
    connection.set_trace_callback(None)

    plans = [plan(connection, statement) for statement in asked if not statement.startswith("--")]

    large = re.compile(r"SCAN (jobs|j|drops|history|submissions|s|uploads)\b(?! USING (COVERING )?INDEX)")
    by_stage = re.compile("USING (COVERING )?INDEX jobs_stage")
    assert [] == [lines for lines in plans if large.search(lines) or by_stage.search(lines)]
    assert 15 < len(plans)


def plan(connection: sqlite3.Connection, statement: str) -> str:
    """Return how SQLite carries *statement* out."""
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    return "\n".join([statement, *(str(row[3]) for row in rows)])


def test_what_waits_for_money_is_asked_for_as_quickly_however_much_waits() -> None:
    """Nine jobs of three rules take as many steps out of 3,000 jobs as out of 60."""
    few, many = steps_of_parked(20), steps_of_parked(1000)

    assert many < 2 * few


def steps_of_parked(of_each: int) -> int:
    """Return how many steps of SQLite's machine it takes to tell nine jobs, where so many of each of three rules wait."""
    others = [(f"drop.{number}", f"rule{number % 3}") for number in range(2, 2 + 3 * of_each)]
    with many_jobs(others, columns="drop_key, ?, inbox", parked=1) as connection:
        steps = counted(connection, every=1)
        rows = accounts.parked(connection, 9)
    assert 9 == len(rows)
    return len(steps)


@contextmanager
def many_jobs(
    others: Sequence[tuple[Any, ...]], *, columns: str, parked: int
) -> Iterator[sqlite3.Connection]:
    """Yield a ledger with one job and *others* like it: their key, and what each has in place of a ``?`` in *columns*."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    job = make_job()
    verbs.admit(connection, make_drop(), [(job, job_fixed(job), job_moving(job))])
    connection.execute("BEGIN")
    connection.executemany(
        f"INSERT INTO jobs SELECT ?, {columns}, source, stage, standing, owner, priority, not_before,"  # noqa: S608
        f" created_at, fixed, moving, revision, {parked} FROM jobs WHERE key = 'drop.1'",
        others,
    )
    connection.execute("COMMIT")
    with closing(connection):
        yield connection


def counted(connection: sqlite3.Connection, *, every: int) -> list[None]:
    """Return a list that grows by one with *every* so many steps of SQLite's machine from now on."""
    steps: list[None] = []
    connection.set_progress_handler(lambda: steps.append(None), every)
    return steps


@pytest.mark.slow
def test_a_claim_does_not_grow_with_the_queue() -> None:
    """Taking sixteen jobs out of 20,000 takes about as many steps as out of 200."""
    few, many = steps_of_a_claim(200), steps_of_a_claim(20_000)

    assert many < 2 * few


def steps_of_a_claim(queued: int) -> int:
    """Return how many hundred steps of SQLite's machine a claim takes with this many jobs queued."""
    others = [(f"drop.{number}", f"/in{number % 3}".encode()) for number in range(2, queued)]
    now_us = to_us(NOW + timedelta(days=1))
    grant = Grant(open_jobs=16, fresh_jobs=16)
    with many_jobs(others, columns="drop_key, rule, ?", parked=0) as connection:
        steps = counted(connection, every=100)
        rows, _ = claims.claim(
            connection, "a", now_us=now_us, until_us=now_us + HOUR_US, grant=grant, last=b""
        )
        claims.next_due(connection, now_us)
        verbs.ripe(connection, 10)
        queries.tally(connection)
    assert 16 == len(rows)
    return len(steps)
