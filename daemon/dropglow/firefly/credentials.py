"""Find the credentials, anew each time they are needed, and keep them from being printed.

A rotated secret must work without a restart, so nothing is remembered here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dropglow.errors import AuthError

_HINT: Final = (
    "give both firefly_client_id and firefly_client_secret as systemd credentials, or as files named by "
    "FIREFLY_SERVICES_CLIENT_ID_FILE and FIREFLY_SERVICES_CLIENT_SECRET_FILE, "
    "or in FIREFLY_SERVICES_CLIENT_ID and FIREFLY_SERVICES_CLIENT_SECRET"
)
# They travel in a header and in a form: visible ASCII only.
_PRINTABLE: Final = re.compile(r"[!-~]+")


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
class Credentials:
    """Hold what Adobe's developer console calls client id and client secret."""

    client_id: Secret
    client_secret: Secret


class FixedCredentials:
    """Give the same credentials always. For the sandbox, which takes any."""

    def __init__(self, *, client_id: str, client_secret: str) -> None:
        """Keep the two texts."""
        self._credentials = Credentials(client_id=Secret(client_id), client_secret=Secret(client_secret))

    def read(self) -> Credentials:
        """Return the credentials."""
        return self._credentials


class CredentialSource:
    """Look for the credentials where systemd, containers and shells put them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Keep *environ*; it is read at each call of ``read``."""
        self._environ = environ

    def read(self) -> Credentials:
        """Return the credentials as they are now.

        Each of the two is looked for in ``$CREDENTIALS_DIRECTORY``, then in the file that
        ``FIREFLY_SERVICES_…_FILE`` names, then in ``FIREFLY_SERVICES_…``.

        Raises:
            AuthError: One is missing, empty or unreadable.
        """
        return Credentials(client_id=self._find("client_id"), client_secret=self._find("client_secret"))

    def place(self, name: str) -> str:
        """Return in words where *name*, ``client_id`` or ``client_secret``, is found; empty where it is nowhere."""
        return self._located(name)[0]

    def _find(self, name: str) -> Secret:
        source, path, text = self._located(name)
        if not source:
            raise _unusable(f"there is no {name.replace('_', ' ')} for Adobe")
        return _checked(text if path is None else _file_text(path), source)

    def _located(self, name: str) -> tuple[str, Path | None, str]:
        """Return how the place of *name* is called, and the file or the text that holds it."""
        variable = f"FIREFLY_SERVICES_{name.upper()}"
        if folder := self._environ.get("CREDENTIALS_DIRECTORY"):
            path = Path(folder, f"firefly_{name}")
            # systemd makes the folder for any credential, not only for ours.
            if not _is_absent(path):
                return f"the systemd credential firefly_{name}", path, ""
        if named := self._environ.get(f"{variable}_FILE"):
            return f"the file that {variable}_FILE names", Path(named), ""
        if text := self._environ.get(variable):
            return variable, None, text
        return "", None, ""


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
        raise _unusable(f"cannot read {path}: {error.strerror}") from error
    return content.decode("utf-8-sig", errors="replace")


def _checked(text: str, source: str) -> Secret:
    stripped = text.strip()
    if not stripped:
        raise _unusable(f"{source} is empty")
    if not _PRINTABLE.fullmatch(stripped):
        raise _unusable(f"{source} holds spaces or characters that no credential has")
    return Secret(stripped)


def _unusable(message: str) -> AuthError:
    return AuthError(message, hint=_HINT, code="no_credentials", service_wide=True)
