"""While the connection for an order is made nothing is begun: whatever happens then leaves the job as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.events import Began
from dropglow.ledger.mailbox import Verb
from dropglow.model import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.stories.conftest import Daemon, DaemonMaker


class Road(httpx.AsyncBaseTransport):
    """A network on which the connection for an order is long in coming; *tried* counts how often one was wanted."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.tried = 0
        self.wanted = asyncio.Event()
        self.stands = asyncio.Event()
        self.refusals: list[Exception] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("-async"):
            self.tried += 1
            self.wanted.set()
            await self.stands.wait()
            if self.refusals:
                raise self.refusals.pop()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def connecting(daemon: Daemon) -> AsyncIterator[tuple[Road, Callable[[], Awaitable[None]]]]:
    """Give the road of a running service that waits for the connection of its one order, and what stops the service."""
    roads: list[Road] = []

    def wire(inner: httpx.AsyncBaseTransport) -> Road:
        roads.append(Road(inner))
        return roads[0]

    daemon.wire = wire
    stop = asyncio.Event()
    async with daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=False))

        async def end() -> None:
            stop.set()
            await asyncio.wait_for(running, 60)

        await asyncio.wait_for(roads[0].wanted.wait(), 60)
        yield roads[0], end
        await end()
    daemon.wire = lambda inner: inner


async def test_a_process_that_dies_while_connecting_leaves_no_doubt(make_daemon: DaemonMaker) -> None:
    """What the next start finds is an order that was never begun, nor counted as spent."""
    daemon = make_daemon()
    daemon.prompt()

    async with connecting(daemon) as (road, end):
        (left,) = await daemon.jobs()  # as it is on the disk at this moment
        await end()
        road.stands.set()

    assert (Stage.QUEUED, 0, None) == (left.stage, left.attempt, left.failure)
    assert 0 == daemon.books()["accepted"]


async def test_a_stop_while_connecting_begins_nothing(make_daemon: DaemonMaker) -> None:
    """The connection comes too late for an intent; the next start places the order, once."""
    daemon = make_daemon()
    photo = daemon.prompt()
    async with connecting(daemon) as (road, end):
        await end()
        road.stands.set()
    before = await daemon.history()

    await daemon.run_once()

    assert all("Began" not in events for events in before.values())
    assert 1 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(photo)


async def test_a_job_cancelled_while_connecting_is_not_bought(make_daemon: DaemonMaker) -> None:
    """A wish that comes in time wins over a connection that stands too late."""
    daemon = make_daemon()
    daemon.prompt()
    async with connecting(daemon) as (road, _end):
        (job,) = await daemon.jobs()
        daemon.wish(Verb.CANCEL, job.key)
        await until(daemon, lambda job: job.stage is Stage.CANCELLED)
        road.stands.set()

    (job,) = await daemon.jobs()
    assert (Stage.CANCELLED, 0) == (job.stage, daemon.books()["accepted"])


async def test_spending_paused_while_connecting_begins_nothing(make_daemon: DaemonMaker) -> None:
    """Once the pause was answered no order begins, whatever was on its way; afterwards it goes on."""
    daemon = make_daemon()
    photo = daemon.prompt()
    async with connecting(daemon) as (road, end):
        daemon.wish(Verb.PAUSE, "")
        while not (daemon.folder / "state/wishes/pause-.answer").exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.005)
        road.stands.set()
        await end()
    paused = daemon.books()["accepted"], await daemon.history()
    daemon.wish(Verb.RESUME, "")

    await daemon.run_once()

    assert 0 == paused[0]
    assert all("Began" not in events for events in paused[1].values())
    assert [] == await daemon.broken_promises(photo)
    assert 1 == daemon.books()["accepted"]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")]
)
async def test_an_order_that_found_nobody_waits_as_it_was(make_daemon: DaemonMaker, error: Exception) -> None:
    """It is put off with the reason, is no attempt, and costs nothing; then it is placed."""
    daemon = make_daemon(hurry=20)
    photo = daemon.prompt()
    async with connecting(daemon) as (road, _end):
        road.refusals = [error]
        road.stands.set()
        await until(daemon, lambda job: job.stage is Stage.DELIVERED)
    await daemon.run_once()

    ((_, events),) = (await daemon.history()).items()
    (job,) = await daemon.jobs()
    assert ["Postponed", "Began", "Accepted"] == [
        name for name in events if name in {"Postponed", "Began", "Accepted", "Declined"}
    ]
    assert (1, 2) == (job.attempt, road.tried)
    assert [] == await daemon.broken_promises(photo)


class Forgetful:
    """A ledger that cannot store the first intents."""

    def __init__(self, ledger: Any, *, times: int) -> None:
        self._ledger = ledger
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def save(self, before: Any, after: Any, event: Any, **rest: Any) -> Any:
        if isinstance(event, Began) and self._times:
            self._times -= 1
            raise LedgerUnavailable("the ledger cannot be used now: disk I/O error")
        return await self._ledger.save(before, after, event, **rest)


async def test_no_connection_waits_for_a_ledger_that_is_ill(make_daemon: DaemonMaker) -> None:
    """Each try has a connection of its own, so that the order never goes on one that was left waiting."""
    daemon = make_daemon(hurry=20)
    photo = daemon.prompt()
    daemon.ledger = lambda ledger: Forgetful(ledger, times=2)
    async with connecting(daemon) as (road, _end):
        road.stands.set()
        await until(daemon, lambda job: job.stage is Stage.DELIVERED)
    await daemon.run_once()

    assert (3, 1) == (road.tried, daemon.books()["accepted"])
    assert [] == await daemon.broken_promises(photo)


async def until(daemon: Daemon, seen: Callable[[Any], bool]) -> None:
    """Wait until the one job is as wanted."""
    async with asyncio.timeout(60):
        while not seen((await daemon.jobs())[0]):  # noqa: ASYNC110 - a ledger tells nobody
            await asyncio.sleep(0.005)
