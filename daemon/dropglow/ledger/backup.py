"""Copy the ledger once a day, beside whoever works with it, and keep the copies of a week.

A copy does not know what was ordered after it was made. So it is made to be careful before anybody puts it in the
ledger's place: spending is paused in it, and it has an identity of its own, by which files that are in work under
orders it never heard of are held instead of ordered again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Final

from dropglow.errors import LedgerUnavailable
from dropglow.ledger.accounts import set_switch
from dropglow.ledger.belongings import hand_over, make_folder
from dropglow.ledger.claims import release_everybody
from dropglow.ledger.place import LEDGER_FILE
from dropglow.money import Switch

BACKUPS_FOLDER: Final = "backups"
KEPT: Final = 7
_PATTERN: Final = "ledger-????-??-??.sqlite3"


def back_up(state: Path, now: datetime) -> Path | None:
    """Copy the ledger in *state* unless the day of *now* has its copy; return the copy that was made. Takes a thread.

    Raises:
        LedgerUnavailable: It cannot be copied; the copies of other days stand.
    """
    final = state / BACKUPS_FOLDER / f"ledger-{now:%Y-%m-%d}.sqlite3"
    if final.exists():
        return None
    part = final.with_suffix(".part")
    try:
        make_folder(final.parent)
        _make_file(part)
        _copy(state / LEDGER_FILE, part, now)
        _publish(part, final)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise LedgerUnavailable(
            f"the ledger could not be copied to {final}: {error}",
            hint="is there room in the state folder? It is tried again by itself",
        ) from error
    # Names of days to come are a clock's that was ahead.
    until_today = sorted(each for each in final.parent.glob(_PATTERN) if each.name <= final.name)
    for old in until_today[:-KEPT]:
        with contextlib.suppress(OSError):  # it takes room, and no more
            old.unlink()
    return final


def latest_copy(state: Path) -> Path | None:
    """Return the latest copy of the ledger in *state*, or None."""
    return max((state / BACKUPS_FOLDER).glob(_PATTERN), default=None)


def _make_file(part: Path) -> None:
    part.unlink(missing_ok=True)  # of a copy that was interrupted
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        hand_over(descriptor, part.parent)
    finally:
        os.close(descriptor)


def _copy(ledger: Path, part: Path, now: datetime) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        source.backup(copy)  # of one moment: whoever writes meanwhile is not kept waiting
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, whatever the ledger has beside it
        copy.execute("BEGIN IMMEDIATE")
        copy.execute("UPDATE meta SET value = ? WHERE name = 'identity'", (secrets.token_hex(12),))
        release_everybody(copy)  # they have the jobs of the ledger in hand, and not those of the copy
        set_switch(copy, Switch(stopped=True, at=now, reason=_reason(now)))
        copy.execute("COMMIT")


def _reason(now: datetime) -> str:
    return f"this ledger is a copy of {now:%Y-%m-%d %H:%M} UTC, and does not know what was ordered later"


def _publish(part: Path, final: Path) -> None:
    _sync(part)
    part.replace(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
