"""The ledger in one SQLite file: one writer connection in one thread, readers beside it.

SQLite before 3.51.3 can corrupt a WAL when two connections write, so there is
exactly one writer per state folder: whoever has its lock. ``synchronous=FULL``
is not for tuning: a commit lost to a power cut is an order bought twice.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self, TypeVar

from dropglow.errors import LedgerError, LedgerUnavailable
from dropglow.events import Event
from dropglow.ledger import accounts, claims, queries, verbs
from dropglow.ledger.base import Grant
from dropglow.ledger.belongings import make_state_folder
from dropglow.ledger.codec import (
    drop_from,
    from_us,
    job_fixed,
    job_from,
    job_moving,
    path_bytes,
    to_us,
)
from dropglow.ledger.group import LOOK, GroupCommit, Work, unavailable
from dropglow.ledger.migrate import latest, migrate, version
from dropglow.ledger.place import refuse_network
from dropglow.ledger.reading import SqlReader
from dropglow.model import Drop, Job, JobKey, Original, Upload
from dropglow.money import Booking, Switch

T = TypeVar("T")

_PRAGMAS: Final = (
    ("busy_timeout", "5000", 5000),
    ("foreign_keys", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("cache_size", "-8000", -8000),
)
_WRITER_PRAGMAS: Final = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("journal_size_limit", "67108864", 67108864),
)


class SqliteLedger(SqlReader):
    """The contract of ``base.Ledger`` on one SQLite file. Belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        """Know where the file is; ``open`` opens it."""
        self._path = path
        self._group = GroupCommit(self._connect)
        self._identity = ""
        self._last_inbox = b""

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the ledger, creating or migrating it where needed. The caller holds the state folder's lock.

        Raises:
            LedgerError: It is damaged, newer than this version, or in a place where it is not safe.
            LedgerUnavailable: The disk does not let us.
        """
        ledger = cls(path)
        await ledger._group.open()
        return ledger

    @property
    def identity(self) -> str:
        """Return the ledger's own id, made when it was created."""
        return self._identity

    async def admit(self, drop: Drop, jobs: Sequence[Job], *, originals: Sequence[Original] = ()) -> None:
        """Store a drop and all of its jobs, in one commit, with those of its files that stay in their inbox.

        Raises:
            Conflict: A key is taken.
            LedgerUnavailable: Nothing was stored.
        """
        rows = [(job, job_fixed(job), job_moving(job)) for job in jobs]
        await self._ask(lambda connection: verbs.admit(connection, drop, rows, originals))

    async def claim(self, owner: str, *, now: datetime, until: datetime, grant: Grant) -> tuple[Job, ...]:
        """Take due jobs that nobody has in hand, or whose owner's lease ran out.

        Raises:
            LedgerUnavailable: Nothing was taken.
        """
        last = self._last_inbox
        rows, self._last_inbox = await self._ask(
            lambda connection: claims.claim(
                connection, owner, now_us=to_us(now), until_us=to_us(until), grant=grant, last=last
            )
        )
        return tuple(job_from(row) for row in rows)

    async def next_due(self, *, now: datetime) -> datetime | None:
        """Return when the next job that nobody has in hand becomes due, or None."""
        due_us = await self._ask(lambda connection: claims.next_due(connection, to_us(now)))
        return None if due_us is None else from_us(due_us)

    async def renew(self, owner: str, *, until: datetime) -> None:
        """Extend the lease of everything that *owner* has in hand.

        Raises:
            LedgerUnavailable: It still ends when it did.
        """
        await self._ask(lambda connection: claims.renew(connection, owner, to_us(until)))

    async def release(self, owner: str, keys: Sequence[JobKey]) -> None:
        """Hand jobs back, as far as *owner* holds them.

        Raises:
            LedgerUnavailable: They are still in hand.
        """
        await self._ask(lambda connection: claims.release(connection, owner, keys))

    async def release_all(self, owner: str) -> None:
        """Hand everything back that *owner* holds.

        Raises:
            LedgerUnavailable: It is still in hand.
        """
        await self._ask(lambda connection: claims.release_all(connection, owner))

    async def save(self, before: Job, after: Job, event: Event, *, at: datetime, owner: str | None) -> Job:
        """Store *after* in place of *before* with its history row; return it with its new revision.

        Raises:
            Conflict: The stored job is newer than *before*.
            LeaseLost: Somebody else has it in hand.
            OverBudget: It is a *Began* whose booking does not fit.
            SpendingStopped: It is a *Began*, and spending is paused.
            UnknownKey: There is no such job.
            IllegalTransition: The schema knows no such arrow.
            LedgerUnavailable: Nothing was stored.
        """
        moving = job_moving(after)
        await self._ask(
            lambda connection: verbs.save(connection, before, after, event, at=at, owner=owner, moving=moving)
        )
        return replace(after, revision=before.revision + 1)

    async def turn(self, *, booking: Booking, now: datetime) -> Booking:
        """Return *booking* on the day and month that are being spent from.

        Raises:
            LedgerUnavailable: Nobody knows.
        """
        day, month = await self._ask(lambda connection: accounts.turn(connection, booking, now))
        return replace(booking, day=day, month=month)

    async def set_switch(self, switch: Switch) -> None:
        """Store that spending is stopped, or goes on.

        Raises:
            LedgerUnavailable: Nothing was stored.
        """
        await self._ask(lambda connection: accounts.set_switch(connection, switch))

    async def queued(self, inbox: str) -> int:
        """Return how many jobs of *inbox* are QUEUED, due or not."""
        return await self._ask(lambda connection: queries.queued(connection, path_bytes(inbox)))

    async def ripe(self, *, limit: int) -> tuple[Drop, ...]:
        """Return open drops all of whose jobs rest, oldest first."""
        rows = await self._ask(lambda connection: verbs.ripe(connection, limit))
        return tuple(drop_from(row) for row in rows)

    async def reopenable(
        self, *, inbox: str, path: str, place: str, sha256: str, companions: Sequence[str], rule_digest: str
    ) -> Drop | None:
        """Return the latest drop of this very file, content and rule that ended FAILED, if any."""
        rows = await self._ask(
            lambda connection: verbs.reopenable(
                connection,
                inbox=path_bytes(inbox),
                path=path_bytes(path),
                place=path_bytes(place),
                sha256=sha256,
                rule_digest=rule_digest,
            )
        )
        found = (drop_from(row) for row in rows)
        return next((drop for drop in found if drop.contents == tuple(companions)), None)

    async def held_content(self, *, inbox: str, sha256: str) -> tuple[Drop, ...]:
        """Return the HELD drops of this inbox and content, under whatever name and rule, latest first."""
        rows = await self._ask(
            lambda connection: verbs.held_content(connection, inbox=path_bytes(inbox), sha256=sha256)
        )
        return tuple(drop_from(row) for row in rows)

    async def has_place(self, *, place: str, sha256: str) -> bool:
        """Return whether a drop of this content lies at *place* (absolute), as far as it is written down."""
        return await self._ask(
            lambda connection: verbs.has_place(connection, place=path_bytes(place), sha256=sha256)
        )

    async def save_drop(
        self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
    ) -> Drop:
        """Store *after* in place of *before* with a history row; return it with its new revision.

        Raises:
            Conflict: The stored drop is newer than *before*.
            UnknownKey: There is none.
            LedgerUnavailable: Nothing was stored.
        """
        await self._ask(
            lambda connection: verbs.save_drop(connection, before, after, event=event, at=at, text=detail)
        )
        return replace(after, revision=before.revision + 1)

    async def remember_upload(self, upload: Upload, *, at: datetime) -> None:
        """Store that this content lies in Adobe's storage.

        Raises:
            LedgerUnavailable: Nothing was stored.
        """
        await self._ask(lambda connection: verbs.remember_upload(connection, upload, at))

    async def remember_originals(self, originals: Sequence[Original]) -> None:
        """Store that these files, as they are now, belong to drops that the ledger knows already.

        Raises:
            LedgerUnavailable: Nothing was stored.
        """
        await self._ask(lambda connection: verbs.remember_originals(connection, originals))

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
        await self._group.close()

    async def _ask(self, work: Work[T]) -> T:
        return await self._group.run(work)

    def _connect(self) -> sqlite3.Connection:
        refuse_network(self._path.parent)
        _make_file(self._path)
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        except sqlite3.Error as error:
            raise unavailable(error) from error
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            self._identity = _prepare(connection)
            undo.pop_all()
        return connection


class SqliteReader(SqlReader):
    """The questions only, beside a service that runs or in its absence. Never writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Ask *connection*; ``open`` makes it."""
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing ledger for reading.

        Raises:
            LedgerUnavailable: There is none yet, or it cannot be opened.
            LedgerError: It is of another version, or no ledger.
        """
        if not path.exists():
            raise LedgerUnavailable(
                f"there is no ledger at {path} yet", hint="start the service: dropglow run"
            )
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
        except sqlite3.Error as error:
            raise unavailable(error) from error
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            _prepare_reading(connection)
            undo.pop_all()
        return cls(connection)

    async def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    async def _ask(self, work: Work[T]) -> T:
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            raise unavailable(error) from error


def _make_file(path: Path) -> None:
    """Create the file for its owner's eyes only, before SQLite does: it copies the mode for its side files."""
    if path.exists():
        return
    try:
        make_state_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise LedgerUnavailable(
            f"the ledger {path} cannot be created: {error.strerror}",
            hint="look at the state folder and its disk",
        ) from error


def _prepare(connection: sqlite3.Connection) -> str:
    """Set up the writer's connection and return the ledger's identity."""
    try:
        version(connection)
        _set(connection, (*_PRAGMAS, *_WRITER_PRAGMAS))
        _check(connection)
        migrate(connection)
        return str(connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()[0])
    except sqlite3.OperationalError as error:
        raise unavailable(error) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(str(error)) from error


def _prepare_reading(connection: sqlite3.Connection) -> None:
    try:
        _set(connection, (*_PRAGMAS, ("query_only", "ON", 1)))
        found = version(connection)
    except sqlite3.OperationalError as error:
        raise unavailable(error) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(str(error)) from error
    if found != latest():
        fault = LedgerUnavailable if found < latest() else LedgerError
        raise fault(
            f"the ledger is of version {found}, this Dropglow reads {latest()}",
            hint="start the service once with this version: dropglow run",
        )


def _set(connection: sqlite3.Connection, pragmas: Sequence[tuple[str, str, int | str]]) -> None:
    for name, value, expected in pragmas:
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        # Asked again, always: a pragma that does not take effect does not say so.
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != expected:
            raise LedgerError(
                f"the ledger's database does not accept {name}={value} (it says {found})",
                hint="put the state folder on an ordinary disk of this machine",
            )


def _check(connection: sqlite3.Connection) -> None:
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise _damaged("; ".join("; ".join(found).splitlines()))


def _damaged(what: str) -> LedgerError:
    return LedgerError(
        f"the ledger is damaged: {what}",
        hint=f"it is never made anew in silence; {LOOK}",
    )
