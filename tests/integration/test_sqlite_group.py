"""Committing together: what one caller's trouble means for the others."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropglow.errors import Conflict, LedgerError, LedgerUnavailable
from dropglow.ledger.group import GroupCommit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database is."""
    return tmp_path / "a.sqlite3"


@pytest.fixture
async def group(path: Path) -> AsyncIterator[GroupCommit]:
    """Return a group over a database with one table of unique numbers."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, text TEXT) STRICT")
        return connection

    made = GroupCommit(connect)
    await made.open()
    yield made
    await made.close()


def insert(connection: sqlite3.Connection, number: int) -> int:
    """Store *number*."""
    connection.execute("INSERT INTO numbers (number) VALUES (?)", (number,))
    return number


def numbers(path: Path) -> list[int]:
    """Return what another connection sees."""
    connection = sqlite3.connect(path)
    found = [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY number")]
    connection.close()
    return found


async def test_those_who_ask_together_are_committed_together(group: GroupCommit, path: Path) -> None:
    """A thousand callers share a few commits, and each gets its own answer."""
    commits: list[str] = []
    await group.run(lambda connection: connection.set_trace_callback(commits.append))

    answers = await asyncio.gather(
        *(group.run(lambda connection, number=number: insert(connection, number)) for number in range(1000))  # type: ignore[misc]
    )

    assert list(range(1000)) == answers == numbers(path)
    assert 8 >= commits.count("COMMIT")


async def test_a_refusal_undoes_its_own_work_only(group: GroupCommit, path: Path) -> None:
    """What one caller had written before it was refused is gone; its neighbours' work stays."""

    def refused(connection: sqlite3.Connection) -> None:
        insert(connection, 2)
        raise Conflict("no")

    outcomes = await asyncio.gather(
        group.run(lambda connection: insert(connection, 1)),
        group.run(refused),
        group.run(lambda connection: insert(connection, 3)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[1], Conflict)
    assert [1, 3] == numbers(path)


async def test_only_a_refusal_costs_savepoints(group: GroupCommit) -> None:
    """Where nobody is refused, what is asked together is one transaction and nothing else."""
    statements: list[str] = []
    await group.run(lambda connection: connection.set_trace_callback(statements.append))
    del statements[:]

    await asyncio.gather(
        group.run(lambda connection: insert(connection, 1)),
        group.run(lambda connection: insert(connection, 2)),
    )

    assert ["BEGIN IMMEDIATE", "COMMIT"] == [each for each in statements if "INSERT" not in each]


async def test_a_guard_of_the_schema_is_a_refusal_too(group: GroupCommit, path: Path) -> None:
    """A broken constraint touches nobody but the one who broke it."""
    outcomes = await asyncio.gather(
        *(group.run(lambda connection: insert(connection, 1)) for _ in range(2)), return_exceptions=True
    )

    assert [int, LedgerError] == [type(outcome) for outcome in outcomes]
    assert [1] == numbers(path)


async def test_a_full_disk_fails_everybody_and_changes_nothing(group: GroupCommit, path: Path) -> None:
    """Nobody of the batch is told that it was stored; with room again, the next one is."""
    used = await group.run(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await group.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {used}").fetchall())

    def large(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (2, ?)", ("x" * 50_000,))

    outcomes = await asyncio.gather(
        group.run(lambda connection: insert(connection, 1)), group.run(large), return_exceptions=True
    )
    await group.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").fetchall())
    await group.run(lambda connection: insert(connection, 3))

    assert [LedgerUnavailable, LedgerUnavailable] == [type(outcome) for outcome in outcomes]
    assert "disk is full" in str(outcomes[0])
    assert [3] == numbers(path)


async def test_a_cancelled_callers_work_is_done(group: GroupCommit, path: Path) -> None:
    """Cancelling the wait does not take back what was asked."""
    caller = asyncio.create_task(group.run(lambda connection: insert(connection, 1)))
    neighbour = asyncio.create_task(group.run(lambda connection: insert(connection, 2)))
    await asyncio.sleep(0)
    caller.cancel()

    assert 2 == await neighbour
    assert caller.cancelled()
    assert [1, 2] == numbers(path)


async def test_closing_finishes_what_waits(group: GroupCommit, path: Path) -> None:
    """Whoever asked before the end is answered."""
    callers = [
        asyncio.create_task(group.run(lambda connection, number=number: insert(connection, number)))  # type: ignore[misc]
        for number in range(600)
    ]
    await asyncio.sleep(0)

    await group.close()

    assert list(range(600)) == await asyncio.gather(*callers) == numbers(path)


async def test_the_loop_goes_on_while_the_disk_is_awaited(group: GroupCommit) -> None:
    """Work runs beside the loop, all of it in one thread."""
    loops_thread = threading.get_ident()

    threads = {await group.run(lambda _: threading.get_ident()) for _ in range(3)}

    assert 1 == len(threads)
    assert loops_thread not in threads


async def test_a_bug_reaches_its_caller_and_nothing_is_kept(group: GroupCommit, path: Path) -> None:
    """An error that nobody foresaw undoes the batch, is raised where it was asked, and leaves the thread alive."""

    def mistaken(connection: sqlite3.Connection) -> None:
        insert(connection, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await group.run(mistaken)
    assert 2 == await group.run(lambda connection: insert(connection, 2))
    assert [2] == numbers(path)


async def test_a_database_that_cannot_be_opened_ends_the_thread() -> None:
    """A failed opening leaves no thread behind, and the group refuses work."""

    def connect() -> sqlite3.Connection:
        raise LedgerError("no")

    group = GroupCommit(connect)
    with pytest.raises(LedgerError, match="no"):
        await group.open()
    with pytest.raises(LedgerUnavailable):
        await group.run(lambda _: None)
    await group.close()
