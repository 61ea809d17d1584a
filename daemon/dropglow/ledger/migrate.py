"""Bring a SQLite ledger to the shape that this version knows: numbered steps, forward only.

Each step is one transaction. A ledger of a newer version is refused, and so
is a file that is no ledger: nothing is ever recreated in silence.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from itertools import product
from typing import Final

from dropglow.errors import LedgerError
from dropglow.lifecycle import allowed
from dropglow.model import Stage

# Tells `file` and us whose database this is.
APPLICATION_ID: Final = int.from_bytes(b"Glow", "big")


def migrations() -> tuple[tuple[int, str], ...]:
    """Return every migration as its number and its SQL, in order."""
    folder = resources.files("dropglow.ledger").joinpath("migrations", "sqlite")
    scripts = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    return tuple((int(script.name[:4]), script.read_text(encoding="utf-8")) for script in scripts)


def latest() -> int:
    """Return the number of the newest migration, which is the ledger's version."""
    return migrations()[-1][0]


def version(connection: sqlite3.Connection) -> int:
    """Return the version of this ledger; 0 for an empty file.

    Raises:
        LedgerError: The file belongs to something else, or to a newer Dropglow.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if owner != APPLICATION_ID and not (empty and owner == 0):
        raise LedgerError(
            "the ledger's file is a database of some other program",
            hint="give Dropglow a state folder of its own",
        )
    if found > latest():
        raise LedgerError(
            f"the ledger was written by a newer Dropglow (version {found}, this one knows {latest()})",
            hint="install the newer Dropglow again; going back is not possible",
        )
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Apply every step that is missing, and refresh the table of legal transitions.

    Raises:
        LedgerError: The file belongs to something else, or to a newer Dropglow.
    """
    found = version(connection)
    for number, script in migrations():
        if number > found:
            _apply(connection, number, script)
    _write_transitions(connection)


def _apply(connection: sqlite3.Connection, number: int, script: str) -> None:
    stamps = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{stamps}\nCOMMIT;")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _write_transitions(connection: sqlite3.Connection) -> None:
    pairs = {(before.value, after.value) for before, after in product(Stage, Stage) if allowed(before, after)}
    if pairs == set(connection.execute("SELECT before, after FROM transitions")):
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM transitions")
    connection.executemany("INSERT INTO transitions VALUES (?, ?)", sorted(pairs))
    connection.execute("COMMIT")
