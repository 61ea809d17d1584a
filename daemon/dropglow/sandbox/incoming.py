"""Take a request apart: its body up to a limit, the type it is declared to be, and the address it was sent to."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

__all__ = ["UPLOAD_LIMIT_BYTES", "base_url", "media_type", "read_body"]

UPLOAD_LIMIT_BYTES: Final = 15 * 1024 * 1024
# Above the limit the rest of a body is read and dropped, so that the client hears the answer; but not for ever.
DRAIN_LIMIT_BYTES: Final = 64 * 1024 * 1024


def base_url(request: Request) -> str:
    """Return the scheme and host the client used, without a slash at its end: links in answers begin with it."""
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def media_type(request: Request) -> str:
    """Return the declared content type in lower case, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, *, limit_bytes: int = UPLOAD_LIMIT_BYTES) -> bytes | None:
    """Return the whole body, or None if it is longer than the limit.

    Raises:
        ClientDisconnect: The client has gone.
    """
    content = bytearray()
    dropped = 0
    async for piece in request.stream():
        if len(content) + len(piece) > limit_bytes or dropped:
            dropped += len(piece)
        else:
            content += piece
        if dropped > DRAIN_LIMIT_BYTES:
            break
    return None if dropped else bytes(content)
