"""The books in SQL: what is booked, spent, given back, and waits for money. Each a piece of a transaction.

Which fate an order had is said here once, as ``_FATE``: it follows from how far its submission came.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any, Final

from dropglow.errors import OverBudget, SpendingStopped
from dropglow.ledger import queries
from dropglow.ledger.base import fair_share
from dropglow.ledger.codec import Row, from_us, storable, to_us
from dropglow.model import Job
from dropglow.money import PAUSED, Amount, Booking, Period, Switch, Turn, cost, labels, turned

_RETURNED: Final = "s.remote_id IS NULL AND s.outcome IS NOT NULL AND s.outcome IN ('Declined', 'GaveUp')"
_FATE: Final = f"""CASE
    WHEN {_RETURNED} THEN 'returned'
    WHEN s.remote_id IS NULL THEN 'in_doubt'
    WHEN s.completed_at IS NOT NULL OR s.outcome IS NULL THEN 'bought'
    ELSE 'failed' END"""
# The folder of a path is what is left of it when all that is no slash is taken from its end.
_COSTS: Final = f"""
    SELECT s.day, s.rule, j.inbox,
           rtrim(json_extract(j.fixed, '$.source'), replace(json_extract(j.fixed, '$.source'), '/', '')) AS folder,
           json_extract(j.fixed, '$.order.operation') AS operation, json_extract(j.fixed, '$.order.model') AS model,
           {_FATE} AS fate, count(*), sum(s.images), sum(s.operations)
    FROM submissions AS s JOIN jobs AS j ON j.key = s.job
    WHERE s.day >= ? AND s.day <= ? GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608
_FATES: Final = f"""
    SELECT {_FATE} AS fate FROM submissions AS s INDEXED BY submissions_begun
    WHERE s.begun_at >= ? AND NOT ({_RETURNED}) AND s.outcome IS NOT 'CancelConfirmed'
      AND (s.outcome IS NOT NULL OR s.completed_at IS NOT NULL
           OR (SELECT stage FROM jobs WHERE key = s.job) = 'in_doubt')
    ORDER BY s.begun_at DESC LIMIT ?
"""  # noqa: S608
_PARKED: Final = "jobs INDEXED BY jobs_parked_rule WHERE parked = 1"
# From one rule to the next, and not over all of their jobs.
_PARKED_RULES: Final = f"""
    WITH RECURSIVE rules (rule) AS (
        SELECT min(rule) FROM {_PARKED}
        UNION ALL
        SELECT (SELECT min(rule) FROM {_PARKED} AND rule > rules.rule) FROM rules WHERE rule IS NOT NULL
    ) SELECT rule FROM rules WHERE rule IS NOT NULL
"""  # noqa: S608
_PARKED_OF: Final = (
    f"SELECT {queries.JOB_COLUMNS} FROM {_PARKED} AND rule = ? ORDER BY created_at, key LIMIT ?"  # noqa: S608
)
_UNFUNDED: Final = f"SELECT count(*) FROM {_PARKED} AND not_before > ?"  # noqa: S608
_END_OF_TIME: Final = "9999-12-31"
_COLUMNS: Final = {Period.DAY: "day", Period.MONTH: "month"}
_SWITCH: Final = "spending"


def book(
    connection: sqlite3.Connection, job: Job, *, attempt: int, at: datetime, booking: Booking | None
) -> None:
    """Store that a submission of *job* begins, if it fits its budget and spending is not paused.

    Raises:
        OverBudget: It does not.
        SpendingStopped: It is.
    """
    said = switch(connection)
    if said is not None and said.stopped:
        raise SpendingStopped(PAUSED)
    price = cost(job.order)
    for ceiling in () if booking is None else booking.ceilings:
        label = booking.label(ceiling.period) if booking else ""
        if not ceiling.fits(spending(connection, ceiling.period, label, ceiling.rule), price):
            raise OverBudget(f"{ceiling} has no room for this order")
    day, month = labels(at) if booking is None else (booking.day, booking.month)
    connection.execute(
        "INSERT INTO submissions (job, attempt, begun_at, day, month, rule, images, operations)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (job.key, attempt, to_us(at), day, month, job.rule, price.images, price.operations),
    )


def spending(connection: sqlite3.Connection, period: Period, label: str, rule: str | None) -> Amount:
    """Return what was spent on a day or in a month, by one rule or by all."""
    name = None if rule is None else storable(rule)
    row = connection.execute(
        "SELECT coalesce(sum(images), 0), coalesce(sum(operations), 0) FROM spend"  # noqa: S608
        f" WHERE {_COLUMNS[period]} = ? AND (? IS NULL OR rule = ?)",
        (label, name, name),
    ).fetchone()
    return Amount(images=row[0], operations=row[1])


def costs(connection: sqlite3.Connection, since: str, until: str) -> list[Row]:
    """Return the books of these days."""
    return connection.execute(_COSTS, (since, until or _END_OF_TIME)).fetchall()


def fates(connection: sqlite3.Connection, since_us: int, limit: int) -> list[str]:
    """Return what became of the latest orders, newest first."""
    return [fate for (fate,) in connection.execute(_FATES, (since_us, limit)).fetchall()]


def unpaid(connection: sqlite3.Connection, rule: str) -> int:
    """Return how many images of *rule* are queued or held."""
    row = connection.execute(
        "SELECT sum(coalesce(json_extract(fixed, '$.order.results'), json_extract(fixed, '$.order.images')))"
        " FROM jobs WHERE stage IN ('queued', 'held') AND rule = ?",
        (storable(rule),),
    ).fetchone()
    return int(row[0] or 0)


def parked(connection: sqlite3.Connection, limit: int) -> list[Row]:
    """Return the rows of jobs that wait for their budget, the oldest of each rule, rule by rule."""
    rules = connection.execute(_PARKED_RULES).fetchall()
    share = fair_share(limit, rules=len(rules))
    return [row for (rule,) in rules for row in connection.execute(_PARKED_OF, (rule, share)).fetchall()]


def unfunded(connection: sqlite3.Connection, now_us: int) -> int:
    """Return how many jobs wait for their budget beyond a moment."""
    found = connection.execute(_UNFUNDED, (now_us,)).fetchone()
    return int(found[0])


def turn_of(connection: sqlite3.Connection, period: Period) -> Turn | None:
    """Return which day or month is being spent from."""
    found = _noted(connection, f"turn of the {period}")
    return None if found is None else Turn(label=found["label"], seen_at=from_us(found["seen_us"]))


def turn(connection: sqlite3.Connection, booking: Booking, now: datetime) -> tuple[str, str]:
    """Return the day and month that are being spent from, and keep what the clock showed."""
    current = []
    for period in Period:
        known = turn_of(connection, period)
        found = turned(period, booking.label(period), now, known)
        if found != known:
            _note(
                connection, f"turn of the {period}", {"label": found.label, "seen_us": to_us(found.seen_at)}
            )
        current.append(found.label)
    return current[0], current[1]


def switch(connection: sqlite3.Connection) -> Switch | None:
    """Return whether spending is stopped."""
    found = _noted(connection, _SWITCH)
    if found is None:
        return None
    return Switch(stopped=found["stopped"], at=from_us(found["at_us"]), reason=found["reason"])


def set_switch(connection: sqlite3.Connection, value: Switch) -> None:
    """Store whether spending is stopped."""
    _note(
        connection,
        _SWITCH,
        {"stopped": value.stopped, "at_us": to_us(value.at), "reason": storable(value.reason)},
    )


def _noted(connection: sqlite3.Connection, name: str) -> dict[str, Any] | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else json.loads(row[0])


def _note(connection: sqlite3.Connection, name: str, document: dict[str, Any]) -> None:
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(document)),
    )
