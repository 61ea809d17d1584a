"""Carry one request to its complete answer, whatever becomes of the one who asked.

httpx's pool loses a connection slot for ever when a request is cancelled while it waits for one. So each exchange
runs in a task of its own, shielded from its caller, and ends by itself: by its time-outs, or at the next chunk
once nobody waits for it. What has to be durable before a request leaves is stored in between: its connection
stands by then, and no byte of it is sent. The transport is used without httpx's client: there are no cookies, no redirects, no
proxies from the environment and no log lines with signed addresses in them, and less work per request.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import httpx

from dropglow.clock import Clock
from dropglow.firefly.faults import Answer, Broken

JSON_BYTES_MAX: Final = 1024 * 1024
RESULT_BYTES_MAX: Final = 1024 * 1024 * 1024
# Servers usually hang up on a connection that says nothing for five seconds, and what is sent on it then is in doubt.
LINGER_S: Final = 4.0

_SILENT: Final = "the transport does not tell before it sends, so nothing could be stored before"
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Not every fault of the network arrives as httpx's own: a broken TLS record is a bare OSError.
_FAULTS: Final = (httpx.TransportError, OSError)

# httpcore looks for this optional package a dozen times per request. Python remembers no import that failed, so where
# the package is absent the search alone takes half of all our processor time; this is the documented way to say so.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


BeforeSending = Callable[[], Awaitable[None]]


class Exchanger:
    """One pool of connections, and the exchanges that are under way on it."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], clock: Clock) -> None:
        """Keep *make*, which is called at the first exchange, inside the running loop."""
        self._make = make
        self._clock = clock
        self._transport: httpx.AsyncBaseTransport | None = None
        self._tasks: set[asyncio.Task[Answer | Broken]] = set()

    async def send(
        self,
        request: httpx.Request,
        *,
        deadline_s: float,
        write: Callable[[bytes], None] | None = None,
        before_sending: BeforeSending | None = None,
    ) -> Answer | Broken:
        """Send *request* once and return what came of it.

        Cancelling the caller does not stop what is on the wire; a body that nobody waits for is let go.

        Args:
            request: With every header that it needs.
            deadline_s: For the whole answer; single steps have httpx's time-outs.
            write: Takes the body of a 200 piece by piece, and is not called any more once the caller is
                cancelled. Without it the body is in the answer.
            before_sending: Awaited once, when the connection stands and before the first byte leaves, unless nobody
                waits any more. What it raises comes out here, and nothing was sent. The deadlines do not count it.
        """
        if self._transport is None:
            self._transport = self._make()
        exchange = _Exchange(
            self._transport,
            request,
            self._clock,
            deadline_s=deadline_s,
            write=write,
            before_sending=before_sending,
        )
        task = asyncio.create_task(exchange.run(), name="firefly-exchange")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            exchange.abandoned = True
            current = asyncio.current_task()
            if task.cancelled() and current is not None and not current.cancelling():
                return Broken(sent=not exchange.sealed, why="the client was closed")
            raise

    async def close(self, *, grace_s: float) -> None:
        """Wait at most *grace_s* seconds for what is under way, end the rest, and close the connections."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None


class _Unsent(Exception):
    """The request is not to go out on this connection."""


class _Exchange:
    """One request, its answer, and whether anybody still waits for it."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        request: httpx.Request,
        clock: Clock,
        *,
        deadline_s: float,
        write: Callable[[bytes], None] | None,
        before_sending: BeforeSending | None,
    ) -> None:
        self._transport = transport
        self._request = request
        self._clock = clock
        self._deadline_s = deadline_s
        self._write = write
        self._before_sending = before_sending
        self._limit = asyncio.timeout(None)
        self._until_s = 0.0  # on the monotonic clock
        self._traced = False
        self._started = False
        self.abandoned = False

    @property
    def sealed(self) -> bool:
        """Return whether nothing of the request can have left, since something has to be done before."""
        return self._before_sending is not None

    async def run(self) -> Answer | Broken:
        """Return what came of the request. Only *write*, *before_sending* and the request's own body can raise."""
        body = _stream(self._request)
        if self.sealed:  # of any other request nobody has to know how far it came, and to be told takes time
            self._request.extensions["trace"] = self._trace
            self._request.stream = _Sealed(body, self)
        try:
            response = await self._head()
            while response is None and not self.abandoned:
                response = await self._head()
        except _FAULTS as error:
            return Broken(sent=self._may_be_sent(error), why=_told(error))
        finally:
            await body.aclose()
        if response is None:
            return Broken(sent=False, why="nobody waits for the answer")
        try:
            if self.sealed:
                raise RuntimeError(_SILENT)
            return await self._receive(response)
        finally:
            with contextlib.suppress(*_FAULTS):  # the answer is complete or given up by now
                await response.aclose()

    async def _head(self) -> httpx.Response | None:
        """Return the answer as far as its head; None where the request is not to go out on this connection."""
        self._until_s = self._clock.monotonic() + self._deadline_s
        try:
            # The time-outs of single reads alone would let a head drip in for hours.
            async with asyncio.timeout(self._deadline_s) as self._limit:
                return await self._transport.handle_async_request(self._request)
        except _Unsent:
            return None

    def _may_be_sent(self, error: Exception) -> bool:
        if self.sealed:
            return False
        # A transport that tells of its steps proves that an order cannot have reached anybody: its first byte never
        # left. Of other requests the name of the fault says enough.
        return self._started or not (self._traced or isinstance(error, _NOT_SENT))

    async def _trace(self, event: str, _info: object) -> None:
        self._traced = True
        if event.endswith("send_request_headers.started"):
            if self._before_sending is not None:
                await self._unseal(self._before_sending)
            self._started = True

    async def _unseal(self, before_sending: BeforeSending) -> None:
        """Do what has to be done before the first byte, while the connection waits.

        Raises:
            _Unsent: Nobody waits any more, or the connection waited too long to be relied on.
        """
        self._limit.reschedule(None)  # a slow disk is no slow answer
        began_s = self._clock.monotonic()
        if not self.abandoned:
            await before_sending()
        if self.abandoned:
            raise _Unsent
        self._before_sending = None
        if self._clock.monotonic() - began_s > LINGER_S:
            raise _Unsent
        self._limit.reschedule(asyncio.get_running_loop().time() + self._deadline_s)
        self._until_s = self._clock.monotonic() + self._deadline_s

    async def _receive(self, response: httpx.Response) -> Answer | Broken:
        body = bytearray()
        write = self._write if response.status_code == 200 else None
        put, limit_bytes = (write, RESULT_BYTES_MAX) if write else (body.extend, JSON_BYTES_MAX)
        why, size_bytes = _packed(response), 0
        pieces = aiter(_stream(response))
        try:
            async with asyncio.timeout(max(0.0, self._until_s - self._clock.monotonic())):
                while not why:
                    try:
                        piece = await anext(pieces, None)
                    except _FAULTS as error:
                        why = _told(error)
                        break
                    if piece is None:
                        break
                    size_bytes += len(piece)
                    if not (why := self._stop(size_bytes, limit_bytes)):
                        put(piece)
        except TimeoutError as error:
            why = _told(error)
        answer = Answer(
            status=response.status_code, headers=response.headers, body=bytes(body), size_bytes=size_bytes
        )
        # A refusal is one by its status; only a good answer is needed whole.
        return Broken(sent=True, why=why, begun=answer) if why and response.is_success else answer

    def _stop(self, size_bytes: int, limit_bytes: int) -> str:
        """Return why not to go on receiving, or nothing."""
        if self.abandoned:
            return "nobody waits for the answer"
        if size_bytes > limit_bytes:
            return f"the answer is longer than {limit_bytes} bytes"
        if self._clock.monotonic() > self._until_s:
            return "the answer comes too slowly"
        return ""


class _Sealed(httpx.AsyncByteStream):
    """A request's body, which no transport can send before it told that it is about to."""

    def __init__(self, body: httpx.AsyncByteStream, exchange: _Exchange) -> None:
        self._body = body
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._exchange.sealed:
            raise RuntimeError(_SILENT)
        return aiter(self._body)


def _packed(response: httpx.Response) -> str:
    # Asked not to, a server that packs its answer may as well pack a bomb.
    coding = response.headers.get("content-encoding", "identity")
    return "" if coding == "identity" else "the answer is compressed, which was not asked for"


def _stream(owner: httpx.Request | httpx.Response) -> httpx.AsyncByteStream:
    stream = owner.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    return stream


def _told(error: Exception) -> str:
    """Return *error* in a few words; some of httpx's have none."""
    return str(error) or _WORDS.get(type(error), type(error).__name__)


_WORDS: Final[dict[type[Exception], str]] = {
    TimeoutError: "the answer comes too slowly",
    httpx.ConnectTimeout: "no connection in time",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "the request could not be sent in time",
    httpx.PoolTimeout: "all connections are busy",
    httpx.ReadError: "the connection broke",
    httpx.ConnectError: "no connection",
    httpx.RemoteProtocolError: "the connection was closed in the middle of the answer",
}
