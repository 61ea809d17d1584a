"""The network between the service and the sandbox's world, without sockets, in virtual time; it loses what a seed wants."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropglow.sandbox.app import make_app
from dropglow.sandbox.faults import Faults, Rate
from dropglow.sandbox.replies import CutBody, CutConnection, SlowBody
from dropglow.sandbox.world import World
from tests.simulation.weather import Mischief
from tests.telling import tell

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.machine import Machine
    from tests.simulation.weather import Weather

TRUSTED: Final = re.compile(r"firefly-(api|epo\d{6})\.adobe\.io|ims-na1\.adobelogin\.com")
_SOUND: Final = Faults()
_SETTINGS: Final = tuple(
    each.name
    for each in fields(Faults)
    if each.name not in {"duration", "pictures"} and not isinstance(getattr(_SOUND, each.name), Rate)
)
_CODE: Final = re.compile(rb'"error_code": ?"(\w+)"')
_ENDED: Final = {"type": "http.disconnect"}


class SimWorld(World):
    """The sandbox's world, which tells how often each of its faults struck."""

    def __init__(self, counts: Counter[str], *, now: Callable[[], float], seed: int) -> None:
        """Count in *counts*."""
        super().__init__(now=now, seed=seed)
        self._counts = counts

    def strikes(self, fault: str) -> bool:
        """Return whether the named fault strikes this time."""
        struck = super().strikes(fault)
        if struck:
            self._counts[f"at Adobe: {fault}"] += 1
        return struck

    def wait_before_next(self) -> float | None:
        """Return the seconds until the next order or upload is allowed, and count those that come too soon."""
        wait_s = super().wait_before_next()
        self._counts["at Adobe: one too many in a minute"] += wait_s is not None
        return wait_s

    def set_faults(self, faults: Faults) -> None:
        """Let these go wrong from now on, and count those that have no share of calls."""
        self.faults = faults
        for name in _SETTINGS:
            if (value := getattr(faults, name)) != getattr(_SOUND, name):
                self._counts[f"at Adobe: {name} {value}"] += 1


class Front:
    """The world behind its addresses, for every life of one seed."""

    def __init__(self, world: World) -> None:
        """Answer for *world*."""
        self.world = world
        self.served: dict[str, set[str]] = defaultdict(set)  # by Adobe's job: the digests of what it gave out
        self.unnamed: set[str] = set()  # jobs that were accepted, and nobody was told under which id
        self.strangers: list[str] = []  # who saw the token and should not have
        self.connected: set[str] = set()  # the ids of requests that found a connection
        self._exact: dict[tuple[str, str], Route] = {}
        self._below: list[tuple[str, str, Route]] = []
        for route in make_app(world).routes:
            assert isinstance(route, Route)
            for method in route.methods or ():
                fixed, brace, _ = route.path.partition("{")
                if not brace:
                    self._exact[method, route.path] = route
                else:
                    self._below.append((method, fixed, route))

    async def answer(self, request: httpx.Request, content: bytes) -> Response:
        """Return what the world answers."""
        path = request.url.path
        route, params = self._found(request.method, path)
        scope: dict[str, Any] = {
            "type": "http", "method": request.method, "scheme": request.url.scheme, "path": path, "raw_path": path,
            "query_string": request.url.query, "headers": [(key.lower(), value) for key, value in request.headers.raw],
            "path_params": params, "server": (request.url.host, 443), "client": ("127.0.0.1", 1), "root_path": "",
            "http_version": "1.1", "extensions": {},
        }  # fmt: skip
        pieces = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> Any:
            return pieces.pop() if pieces else _ENDED

        endpoint: Callable[[Request], Awaitable[Response]] = route.endpoint
        return await endpoint(Request(scope, receive))

    def mark(self, path: str, body: bytes) -> bytes:
        """Return a result with a comment in it, so that no two are alike, and remember its digest."""
        _, _, uuid, name = path.split("/")
        told = f"{uuid}/{name}".encode()
        marked = body[:2] + b"\xff\xfe" + (len(told) + 2).to_bytes(2, "big") + told + body[2:]
        self.served[uuid].add(hashlib.sha256(marked).hexdigest())
        return marked

    def _found(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        if (route := self._exact.get((method, path))) is not None:
            return route, {}
        for wanted, fixed, route in self._below:
            if wanted == method and path.startswith(fixed):
                names, values = list(route.param_convertors), path[len(fixed) :].split("/")
                if len(names) == 1:
                    return route, {names[0]: path[len(fixed) :]}
                return route, dict(zip(names, values, strict=True))
        raise AssertionError(f"nobody answers {method} {path}")


class SimWire(httpx.AsyncBaseTransport):
    """What one life sends through."""

    def __init__(
        self, front: Front, machine: Machine, dice: Random, weather: Weather, meddle: Callable[[], None]
    ) -> None:
        """Carry requests to *front*. *meddle* lets somebody act while an answer is on its way."""
        self._front = front
        self._machine = machine
        self._dice = dice
        self._weather = weather
        self._mischief = Mischief(weather, dice, machine.counts)
        self._meddle = meddle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back."""
        path = request.url.path
        label = f"{request.method} {path[:20]}"
        if not TRUSTED.fullmatch(request.url.host):
            saw = "saw the token" if "authorization" in request.headers else "was asked"
            self._front.strangers.append(f"I9: {request.url.host} {saw}")
        await self._connect(request, label)
        await tell(request)
        self._machine.step("send", label)
        content = await self._content(request)
        await self._travel()
        response = self._mischief.on_its_way()
        if response is None:
            response = await self._answer(request, content)
            self._machine.past("send")
            if isinstance(response, CutConnection):
                self._machine.counts["answer lost"] += 1
                raise httpx.ReadError("the connection broke")
            if self._mischief.strikes(self._weather.silent, "answer never came"):
                await asyncio.sleep(3600)
            if path.startswith("/v3/status/") and self._mischief.strikes(self._weather.meddled, "meddled"):
                self._meddle()
                await asyncio.sleep(self._dice.random())
        await tell(request, "http11.receive_response_headers.started")
        await self._travel()
        self._machine.step("answer", f"{response.status_code} {label}")
        if (code := _CODE.search(response.body)) is not None:
            self._machine.counts[f"Adobe says {code[1].decode()}"] += 1
        if path.startswith("/results/") and response.body[:2] == b"\xff\xd8":
            self._mark(path, response)
        response = self._mischief.on_its_way_back(response)
        self._front.unnamed |= self._mischief.unnamed
        if response.status_code >= 300:
            self._machine.counts[f"{response.status_code} to {request.method}"] += 1
        cut = isinstance(response, CutBody)
        if cut:
            self._machine.counts["download cut"] += 1
        pace = response.bytes_per_s if isinstance(response, SlowBody) else 0.0
        stream = _Body(bytes(response.body), cut=cut, bytes_per_s=pace)
        return httpx.Response(response.status_code, headers=response.raw_headers, stream=stream)

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    async def _answer(self, request: httpx.Request, content: bytes) -> Response:
        answering = self._front.answer(request, content)
        if not self._front.world.faults.latency:
            return await answering
        # Who takes long does not notice that somebody hung up meanwhile, and may well do what was asked.
        return await asyncio.shield(asyncio.ensure_future(answering))

    async def _connect(self, request: httpx.Request, label: str) -> None:
        self._machine.step("connect", label)
        if self._weather.telling:
            await tell(request, "connection.connect_tcp.started")
        await self._travel()
        self._mischief.before()
        self._machine.past("connect")
        self._front.connected.add(request.headers.get("x-request-id", ""))

    def _mark(self, path: str, response: Response) -> None:
        body = self._front.mark(path, bytes(response.body))
        response.body = body
        response.raw_headers = [each for each in response.raw_headers if each[0] != b"content-length"]
        response.raw_headers.append((b"content-length", str(len(body)).encode()))

    async def _content(self, request: httpx.Request) -> bytes:
        stream = request.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        return b"".join([piece async for piece in stream])

    async def _travel(self) -> None:
        roll = self._dice.random()
        if roll > 0.5:
            await asyncio.sleep((roll - 0.5) * self._weather.slow_s)


class _Body(httpx.AsyncByteStream):
    """A body in one or two pieces, slowly, or half of it."""

    def __init__(self, body: bytes, *, cut: bool, bytes_per_s: float) -> None:
        self._body = body
        self._cut = cut
        self._bytes_per_s = bytes_per_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        middle = len(self._body) // 2
        if self._bytes_per_s:
            await asyncio.sleep(middle / self._bytes_per_s)
            yield self._body[:middle]
            await asyncio.sleep(middle / self._bytes_per_s)
            yield self._body[middle:]
            return
        if self._cut:
            yield self._body[:middle]
            raise httpx.ReadError("the connection was closed in the middle of the answer")
        yield self._body
