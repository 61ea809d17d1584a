"""Answer who asks how the service is: ``/live``, ``/ready``, ``/metrics``, and a page for browsers.

It only reads, and it gives nothing away but names of rules and counts. Whoever may connect may ask, so every
connection is small and short: one request, one answer, a few kilobytes of head, ten seconds. What an answer costs is
shared by all who ask within the same second.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

import uvicorn
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from dropglow.embedded import Embedded
from dropglow.ops.dashboard import POLICY
from dropglow.ops.host_header import Place, meant_for_us

T = TypeVar("T")

CONNECTIONS: Final = 32  # at once; for one more, the oldest is cut
LIFE_S: Final = 10.0  # of a connection, from its first moment
HEAD_BYTES: Final = 8192  # of a request, with whatever comes after its head
FRESH_S: Final = 1.0
_METHODS: Final = ("GET", "HEAD")
_INDEX: Final = "dropglow\n/live\n/ready\n/metrics\n"
# A page elsewhere gets nothing of an answer, and a browser makes nothing of it.
_HEADERS: Final = {
    "cache-control": "no-store",
    "connection": "close",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What can be asked. The first two return what is wrong: nothing, if all is well."""

    live: Callable[[], Awaitable[Sequence[str]]]
    ready: Callable[[], Awaitable[Sequence[str]]]
    metrics: Callable[[], Awaitable[bytes]]
    metrics_type: str
    page: Callable[[], Awaitable[str]]  # HTML


class Front:
    """Answer on *listeners* while the ``async with`` block lasts; they are closed with it."""

    def __init__(
        self, questions: Questions, listeners: Sequence[socket.socket], *, names: Sequence[Place] = ()
    ) -> None:
        """Remember what to answer, and by which *names* besides its addresses it may be asked."""
        self._listeners = list(listeners)
        self._server = Embedded(_settings(_Desk(questions, names)))
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to answer."""
        for listener in self._listeners:
            listener.setblocking(False)
        self._serving = asyncio.create_task(self._server.serve(sockets=self._listeners), name="http")
        await self._server.ready.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut every connection, and close the listeners."""
        if self._serving is not None:
            self._server.leave.set()
            await self._serving


class _Shared(Generic[T]):
    """Ask once for all who ask within the same second."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._turn = asyncio.Lock()
        self._answers: list[T] = []
        self._fresh_until_s = 0.0

    async def __call__(self) -> T:
        async with self._turn:
            if not self._answers or time.monotonic() >= self._fresh_until_s:
                self._answers = [await self._ask()]
                self._fresh_until_s = time.monotonic() + FRESH_S
            return self._answers[0]


class _Desk:
    """The application: looks at who asks for what, and answers."""

    def __init__(self, questions: Questions, names: Sequence[Place]) -> None:
        self._names = tuple(names)
        self._live = _Shared(questions.live)
        self._ready = _Shared(questions.ready)
        self._metrics = _Shared(questions.metrics)
        self._metrics_type = questions.metrics_type
        self._page = _Shared(questions.page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Cancelled only where the connection was cut: nobody waits for an answer.
        try:
            answer = await self._answer(scope)
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)
            await answer(scope, receive, send)
        except asyncio.CancelledError:
            return

    async def _answer(self, scope: Scope) -> Response:
        if not self._meant_for_us(scope):
            return PlainTextResponse("this is not the host that you asked for\n", status_code=421)
        if scope["method"] not in _METHODS:
            return PlainTextResponse(
                "only GET and HEAD\n", status_code=405, headers={"allow": ", ".join(_METHODS)}
            )
        match scope["path"]:
            case "/" if "text/html" in Headers(scope=scope).get("accept", ""):
                return HTMLResponse(await self._page(), headers={"content-security-policy": POLICY})
            case "/":
                return PlainTextResponse(_INDEX)
            case "/live":
                return _verdict("live", await self._live())
            case "/ready":
                return _verdict("ready", await self._ready())
            case "/metrics":
                return Response(await self._metrics(), media_type=self._metrics_type)
            case _:
                return PlainTextResponse("there is nothing here\n", status_code=404)

    def _meant_for_us(self, scope: Scope) -> bool:
        asked = Headers(scope=scope).getlist("host")
        address, port = scope["server"] or ("", 0)
        return len(asked) == 1 and meant_for_us(asked[0], address=address, port=port or 0, names=self._names)


def _verdict(question: str, wrong: Sequence[str]) -> Response:
    """Return the answer to a health check: its status is what machines look at, and its text is for people."""
    text = json.dumps({question: not wrong, "reasons": list(wrong)})
    return Response(text + "\n", status_code=503 if wrong else 200, media_type="application/json")


class _Protocol(H11Protocol):
    """A connection that may take some room and some time, and no more."""

    _room_bytes = HEAD_BYTES
    end: asyncio.TimerHandle | None = None  # when it comes, and by that how old the connection is

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= CONNECTIONS:
            # Whoever holds all of them and says nothing shall not keep a health check out.
            min(self.connections, key=_end_s).transport.abort()
        super().connection_made(transport)
        self.end = self.loop.call_later(LIFE_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._room_bytes -= len(data)
        if self._room_bytes >= 0:
            super().data_received(data)
        elif not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.end is not None:
            self.end.cancel()
        super().connection_lost(exc)


def _end_s(connection: object) -> float:
    assert isinstance(connection, _Protocol)
    assert connection.end is not None, "it has been made"
    return connection.end.when()


def _settings(desk: _Desk) -> uvicorn.Config:
    return uvicorn.Config(
        desk,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what strangers send is no event of ours
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=1,
    )
