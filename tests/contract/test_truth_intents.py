"""When an order's intent is stored: its connection stands, and no byte of it has left. Without an intent nothing does."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from dropglow.clock import RealClock
from dropglow.errors import FireflyError, LeaseLost, Unavailable, Verdict
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.exchange import LINGER_S
from dropglow.firefly.settings import ApiSettings, Timeouts
from dropglow.model import DeliveryPlan, Order
from tests.conftest import FakeClock
from tests.telling import tell

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from dropglow.clock import Clock
    from tests.contract.conftest import RawAdobe

    ClientMaker = Callable[..., AbstractAsyncContextManager[FireflyClient]]

ORDER: Final = Order(
    operation="generate",
    body={"prompt": "a lighthouse"},
    delivery=DeliveryPlan(outbox="/outbox", folder="", name="{stem}{ext}"),
)
HASTY: Final = Timeouts(connect_s=1.0)
RECEIPT: Final = b'HTTP/1.1 202 Accepted\r\ncontent-length: 18\r\n\r\n{"jobId": "urn:1"}'


class Intent:
    """Count how often the intent of an order was stored, and do something else each time."""

    def __init__(self, deed: Callable[[], Awaitable[object]] | None = None) -> None:
        self.stored = 0
        self._deed = deed

    async def __call__(self) -> None:
        self.stored += 1
        if self._deed is not None:
            await self._deed()


class Road(httpx.AsyncBaseTransport):
    """Give tokens at once, and receipts when there is a way; tell of orders what *telling* says."""

    def __init__(self, *, telling: bool = True, reading: bool = True) -> None:
        self.way = asyncio.Event()
        self.waited_for = asyncio.Event()
        self.arrived = 0
        self._telling = telling
        self._reading = reading

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/ims/"):
            return httpx.Response(200, json={"access_token": "a-token", "expires_in": 86399})
        self.waited_for.set()
        await self.way.wait()
        if self._telling:
            await tell(request)
        if self._reading:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            assert {"prompt": "a lighthouse"} == json.loads(b"".join([part async for part in request.stream]))
        self.arrived += 1
        return httpx.Response(202, json={"jobId": "urn:1"})


def traveller(road: Road, *, clock: Clock | None = None, answer_s: float = 60.0) -> FireflyClient:
    return FireflyClient(
        ApiSettings(base_url="http://127.0.0.1:9", token_url="http://127.0.0.1:9/ims/token/v3"),
        FixedCredentials(client_id="a-client", client_secret="a-secret"),
        clock or RealClock(),
        connections=1,
        transport=road,
        timeouts=Timeouts(answer_s=answer_s),
    )


async def test_the_connection_stands_before_the_intent_and_nothing_is_sent(
    adobe: RawAdobe, client_of: ClientMaker
) -> None:
    """A server that was connected to has not read one byte of the order when its intent is stored."""
    adobe.say("submit", RECEIPT)
    seen: list[tuple[int, int]] = []

    async with client_of(adobe.address) as client:

        async def look() -> None:
            await client.check()  # there and back: whoever connected before was let in by now
            seen.append((adobe.connections, len(adobe.asked("submit"))))

        await client.submit(ORDER, [], before_sending=Intent(look))

    # Two tokens, and the order's own.
    assert [(3, 0)] == seen
    assert 1 == len(adobe.asked("submit"))


@pytest.mark.parametrize("address", ["http://127.0.0.1:PORT", "https://127.0.0.1:TLS"])
async def test_who_finds_nobody_stores_no_intent(
    adobe: RawAdobe, client_of: ClientMaker, address: str
) -> None:
    """No listener, no TLS: nothing is begun, and the order may go later."""
    intent = Intent()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        where = address.replace("PORT", str(taken.getsockname()[1]))
        where = where.replace("TLS", adobe.address.rpartition(":")[2])
        async with client_of(where, token_address=adobe.address, timeouts=HASTY) as client:
            with pytest.raises(Unavailable) as caught:
                await client.submit(ORDER, [], before_sending=intent)

    assert (0, Verdict.LATER, "unreachable") == (intent.stored, caught.value.verdict, caught.value.code)


async def test_an_intent_that_cannot_be_stored_sends_nothing_and_costs_no_connection(
    adobe: RawAdobe, client_of: ClientMaker
) -> None:
    """Its error comes out as it is; the other side hears nothing but the end, again and again."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async def refuse() -> None:
        raise LeaseLost("another host has it")

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    address = "http://{}:{}".format(*server.sockets[0].getsockname())
    async with client_of(address, token_address=adobe.address) as client:
        for _ in range(20):
            with pytest.raises(LeaseLost):
                await client.submit(ORDER, [], before_sending=Intent(refuse))
        await client.check()
    server.close()
    await server.wait_closed()

    assert [b""] * 20 == heard


async def test_an_intent_outlives_a_token_that_died(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """A 401 costs a second request under the same intent."""
    adobe.say("submit", b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", RECEIPT)
    intent = Intent()

    async with client_of(adobe.address) as client:
        await client.submit(ORDER, [], before_sending=intent)

    assert (1, 2) == (intent.stored, len(adobe.asked("submit")))


async def test_a_connection_that_waited_too_long_is_left_for_a_new_one(
    adobe: RawAdobe, client_of: ClientMaker
) -> None:
    """Servers hang up on the silent; an order that met its ledger's slow disk is sent afresh, and once."""
    clock = FakeClock()
    adobe.say("submit", RECEIPT)

    async def dawdle() -> None:
        clock.move(LINGER_S + 1)

    intent = Intent(dawdle)
    async with client_of(adobe.address, clock=clock) as client:
        await client.submit(ORDER, [], before_sending=intent)

    assert (1, 1) == (intent.stored, len(adobe.asked("submit")))
    assert 3 == adobe.connections  # a token, one that was given up, and the order


async def test_a_slow_ledger_is_no_slow_answer() -> None:
    """However long the intent takes, the time for the answer begins behind it."""
    road = Road()
    road.way.set()

    async def dawdle() -> None:
        for _ in range(5):  # by then, a limit that went on would have struck
            await asyncio.sleep(0)

    client = traveller(road, clock=FakeClock(), answer_s=0.0)

    submission = await client.submit(ORDER, [], before_sending=Intent(dawdle))

    assert "urn:1" == submission.remote_id


async def test_who_is_cancelled_while_connecting_begins_nothing() -> None:
    """Once its caller is gone, the connection comes too late: no intent, no order."""
    road, intent = Road(), Intent()
    client = traveller(road)
    caller = asyncio.create_task(client.submit(ORDER, [], before_sending=intent))
    await road.waited_for.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    road.way.set()
    await client.close()

    assert (0, 0) == (intent.stored, road.arrived)


async def test_who_is_cancelled_while_storing_sends_nothing() -> None:
    """An intent without anybody who could store the answer is not acted upon."""
    road, begun, released = Road(), asyncio.Event(), asyncio.Event()
    road.way.set()
    client = traveller(road)

    async def store() -> None:
        begun.set()
        await released.wait()

    caller = asyncio.create_task(client.submit(ORDER, [], before_sending=store))
    await begun.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    released.set()
    await client.close()

    assert 0 == road.arrived


async def test_a_client_that_is_closed_while_connecting_leaves_no_doubt() -> None:
    """What never had a connection was not sent, also if nobody waited for the outcome."""
    road, intent = Road(), Intent()
    client = traveller(road)
    caller = asyncio.create_task(client.submit(ORDER, [], before_sending=intent))
    await road.waited_for.wait()

    await client.close(grace_s=0.01)

    with pytest.raises(Unavailable) as caught:
        await caller
    assert (0, Verdict.LATER) == (intent.stored, caught.value.verdict)


@pytest.mark.parametrize("settings", [{"reading": True}, {"reading": False}])
async def test_a_transport_that_does_not_tell_sends_no_order(settings: dict[str, Any]) -> None:
    """Without a word of it no body is given out: this is our bug, and is told as one."""
    road, intent = Road(telling=False, **settings), Intent()
    road.way.set()

    with pytest.raises(RuntimeError, match="does not tell"):
        await traveller(road).submit(ORDER, [], before_sending=intent)

    assert (0, not settings["reading"]) == (intent.stored, road.arrived)


async def test_a_transport_that_breaks_without_a_word_has_sent_nothing() -> None:
    """Nobody could read the order, so whatever went wrong leaves no doubt."""

    class Broken(Road):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/ims/"):
                return await super().handle_async_request(request)
            raise httpx.ReadError("the connection broke")

    with pytest.raises(FireflyError) as caught:
        await traveller(Broken()).submit(ORDER, [], before_sending=Intent())

    assert Verdict.LATER is caught.value.verdict


async def test_an_order_that_goes_again_with_a_new_token_leaves_no_doubt_before_it_left() -> None:
    """Its connection is a new one, and whatever breaks before the first byte is known not to have reached anybody."""

    class Refusing(Road):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/ims/"):
                return await super().handle_async_request(request)
            self.arrived += 1
            if self.arrived == 1:
                await tell(request)
                return httpx.Response(401)
            await tell(request, "connection.start_tls.started")
            raise ssl.SSLError("a broken record")

    road, intent = Refusing(), Intent()

    with pytest.raises(FireflyError) as caught:
        await traveller(road).submit(ORDER, [], before_sending=intent)

    assert (1, 2, Verdict.LATER) == (intent.stored, road.arrived, caught.value.verdict)
