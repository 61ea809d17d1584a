"""The truth table of connections: what the client says when the line, and not the answer, is the trouble.

Deliberately different from what one might expect: a connection gets 5 seconds and not 10, since it is free to try
again.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.errors import FireflyError, RequestRefused, Unavailable, Verdict
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.settings import Timeouts
from dropglow.firefly.wire import StillRunning

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.contract.conftest import Asker, RawAdobe, Script

    ClientMaker = Callable[..., AbstractAsyncContextManager[FireflyClient]]

LATER, UNKNOWN = Verdict.LATER, Verdict.UNKNOWN
JOB: Final = "urn:ff:jobs:eso851211:1"
CALLS: Final = ("submit", "status", "cancel", "upload", "download", "token")
# Long enough for a busy machine to do what does not hang.
HASTY: Final = Timeouts(connect_s=1.0, read_s=1.0, write_s=1.0, answer_s=1.5, upload_s=1.5, download_s=1.5)
BOMB: Final = gzip.compress(bytes(20_000_000))


def verdict_of(call: str) -> Verdict:
    return UNKNOWN if call == "submit" else LATER


def answer(status: str, body: bytes | dict[str, Any] = b"", *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


RUNNING: Final = answer("200 OK", {"status": "running"})


def reset_after(text: bytes) -> Script:
    """Return a script that sends *text* and resets the connection."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        hang_up_rudely(writer)

    return script


def hang_up_rudely(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def hang_after(text: bytes) -> Script:
    """Return a script that sends *text* and then nothing, for ever."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        await asyncio.Event().wait()

    return script


def linger_after(text: bytes) -> Script:
    """Return a script that sends *text* and lets the other side finish, as well-behaved gateways do."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        writer.write_eof()
        while await reader.read(65536):
            pass

    return script


def drip_after(text: bytes, drop: bytes) -> Script:
    """Return a script that sends *text*, and then *drop* again and again, too often for any time-out of one read."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return script


# ---------------------------------------------------------------- E1: reset


@pytest.mark.parametrize("call", [call for call in CALLS if call != "cancel"])
@pytest.mark.parametrize(
    "text",
    [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"],
    ids=["before the answer", "in its first line", "after its head", "in its body"],
)  # fmt: skip
async def test_e1_a_reset_leaves_an_order_in_doubt_and_nothing_else(
    adobe: RawAdobe, ask: Asker, call: str, text: bytes, client_of: ClientMaker
) -> None:
    """Whatever part of the answer is missing, only an order may stand; nothing is sent a second time."""
    adobe.say(call, reset_after(text))
    async with client_of(adobe.address) as client:
        with pytest.raises(Unavailable) as caught:
            await ask(client, call)

    assert verdict_of(call) is caught.value.verdict
    assert 1 == len(adobe.asked(call))


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 20"])
async def test_e1_a_cancellation_that_was_cut_may_be_asked_again(
    adobe: RawAdobe, text: bytes, ask: Asker, client_of: ClientMaker
) -> None:
    """Without a status nobody knows; asking twice is harmless."""
    adobe.say("cancel", reset_after(text))
    async with client_of(adobe.address) as client:
        with pytest.raises(Unavailable) as caught:
            await ask(client, "cancel")

    assert LATER is caught.value.verdict


async def test_e1_a_cancellation_is_answered_by_its_status(
    adobe: RawAdobe, ask: Asker, client_of: ClientMaker
) -> None:
    """Its body says nothing, so that it may be cut."""
    adobe.say("cancel", reset_after(b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"))
    async with client_of(adobe.address) as client:
        await ask(client, "cancel")

    assert 1 == len(adobe.asked("cancel"))


# ---------------------------------------------------------------- E3: names and addresses


ASK: Final = """
import asyncio, sys
from dropglow.clock import RealClock
from dropglow.errors import FireflyError
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.settings import ApiSettings

async def main():
    settings = ApiSettings(base_url="https://firefly.invalid", token_url="https://token.invalid/ims")
    credentials = FixedCredentials(client_id="a-client-id", client_secret="a-client-secret")
    client = FireflyClient(settings, credentials, RealClock(), connections=1)
    for call in (client.check(), client.download("https://firefly.invalid/x", print)):
        try:
            await call
        except FireflyError as error:
            print(error.verdict.value, error.code, error.service_wide)
    await client.close()

asyncio.run(main())
"""


def test_e3_a_name_that_nobody_knows_is_not_reached() -> None:
    """Nothing was sent, so that everything may be tried again; in a process of its own, as no test looks names up."""
    told = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, env=os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip

    assert ["later unreachable True", "later unreachable False"] == (told.stdout.splitlines()), told.stderr


@pytest.mark.parametrize("call", ["submit", "status", "cancel", "upload", "token"])
async def test_e3_a_port_that_nobody_has_is_not_reached(
    adobe: RawAdobe, ask: Asker, call: str, client_of: ClientMaker
) -> None:
    """A refused connection proves that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        token_address = nobody if call == "token" else adobe.address
        async with client_of(nobody, token_address=token_address) as client:
            with pytest.raises(Unavailable) as caught:
                await ask(client, call)

    assert (LATER, "unreachable", True) == (
        caught.value.verdict,
        caught.value.code,
        caught.value.service_wide,
    )


# ---------------------------------------------------------------- E4: hung sockets


HEAD: Final = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("call", ["submit", "status", "download"])
@pytest.mark.parametrize(
    "script",
    [
        hang_after(b""),
        hang_after(HEAD + b"content-length: 90\r\n"),
        drip_after(HEAD, b"x: y\r\n"),
        drip_after(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        hang_after(HEAD + b"content-length: 90\r\n\r\n{"),
        drip_after(HEAD + b"content-length: 900000\r\n\r\n", b" "),
        drip_after(HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"x"),
    ],
    ids=["silent", "in its head", "a dripping head", "hints without end", "in its body", "a dripping body", "a dripping chunk"],
)  # fmt: skip
async def test_e4_a_server_that_hangs_is_given_up(
    adobe: RawAdobe, ask: Asker, call: str, script: Script, client_of: ClientMaker
) -> None:
    """Every wait is bounded as a whole, however lively the line; only an order is in doubt then."""
    adobe.say(call, script)
    async with client_of(adobe.address, timeouts=HASTY) as client, asyncio.timeout(60):
        with pytest.raises(Unavailable) as caught:
            await ask(client, call)

    assert verdict_of(call) is caught.value.verdict
    assert 1 == len(adobe.asked(call))


@pytest.mark.parametrize("call", ["upload", "cancel", "token"])
async def test_e4_a_silent_server_is_given_up(
    adobe: RawAdobe, ask: Asker, call: str, client_of: ClientMaker
) -> None:
    """The other calls wait no longer, and may be made again."""
    adobe.say(call, hang_after(b""))
    async with client_of(adobe.address, timeouts=HASTY) as client, asyncio.timeout(60):
        with pytest.raises(Unavailable) as caught:
            await ask(client, call)

    assert LATER is caught.value.verdict


async def test_e4_a_server_that_takes_no_bytes_is_given_up(
    adobe: RawAdobe, tmp_path: Path, client_of: ClientMaker
) -> None:
    """An upload that stands still ends, and may be tried again."""
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(14_000_000))
    adobe.patient = False
    adobe.say("upload", hang_after(b""))
    async with client_of(adobe.address, timeouts=HASTY) as client:
        await client.check()
        with pytest.raises(Unavailable) as caught:
            await client.upload(str(large), "image/jpeg")

    assert LATER is caught.value.verdict


async def test_e4_a_call_that_hung_holds_up_no_other(
    adobe: RawAdobe, ask: Asker, client_of: ClientMaker
) -> None:
    """Connections on which something hung are thrown away, and the next calls get new ones."""
    adobe.say("status", hang_after(b""))
    async with client_of(adobe.address, timeouts=HASTY) as client:
        await asyncio.gather(*(ask(client, "status") for _ in range(12)), return_exceptions=True)
        adobe.say("status", RUNNING)

        assert StillRunning(word="running") == await ask(client, "status")


# ---------------------------------------------------------------- E5: too much


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("head", ["200 OK", "202 Accepted", "500 Internal"])
async def test_e5_a_packed_answer_is_not_unpacked(
    adobe: RawAdobe, ask: Asker, call: str, head: str, client_of: ClientMaker
) -> None:
    """A bomb stays packed: a thousandth of its size is dropped unread, whatever its status."""
    adobe.say(call, answer(head, BOMB, "content-encoding: gzip", "content-type: application/json"))
    async with client_of(adobe.address) as client:
        if call == "cancel" and head != "500 Internal":
            await ask(client, call)
            return
        with pytest.raises(FireflyError) as caught:
            await ask(client, call)

    assert verdict_of(call) is caught.value.verdict
    assert "identity" == adobe.asked(call)[0].headers["accept-encoding"]


@pytest.mark.parametrize("call", ["submit", "status", "upload", "token"])
async def test_e5_an_answer_without_end_is_cut(
    adobe: RawAdobe, ask: Asker, call: str, client_of: ClientMaker
) -> None:
    """More than a megabyte is no answer of this API."""
    adobe.say(call, answer("200 OK", b" " * 2_000_000))
    async with client_of(adobe.address) as client:
        with pytest.raises(Unavailable, match="longer than") as caught:
            await ask(client, call)

    assert verdict_of(call) is caught.value.verdict


async def test_e5_a_head_without_end_is_cut(adobe: RawAdobe, ask: Asker, client_of: ClientMaker) -> None:
    """A megabyte of headers is none."""
    adobe.say("submit", HEAD + b"x: " + b"y" * 1_000_000)
    async with client_of(adobe.address) as client:
        with pytest.raises(Unavailable) as caught:
            await ask(client, "submit")

    assert UNKNOWN is caught.value.verdict


# ---------------------------------------------------------------- what else a line may do


async def test_a_surplus_answer_is_nobody_s_receipt(
    adobe: RawAdobe, ask: Asker, client_of: ClientMaker
) -> None:
    """An answer that nobody asked for is not taken for the next order's, which has a connection of its own."""
    first, second = (answer("202 Accepted", {"jobId": f"urn:{number}"}) for number in (1, 2))
    adobe.say("submit", first + answer("202 Accepted", {"jobId": "urn:wrong"}), second)
    async with client_of(adobe.address) as client:
        receipts = [await ask(client, "submit") for _ in range(2)]

    assert ["urn:1", "urn:2"] == [receipt.remote_id for receipt in receipts]
    assert ["close", "close"] == [request.headers["connection"] for request in adobe.asked("submit")]


async def test_a_refusal_before_the_whole_picture_was_sent_is_heard(
    adobe: RawAdobe, tmp_path: Path, ask: Asker, client_of: ClientMaker
) -> None:
    """A gateway that has seen enough says 413 and hangs up while we still send; that is a refusal."""
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(14_000_000))
    adobe.patient = False
    adobe.say("upload", linger_after(answer("413 Too Large", b"<html>Too large</html>")))
    async with client_of(adobe.address) as client:
        adobe.say("status", RUNNING)
        await ask(client, "status")
        with pytest.raises(FireflyError) as caught:
            await client.upload(str(large), "image/jpeg")

    assert (RequestRefused, "413") == (type(caught.value), caught.value.code)


async def test_cookies_are_not_kept(adobe: RawAdobe, ask: Asker, client_of: ClientMaker) -> None:
    """What a server wants us to remember is forgotten."""
    adobe.say("status", answer("200 OK", {"status": "running"}, "set-cookie: session=1; Path=/"))
    async with client_of(adobe.address) as client:
        await ask(client, "status")
        await ask(client, "status")

    assert all("cookie" not in request.headers for request in adobe.requests)
