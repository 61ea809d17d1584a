"""Exit codes, and how an error becomes three lines for a person."""

from __future__ import annotations

from enum import IntEnum

import click

from dropglow.errors import ConfigError, DropglowError, LedgerUnavailable


class Exit(IntEnum):
    """What a command's exit code says; other people's scripts rely on it."""

    DONE = 0
    TROUBLED = 1  # with --once: something failed, is held or is in doubt; elsewhere: the answer is no
    USAGE = 2
    BUG = 70
    LATER = 75  # second daemon on the same state, ledger unreachable
    CONFIGURATION = 78


class Told(click.ClickException):
    """An error in words: what, why, what to do. Never a traceback."""

    def __init__(self, message: str, *, hint: str = "", code: Exit) -> None:
        """Say *message* and *hint*, and exit with *code*."""
        super().__init__(message)
        self.hint = hint
        self.exit_code = int(code)  # type: ignore[misc]  # click takes it from the instance as well

    def format_message(self) -> str:
        """Return the lines to print."""
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


def told(error: DropglowError) -> Told:
    """Return *error* as the command line says it."""
    if isinstance(error, ConfigError):
        lines = "\n".join((error.message, *error.faults)) if error.faults else error.message
        return Told(lines, hint=error.hint, code=Exit.CONFIGURATION)
    return Told(error.message, hint=error.hint, code=_code(error))


def _code(error: DropglowError) -> Exit:
    from dropglow.intake.root import InboxBusy
    from dropglow.ledger.lock import Busy
    from dropglow.ops.listening import AddressBusy

    later = isinstance(error, Busy | InboxBusy | LedgerUnavailable | AddressBusy)
    return Exit.LATER if later else Exit.TROUBLED
