"""Run work on one connection in one thread, and commit what waits together.

A durable commit costs a wait for the disk; a hundred callers who wait at the
same time share one. Where one of them is refused, all are done again, each in a
savepoint of its own, so that a refusal touches nobody else; a failed commit undoes
the work of all of them. So work may run twice, and must change nothing but the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar, cast

from dropglow.errors import DropglowError, LedgerError, LedgerUnavailable
from dropglow.together import Together

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

LOOK: Final = "what is wrong with it, and what to do, says: dropglow doctor"  # a ledger that is damaged
_BATCH: Final = 256


class GroupCommit:
    """One writer connection, its thread, and those who wait for it. Belongs to one event loop."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Keep *connect*, which is called in the writer's thread by ``open``."""
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._together: Together[Work[Any], Any] = Together(
            self._commit, most=_BATCH, name="ledger-writer", executor=self._thread
        )
        self._closed = False

    async def open(self) -> None:
        """Connect, in the writer's thread.

        Raises:
            LedgerError: The database cannot be used.
        """
        try:
            self._connection = await asyncio.get_running_loop().run_in_executor(self._thread, self._connect)
        finally:
            if self._connection is None:
                self._thread.shutdown(wait=False)

    async def run(self, work: Work[T]) -> T:
        """Return what *work* returns, once it is durable.

        The work is done even when its caller is cancelled meanwhile.

        Raises:
            LedgerError: What *work* raised; it has changed nothing.
            LedgerUnavailable: The batch could not be committed; nothing has changed.
        """
        if self._closed or self._connection is None:
            raise LedgerUnavailable("the ledger is closed", hint="start the service again")
        return cast("T", await self._together.do(work))

    async def close(self) -> None:
        """Finish what waits, then close the connection and end the thread."""
        if self._closed:
            return
        self._closed = True
        await self._together.settled()
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _commit(self, works: Sequence[Work[Any]]) -> list[Any]:
        assert self._connection is not None, "nothing is handed in before it is open"
        return _commit(self._connection, works)


def _commit(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Any]:
    """Return the outcome of every work: its value, or the refusal that it met."""
    try:
        outcomes = _in_one_go(connection, works)
        return _one_by_one(connection, works) if outcomes is None else outcomes
    except sqlite3.Error as error:
        raise unavailable(error) from error
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


def _in_one_go(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Any] | None:
    """Return what each work returned; None, with nothing changed, where one of them met a refusal.

    Refusals are rare, and savepoints for all would be a third of the statements.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [work(connection) for work in works]
    except (DropglowError, sqlite3.IntegrityError):
        connection.execute("ROLLBACK")
        return None
    connection.execute("COMMIT")
    return outcomes


def _one_by_one(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    outcomes = [_one(connection, work) for work in works]
    connection.execute("COMMIT")
    return outcomes


def _one(connection: sqlite3.Connection, work: Work[Any]) -> Any:
    connection.execute("SAVEPOINT one")
    outcome: Any
    try:
        outcome = work(connection)
    except DropglowError as error:
        outcome = error
    except sqlite3.IntegrityError as error:
        outcome = LedgerError(
            f"the ledger's own guard refused this: {error}", hint="please report this as a bug"
        )
    if isinstance(outcome, DropglowError):
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
    return outcome


def unavailable(error: sqlite3.Error) -> LedgerUnavailable:
    """Return *error* as one of ours, in words for an operator."""
    code = (
        getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    )  # what is above says more precisely where
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LedgerUnavailable(f"the ledger is damaged: {error}", hint=LOOK)
    if code == sqlite3.SQLITE_FULL:
        return LedgerUnavailable(
            "the ledger cannot be written: its disk is full", hint="make room on the disk of the state folder"
        )
    return LedgerUnavailable(
        f"the ledger cannot be used now: {error}", hint="look at the disk of the state folder"
    )
