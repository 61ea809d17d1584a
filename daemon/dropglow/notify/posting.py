"""Post one message over HTTP: to a webhook, or to a topic of ntfy's. The only module here that knows httpx.

There are no redirects, which could carry a token elsewhere, and no proxies from the environment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

import httpx

from dropglow.errors import NotTold
from dropglow.notify.discretion import quoted
from dropglow.notify.trust import trust

STEP_S = 10.0  # for a connection, and from one piece of an answer to the next
_ANSWER_BYTES = 2000  # of a refusal, at most, are read


async def post(address: str, *, body: bytes, headers: Mapping[str, str], secrets: Iterable[str] = ()) -> None:
    """Post *body* to *address*, once.

    Raises:
        NotTold: It was not taken. The words hold none of *secrets*, whatever the server quotes.
    """
    try:
        async with httpx.AsyncHTTPTransport(verify=trust(), trust_env=False) as transport:
            await _post(transport, httpx.Request("POST", address, content=body, headers=headers), secrets)
    except httpx.TimeoutException as error:
        raise NotTold(_too_slow(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotTold(f"it cannot be reached: {_told(error)}") from None  # the original holds the address


async def _post(transport: httpx.AsyncHTTPTransport, request: httpx.Request, secrets: Iterable[str]) -> None:
    request.extensions["timeout"] = {"connect": STEP_S, "read": STEP_S, "write": STEP_S, "pool": STEP_S}
    response = await transport.handle_async_request(request)
    try:
        status = response.status_code
        if 200 <= status < 300:
            return
        said = await _beginning(response, secrets)
    finally:
        with contextlib.suppress(httpx.HTTPError, OSError):
            await response.aclose()
    raise NotTold(f"it answered with HTTP {status}{said and f': {said}'}", hint=_hint(status))


async def _beginning(response: httpx.Response, secrets: Iterable[str]) -> str:
    """Return the first words of a refusal, where they are text, without *secrets*."""
    if not response.headers.get("content-type", "").startswith(("text/plain", "application/json")):
        return ""
    read = b""
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) >= _ANSWER_BYTES:
            break
    text = read[:_ANSWER_BYTES].decode("utf-8", "replace")
    return quoted(secrets, text, whole=len(read) < _ANSWER_BYTES)


def _hint(status: int) -> str:
    if status in {401, 403}:
        return "is its secret right?"
    return "is its address right?" if status in {301, 302, 307, 308, 404, 410} else ""


def _too_slow(error: httpx.TimeoutException) -> str:
    reached = not isinstance(error, httpx.ConnectTimeout)
    return (
        f"it did not answer within {STEP_S:g} s" if reached else f"it cannot be reached within {STEP_S:g} s"
    )


def _told(error: Exception) -> str:
    words = str(error) or type(error).__name__
    return "its address is none" if isinstance(error, httpx.InvalidURL) else words
