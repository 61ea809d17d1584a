"""A transport without a network that tells, like the real one, when a request is about to leave."""

from __future__ import annotations

from typing import Final

import httpx

LEAVING: Final = "http11.send_request_headers.started"


async def tell(request: httpx.Request, step: str = LEAVING) -> None:
    """Tell how far *request* came, as ``httpcore`` does: where somebody wants to hear it."""
    if (trace := request.extensions.get("trace")) is not None:
        await trace(step, {})


class Telling(httpx.AsyncBaseTransport):
    """Tell of each request what ``httpcore`` tells, and let another transport carry it."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        """Send through *inner*, to which there always is a connection."""
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        await tell(request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is behind."""
        await self._inner.aclose()


async def nothing_to_store() -> None:
    """Let an order go that nobody keeps books about."""
