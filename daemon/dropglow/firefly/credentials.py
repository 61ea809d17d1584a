"""Find the credentials, anew each time they are needed, and keep them from being printed.

A rotated secret must work without a restart, so nothing is remembered here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dropglow.errors import AuthError, SecretError
from dropglow.secrecy import Secret, Whereabouts, whereabouts

_HINT: Final = (
    "give both firefly_client_id and firefly_client_secret as systemd credentials, or as files named by "
    "FIREFLY_SERVICES_CLIENT_ID_FILE and FIREFLY_SERVICES_CLIENT_SECRET_FILE, "
    "or in FIREFLY_SERVICES_CLIENT_ID and FIREFLY_SERVICES_CLIENT_SECRET"
)
# They travel in a header and in a form: visible ASCII only.
_PRINTABLE: Final = re.compile(r"[!-~]+")


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
        return self._located(name).words

    def _find(self, name: str) -> Secret:
        place = self._located(name)
        if not place.words:
            raise _unusable(f"there is no {name.replace('_', ' ')} for Adobe")
        try:
            text = place.read()
        except SecretError as error:
            raise _unusable(error.message) from error
        return _checked(text, place.words)

    def _located(self, name: str) -> Whereabouts:
        return whereabouts(
            self._environ, credential=f"firefly_{name}", variable=f"FIREFLY_SERVICES_{name.upper()}"
        )


def _checked(text: str, source: str) -> Secret:
    if not _PRINTABLE.fullmatch(text):
        raise _unusable(f"{source} holds spaces or characters that no credential has")
    return Secret(text)


def _unusable(message: str) -> AuthError:
    return AuthError(message, hint=_HINT, code="no_credentials", service_wide=True)
