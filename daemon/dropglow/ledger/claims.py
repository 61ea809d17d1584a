"""Who has which job in hand, in SQL: claims, in turns between inboxes, and leases. Each is one piece of a transaction.

Nothing here commits, or changes what a job is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from dropglow.ledger import queries
from dropglow.ledger.base import Grant
from dropglow.ledger.codec import Row

# The planner, which knows no figures, would rather scan by stage: the index is named, and must exist.
OPEN_READY: Final = "jobs INDEXED BY jobs_open WHERE standing = 'ready' AND stage <> 'queued'"
FRESH_READY: Final = "jobs INDEXED BY jobs_fresh WHERE standing = 'ready' AND stage = 'queued'"
_DUE: Final = f"""
    SELECT
        EXISTS (SELECT 1 FROM {OPEN_READY}),
        EXISTS (SELECT 1 FROM {FRESH_READY}),
        EXISTS (SELECT 1 FROM owners AS o CROSS JOIN jobs AS j INDEXED BY jobs_taken
                WHERE o.until <= ? AND j.owner = o.owner AND j.standing = 'taken'),
        (SELECT min(not_before) FROM jobs WHERE standing = 'waiting')
"""  # noqa: S608
_MORE_THAN_ANY: Final = 2**62
_HANDED_BACK: Final = "owner = NULL, standing = CASE WHEN not_before IS NULL THEN 'ready' ELSE 'waiting' END"


def claim(
    connection: sqlite3.Connection, owner: str, *, now_us: int, until_us: int, grant: Grant, last: bytes
) -> tuple[list[Row], bytes]:
    """Return the rows that *owner* has in hand from now on, and the inbox whose turn was last."""
    _free_lapsed(connection, owner, now_us)
    _wake(connection, now_us)
    rows = [_take(connection, owner, key) for key in _open(connection, grant.open_jobs)]
    priority = _next_priority(connection, None) if grant.fresh_jobs > 0 else None
    fresh = 0
    while priority is not None and fresh < grant.fresh_jobs:
        turn = _next_in_turn(connection, priority, last)
        if turn is None:
            priority = _next_priority(connection, priority)
            continue
        key, last = turn
        rows.append(_take(connection, owner, key))
        fresh += 1
    _renew_by_claim(connection, owner, now_us=now_us, until_us=until_us, given=len(rows))
    return rows, last


def _free_lapsed(connection: sqlite3.Connection, owner: str, now_us: int) -> None:
    """Take the jobs out of the hands of everybody but *owner* whose lease ran out."""
    lapsed = connection.execute("SELECT owner FROM owners WHERE until <= ? AND owner <> ?", (now_us, owner))
    for (other,) in lapsed.fetchall():
        release_all(connection, other)
        connection.execute("DELETE FROM owners WHERE owner = ?", (other,))


def _wake(connection: sqlite3.Connection, now_us: int) -> None:
    # In portions: a whole queue may become due in one moment, at midnight for instance.
    connection.execute(
        "UPDATE jobs SET standing = 'ready' WHERE rowid IN (SELECT rowid FROM jobs"
        " WHERE standing = 'waiting' AND not_before <= ? ORDER BY not_before LIMIT 1000)",
        (now_us,),
    )


def _open(connection: sqlite3.Connection, count: int) -> list[str]:
    found = connection.execute(
        f"SELECT key FROM {OPEN_READY} ORDER BY created_at, key LIMIT ?",  # noqa: S608
        (max(0, count),),
    )
    return [key for (key,) in found.fetchall()]


def _next_priority(connection: sqlite3.Connection, below: int | None) -> int | None:
    found = connection.execute(
        f"SELECT priority FROM {FRESH_READY} AND priority < ? ORDER BY priority DESC LIMIT 1",  # noqa: S608
        (_MORE_THAN_ANY if below is None else below,),
    ).fetchone()
    return None if found is None else int(found[0])


def _next_in_turn(connection: sqlite3.Connection, priority: int, last: bytes) -> tuple[str, bytes] | None:
    """Return the oldest fresh job of the inbox that comes after *last*, and that inbox."""
    for after in (last, b""):
        found: tuple[str, bytes] | None = connection.execute(
            f"SELECT key, inbox FROM {FRESH_READY} AND priority = ? AND inbox > ?"  # noqa: S608
            " ORDER BY inbox, created_at, key LIMIT 1",
            (priority, after),
        ).fetchone()
        if found is not None:
            return found
    return None


def _take(connection: sqlite3.Connection, owner: str, key: str) -> Row:
    # Fetched to the end: a statement that is not finished keeps its savepoint from being released.
    [row] = connection.execute(
        f"UPDATE jobs SET owner = ?, standing = 'taken' WHERE key = ? RETURNING {queries.JOB_COLUMNS}",  # noqa: S608
        (owner, key),
    ).fetchall()
    return tuple(row)


def _renew_by_claim(
    connection: sqlite3.Connection, owner: str, *, now_us: int, until_us: int, given: int
) -> None:
    """Extend the lease where it is needed: a claim that finds nothing must not cost a commit each time."""
    half_way = now_us + (until_us - now_us) // 2
    fresh_enough = connection.execute(
        "SELECT 1 FROM owners WHERE owner = ? AND until > ?", (owner, half_way)
    ).fetchone()
    if given or not fresh_enough:
        renew(connection, owner, until_us)


def next_due(connection: sqlite3.Connection, now_us: int) -> int | None:
    """Return when the next job that nobody has in hand is due, in microseconds; None if none ever is."""
    is_open, is_fresh, lapsed, waits_until = connection.execute(_DUE, (now_us,)).fetchone()
    return now_us if is_open or is_fresh or lapsed else waits_until


def renew(connection: sqlite3.Connection, owner: str, until_us: int) -> None:
    """Set the end of an owner's lease."""
    connection.execute(
        "INSERT INTO owners VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET until = excluded.until",
        (owner, until_us),
    )


def release(connection: sqlite3.Connection, owner: str, keys: Sequence[str]) -> None:
    """Take these jobs out of the owner's hand, as far as they are in it."""
    connection.executemany(
        f"UPDATE jobs SET {_HANDED_BACK} WHERE key = ? AND owner = ?",  # noqa: S608
        [(key, owner) for key in keys],
    )


def release_all(connection: sqlite3.Connection, owner: str) -> None:
    """Take everything out of the owner's hand."""
    connection.execute(
        f"UPDATE jobs SET {_HANDED_BACK} WHERE standing = 'taken' AND owner = ?",  # noqa: S608
        (owner,),
    )


def release_everybody(connection: sqlite3.Connection) -> None:
    """Take everything out of everybody's hand, and end all leases."""
    connection.execute(f"UPDATE jobs SET {_HANDED_BACK} WHERE standing = 'taken'")  # noqa: S608
    connection.execute("DELETE FROM owners")
