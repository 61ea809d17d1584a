"""A ledger that cannot be used for a while: the service waits for it, and forgets nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from dropglow.assembly import build
from dropglow.disk import RealDisk
from dropglow.errors import LedgerUnavailable
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.holding import own
from dropglow.ledger.base import Ledger
from dropglow.ledger.mailbox import Mailbox, Verb
from dropglow.model import DropState
from dropglow.sandbox.app import make_app
from tests.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.stories.conftest import Daemon, DaemonMaker


class AilingLedger:
    """A ledger of which each verb fails at its first uses once it has fallen ill."""

    def __init__(self, healthy: Ledger) -> None:
        self._healthy = healthy
        self._asked: Counter[str] = Counter()
        self.ill = False

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._healthy, name)
        if name == "identity":
            return verb

        async def ask(*args: Any, **kwargs: Any) -> Any:
            self._asked[name] += self.ill
            if self.ill and self._asked[name] <= 2:
                raise LedgerUnavailable("the ledger cannot be used now: disk I/O error")
            return await verb(*args, **kwargs)

        return ask


async def serve(daemon: Daemon, until: Callable[[], bool]) -> None:
    """Run a service over an ailing ledger until *until* is true, and then a sound one."""
    async with own(daemon.folder / "state") as owned:
        ledger = AilingLedger(owned.ledger)
        client = FireflyClient(
            daemon.config.api,
            FixedCredentials(client_id="canary-client-id", client_secret="canary-client-secret"),
            daemon.clock,
            connections=16,
            transport=Telling(httpx.ASGITransport(make_app(daemon.world))),
        )
        service = await build(
            daemon.config, ledger=cast("Ledger", ledger), client=client, clock=daemon.clock, disk=RealDisk()
        )
        ledger.ill, stop = True, asyncio.Event()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(service.run(stop, once=False))
            while not until() and not running.done():  # noqa: ASYNC110 - a world outside tells nobody
                await asyncio.sleep(0.005)
            ledger.ill = False
            stop.set()
        await client.close()
    await daemon.run_once()


async def test_every_verb_may_fail_and_nothing_is_lost_or_bought_twice(make_daemon: DaemonMaker) -> None:
    """Whichever verb fails, the service goes on, and everything is delivered once."""
    daemon = make_daemon(hurry=20)
    daemon.photo()
    daemon.prompt()

    await serve(daemon, lambda: 2 == len([name for name in daemon.inbox() if "/_done/" in name]))

    assert 3 == daemon.books()["accepted"]
    assert 3 == len(daemon.results())
    assert 2 == len(await daemon.drops())


async def test_a_file_moved_back_survives_a_failing_ledger(make_daemon: DaemonMaker) -> None:
    """A failed file that is moved back goes on in its own drop, whatever the ledger does meanwhile."""
    daemon = make_daemon("job_failed=first:1", hurry=20)
    daemon.photo()
    await daemon.run_once()
    (daemon.photos / "_failed/beach.jpg").rename(daemon.photos / "beach.jpg")

    await serve(daemon, (daemon.photos / "_done/beach.jpg").exists)

    assert 3 == daemon.books()["accepted"]
    assert 1 == len(await daemon.drops(DropState.DONE))


async def test_a_mailbox_that_cannot_be_read_does_not_end_the_service(make_daemon: DaemonMaker) -> None:
    """Where the folder of wishes is no folder, the service says so and delivers on."""
    daemon = make_daemon()
    daemon.prompt()
    state: Path = daemon.folder / "state"
    state.mkdir()
    (state / "wishes").write_text("this is no folder")

    await daemon.run_until((daemon.prompts / "_done/fox.txt").exists)

    assert 1 == len(daemon.results())


async def test_an_answer_that_cannot_be_written_keeps_no_other_wish_waiting(make_daemon: DaemonMaker) -> None:
    """What was asked at the same time is done now, and not behind somebody's back at a later start."""
    daemon = make_daemon()
    await daemon.run_once()
    daemon.prompt()
    daemon.wish(Verb.RESUME, "first")
    daemon.wish(Verb.PAUSE, "second")
    (daemon.folder / "state/wishes/resume-first.answer").mkdir()

    await daemon.run_once()

    assert 0 == daemon.books()["accepted"]
    assert Mailbox(daemon.folder / "state" / "wishes").read_answer("pause-second") is not None


async def test_an_error_of_ours_comes_out_as_itself(make_daemon: DaemonMaker) -> None:
    """A ledger that fails where nobody can wait ends ``--once`` in words, not in a group of tracebacks."""
    daemon = make_daemon()
    daemon.prompt()

    async with daemon.service() as service:
        await service.ledger.close()
        with pytest.raises(LedgerUnavailable):
            await asyncio.wait_for(service.run(asyncio.Event(), once=True), 60)
