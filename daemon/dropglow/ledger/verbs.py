"""The verbs in SQL, each one piece of a transaction of the writer's.

Nothing here commits, and nothing decides what a job becomes: what is handed
in is stored, and the guards of the schema have the last word.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dropglow.errors import LedgerError
from dropglow.events import Accepted, Attached, Began, Completed, Event
from dropglow.ledger import accounts, queries
from dropglow.ledger.codec import (
    Row,
    drop_document,
    maybe_us,
    path_bytes,
    searchable,
    to_us,
)
from dropglow.ledger.history import ADMITTED, detail, one_line
from dropglow.ledger.receipts import BOUGHT
from dropglow.ledger.refusals import newer, no_arrow, refusal, taken_key, unknown
from dropglow.lifecycle import RESTING
from dropglow.model import Drop, Job, Original, Upload
from dropglow.money import parked

_SAVE: Final = """
    UPDATE jobs SET
        stage = :stage, moving = :moving, not_before = :not_before, parked = :parked, revision = revision + 1,
        owner = CASE WHEN :rests THEN NULL ELSE owner END,
        standing = CASE
            WHEN :rests THEN 'resting'
            WHEN owner IS NOT NULL THEN 'taken'
            WHEN :not_before IS NULL THEN 'ready'
            ELSE 'waiting' END
    WHERE key = :key AND revision = :revision AND (:owner IS NULL OR owner = :owner)
"""


def admit(
    connection: sqlite3.Connection,
    drop: Drop,
    jobs: Sequence[tuple[Job, str, str]],
    originals: Sequence[Original] = (),
) -> None:
    """Store a drop and its jobs, each with its two documents, and those of its files that stay in their inbox.

    Raises:
        Conflict: A key is taken.
    """
    try:
        _insert_drop(connection, drop)
        for job, fixed, moving in jobs:
            _insert_job(connection, job, fixed, moving)
    except sqlite3.IntegrityError as error:
        raise taken_key(drop.key) from error
    remember_originals(connection, originals)
    connection.executemany(
        "INSERT INTO history (at, drop_key, job_key, event, before, after, attempt, detail)"
        " VALUES (?, ?, ?, ?, '', ?, ?, ?)",
        [
            (to_us(drop.admitted_at), drop.key, None, ADMITTED, drop.state, 0, one_line(drop.reason)),
            *(
                (to_us(job.created_at), drop.key, job.key, ADMITTED, job.stage, job.attempt, "")
                for job, _, _ in jobs
            ),
        ],
    )


def save(
    connection: sqlite3.Connection,
    before: Job,
    after: Job,
    event: Event,
    *,
    at: datetime,
    owner: str | None,
    moving: str,
) -> None:
    """Store *after*, whose document is *moving*, where *before* still stands.

    Raises:
        Conflict: The stored job is newer than *before*.
        LeaseLost: Somebody else has it in hand.
        OverBudget: It is a *Began* whose booking does not fit.
        SpendingStopped: It is a *Began*, and spending is paused.
        UnknownKey: There is no such job.
        IllegalTransition: The schema knows no such arrow.
    """
    try:
        changed = connection.execute(
            _SAVE,
            {
                "stage": after.stage,
                "moving": moving,
                "not_before": maybe_us(after.not_before),
                "parked": parked(after),
                "rests": after.stage in RESTING,
                "key": before.key,
                "revision": before.revision,
                "owner": owner,
            },
        ).rowcount
    except sqlite3.IntegrityError as error:
        raise no_arrow(before, after) from error
    if not changed:
        raise _why_not(connection, before, owner)
    _keep_submission(connection, before, after, event)
    connection.execute(
        "INSERT INTO history (at, drop_key, job_key, event, before, after, attempt, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            to_us(at),
            before.drop,
            before.key,
            type(event).__name__,
            before.stage,
            after.stage,
            after.attempt,
            detail(event),
        ),
    )


def _why_not(connection: sqlite3.Connection, before: Job, owner: str | None) -> LedgerError:
    row = connection.execute("SELECT revision, owner FROM jobs WHERE key = ?", (before.key,)).fetchone()
    if row is None:
        return unknown("job", before.key)
    return refusal(before, stored_revision=row[0], stored_owner=row[1], owner=owner)


def _keep_submission(connection: sqlite3.Connection, before: Job, after: Job, event: Event) -> None:
    live = "WHERE job = ? AND outcome IS NULL"
    match event:
        case Began(at=at, booking=booking):
            accounts.book(connection, before, attempt=after.attempt, at=at, booking=booking)
        case Accepted(submission=submission, at=at):
            connection.execute(
                f"UPDATE submissions SET remote_id = ?, accepted_at = ? {live}",  # noqa: S608
                (submission.remote_id, to_us(at), before.key),
            )
        case Attached(submission=submission):
            # When it was accepted nobody knows, so it says nothing about how long such jobs take.
            connection.execute(
                f"UPDATE submissions SET remote_id = ? {live}",  # noqa: S608
                (submission.remote_id, before.key),
            )
        case Completed(at=at):
            connection.execute(
                f"UPDATE submissions SET completed_at = ? {live} AND completed_at IS NULL",  # noqa: S608
                (to_us(at), before.key),
            )
        case _:
            pass
    if before.stage in BOUGHT and after.stage not in BOUGHT:
        connection.execute(
            f"UPDATE submissions SET outcome = ? {live}",  # noqa: S608
            (type(event).__name__, before.key),
        )


def ripe(connection: sqlite3.Connection, limit: int) -> list[Row]:
    """Return the rows of open drops all of whose jobs rest, oldest first."""
    return connection.execute(
        f"SELECT {queries.DROP_COLUMNS} FROM drops WHERE state = 'open' AND unrested = 0"  # noqa: S608
        " ORDER BY admitted_at, key LIMIT ?",
        (limit,),
    ).fetchall()


def reopenable(
    connection: sqlite3.Connection, *, inbox: bytes, path: bytes, place: bytes, sha256: str, rule_digest: str
) -> list[Row]:
    """Return the rows of the drops of this file, content and rule that failed, latest first; there are few."""
    return connection.execute(
        f"SELECT {queries.DROP_COLUMNS} FROM drops WHERE sha256 = ? AND (path = ? OR place = ?) AND inbox = ?"  # noqa: S608
        " AND rule_digest = ? AND state = 'failed' ORDER BY admitted_at DESC, key DESC",
        (sha256, path, place, inbox, rule_digest),
    ).fetchall()


def held_content(connection: sqlite3.Connection, *, inbox: bytes, sha256: str) -> list[Row]:
    """Return the rows of the held drops of this inbox and content, latest first."""
    return connection.execute(
        f"SELECT {queries.DROP_COLUMNS} FROM drops WHERE sha256 = ? AND inbox = ? AND state = 'held'"  # noqa: S608
        " ORDER BY admitted_at DESC, key DESC",
        (sha256, inbox),
    ).fetchall()


def has_place(connection: sqlite3.Connection, *, place: bytes, sha256: str) -> bool:
    """Return whether a drop of this content has *place*."""
    wanted = "SELECT 1 FROM drops WHERE sha256 = ? AND place = ? LIMIT 1"
    return connection.execute(wanted, (sha256, place)).fetchone() is not None


def save_drop(
    connection: sqlite3.Connection, before: Drop, after: Drop, *, event: str, at: datetime, text: str
) -> None:
    """Store *after* where *before* still stands.

    Raises:
        Conflict: The stored drop is newer than *before*.
        UnknownKey: There is none.
    """
    changed = connection.execute(
        "UPDATE drops SET place = ?, state = ?, document = ?, revision = revision + 1"
        " WHERE key = ? AND revision = ?",
        (path_bytes(after.place), after.state, drop_document(after), before.key, before.revision),
    ).rowcount
    if not changed:
        queries.drop(connection, before.key)
        raise newer(f"drop {before.key}")
    connection.execute(
        "INSERT INTO history (at, drop_key, event, before, after, attempt, detail) VALUES (?, ?, ?, ?, ?, 0, ?)",
        (to_us(at), before.key, event, before.state, after.state, one_line(text)),
    )


def remember_upload(connection: sqlite3.Connection, upload: Upload, at: datetime) -> None:
    """Store an upload."""
    connection.execute(
        "INSERT INTO uploads (sha256, upload_id, valid_until, prepared, made_at) VALUES (?, ?, ?, ?, ?)",
        (upload.sha256, upload.upload_id, to_us(upload.valid_until), upload.prepared, to_us(at)),
    )


def remember_originals(connection: sqlite3.Connection, originals: Sequence[Original]) -> None:
    """Store originals in place of what was known of their paths."""
    connection.executemany(
        "INSERT INTO originals VALUES (?, ?, ?, ?, ?) ON CONFLICT (inbox, path) DO UPDATE SET"
        " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, drop_key = excluded.drop_key",
        [
            (
                path_bytes(each.inbox),
                path_bytes(each.path),
                each.size_bytes,
                str(each.mtime_ns),
                each.drop,
            )
            for each in originals
        ],
    )


def _insert_drop(connection: sqlite3.Connection, drop: Drop) -> None:
    connection.execute(
        "INSERT INTO drops (key, inbox, path, place, rule, rule_digest, sha256, kind, state, admitted_at,"
        " document, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            drop.key,
            path_bytes(drop.inbox),
            path_bytes(drop.path),
            path_bytes(drop.place),
            drop.rule,
            drop.rule_digest,
            drop.sha256,
            drop.kind,
            drop.state,
            to_us(drop.admitted_at),
            drop_document(drop),
            drop.revision,
        ),
    )
    connection.executemany(
        "INSERT INTO members (sha256, drop_key) VALUES (?, ?)",
        [(sha256, drop.key) for sha256 in sorted({each.sha256 for each in drop.members})],
    )


def _insert_job(connection: sqlite3.Connection, job: Job, fixed: str, moving: str) -> None:
    waiting = "ready" if job.not_before is None else "waiting"
    connection.execute(
        "INSERT INTO jobs (key, drop_key, rule, inbox, source, stage, standing, priority, not_before, created_at,"
        " fixed, moving, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.key,
            job.drop,
            job.rule,
            path_bytes(job.inbox),
            searchable(job.source),
            job.stage,
            "resting" if job.stage in RESTING else waiting,
            job.priority,
            maybe_us(job.not_before),
            to_us(job.created_at),
            fixed,
            moving,
            job.revision,
        ),
    )
