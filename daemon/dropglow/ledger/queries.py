"""The questions in SQL, for the writer's own connection and for readers beside it.

Every function takes a connection and returns plain rows or values; turning
rows into drops and jobs is left to the caller, so that no row that cannot be
read spoils the batch of others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from dropglow.ledger.base import PARKED_AT_MOST, Query
from dropglow.ledger.codec import Row, path_bytes, searchable, storable, to_us
from dropglow.ledger.content import MOST_ALIKE
from dropglow.ledger.receipts import UUID_LENGTH, uuid_of
from dropglow.ledger.refusals import CANDIDATES, ambiguous, unknown
from dropglow.lifecycle import ENDED, RESTING
from dropglow.model import DropState, Stage

JOB_COLUMNS: Final = "fixed, moving, stage, revision"
DROP_COLUMNS: Final = "document, state, revision"
_AFTER_ALL: Final = "\U0010ffff"
_JOB_BY_KEY: Final = "SELECT drop_key, key FROM jobs WHERE key = ?"
_JOB_BY_REMOTE_ID: Final = """
    SELECT DISTINCT j.drop_key, j.key FROM submissions AS s JOIN jobs AS j ON j.key = s.job
    WHERE s.remote_id = ? LIMIT 2
"""
_JOB_BY_UUID: Final = f"""
    SELECT DISTINCT j.drop_key, j.key FROM submissions AS s JOIN jobs AS j ON j.key = s.job
    WHERE ? <> '' AND lower(substr(s.remote_id, -{UUID_LENGTH})) = ? LIMIT 2
"""  # noqa: S608
_DROPS_THAT_BEGIN: Final = (
    f"SELECT key, NULL FROM drops WHERE key >= ? AND key < ? ORDER BY key LIMIT {CANDIDATES + 1}"  # noqa: S608
)
_JOBS_THAT_BEGIN: Final = (
    f"SELECT drop_key, key FROM jobs WHERE key >= ? AND key < ? ORDER BY key LIMIT {CANDIDATES + 1}"  # noqa: S608
)


def job(connection: sqlite3.Connection, key: str) -> Row:
    """Return the row of one job.

    Raises:
        UnknownKey: There is none.
    """
    row = connection.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE key = ?", (storable(key),)).fetchone()  # noqa: S608
    if row is None:
        raise unknown("job", key)
    return tuple(row)


def drop(connection: sqlite3.Connection, key: str) -> Row:
    """Return the row of one drop.

    Raises:
        UnknownKey: There is none.
    """
    row = connection.execute(f"SELECT {DROP_COLUMNS} FROM drops WHERE key = ?", (storable(key),)).fetchone()  # noqa: S608
    if row is None:
        raise unknown("drop", key)
    return tuple(row)


def jobs_of(connection: sqlite3.Connection, key: str) -> list[Row]:
    """Return the rows of a drop's jobs, the tenth after the ninth."""
    return connection.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs WHERE drop_key = ? ORDER BY length(key), key",  # noqa: S608
        (storable(key),),
    ).fetchall()


def named(connection: sqlite3.Connection, text: str) -> tuple[str, str | None]:
    """Return the keys of the drop, and of the job if it is one, that *text* names or begins to name.

    Raises:
        UnknownKey: Nothing, or more than one, fits.
    """
    text = storable(text)
    if connection.execute("SELECT 1 FROM drops WHERE key = ?", (text,)).fetchone():
        return text, None
    for question, arguments in (
        (_JOB_BY_KEY, (text,)),
        (_JOB_BY_REMOTE_ID, (text,)),
        (_DROPS_THAT_BEGIN, (text, text + _AFTER_ALL)),
        (_JOBS_THAT_BEGIN, (text, text + _AFTER_ALL)),
        (_JOB_BY_UUID, (uuid_of(text),) * 2),  # last: it looks at every submission
    ):
        found: list[tuple[str, str | None]] = (
            connection.execute(question, arguments).fetchall() if text else []
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise ambiguous(text, [job or drop for drop, job in found])
    raise unknown("drop or job", text)


def find(connection: sqlite3.Connection, query: Query) -> list[Row]:
    """Return the rows of the jobs that fit, newest first."""
    conditions: list[tuple[str, tuple[object, ...]]] = [("1", ())]
    if query.stages is not None:
        stages = sorted(query.stages)
        conditions.append((f"stage IN ({_marks(len(stages))})", tuple(stages)))
    if query.rule is not None:
        conditions.append(("rule = ?", (storable(query.rule),)))
    if query.source is not None:
        conditions.append(("instr(source, ?) > 0", (searchable(query.source),)))
    if query.drop is not None:
        conditions.append(("drop_key = ?", (storable(query.drop),)))
    if query.since is not None:
        conditions.append(("created_at >= ?", (to_us(query.since),)))
    if query.until is not None:
        conditions.append(("created_at < ?", (to_us(query.until),)))
    where = " AND ".join(condition for condition, _ in conditions)
    arguments = [argument for _, several in conditions for argument in several]
    return connection.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY created_at DESC, key DESC LIMIT ?",  # noqa: S608
        (*arguments, query.limit),
    ).fetchall()


def drops(
    connection: sqlite3.Connection, *, states: frozenset[DropState] | None, inbox: str | None, limit: int
) -> list[Row]:
    """Return the rows of drops, newest first."""
    wanted = sorted(DropState if states is None else states)
    place = None if inbox is None else path_bytes(inbox)
    return connection.execute(
        f"SELECT {DROP_COLUMNS} FROM drops WHERE state IN ({_marks(len(wanted))})"  # noqa: S608
        " AND (? IS NULL OR inbox = ?) ORDER BY admitted_at DESC, key DESC LIMIT ?",
        (*wanted, place, place, limit),
    ).fetchall()


def same_content(
    connection: sqlite3.Connection,
    *,
    inbox: bytes,
    sha256: str,
    rule: str,
    rule_digest: str,
    before: str | None,
) -> list[Row]:
    """Return the rows of the drops of this content under this rule, the latest admission first."""
    # Rows are numbered as they are stored, and never deleted.
    return connection.execute(
        f"SELECT {DROP_COLUMNS} FROM drops WHERE sha256 = ? AND inbox = ? AND rule = ? AND rule_digest = ?"  # noqa: S608
        " AND (? IS NULL OR rowid < (SELECT rowid FROM drops WHERE key = ?)) ORDER BY rowid DESC",
        (sha256, inbox, storable(rule), rule_digest, before, before),
    ).fetchall()


def originals(connection: sqlite3.Connection, inbox: bytes, paths: Sequence[bytes]) -> list[Row]:
    """Return path, size, time and drop of each of these paths that is known."""
    question = "SELECT path, size_bytes, mtime_ns, drop_key FROM originals WHERE inbox = ? AND path = ?"
    rows = (connection.execute(question, (inbox, path)).fetchone() for path in paths)
    return [row for row in rows if row is not None]


def same_original(connection: sqlite3.Connection, *, inbox: bytes, path: bytes, sha256: str) -> list[Row]:
    """Return the rows of the drops of this path and content, the latest admission first."""
    return connection.execute(
        f"SELECT {DROP_COLUMNS} FROM drops WHERE sha256 = ? AND inbox = ? AND path = ? ORDER BY rowid DESC",  # noqa: S608
        (sha256, inbox, path),
    ).fetchall()


def same_member(connection: sqlite3.Connection, *, inbox: bytes, sha256: str, before: str) -> list[Row]:
    """Return the rows of the folders that hold a file of this content, the latest admission first."""
    return connection.execute(
        f"SELECT {DROP_COLUMNS} FROM drops WHERE key IN (SELECT drop_key FROM members WHERE sha256 = ?)"  # noqa: S608
        " AND inbox = ? AND rowid < (SELECT rowid FROM drops WHERE key = ?) ORDER BY rowid DESC LIMIT ?",
        (sha256, inbox, before, MOST_ALIKE),
    ).fetchall()


def history(connection: sqlite3.Connection, drop_key: str, job_key: str | None) -> list[Row]:
    """Return the history rows of a drop with its jobs, or of one job, oldest first."""
    return connection.execute(
        "SELECT at, drop_key, job_key, event, before, after, attempt, detail FROM history"
        " WHERE drop_key = ? AND (? IS NULL OR job_key = ?) ORDER BY id",
        (storable(drop_key), job_key, job_key),
    ).fetchall()


def tally(connection: sqlite3.Connection) -> tuple[list[Row], list[Row]]:
    """Return how many jobs stand where, by inbox and stage, and how many drops by state."""
    jobs = connection.execute("SELECT inbox, stage, jobs FROM tally WHERE jobs > 0").fetchall()
    return jobs, connection.execute("SELECT state, drops FROM drop_tally").fetchall()


def unfinished(connection: sqlite3.Connection) -> list[Row]:
    """Return how many jobs that are not over stand where, by rule and stage."""
    stages = [stage.value for stage in Stage if stage not in ENDED]
    marks = ", ".join("?" * len(stages))
    return connection.execute(
        f"SELECT rule, stage, count(*) FROM jobs WHERE stage IN ({marks}) GROUP BY rule, stage",  # noqa: S608
        stages,
    ).fetchall()


def requests_since(connection: sqlite3.Connection, at_us: int) -> list[Row]:
    """Return the time and kind of every submission and upload at or after *at_us*, oldest first."""
    return connection.execute(
        "SELECT begun_at AS at, 'submission' FROM submissions WHERE begun_at >= ?"
        " UNION ALL SELECT made_at, 'upload' FROM uploads WHERE made_at >= ? ORDER BY at",
        (at_us, at_us),
    ).fetchall()


def timings(connection: sqlite3.Connection, limit: int) -> list[Row]:
    """Return the fixed document and the microseconds of the latest completed remote jobs, newest first."""
    return connection.execute(
        "SELECT j.fixed, s.completed_at - s.accepted_at FROM submissions AS s JOIN jobs AS j ON j.key = s.job"
        " WHERE s.completed_at IS NOT NULL AND s.accepted_at IS NOT NULL ORDER BY s.completed_at DESC LIMIT ?",
        (limit,),
    ).fetchall()


def upload_of(connection: sqlite3.Connection, sha256: str, now_us: int) -> Row | None:
    """Return id, last moment and preparation of the upload of this content that lives longest after *now_us*."""
    row: Row | None = connection.execute(
        "SELECT upload_id, valid_until, prepared FROM uploads WHERE sha256 = ? AND valid_until > ?"
        " ORDER BY valid_until DESC LIMIT 1",
        (sha256, now_us),
    ).fetchone()
    return row


def parked_count(connection: sqlite3.Connection) -> int:
    """Return how many jobs wait for nothing but their budget."""
    return int(connection.execute("SELECT count(*) FROM jobs WHERE parked = 1").fetchone()[0])


def waiting(connection: sqlite3.Connection, beyond_us: int, limit: int) -> list[Row]:
    """Return the rows of the jobs that wait until after *beyond_us*, and not for their budget, oldest first."""
    stages = sorted(set(Stage) - RESTING)
    # The index is named: the planner would rather walk through all jobs that there ever were, in their order.
    return connection.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs INDEXED BY jobs_stage WHERE stage IN ({_marks(len(stages))})"  # noqa: S608
        " AND not_before > ? AND parked = 0 ORDER BY created_at, key LIMIT ?",
        (*stages, beyond_us, limit),
    ).fetchall()


def _marks(number: int) -> str:
    return ", ".join("?" * number)


def queued(connection: sqlite3.Connection, inbox: bytes) -> int:
    """Return how many jobs of *inbox* are queued."""
    row = connection.execute(
        "SELECT jobs FROM tally WHERE inbox = ? AND stage = 'queued'", (inbox,)
    ).fetchone()
    if row is None or not row[0]:
        return 0
    parked = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE parked = 1 AND inbox = ? LIMIT ?)",
        (inbox, PARKED_AT_MOST),
    ).fetchone()
    return int(row[0]) - int(parked[0])
