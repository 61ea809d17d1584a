"""Reach the ledger from a command: read beside a running service, and find out whether one runs.

Commands that only ask never write and never take the lock. Quick to import:
neither HTTP nor imaging comes along.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dropglow.cli.tables import counted
from dropglow.errors import ConfigError, LedgerUnavailable
from dropglow.ledger.lock import LOCK_FILE, StateLock
from dropglow.ledger.place import LEDGER_FILE

if TYPE_CHECKING:
    from dropglow.ledger.base import Reader
    from dropglow.sketch import Sketch

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that has the state folder: the service, or for a moment another command."""

    pid: int | None  # None: it could not be read


def state_folder(option: str | None) -> Path:
    """Return the state folder that the configuration names; faults elsewhere in it only warrant a warning.

    Raises:
        ConfigError: There is none, or nobody can tell the state folder from it.
    """
    return Path(surveyed(option).state)


class Surveyor:
    """Read the configuration again and again, and warn of its faults the first time only."""

    def __init__(self, option: str | None) -> None:
        """Read what ``--config`` says: *option*."""
        self._option = option
        self._last: Sketch | None = None

    def sketch(self) -> Sketch:
        """Return the configuration as it is now; as it was, while somebody edits it so that nobody can read it.

        Raises:
            ConfigError: The first time: there is none, or nobody can tell the state folder from it.
        """
        if self._last is None:
            self._last = surveyed(self._option)
            return self._last
        with contextlib.suppress(ConfigError):
            self._last = found_sketch(self._option)
        return self._last


def surveyed(option: str | None) -> Sketch:
    """Return the configuration as far as it can be read; warn, on standard error, where it has faults.

    Raises:
        ConfigError: There is none, or nobody can tell the state folder from it.
    """
    sketch = found_sketch(option)
    if sketch.faults:
        count = counted(len(sketch.faults), "fault")
        click.echo(f"Warning: the configuration has {count}: dropglow check", err=True)
    return sketch


def found_sketch(option: str | None) -> Sketch:
    """Return the configuration as far as it can be read, without a word about faults.

    Raises:
        ConfigError: There is none, or nobody can tell the state folder from it.
    """
    from dropglow.sketch import find_sketch

    return find_sketch(option, environ=os.environ, cwd=str(Path.cwd()))


def asked(state: Path, question: Callable[[Reader], Awaitable[T]]) -> T:
    """Return the answer of the ledger in *state* to *question*.

    Raises:
        LedgerUnavailable: It cannot be read.
        LedgerError: It is damaged, or of another version.
    """

    async def ask() -> T:
        async with reading(state) as reader:
            return await question(reader)

    return asyncio.run(ask())


@contextlib.asynccontextmanager
async def reading(state: Path) -> AsyncIterator[Reader]:
    """Open the ledger in *state* for questions; where none was made yet, an empty one answers.

    Raises:
        LedgerUnavailable: It cannot be read.
        LedgerError: It is damaged, or of another version.
    """
    if not has_ledger(state):
        from dropglow.ledger.memory import MemoryLedger

        yield MemoryLedger()
        return
    from dropglow.ledger.sqlite import SqliteReader

    reader = SqliteReader.open(state / LEDGER_FILE)
    try:
        yield reader
    finally:
        await reader.close()


def has_ledger(state: Path) -> bool:
    """Return whether a service ever ran on *state*.

    Raises:
        LedgerUnavailable: The folder cannot be looked into.
    """
    try:
        (state / LEDGER_FILE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _closed(state, error) from error
    return True


def holder(state: Path) -> Holder | None:
    """Return who has the state folder, or None: then no service runs.

    Raises:
        LedgerUnavailable: The lock cannot be looked at.
    """
    try:
        descriptor = os.open(state / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _closed(state, error) from error
    try:
        # Shared, so that commands that look at the same time do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return Holder(pid=StateLock(state).owner_pid())
    finally:
        os.close(descriptor)
    return None


def snapshot(state: Path, held_by: Holder | None) -> dict[str, Any] | None:
    """Return what the service that has *state* says of itself; None where it says nothing yet.

    What a service that was killed left behind is not believed.
    """
    from dropglow.runtime.status import read_status

    if held_by is None:
        return None
    document = read_status(state)
    if document is None or document.get("pid") != held_by.pid:
        return None
    return document


def _closed(state: Path, error: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"the state folder {state} cannot be read: {error.strerror}",
        hint="run the command as the user of the service, or as root",
    )
