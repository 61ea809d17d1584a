"""Who may ask how the service is, for what, and what it costs: over real connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest

from dropglow.ops.host_header import Place
from dropglow.ops.http import CONNECTIONS, HEAD_BYTES, LIFE_S, Front, Questions
from dropglow.ops.listening import Address, listen

CUT: Final = (b"", "reset")


class Counter:
    """What the server asks, and how often it did."""

    def __init__(self) -> None:
        self.asked = 0
        self.wrong: tuple[str, ...] = ()

    async def verdict(self) -> Sequence[str]:
        return self.wrong

    async def metrics(self) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        return b"dropglow_live 1.0\n"

    async def page(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        return "<h1>Dropglow</h1>"


class Visitor:
    """Somebody who connects to the server."""

    def __init__(self, port: int) -> None:
        self.port = port

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def send(self, request: bytes) -> bytes:
        """Return everything that comes back until the server closes the connection."""
        async with self.connection() as (reader, writer):
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 60)

    async def ask(self, path: str, *, method: str = "GET", host: str | None = None) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        named = f"127.0.0.1:{self.port}" if host is None else host
        answer = await self.send(f"{method} {path} HTTP/1.1\r\nHost: {named}\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body


@pytest.fixture
async def counter() -> Counter:
    return Counter()


@pytest.fixture
async def visitor(counter: Counter) -> AsyncIterator[Visitor]:
    """Return somebody who can reach a server that is well."""
    listener = listen(Address(host="127.0.0.1", port=0))
    port = listener.getsockname()[1]
    questions = Questions(
        live=counter.verdict,
        ready=counter.verdict,
        metrics=counter.metrics,
        metrics_type="text/plain",
        page=counter.page,
    )
    async with Front(questions, [listener], names=[Place(host="nas", port=None)]):
        yield Visitor(port)


async def test_health_is_told_by_status(visitor: Visitor, counter: Counter) -> None:
    """200 while all is well, 503 with the reasons otherwise."""
    well = await visitor.ask("/live")
    counter.wrong = ("the ledger does not answer",)
    ill = await visitor.ask("/ready")

    assert (200, {"live": True, "reasons": []}) == (well[0], json.loads(well[1]))
    assert (503, {"ready": False, "reasons": ["the ledger does not answer"]}) == (ill[0], json.loads(ill[1]))


async def test_metrics_are_asked_for_once_a_second(visitor: Visitor, counter: Counter) -> None:
    """However many ask at the same time."""
    answers = await asyncio.gather(*(visitor.ask("/metrics") for _ in range(8)))

    assert [(200, b"dropglow_live 1.0\n")] * 8 == answers
    assert 1 == counter.asked


async def test_a_browser_gets_a_page(visitor: Visitor, counter: Counter) -> None:
    """It runs no script, loads nothing, and is made once a second; whoever wants no HTML gets the list of addresses."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\nAccept: text/html,*/*;q=0.8\r\n\r\n"
    answers = await asyncio.gather(*(visitor.send(request.encode()) for _ in range(4)))
    plain = await visitor.ask("/")

    head, _, body = answers[0].decode().partition("\r\n\r\n")
    assert 1 == counter.asked
    assert "<h1>Dropglow</h1>" == body
    assert 1 == head.count("content-security-policy: default-src 'none'; style-src 'sha256-")
    assert "cache-control: no-store" in head
    assert (200, b"dropglow\n/live\n/ready\n/metrics\n") == plain


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/metrics", "HEAD", 200),
        ("/metrics?name=x", "GET", 200),
        ("/metrics", "POST", 405),
        ("/live", "DELETE", 405),
        ("/metrics/", "GET", 404),
        ("/../etc/passwd", "GET", 404),
        ("/favicon.ico", "GET", 404),
    ],
)
async def test_only_what_there_is_can_be_read(visitor: Visitor, path: str, method: str, status: int) -> None:
    """Nothing is changed from here, and nothing else is found."""
    found, body = await visitor.ask(path, method=method)

    assert status == found
    assert (method == "HEAD") is (body == b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9817", "", "127.0.0.1:1", "localhost"])
async def test_another_host_is_not_answered(visitor: Visitor, counter: Counter, host: str) -> None:
    """A page that lets its own name lead to this machine reads nothing."""
    status, body = await visitor.ask("/metrics", host=host)

    assert (421, 0) == (status, counter.asked)
    assert b"dropglow" not in body


async def test_the_operator_s_own_names_are_answered(visitor: Visitor) -> None:
    """For whoever comes through another machine, or by a name."""
    assert 200 == (await visitor.ask("/live", host=f"nas:{visitor.port}"))[0]
    assert 200 == (await visitor.ask("/live", host=f"localhost:{visitor.port}"))[0]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /live HTTP/1.0\r\n\r\n", b"421"),
        (b"GET /live HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    ],
)
async def test_what_is_no_proper_request_is_refused(
    visitor: Visitor, request_line: bytes, status: bytes
) -> None:
    """No host, two hosts, TLS."""
    assert status == (await visitor.send(request_line)).split()[1]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /" + b"a" * HEAD_BYTES,
        b"GET /live HTTP/1.1\r\nHost: x\r\ncontent-length: 99999999\r\n\r\n" + b"a" * HEAD_BYTES,
    ],
)
async def test_a_head_has_a_limit(visitor: Visitor, request_bytes: bytes) -> None:
    """A line, a header or a body that goes on and on is not read to its end."""
    assert b"431" in await visitor.send(request_bytes)


async def test_an_answer_ends_the_connection_and_says_nothing_to_pages(visitor: Visitor) -> None:
    """One connection, one answer, which no browser keeps or runs."""
    request = f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\n\r\n".encode()
    head = (await visitor.send(request * 2)).partition(b"\r\n\r\n")[0].decode().lower().splitlines()

    assert {"connection: close", "cache-control: no-store", "x-content-type-options: nosniff"} <= set(head)
    assert not [line for line in head if line.startswith(("server:", "access-control"))]


async def test_many_idle_connections_keep_nobody_out(visitor: Visitor) -> None:
    """For one more, the oldest is cut; and none lives long."""
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(visitor.connection()) for _ in range(CONNECTIONS)]
        status, _ = await visitor.ask("/live")
        oldest = await _rest_of(idle[0][0])

        assert (200, True) == (status, oldest in CUT)
        assert not idle[-1][0].at_eof()
        assert LIFE_S <= 10


async def _rest_of(reader: asyncio.StreamReader) -> bytes | str:
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionResetError:
        return "reset"


async def test_a_client_that_waits_is_cut_at_the_end(counter: Counter) -> None:
    """Stopping the service waits for nobody."""
    listener = listen(Address(host="127.0.0.1", port=0))
    visitor = Visitor(listener.getsockname()[1])
    never = asyncio.Event()

    async def for_ever() -> Sequence[str]:
        await never.wait()
        return ()

    questions = Questions(
        live=for_ever,
        ready=for_ever,
        metrics=counter.metrics,
        metrics_type="text/plain",
        page=counter.page,
    )
    async with visitor_of(questions, listener) as front, visitor.connection() as (reader, writer):
        writer.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\n\r\n".encode())
        await writer.drain()
        await asyncio.wait_for(front.__aexit__(None, None, None), 60)

        assert await _rest_of(reader) in CUT
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection("127.0.0.1", visitor.port)


@asynccontextmanager
async def visitor_of(questions: Questions, listener: object) -> AsyncIterator[Front]:
    front = Front(questions, [listener])  # type: ignore[list-item]
    await front.__aenter__()
    yield front
