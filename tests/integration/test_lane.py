"""Work that hangs delays nobody else, and is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections import Counter

import pytest

from dropglow.runtime.lane import Lane

FOR_EVER = """
import asyncio, threading
from dropglow.runtime.lane import DaemonThreads, Lane

async def main():
    asyncio.get_running_loop().set_default_executor(DaemonThreads(2, "common"))
    for run in (Lane("stuck"), asyncio.to_thread):
        try:
            await asyncio.wait_for(run(threading.Event().wait), 0.1)
        except TimeoutError:
            print("left behind")

asyncio.run(main())
"""

NO_ROOM = """
import resource
from dropglow.runtime.lane import DaemonThreads

threads = DaemonThreads(1, "one")
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (1 << 20, hard))
try:
    threads.submit(print)
except RuntimeError:
    print("refused")
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
print(threads.submit(lambda: "served").result(5))
"""


async def test_it_returns_what_the_function_returns() -> None:
    """In a thread of its own name."""
    lane = Lane("inbox photos")

    assert "inbox photos" == await lane(lambda: threading.current_thread().name)
    lane.close()


async def test_it_raises_what_the_function_raises() -> None:
    """And goes on with the next one."""
    lane = Lane("inbox")
    with pytest.raises(ZeroDivisionError):
        await lane(lambda: 1 // 0)

    assert 3 == await lane(max, 1, 3)
    assert 1 == await lane(max, 1, -3, key=lambda number: number)
    lane.close()


async def test_functions_of_one_lane_run_one_after_the_other() -> None:
    """A wider lane has that many at once."""
    most = {}
    for width in (1, 2):
        lane, lock, running, seen = Lane("inbox", width=width), threading.Lock(), [0], [0]
        together = threading.Barrier(width)

        def work(lock=lock, running=running, seen=seen, together=together) -> None:  # type: ignore[no-untyped-def]
            with lock:
                running[0] += 1
                seen[0] = max(seen[0], running[0])
            together.wait(60)
            with lock:
                running[0] -= 1

        await asyncio.gather(*(lane(work) for _ in range(4)))
        most[width] = seen[0]
        lane.close()

    assert {1: 1, 2: 2} == most


def _met(together: threading.Barrier) -> int:
    together.wait(60)
    return threading.get_ident()


async def test_the_thread_that_became_free_last_goes_on() -> None:
    """Threads that were needed once are left alone where one is enough."""
    lane, together = Lane("inbox", width=3), threading.Barrier(3)
    idents = await asyncio.gather(*(lane(_met, together) for _ in range(3)))

    used = Counter([await lane(threading.get_ident) for _ in range(60)])

    # Often one; where the answer is here before its thread is free, another one helps. In turn each would have 20.
    assert min(used[ident] for ident in idents) < 10
    lane.close()


async def test_what_waits_when_a_lane_is_closed_is_done() -> None:
    """Its thread ends after that."""
    release = threading.Event()
    lane = Lane("inbox")
    first, second = asyncio.create_task(lane(release.wait, 5)), asyncio.create_task(lane(lambda: "done"))
    await asyncio.sleep(0)
    lane.close()
    release.set()
    await first

    assert "done" == await second


async def test_a_lane_that_hangs_delays_no_other() -> None:
    """And says how much it is at."""
    release = threading.Event()
    stuck, free = Lane("stuck"), Lane("free")
    waiting = asyncio.create_task(stuck(release.wait))
    late = asyncio.create_task(stuck(lambda: None))
    answer = await free(lambda: "here")
    busy = stuck.busy
    late.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await late
    release.set()
    await waiting

    assert ("here", 2) == (answer, busy)
    assert 7 == await stuck(lambda: 7)
    stuck.close()
    free.close()


def test_the_end_of_the_program_does_not_wait_for_it() -> None:
    """A thread on a dead share never ends."""
    done = subprocess.run(
        [sys.executable, "-c", FOR_EVER], capture_output=True, text=True, timeout=90, check=True
    )

    assert ("left behind\nleft behind\n", "") == (done.stdout, done.stderr)


async def test_a_lane_that_was_closed_is_at_nothing() -> None:
    """Its threads end; and who comes too late is served all the same."""
    lane = Lane("inbox")
    await lane(lambda: None)
    lane.close()
    late = await lane(lambda: "late")
    threads = [each for each in threading.enumerate() if each.name == "inbox"]
    await asyncio.gather(*(asyncio.to_thread(each.join, 5) for each in threads))

    assert ("late", 0) == (late, lane.busy)


def test_a_thread_that_could_not_be_had_is_asked_for_again() -> None:
    """Whoever wanted it is told; the next one has it, although there is room for one alone."""
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM], capture_output=True, text=True, timeout=90, check=True
    )

    assert ("refused\nserved\n", "") == (done.stdout, done.stderr)
