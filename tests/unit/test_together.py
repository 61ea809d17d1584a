"""Those who come at the same time are handed in together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from dropglow.together import Together


class Desk:
    """Doubles numbers, and notes which came together; it can be held up, and refuses some."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.busy = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def __call__(self, numbers: Sequence[int]) -> list[int | BaseException]:
        self.batches.append(list(numbers))
        self.busy.set()
        self.free.wait(5)
        if 13 in numbers:
            raise ZeroDivisionError
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


def together(desk: Desk, *, most: int = 10) -> Together[int, int]:
    return Together(desk, most=most, name="desk")


async def test_who_comes_at_the_same_time_is_handed_in_together() -> None:
    """In order."""
    desk = Desk()
    line = together(desk)

    assert [2, 4, 6] == await asyncio.gather(*(line.do(number) for number in (1, 2, 3)))
    assert [[1, 2, 3]] == desk.batches


async def test_no_more_than_so_many_are_handed_in() -> None:
    """The others come next."""
    desk = Desk()
    line = together(desk, most=2)
    await asyncio.gather(*(line.do(number) for number in range(5)))

    assert [[0, 1], [2, 3], [4]] == desk.batches


async def test_who_comes_in_between_goes_with_the_next() -> None:
    """All of them, however many came one after the other."""
    desk = Desk()
    line = together(desk)
    desk.free.clear()
    first = asyncio.create_task(line.do(1))
    await asyncio.to_thread(desk.busy.wait, 5)
    later = [asyncio.create_task(line.do(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    desk.free.set()

    assert [2, 4, 6] == [await first, *await asyncio.gather(*later)]
    assert [[1], [2, 3]] == desk.batches


async def test_an_error_in_place_of_an_answer_is_raised_for_that_one() -> None:
    """Its neighbours have their answers."""
    line = together(Desk())

    outcomes = await asyncio.gather(*(line.do(number) for number in (1, -1, 2)), return_exceptions=True)

    assert [2, ValueError, 4] == [each if isinstance(each, int) else type(each) for each in outcomes]


async def test_what_the_work_raises_concerns_all() -> None:
    """And those who come later are served."""
    line = together(Desk())

    outcomes = await asyncio.gather(*(line.do(number) for number in (1, 13)), return_exceptions=True)

    assert [ZeroDivisionError, ZeroDivisionError] == [type(each) for each in outcomes]
    assert 4 == await line.do(2)


async def test_what_was_handed_in_is_done_for_nobody_as_well() -> None:
    """A caller who stopped waiting is not asked whether it still wants it."""
    desk = Desk()
    line = together(desk)
    gone, stays = asyncio.create_task(line.do(1)), asyncio.create_task(line.do(2))
    await asyncio.sleep(0)
    gone.cancel()

    assert 4 == await stays
    assert gone.cancelled()
    assert [[1, 2]] == desk.batches


async def test_it_is_settled_once_everybody_is_answered() -> None:
    """Nothing that nobody asked for is waited for."""
    desk = Desk()
    line = together(desk, most=1)
    await line.settled()
    callers = [asyncio.create_task(line.do(number)) for number in (1, 2)]
    await asyncio.sleep(0)

    await line.settled()
    await asyncio.sleep(0)

    assert [True, True] == [caller.done() for caller in callers]


@pytest.mark.parametrize("numbers", [(), (5,)])
async def test_it_serves_whoever_comes_after_a_rest(numbers: Sequence[int]) -> None:
    """Once nobody waits, the next one begins anew."""
    line = together(Desk())
    for number in numbers:
        await line.do(number)

    assert 14 == await line.do(7)


async def test_who_cannot_be_handed_in_hears_of_it() -> None:
    """Where there is no thread nobody waits for ever, neither who came first nor who came meanwhile."""
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    line = Together(Desk(), most=1, name="desk", executor=closed)

    outcomes = await asyncio.wait_for(asyncio.gather(*map(line.do, (1, 2)), return_exceptions=True), 5)

    assert [RuntimeError, RuntimeError] == [type(each) for each in outcomes]
