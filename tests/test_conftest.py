"""The world of the tests is as closed and as obedient as it says."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dropglow.clock import Clock
    from tests.conftest import FakeClock


@pytest.mark.parametrize("address", ["192.0.2.1", "example.com", "2001:db8::1"])
def test_the_network_is_closed(address: str) -> None:
    """Nothing outside this machine can be looked up or connected to."""
    with pytest.raises(AssertionError, match="is not this machine"):
        socket.create_connection((address, 9), timeout=0.1)


def test_loopback_is_open() -> None:
    """A server on this machine can be reached."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_the_time_zone_is_utc() -> None:
    """Local time is UTC, wherever the tests run."""
    assert time.tzname[0] == "UTC"


def test_no_settings_come_from_outside() -> None:
    """A developer's own configuration and credentials are out of sight."""
    assert [name for name in os.environ if name.startswith(("DROPGLOW_", "FIREFLY_", "XDG_"))] == []


async def test_sleepers_wake_in_the_order_of_their_moments(clock: FakeClock) -> None:
    """Two sleepers wake in order, each at its own time, though the test makes one leap."""
    woken: list[tuple[str, float]] = []
    began = clock.monotonic()

    async def sleeper(name: str, delay_s: float) -> None:
        await clock.sleep(delay_s)
        woken.append((name, clock.monotonic() - began))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 5))
        group.create_task(sleeper("early", 2))
        await clock.advance(10)

    assert woken == [("early", 2), ("late", 5)]


async def test_a_sleeper_may_sleep_again_within_one_leap(clock: FakeClock) -> None:
    """A loop that sleeps three seconds runs three times in ten."""
    turns: list[float] = []

    async def every_three_seconds() -> None:
        while True:
            await clock.sleep(3)
            turns.append(clock.monotonic())

    task = asyncio.create_task(every_three_seconds())
    await clock.advance(10)
    task.cancel()

    assert len(turns) == 3


def test_both_times_move_together(clock: FakeClock) -> None:
    """Moving the clock moves the wall clock and the monotonic one alike."""
    now, monotonic = clock.now(), clock.monotonic()

    clock.move(90)

    assert (clock.now() - now, clock.monotonic() - monotonic) == (timedelta(seconds=90), 90)


def test_the_clock_of_the_tests_is_a_clock(clock: FakeClock) -> None:
    """What the tests pass for a clock has the shape of the real one; the type checker looks at this."""
    as_the_program_sees_it: Clock = clock

    assert as_the_program_sees_it.now().utcoffset() == timedelta(0)
