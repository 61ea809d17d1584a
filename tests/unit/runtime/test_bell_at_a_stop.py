"""A bell must not keep a loop from ending: a stop that comes with a ring is a stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dropglow.runtime.bell import Bell

if TYPE_CHECKING:
    from tests.conftest import FakeClock


@pytest.mark.parametrize("turns", range(8))
async def test_a_stop_just_after_a_ring_is_heard(clock: FakeClock, turns: int) -> None:
    """Whoever is cancelled in any turn of the loop after a ring ends, and does not wait again."""
    bell = Bell(clock)

    async def attend() -> None:
        while True:
            await bell.wait(60)

    attending = asyncio.create_task(attend())
    await clock.let_others_run()
    bell.ring()
    for _ in range(turns):
        await asyncio.sleep(0)

    attending.cancel()
    await clock.let_others_run()

    assert attending.done()
