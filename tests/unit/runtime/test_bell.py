"""The bell between two loops: rings collapse, and none is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dropglow.runtime.bell import Bell

if TYPE_CHECKING:
    from tests.conftest import FakeClock


async def test_a_ring_before_the_wait_is_remembered(clock: FakeClock) -> None:
    """Whoever comes late still learns that it rang."""
    bell = Bell(clock)
    bell.ring()

    assert await bell.wait(None)
    assert 0 == clock.sleepers


async def test_many_rings_are_one(clock: FakeClock) -> None:
    """A storm of rings wakes the waiter once."""
    bell = Bell(clock)
    bell.ring()
    bell.ring()
    await bell.wait(0)

    assert not await bell.wait(0)


async def test_a_wait_ends_with_its_time(clock: FakeClock) -> None:
    """Without a ring the wait takes as long as was said, and says so."""
    bell = Bell(clock)
    waiting = asyncio.create_task(bell.wait(5))
    await clock.advance(5)

    assert not await waiting


async def test_a_ring_ends_a_wait(clock: FakeClock) -> None:
    """A ring in the middle wakes the waiter and leaves nobody asleep."""
    bell = Bell(clock)
    waiting = asyncio.create_task(bell.wait(5))
    await clock.advance(1)
    bell.ring()

    assert await waiting
    assert 0 == clock.sleepers
