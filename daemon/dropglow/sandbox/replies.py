"""Make the sandbox's answers: JSON, Adobe's error bodies, S3's XML, and connections that break.

What status and which words belong to a refusal is decided by the caller; here it only gets its form.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive, Scope, Send

__all__ = ["TRANSPORT", "CutBody", "CutConnection", "Refusal", "SlowBody", "html", "reply", "xml_error"]

# The embedded server puts the connection's transport into the scope under this name.
TRANSPORT: Final = "dropglow.transport"
CHUNK_BYTES: Final = 16384


class Refusal(Exception):
    """Carry the answer that ends a request early."""

    def __init__(self, answer: Response) -> None:
        """Hold the answer."""
        super().__init__(answer.status_code)
        self.answer = answer

    @classmethod
    def of(
        cls,
        status: int,
        error_code: str,
        message: str = "",
        *,
        complaints: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Refusal:
        """Return a refusal with Adobe's error body (ApiError in Adobe's OpenAPI document)."""
        body: dict[str, Any] = {"error_code": error_code}
        if message:
            body["message"] = message
        if complaints:
            body["validation_errors"] = list(complaints)
        return cls(reply(body, status=status, headers=headers))


def reply(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    return Response(json.dumps(body), status, headers, media_type="application/json")


def html(status: int, title: str) -> Response:
    """Return an answer as gateways write them."""
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return Response(page, status, media_type="text/html")


def xml_error(status: int, code: str, message: str) -> Response:
    """Return an error as S3 writes them."""
    page = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(page, status, media_type="application/xml")


class CutConnection(Response):
    """Close the connection without an answer.

    Needs the embedded server; under a transport without connections, `ConnectionResetError` is raised instead.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Break the connection and wait until the server has seen it."""
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the sandbox was asked to cut this connection")
        transport.abort()
        await _gone(receive)


class CutBody(Response):
    """Promise a whole body, send half of it, and close the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the beginning and break off."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the sandbox was asked to cut this connection")
        transport.close()
        await _gone(receive)


class SlowBody(Response):
    """Send the body at so many bytes per second; stop when the client has gone."""

    def __init__(
        self, content: bytes, *, bytes_per_s: float, headers: Mapping[str, str], media_type: str
    ) -> None:
        """Hold the body and its pace."""
        super().__init__(content, headers=headers, media_type=media_type)
        self.bytes_per_s = bytes_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send chunk by chunk."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunk = max(1, min(CHUNK_BYTES, int(self.bytes_per_s / 10)))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            for start in range(0, len(self.body), chunk):
                await asyncio.wait({gone}, timeout=chunk / self.bytes_per_s)
                if gone.done():
                    return
                piece = bytes(self.body[start : start + chunk])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
