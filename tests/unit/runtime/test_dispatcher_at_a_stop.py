"""A group of tasks that is closing, because one of them failed, starts no other."""

from __future__ import annotations

import asyncio

import pytest

from dropglow.runtime.dispatcher import start_if_open


async def test_work_that_comes_too_late_is_let_go_without_a_sound() -> None:
    """Between a task's failure and the end of its group nothing new begins, and nothing is left that was never awaited."""
    begun: list[str] = []

    async def fail() -> None:
        raise LookupError

    async def work() -> None:
        begun.append("late")

    async def serve() -> None:
        async with asyncio.TaskGroup() as group:
            failing = group.create_task(fail())
            failing.add_done_callback(lambda _: start_if_open(group, work(), name="late"))
            await asyncio.sleep(10)

    with pytest.raises(ExceptionGroup):
        await serve()

    assert [] == begun


async def test_work_begins_in_an_open_group() -> None:
    """It is awaited with the rest of the group."""
    begun: list[str] = []

    async def work() -> None:
        begun.append("in time")

    async with asyncio.TaskGroup() as group:
        start_if_open(group, work(), name="in time")

    assert ["in time"] == begun
