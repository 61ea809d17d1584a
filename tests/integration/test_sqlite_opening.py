"""Opening a SQLite ledger: what it insists on, and what it refuses."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

import pytest

from dropglow.errors import LedgerError, LedgerUnavailable
from dropglow.ledger.base import Query
from dropglow.ledger.migrate import APPLICATION_ID, latest, migrate, migrations
from dropglow.ledger.place import refuse_network
from dropglow.ledger.sqlite import SqliteLedger, SqliteReader

FIRST_WITH_MONEY: Final = next(number for number, script in migrations() if "CREATE TABLE spend" in script)
OLD_BOOKS: Final = """
INSERT INTO transitions VALUES ('queued', 'held');
INSERT INTO drops (key, inbox, path, place, rule, rule_digest, sha256, kind, state, admitted_at, document, revision)
    VALUES ('a', x'2F', x'61', x'61', 'art', 'd', 's', 'prompt', 'open', 0, '{}', 0);
INSERT INTO jobs (key, drop_key, rule, inbox, source, stage, standing, priority, created_at, fixed, moving, revision)
    SELECT 'a.' || n, 'a', rule, x'2F', 'a', 'queued', 'ready', 0, 0, fixed, '{}', 0 FROM (
        SELECT 1 AS n, 'art' AS rule, '{"order": {"images": 2}}' AS fixed
        UNION ALL SELECT 2, 'film', '{"order": {"images": 10, "results": 1}}'
        UNION ALL SELECT 3, 'art', '{"order": {"images": 7}}'
        UNION ALL SELECT 4, 'art', '{"order": {"images": 7}}'
        UNION ALL SELECT 5, 'art', '{"order": {"images": 7}}');
INSERT INTO submissions (job, attempt, begun_at, remote_id, outcome) VALUES
    ('a.1', 1, 1769860800000000, 'urn:1', NULL),
    ('a.2', 1, 1769860800000000, NULL, 'Abandoned'),
    ('a.3', 1, 1769860800000000, NULL, 'Declined');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the ledger is to be, in a folder that does not exist yet."""
    return tmp_path / "state" / "ledger.sqlite3"


async def made(path: Path) -> str:
    """Make an empty ledger and return its identity."""
    ledger = await SqliteLedger.open(path)
    await ledger.close()
    return ledger.identity


async def test_a_new_ledger_is_for_its_owner_only(path: Path) -> None:
    """Folder, file and side files are closed to everybody else."""
    ledger = await SqliteLedger.open(path)

    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    await ledger.close()

    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert {"ledger.sqlite3": 0o600, "ledger.sqlite3-wal": 0o600, "ledger.sqlite3-shm": 0o600} == modes


async def test_the_identity_is_made_once(path: Path, tmp_path: Path) -> None:
    """A ledger keeps its id over restarts, and another one has another."""
    first, again, other = await made(path), await made(path), await made(tmp_path / "other.sqlite3")

    assert first == again
    assert first != other


async def test_the_database_is_set_up_for_power_cuts(path: Path) -> None:
    """The writer's connection syncs every commit, and checks what it reads."""
    ledger = await SqliteLedger.open(path)

    wanted = (
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "trusted_schema",
        "cell_size_check",
        "busy_timeout",
    )
    found = await ledger._ask(
        lambda connection: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted]
    )
    await ledger.close()

    assert ["wal", 2, 1, 0, 1, 5000] == found


async def test_a_newer_ledger_is_refused(path: Path) -> None:
    """A ledger that a later version wrote is left alone, by writers and by readers."""
    await made(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {latest() + 1}")
    connection.close()

    with pytest.raises(LedgerError, match="newer"):
        await SqliteLedger.open(path)
    with pytest.raises(LedgerError, match="newer"):
        SqliteReader.open(path)


async def test_somebody_elses_database_is_refused(path: Path) -> None:
    """A database of another program is not written to."""
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(LedgerError, match="some other program"):
        await SqliteLedger.open(path)
    assert before == path.read_bytes()


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    """A damaged file is said to be damaged, and not recreated."""
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(LedgerError, match="damaged"):
        await SqliteLedger.open(path)
    with pytest.raises(LedgerError, match="damaged"):
        SqliteReader.open(path)
    assert path.read_bytes().startswith(b"not a database")


async def test_a_damaged_page_is_noticed(path: Path) -> None:
    """The check at the start reads every page."""
    await made(path)
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 6] = os.urandom(4096)
    path.write_bytes(content)

    with pytest.raises(LedgerError, match="damaged"):
        await SqliteLedger.open(path)


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A state folder below a file is the operator's to mend."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(LedgerUnavailable, match="cannot be created"):
        await SqliteLedger.open(tmp_path / "file" / "ledger.sqlite3")


async def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    """What SQLite cannot open is unavailable."""
    (tmp_path / "ledger.sqlite3").mkdir()

    with pytest.raises(LedgerUnavailable):
        await SqliteLedger.open(tmp_path / "ledger.sqlite3")


async def test_a_reader_reads_beside_the_writer(path: Path) -> None:
    """While a service runs, and after it, questions are answered; nothing can be written."""
    ledger = await SqliteLedger.open(path)
    beside = SqliteReader.open(path)
    during = await beside.find(Query())
    await ledger.close()
    after = await beside.find(Query())

    with pytest.raises(LedgerUnavailable):
        await beside._ask(lambda connection: connection.execute("DELETE FROM meta"))
    await beside.close()
    assert ((), ()) == (during, after)


async def test_a_reader_of_nothing_says_so(path: Path) -> None:
    """Before the first start there is no ledger, and a question makes none."""
    with pytest.raises(LedgerUnavailable, match="no ledger"):
        SqliteReader.open(path)
    assert not path.exists()


async def test_a_reader_refuses_what_must_be_migrated_first(path: Path) -> None:
    """A ledger of an older version wants its service to be started once."""
    path.parent.mkdir()
    sqlite3.connect(path).close()
    path.touch()

    with pytest.raises(LedgerError, match="of version 0"):
        SqliteReader.open(path)


async def test_a_closed_ledger_is_unavailable(path: Path) -> None:
    """After closing, which may be done twice, nothing is stored any more."""
    ledger = await SqliteLedger.open(path)
    await ledger.close()
    await ledger.close()

    with pytest.raises(LedgerUnavailable, match="closed"):
        await ledger.counts()


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """Where locks do not work as a database needs them, no ledger is kept; where nothing is told, it is."""
    (tmp_path / "mounts").write_text(f"30 22 0:40 / {tmp_path} rw - nfs4 nas:/x rw\n")

    with pytest.raises(LedgerError, match="network file system"):
        refuse_network(tmp_path / "state", mounts=tmp_path / "mounts")
    refuse_network(tmp_path / "state", mounts=tmp_path / "nothing")


def test_a_failed_migration_leaves_nothing() -> None:
    """A step that meets what it does not expect changes nothing at all."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE history (something TEXT)")

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    assert (["history"], 0) == (tables, version)


def test_migrating_refreshes_the_table_of_arrows() -> None:
    """A version whose lifecycle knows other arrows writes them into an existing ledger."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    known = connection.execute("SELECT * FROM transitions ORDER BY 1, 2").fetchall()
    connection.execute("DELETE FROM transitions WHERE before = 'queued'")
    connection.execute("INSERT INTO transitions VALUES ('delivered', 'queued')")

    migrate(connection)

    assert known == connection.execute("SELECT * FROM transitions ORDER BY 1, 2").fetchall()
    connection.close()


def test_a_ledger_without_money_learns_of_it() -> None:
    """What an older version ordered is booked on its day, by its rule; the new stage is known, and no other."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for number, script in migrations():
        if number < FIRST_WITH_MONEY:
            connection.executescript(script)
            connection.execute(f"PRAGMA user_version = {number}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(OLD_BOOKS)

    migrate(connection)

    spend = connection.execute("SELECT * FROM spend ORDER BY rule").fetchall()
    assert [("2026-01-31", "2026-01", "art", 2, 2), ("2026-01-31", "2026-01", "film", 1, 10)] == spend
    connection.execute("INSERT INTO transitions VALUES ('queued', 'odd')")
    connection.execute("UPDATE jobs SET stage = 'held', standing = 'resting' WHERE key = 'a.4'")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE jobs SET stage = 'odd' WHERE key = 'a.5'")
    with pytest.raises(sqlite3.IntegrityError, match="stays booked"):
        connection.execute("UPDATE submissions SET images = 0")
    assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
