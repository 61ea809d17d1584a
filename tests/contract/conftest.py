"""A raw server that says whatever a test wants, over real connections on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from dropglow.clock import RealClock
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.settings import ApiSettings
from dropglow.model import DeliveryPlan, Order, RemoteId, Submission
from tests.telling import nothing_to_store

ORDER: Final = Order(
    operation="generate",
    body={"prompt": "a lighthouse"},
    delivery=DeliveryPlan(outbox="/outbox", folder="", name="{stem}{ext}"),
)
RECEIPT: Final = Submission(remote_id=RemoteId("urn:ff:jobs:eso851211:1"), status_url="")

# A client reads the certificates that this machine trusts, which takes longer than most tests: a hundred and more.
AUTHORITY: Final = Path(__file__).parents[1] / "authority.pem"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

KINDS: Final = (
    ("POST", "/ims/", "token"),
    ("POST", "/v2/storage/", "upload"),
    ("POST", "/", "submit"),
    ("PUT", "/v3/cancel/", "cancel"),
    ("GET", "/v3/status/", "status"),
    ("GET", "/v3/custom-models", "models"),
    ("GET", "/", "download"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    kind: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(slots=True, kw_only=True)
class RawAdobe:
    """Answer each kind of call by its script, and remember what was asked.

    A script is the bytes of an answer, after which the connection is closed, or a coroutine that does as it likes.
    The last script of a kind counts for all further requests. Tokens are given unless a test says otherwise.
    """

    address: str = ""
    patient: bool = True  # False: answers before the body of a request has come
    scripts: dict[str, list[bytes | Script]] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    servers: list[asyncio.Server] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def say(self, kind: str, *scripts: bytes | Script) -> None:
        """Answer the next requests of *kind* by *scripts*."""
        self.scripts[kind] = list(scripts)

    def asked(self, kind: str) -> list[Asked]:
        """Return the requests of *kind* so far."""
        return [request for request in self.requests if request.kind == kind]

    async def listen(self, context: ssl.SSLContext | None = None) -> str:
        """Listen at one more port, and return its address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.servers.append(server)
        scheme = "http" if context is None else "https"
        return "{}://{}:{}".format(scheme, *server.sockets[0].getsockname())

    async def close(self) -> None:
        """Stop listening, and hang up on whoever still waits."""
        for server in self.servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await self._read(reader)
        self.requests.append(asked)
        script = self._next(asked.kind)
        if isinstance(script, bytes):
            writer.write(script)
            await writer.drain()
        else:
            await script(reader, writer)

    async def _read(self, reader: asyncio.StreamReader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        kind = next(kind for verb, path, kind in KINDS if verb == method and target.startswith(path))
        length = int(headers.get("content-length", 0)) if self.patient else 0
        return Asked(kind=kind, target=target, headers=headers, body=await reader.readexactly(length))

    def _next(self, kind: str) -> bytes | Script:
        waiting = self.scripts.get(kind)
        if waiting:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        assert kind == "token", f"nobody expected a {kind} here"
        token = json.dumps({"access_token": f"token-{len(self.asked('token'))}", "expires_in": 86399})
        return f"HTTP/1.1 200 OK\r\ncontent-length: {len(token)}\r\n\r\n{token}".encode()


@pytest.fixture(autouse=True)
def one_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine trust nobody but an authority that certified nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


@pytest.fixture
async def adobe() -> AsyncIterator[RawAdobe]:
    """Return a server that listens at ``adobe.address``."""
    adobe = RawAdobe()
    adobe.address = await adobe.listen()
    yield adobe
    await adobe.close()


@pytest.fixture
async def other() -> AsyncIterator[RawAdobe]:
    """Return a second server, to which nobody should come."""
    other = RawAdobe()
    other.address = await other.listen()
    yield other
    await other.close()


@asynccontextmanager
async def opened(address: str, *, token_address: str = "", **arguments: Any) -> AsyncIterator[FireflyClient]:
    """Give a client of the server at *address*, and close it."""
    client = FireflyClient(
        ApiSettings(base_url=address, token_url=f"{token_address or address}/ims/token/v3"),
        FixedCredentials(client_id="a-client-id", client_secret="a-client-secret"),
        arguments.pop("clock", RealClock()),
        connections=4,
        **arguments,
    )
    try:
        yield client
    finally:
        await client.close(grace_s=0.1)


@pytest.fixture
def client_of() -> Callable[..., AbstractAsyncContextManager[FireflyClient]]:
    """Return what opens a client for an address and closes it at the end of its block."""
    return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Make each kind of call in its plainest form."""

    adobe: RawAdobe
    picture: str
    order: Order = ORDER
    receipt: Submission = RECEIPT

    async def __call__(self, client: FireflyClient, call: str) -> Any:
        """Make the call, and return what it gives."""
        match call:
            case "submit":
                return await client.submit(self.order, [], before_sending=nothing_to_store)
            case "status":
                return await client.status(self.receipt)
            case "cancel":
                return await client.cancel(self.receipt)
            case "upload":
                return (await client.upload(self.picture, "image/jpeg"))[0]
            case "download":
                received = bytearray()
                await client.download(f"{self.adobe.address}/x.jpg?signature=s", received.extend)
                return bytes(received)
            case "models":
                return await client.custom_models()
            case "entitlement":
                return await client.check_entitlement()
            case _:
                return await client.check()


@pytest.fixture
def ask(adobe: RawAdobe, tmp_path: Path) -> Asker:
    """Return what makes calls by their names."""
    path = tmp_path / "beach.jpg"
    path.write_bytes(b"\xff\xd8 a picture")
    return Asker(adobe=adobe, picture=str(path))
