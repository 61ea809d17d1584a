"""Find secrets where systemd, containers and shells put them, anew each time, and keep them from being printed.

A rotated secret must work without a restart, so nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dropglow.errors import SecretError

CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"


class Secret:
    """Hold a text that does not show itself in logs, errors or ``repr``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep *text*."""
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that must send it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a secret is, as far as can be told without reading it."""

    words: str  # how the place is called; empty: the secret is nowhere
    path: Path | None = None  # of the file that holds it
    held: Secret | None = None  # or the secret itself

    def read(self) -> str:
        """Return the secret's text, without the white space around it.

        Raises:
            SecretError: Its file cannot be read, or it is empty.
        """
        text = (self.held or Secret("")).reveal() if self.path is None else _file_text(self.path)
        if not (stripped := text.strip()):
            raise SecretError(f"{self.words} is empty")
        return stripped


def whereabouts(environ: Mapping[str, str], *, credential: str, variable: str) -> Whereabouts:
    """Return where a secret is: the systemd *credential*, the file that ``VARIABLE_FILE`` names, or ``VARIABLE``."""
    if folder := environ.get(CREDENTIALS_VARIABLE):
        path = Path(folder, credential)
        # systemd makes the folder for any credential, not only for ours.
        if not _is_absent(path):
            return Whereabouts(words=f"the systemd credential {credential}", path=path)
    if named := environ.get(f"{variable}_FILE"):
        return Whereabouts(words=f"the file that {variable}_FILE names", path=Path(named))
    if text := environ.get(variable):
        return Whereabouts(words=variable, held=Secret(text))
    return Whereabouts(words="")


def _is_absent(path: Path) -> bool:
    """Return whether there is certainly no such file; one that cannot be looked at is there, and its reading says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _file_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SecretError(f"cannot read {path}: {error.strerror}") from error
    return content.decode("utf-8-sig", errors="replace")
