"""Look whether a ledger's file is sound, beside whoever works with it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

_WAIT_S: Final = 2.0
_MOST_FAULTS: Final = 5


def damage(path: Path) -> tuple[str, ...]:
    """Return what is damaged in the ledger at *path*, in SQLite's words; nothing where it is sound.

    Reads every page once; writes nothing.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    with path.open("rb"):
        pass  # SQLite tells less well why a file cannot be opened
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
        ) as found:
            rows = found.execute(f"PRAGMA quick_check({_MOST_FAULTS})").fetchall()
    except sqlite3.Error as error:
        return (str(error),)
    told = tuple(str(row[0]) for row in rows)
    return () if told == ("ok",) else told
