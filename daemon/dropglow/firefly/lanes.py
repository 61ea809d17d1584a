"""Keep connections one by one, each in a pool of its own, and hand them out.

httpx's pool looks at all of its connections, and asks the kernel about each idle one, at the beginning and the end of
every request: with thirty of them that costs more than the requests. A pool of one has nothing to look at. What
goes wrong in one lane cannot hold up another, and a lane in which anything went wrong is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable

import httpx

from dropglow.clock import Clock


class Lanes(httpx.AsyncBaseTransport):
    """A transport that is made of transports, each with one request at a time."""

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        clock: Clock,
        *,
        most: int,
        idle_s: float,
        patience_s: float = 30.0,
    ) -> None:
        """Make lanes with *make* when needed, at most *most*.

        Those that were idle for *idle_s* seconds are closed; a request waits *patience_s* seconds for one.
        """
        self._make = make
        self._clock = clock
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._free = asyncio.Semaphore(most)
        self._idle: deque[tuple[float, httpx.AsyncBaseTransport]] = deque()  # the longest idle first

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* through the lane that was used last.

        Raises:
            httpx.PoolTimeout: No lane came free; nothing was sent.
            httpx.TransportError: As the lane says.
        """
        if trace := request.extensions.get("trace"):
            await trace("lanes.wait.started", {})  # whoever gives up here has sent nothing
        await self._wait()
        lane = self._idle.pop()[1] if self._idle else self._make()
        sent = False
        try:
            response = await lane.handle_async_request(request)
            sent = True
        finally:
            if not sent:
                self._free.release()
                await lane.aclose()
        response.stream = _Borrowed(response.stream, lambda: self._take_back(lane))
        return response

    async def aclose(self) -> None:
        """Close every idle lane. Those in use are closed by their users' end."""
        while self._idle:
            await self._idle.popleft()[1].aclose()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are busy") from error

    def _take_back(self, lane: httpx.AsyncBaseTransport) -> list[httpx.AsyncBaseTransport]:
        """Keep *lane* for the next request; return those that nobody used for too long."""
        now_s = self._clock.monotonic()
        self._idle.append((now_s, lane))
        self._free.release()
        tired = []
        while self._idle[0][0] < now_s - self._idle_s:
            tired.append(self._idle.popleft()[1])
        return tired


class _Borrowed(httpx.AsyncByteStream):
    """An answer's body, at whose end its lane is free again."""

    def __init__(
        self,
        stream: httpx.SyncByteStream | httpx.AsyncByteStream,
        take_back: Callable[[], list[httpx.AsyncBaseTransport]],
    ) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._take_back = take_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        """Close the body, which happens once, and give the lane back."""
        try:
            await self._stream.aclose()
        finally:
            tired = self._take_back()
        for lane in tired:
            with contextlib.suppress(OSError):
                await lane.aclose()
