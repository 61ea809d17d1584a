"""The client against raw sockets: what becomes of an order when the connection does not behave."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dropglow.clock import RealClock
from dropglow.errors import DiskError, FileGone, FireflyError, ProtocolError, Unavailable, Verdict
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.settings import ApiSettings
from dropglow.firefly.wire import StillRunning
from dropglow.model import DeliveryPlan, Order, RemoteId, Submission
from tests.telling import nothing_to_store

ORDER = Order(
    operation="generate",
    body={"prompt": "a lighthouse"},
    delivery=DeliveryPlan(outbox="/outbox", folder="", name="{stem}{ext}"),
)
RECEIPT = Submission(remote_id=RemoteId("urn:ff:jobs:eso851211:1"), status_url="", cancel_url="")
TOKEN = b'{"access_token": "a-token", "expires_in": 86399}'

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """Give out a token by itself, and leave every other connection's request to the script."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.script: Script = self.saying(answer(b"{}"))
        self.address = ""

    def saying(self, text: bytes, *, reset: bool = False) -> Script:
        """Return a script that reads a request, sends *text* and hangs up."""

        async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(text)
            await writer.drain()
            if reset:
                hang_up_rudely(writer)

        return script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._serve_one(reader, writer):
                pass
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS greeting: this server knows none
            return False
        head = first + await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        body = await reader.readexactly(length)
        if head.startswith(b"POST /ims/"):
            writer.write(answer(TOKEN))
            return True
        self.requests.append(head + body)
        await self.script(reader, writer)
        return False


def hang_up_rudely(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an orderly end."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.address = "http://{}:{}".format(*listening.sockets[0].getsockname())
    yield server
    listening.close()
    await listening.wait_closed()


def client_of(address: str, *, connections: int = 4, token_address: str = "") -> FireflyClient:
    return FireflyClient(
        ApiSettings(base_url=address, token_url=f"{token_address or address}/ims/token/v3"),
        FixedCredentials(client_id="a-client", client_secret="a-secret"),
        RealClock(),
        connections=connections,
    )


@pytest.fixture
async def client(server: Server) -> AsyncIterator[FireflyClient]:
    client = client_of(server.address)
    yield client
    await client.close()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HTTP/1.1 202 Acc",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 400\r\n\r\n" + b'{"jobId": "urn:ff',
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        b"this is not HTTP at all\r\n\r\n",
        answer(b"", "202 Accepted"),
        answer(b"<html>", "202 Accepted"),
        answer(b"[1]", "202 Accepted"),
        answer(b'{"jobId": 5e400}', "202 Accepted"),
        answer(b"[" * 100_000, "202 Accepted"),
        answer(gzip.compress(b'{"jobId": "urn"}', mtime=0), "202 Accepted", "content-encoding: gzip"),
        answer(b" " * (2 * 1024 * 1024), "202 Accepted"),
        answer(b"", "204 No Content"),
        answer(b"", "304 Not Modified"),
        answer(b"<html>", "502 Bad Gateway"),
        answer(b"", "529 Overloaded"),
        answer(b'{"message": "gateway timeout"}', "504 Gateway Timeout"),
        answer(b'{"error_code": "504000"}', "504 Gateway Timeout"),
        answer(b"{}", "499 Client Closed"),
        answer(b"{}", "409 Conflict"),
        answer(b"", "307 Temporary Redirect", "location: /elsewhere"),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_an_order_that_may_stand_is_in_doubt(
    server: Server, client: FireflyClient, text: bytes, reset: bool
) -> None:
    """Whatever odd thing follows a request that was received, the order is sent once and left in doubt."""
    server.script = server.saying(text, reset=reset)

    with pytest.raises((Unavailable, ProtocolError)) as caught:
        await client.submit(ORDER, [], before_sending=nothing_to_store)

    assert Verdict.UNKNOWN is caught.value.verdict
    assert not caught.value.service_wide
    assert 1 == len(server.requests)


async def test_an_order_that_found_nobody_is_not_in_doubt() -> None:
    """A refused connection proves that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{taken.getsockname()[1]}")
        try:
            with pytest.raises(Unavailable) as caught:
                await client.submit(ORDER, [], before_sending=nothing_to_store)
        finally:
            await client.close()

    assert (Verdict.LATER, True) == (caught.value.verdict, caught.value.service_wide)
    assert "unreachable" == caught.value.code


async def test_an_order_that_found_no_tls_is_not_in_doubt(server: Server) -> None:
    """A failed TLS handshake comes before the request, and is never waved through."""
    secure = server.address.replace("http", "https")
    client = client_of(secure, token_address=server.address)
    try:
        with pytest.raises(Unavailable) as caught:
            await client.submit(ORDER, [], before_sending=nothing_to_store)
    finally:
        await client.close()

    assert Verdict.LATER is caught.value.verdict
    assert not server.requests


async def test_a_receipt_is_saved_from_the_headers_of_a_cut_answer(
    server: Server, client: FireflyClient
) -> None:
    """Headers come first, so that their link survives a body that does not."""
    link = f'link: <{server.address}/v3/status/urn:ff:jobs:1>; rel="status"'
    server.script = server.saying(
        f"HTTP/1.1 202 Accepted\r\n{link}\r\ncontent-length: 400\r\n\r\n".encode() + b'{"jobId'
    )

    submission = await client.submit(ORDER, [], before_sending=nothing_to_store)

    assert "urn:ff:jobs:1" == submission.remote_id


async def test_a_refusal_is_one_even_if_its_reason_is_cut(server: Server, client: FireflyClient) -> None:
    """The status of a 422 says enough: nothing was bought."""
    server.script = server.saying(b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 400\r\n\r\n{")

    with pytest.raises(FireflyError) as caught:
        await client.submit(ORDER, [], before_sending=nothing_to_store)

    assert Verdict.NO is caught.value.verdict


async def test_the_request_says_what_it_must_and_no_more(server: Server, client: FireflyClient) -> None:
    """An order carries its credentials, its length and its body as JSON, and asks for no compression."""
    server.script = server.saying(answer(b'{"jobId": "urn:1"}', "202 Accepted"))

    await client.submit(ORDER, [], before_sending=nothing_to_store)

    head, body = server.requests[0].split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    names = [line.partition(":")[0].lower() for line in lines[1:]]
    assert "POST /v3/images/generate-async HTTP/1.1" == lines[0]
    assert b'{"prompt":"a lighthouse"}' == body
    assert "authorization: Bearer a-token" in lines
    assert "x-api-key: a-client" in lines
    assert "accept-encoding: identity" in lines
    assert {"cookie", "transfer-encoding", "expect"}.isdisjoint(names)
    assert len(names) == len(set(names))


async def test_a_signed_link_is_asked_for_as_it_was_signed(server: Server, client: FireflyClient) -> None:
    """Not one character of a link changes on its way, and no credentials travel with it."""
    target = "/a%20b/urn:ff:1/x.jpg?X-Amz-Credential=AK%2F2025%2Fs3&sig=a+b%3D%3D&empty=&tilde=~'()*!"
    server.script = server.saying(answer(b"bytes", "200 OK", "content-type: image/jpeg"))
    received = bytearray()

    downloaded = await client.download(server.address + target, received.extend)

    request = server.requests[0].decode().lower()
    assert server.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())
    assert "authorization" not in request
    assert "x-api-key" not in request
    assert (b"bytes", 5) == (bytes(received), downloaded.expected_bytes)


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbytes",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbytes\r\n",
        answer(gzip.compress(b"bytes", mtime=0), "200 OK", "content-encoding: gzip"),
        answer(b"", "301 Moved", "location: http://127.0.0.1:1/"),
        answer(b"", "206 Partial"),
    ],
)
async def test_a_result_that_is_not_whole_is_tried_again(
    server: Server, client: FireflyClient, text: bytes
) -> None:
    """A truncated, packed or redirected result is none; fetching it again is harmless."""
    server.script = server.saying(text)

    with pytest.raises(FireflyError) as caught:
        await client.download(f"{server.address}/x.jpg", bytearray().extend)

    assert Verdict.LATER is caught.value.verdict
    assert 1 == len(server.requests)


async def test_a_large_upload_arrives_whole(server: Server, client: FireflyClient, tmp_path: Path) -> None:
    """Several pieces are sent with one announced length and nothing is changed."""
    content = random.Random(1).randbytes(3 * 1024 * 1024 + 17)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    server.script = server.saying(answer(b'{"images": [{"id": "510aabb4"}]}'))

    upload_id, _ = await client.upload(str(path), "image/png")

    head, body = server.requests[0].split(b"\r\n\r\n", 1)
    assert ("510aabb4", content) == (upload_id, body)
    assert b"content-type: image/png" in head
    assert f"host: {server.address.removeprefix('http://')}".encode() in head


async def test_a_picture_that_is_gone_is_not_uploaded(client: FireflyClient, tmp_path: Path) -> None:
    """A missing file is told as such."""
    with pytest.raises(FileGone):
        await client.upload(str(tmp_path / "none.png"), "image/png")


async def test_a_folder_is_no_picture(client: FireflyClient, tmp_path: Path) -> None:
    """Only regular files are sent."""
    with pytest.raises(DiskError):
        await client.upload(str(tmp_path), "image/png")


async def test_a_cancelled_caller_does_not_call_its_order_back(server: Server, client: FireflyClient) -> None:
    """What is on the wire goes on to its end, so that the connection is not lost to the pool."""
    arrived, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    hung_up_early: list[bool] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hanging_up = asyncio.create_task(reader.read())
        arrived.set()
        await released.wait()
        hung_up_early.append(hanging_up.done())
        writer.write(answer(b'{"jobId": "urn:1"}', "202 Accepted"))
        await hanging_up
        ended.set()

    server.script = script
    caller = asyncio.create_task(client.submit(ORDER, [], before_sending=nothing_to_store))
    await arrived.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await client.check()  # there and back: a hang-up would have arrived by now
    released.set()
    await client.close()
    await asyncio.wait_for(ended.wait(), 60)

    assert [False] == hung_up_early


async def test_a_cancelled_download_writes_no_more(server: Server, client: FireflyClient) -> None:
    """Once its caller is gone, the writer is not called again, and the connection is let go."""
    begun, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbytes")
        await released.wait()
        writer.write(b"s")
        assert b"" == await reader.read()
        ended.set()

    server.script = script
    received = bytearray()

    def write(piece: bytes) -> None:
        received.extend(piece)
        begun.set()

    caller = asyncio.create_task(client.download(f"{server.address}/x.jpg", write))
    await begun.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    released.set()
    await asyncio.wait_for(ended.wait(), 60)

    assert b"bytes" == received


async def test_closing_ends_what_hangs(server: Server) -> None:
    """A request that gets no answer does not keep the program from stopping; its caller hears of it."""
    arrived, never = asyncio.Event(), asyncio.Event()

    async def script(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await never.wait()

    server.script = script
    client = client_of(server.address)
    caller = asyncio.create_task(client.submit(ORDER, [], before_sending=nothing_to_store))
    await arrived.wait()

    await client.close(grace_s=0.01)
    never.set()

    with pytest.raises(Unavailable) as caught:
        await caller
    assert Verdict.UNKNOWN is caught.value.verdict


async def test_cancelled_callers_do_not_use_up_the_connections(server: Server) -> None:
    """After hundreds of callers that gave up at odd moments, the next request is answered as ever."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.002)  # an answer takes a while, so that callers queue for connections
        writer.write(answer(b'{"status": "running"}'))

    server.script = script
    client = client_of(server.address, connections=3)
    dice = random.Random(1093)

    async def impatient() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(dice.uniform(0, 0.03)):
                await client.status(RECEIPT)

    await client.check()
    for _ in range(20):
        await asyncio.gather(*(impatient() for _ in range(20)))

    status = await asyncio.wait_for(client.status(RECEIPT), 60)
    await client.close()

    assert StillRunning(word="running") == status
