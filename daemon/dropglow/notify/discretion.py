"""Keep secrets out of what others say: servers quote what they were sent, whole or in parts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

LONGEST: Final = 200  # characters of a quotation
_SHORTEST_PART: Final = 6  # of an address, that is worth hiding alone


def parts_of_address(address: str) -> frozenset[str]:
    """Return *address* and its parts by which somebody could post there, in the spellings that a server may quote."""
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    texts = [address, target, *(each for each in (parts.path, parts.query) if each != "/")]
    texts += [each for each in pieces if len(each) >= _SHORTEST_PART]
    return frozenset(
        spelling for each in texts if each not in {"", "/"} for spelling in (each, unquote(each))
    )


def forms_of_login(user: str, password: str) -> frozenset[str]:
    """Return *password* in the forms in which a mail server is sent it."""
    if not password:
        return frozenset()
    return frozenset({password, _base64(password), _base64(f"\0{user}\0{password}")})


def lines_of(secret: str | None) -> frozenset[str]:
    """Return each line of *secret*."""
    return frozenset(line.strip() for line in (secret or "").splitlines() if line.strip())


def without(secrets: Iterable[str], text: str) -> str:
    """Return *text* with an ellipsis for each of *secrets*."""
    for secret in _longest_first(secrets):
        text = text.replace(secret, "…")
    return text


def quoted(secrets: Iterable[str], said: str, *, whole: bool = True) -> str:
    """Return the first words of what somebody *said*, in one line and without *secrets*.

    Where it is not *whole*, its end may be the beginning of a secret: so much is left out as a secret is long.
    """
    wanted = tuple(_longest_first(secrets))
    end = len(said) if whole or not wanted else max(0, len(said) - len(wanted[0]))
    return " ".join(without(wanted, said[:end]).split())[:LONGEST]


def _longest_first(secrets: Iterable[str]) -> Iterator[str]:
    yield from sorted(secrets, key=len, reverse=True)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
