"""Connections handed out one by one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from dropglow.firefly.lanes import Lanes


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds += delay_s


class Lane(httpx.AsyncBaseTransport):
    """A connection that remembers how often it was used, and whether it was closed."""

    def __init__(self) -> None:
        self.used = 0
        self.closed = False
        self.broken = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.used += 1
        if self.broken:
            raise httpx.ReadError("cut")
        return httpx.Response(200, stream=httpx.ByteStream(b"body"))

    async def aclose(self) -> None:
        self.closed = True


class Road:
    """Lanes, and every lane that was ever made."""

    def __init__(self, *, patience_s: float = 0.01) -> None:
        self.made: list[Lane] = []
        self.clock = HandClock()
        self.lanes = Lanes(self._make, self.clock, most=2, idle_s=4.0, patience_s=patience_s)

    def _make(self) -> Lane:
        self.made.append(Lane())
        return self.made[-1]

    async def send(self) -> httpx.Response:
        return await self.lanes.handle_async_request(httpx.Request("GET", "http://h/"))

    async def exchange(self) -> None:
        await (await self.send()).aclose()


@pytest.fixture
async def road() -> Road:
    return Road()


async def test_one_lane_serves_one_request_after_the_other(road: Road) -> None:
    """A lane is free again when its answer is closed."""
    await road.exchange()
    await road.exchange()

    assert [2] == [lane.used for lane in road.made]


async def test_answers_that_are_open_keep_their_lanes() -> None:
    """Two at once need two lanes; a third waits until one is closed."""
    road = Road(patience_s=5.0)
    first, _second = await road.send(), await road.send()
    third = asyncio.create_task(road.send())
    await asyncio.sleep(0)
    waiting = not third.done()

    await first.aclose()
    await third

    assert waiting
    assert [2, 1] == [lane.used for lane in road.made]


async def test_waiting_for_a_lane_ends_as_not_sent(road: Road) -> None:
    """Who finds all lanes busy for too long hears of it in the way that proves that nothing left."""
    await road.send()
    await road.send()

    with pytest.raises(httpx.PoolTimeout):
        await road.send()

    assert [1, 1] == [lane.used for lane in road.made]


async def test_a_lane_that_failed_is_thrown_away(road: Road) -> None:
    """The next request gets a new one, and no place is lost."""
    await road.exchange()
    road.made[0].broken = True
    with pytest.raises(httpx.ReadError):
        await road.send()

    await road.send()
    await road.send()

    assert [True, False, False] == [lane.closed for lane in road.made]


async def test_a_lane_that_nobody_needs_is_closed(road: Road) -> None:
    """After a rush, what lies idle too long is closed with the next answer; the one in use is kept."""
    answers = [await road.send(), await road.send()]
    for answer in answers:
        await answer.aclose()

    road.clock.seconds = 5.0
    await road.exchange()

    assert [True, False] == [lane.closed for lane in road.made]


async def test_closing_the_road_closes_its_lanes(road: Road) -> None:
    """Nothing stays open."""
    await road.exchange()

    await road.lanes.aclose()

    assert [True] == [lane.closed for lane in road.made]
