"""Take out of a text what must not be shown, stored or logged. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SECRET_MIN: Final = 6
TEXT_MAX: Final = 500  # characters of a foreign text in a message

_ADDRESS: Final = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*", re.IGNORECASE)
_BEARER: Final = re.compile(r"\bbearer\s+[\w.~+/=-]+", re.IGNORECASE)
_WEB_TOKEN: Final = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*)*")
_PARAMETER: Final = re.compile(
    r"\b(client_secret|client_id|access_token|x-amz-[\w-]+|x-api-key|signature|sig)(\"?\s*[=:]\s*\"?)[^\s&\"',;]+",
    re.IGNORECASE,
)


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """Return *text* without the queries of addresses, without tokens, and without each of *secrets*.

    A secret shorter than ``SECRET_MIN`` characters is no secret but a stand-in
    for trying things out, such as ``any``; taking it out would garble words.
    """
    for secret in secrets:
        if len(secret) >= SECRET_MIN:
            text = text.replace(secret, "…")
    text = _ADDRESS.sub(r"\1?…", text)
    text = _WEB_TOKEN.sub("…", _BEARER.sub("Bearer …", text))
    return _PARAMETER.sub(r"\1\2…", text)


def shortened(text: str, length: int = TEXT_MAX) -> str:
    """Return *text* on one line, at most *length* characters, without control characters."""
    text = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return text if len(text) <= length else f"{text[: length - 1]}…"
