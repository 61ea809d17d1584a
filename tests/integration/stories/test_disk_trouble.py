"""Disks that are full, gone or forbidden: nothing is bought that could not be stored, and all goes on afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import shutil
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker
    from tests.integration.stories.conftest import Daemon, DaemonMaker

HURRY: Final = 60.0
PATIENCE_S: Final = 60.0  # with the slowest machine


def told(log: StringIO, event: str) -> list[dict[str, Any]]:
    """Return the records of this event."""
    return [each for line in log.getvalue().splitlines() if (each := json.loads(line))["event"] == event]


@contextlib.asynccontextmanager
async def running(daemon: Daemon) -> Any:
    """Run the service during the block; yield a function that waits until something is so."""
    stop = asyncio.Event()

    async def until(seen: Callable[[], object]) -> None:
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while not seen():
            assert asyncio.get_running_loop().time() < deadline_s, "it never came to this"
            assert not service_run.done(), service_run.exception()
            await asyncio.sleep(0.005)

    async with daemon.service() as service:
        service_run = asyncio.create_task(service.run(stop, once=False))
        try:
            yield until
        finally:
            stop.set()
            await asyncio.wait_for(service_run, PATIENCE_S)


@pytest.mark.parametrize("verb", ["file.write", "file.finish", "publish", "create"])
async def test_an_outbox_that_is_full_once(
    make_daemon: DaemonMaker, faulty_disk: DiskMaker, verb: str
) -> None:
    """A result that found no room is brought again; it is bought once, and nothing is left over."""
    daemon = make_daemon(hurry=HURRY)
    photo = daemon.photo()
    disk = faulty_disk()
    daemon.disk = disk
    async with running(daemon) as until:
        await until(lambda: daemon.books()["downloads"])  # the probe was answered well
        disk.faults = (
            faulty_disk.fault(verb=verb, nth=sum(verb == v for v, _ in disk.calls) + 1, number=errno.ENOSPC),
        )

        await until((daemon.photos / "_done/beach.jpg").exists)

    assert 2 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(photo)


async def test_nothing_is_bought_for_a_full_outbox(
    make_daemon: DaemonMaker, faulty_disk: DiskMaker, log: StringIO
) -> None:
    """While the outbox takes nothing no order is sent, and the log says why; with room again all goes on."""
    daemon = make_daemon(hurry=HURRY)
    photo, prompt = daemon.photo(), daemon.prompt()
    disk = faulty_disk()
    daemon.disk = disk
    async with running(daemon) as until:
        await until(lambda: told(log, "inbox.watched"))
        (daemon.outbox / "photos").mkdir(exist_ok=True)
        disk.faults = (faulty_disk.fault(verb="file.write", number=errno.ENOSPC, lasting=True),)
        await until(lambda: len(told(log, "job.postponed")) >= 6)
        bought = daemon.books()["accepted"], len(daemon.books()["uploads"])
        disk.faults = ()

        await until((daemon.photos / "_done/beach.jpg").exists)
        await until((daemon.prompts / "_done/fox.txt").exists)

    assert (0, 0) == bought
    assert "is full" in told(log, "job.postponed")[0]["reason"]
    assert [] == await daemon.broken_promises(photo, prompt)


async def test_nothing_is_bought_for_an_outbox_that_is_away(make_daemon: DaemonMaker, log: StringIO) -> None:
    """A share that is not mounted is not made up for by a folder, and costs nothing; mounted, it gets its results."""
    daemon = make_daemon(hurry=HURRY)
    prompt = daemon.prompt()
    shutil.rmtree(daemon.outbox)
    async with running(daemon) as until:
        await until(lambda: told(log, "job.postponed"))
        bought, made = daemon.books()["accepted"], daemon.outbox.exists()
        daemon.outbox.mkdir()

        await until((daemon.prompts / "_done/fox.txt").exists)

    assert (0, False) == (bought, made)
    assert "is not there" in told(log, "job.postponed")[0]["reason"]
    assert [] == await daemon.broken_promises(prompt)


async def test_an_outbox_that_goes_away_while_jobs_run(make_daemon: DaemonMaker, log: StringIO) -> None:
    """What is bought already waits for its outbox to return and is delivered then, once."""
    daemon = make_daemon("duration=20", hurry=HURRY)
    prompt = daemon.prompt()
    async with running(daemon) as until:
        await until(lambda: daemon.books()["accepted"])
        daemon.outbox.rename(daemon.folder / "elsewhere")
        await until(lambda: told(log, "job.postponed"))
        (daemon.folder / "elsewhere").rename(daemon.outbox)

        await until((daemon.prompts / "_done/fox.txt").exists)

    assert (1, 1) == (daemon.books()["accepted"], len(daemon.results()))
    assert [] == await daemon.broken_promises(prompt)


async def test_an_inbox_that_goes_away_and_returns(make_daemon: DaemonMaker, log: StringIO) -> None:
    """It is said once, is no loss, and what lies in it is taken when it is back."""
    daemon = make_daemon(hurry=HURRY)
    first = daemon.prompt("first.txt")
    away = daemon.folder / "inbox" / "away"
    async with running(daemon) as until:
        await until((daemon.prompts / "_done/first.txt").exists)
        daemon.prompts.rename(away)
        await until(lambda: told(log, "inbox.offline"))
        (away / "second.txt").write_text("a second fox")
        away.rename(daemon.prompts)

        await until((daemon.prompts / "_done/second.txt").exists)

    assert 1 == len(told(log, "inbox.offline"))
    assert 2 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(first, daemon.prompts / "second.txt")


async def test_an_inbox_whose_disk_does_not_sync(
    make_daemon: DaemonMaker, faulty_disk: DiskMaker, log: StringIO
) -> None:
    """Nothing is bought for what a power cut might bring back; it is said once, and all goes on when the disk is well."""
    daemon = make_daemon(hurry=HURRY)
    daemon.disk = disk = faulty_disk()
    async with running(daemon) as until:
        await until(lambda: 2 == len(told(log, "inbox.watched")))
        disk.faults = (faulty_disk.fault(verb="sync_folder", number=errno.EIO, lasting=True),)
        prompts = [daemon.prompt(f"fox{number}.txt", f"fox number {number}") for number in range(5)]
        await until(lambda: told(log, "inbox.offline"))
        asked = disk.bites
        await until(lambda: disk.bites > asked + 3)  # it is asked again meanwhile
        bought, jobs = daemon.books()["accepted"], await daemon.jobs()
        disk.faults = ()

        await until(lambda: 5 == len(list((daemon.prompts / "_done").glob("*.txt"))))

    (offline,) = told(log, "inbox.offline")
    assert (0, ()) == (bought, jobs)
    assert offline["reason"].endswith("input/output error; nothing is taken until that works")
    assert 1 == len(told(log, "inbox.online"))
    assert [] == [*told(log, "inbox.trouble"), *told(log, "drop.returned")]
    assert 5 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(*prompts)


async def test_an_archive_that_cannot_be_made(make_daemon: DaemonMaker, log: StringIO) -> None:
    """A finished file stays safe in work, is told with its reason, and moves on once it can."""
    daemon = make_daemon(hurry=HURRY)
    prompt = daemon.prompt()
    (daemon.prompts / "_done").write_text("somebody's file is in the way")
    async with running(daemon) as until:
        await until(lambda: told(log, "inbox.trouble"))
        (job,) = await daemon.jobs()
        (daemon.prompts / "_done").unlink()

        await until((daemon.prompts / "_done/fox.txt").exists)

    assert Stage.DELIVERED is job.stage
    assert 1 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(prompt)


async def test_a_single_run_does_not_wait_for_a_mount_for_ever(make_daemon: DaemonMaker) -> None:
    """With its outbox away, --once gives up after a while and says why; another run finishes the work."""
    daemon = make_daemon(hurry=HURRY)
    prompt = daemon.prompt()
    shutil.rmtree(daemon.outbox)

    outcome = await daemon.run_once()

    bought = daemon.books()["accepted"]
    assert f"the outbox {daemon.outbox}/prompts is not there" in outcome.gave_up
    assert (0, False) == (bought, outcome.needs_person)
    daemon.outbox.mkdir()
    assert "" == (await daemon.run_once()).gave_up
    assert [] == await daemon.broken_promises(prompt)


async def test_a_single_run_does_not_wait_for_an_archive_for_ever(make_daemon: DaemonMaker) -> None:
    """With something in the way of _done, --once gives up after a while and says why; another run finishes the work."""
    daemon = make_daemon(hurry=HURRY)
    prompt = daemon.prompt()
    (daemon.prompts / "_done").write_text("somebody's file is in the way")

    outcome = await daemon.run_once()

    assert "_done" in outcome.gave_up
    (daemon.prompts / "_done").unlink()
    assert "" == (await daemon.run_once()).gave_up
    assert 1 == daemon.books()["accepted"]
    assert [] == await daemon.broken_promises(prompt)


async def test_an_empty_file_waits_and_then_fails_as_empty(make_daemon: DaemonMaker) -> None:
    """Some programs make a file long before they fill it: half a minute is given, then it is reported."""
    daemon = make_daemon(hurry=HURRY)
    for inbox, name in ((daemon.prompts, "empty.txt"), (daemon.photos, "empty.jpg")):
        (inbox / name).touch()
    began_s = daemon.clock.monotonic()

    await daemon.run_once()

    report = (daemon.prompts / "_failed/empty.txt.error.txt").read_text()
    assert daemon.clock.monotonic() - began_s >= 30
    assert "What happened: the file is empty\n" in report
    assert [] == await daemon.broken_promises(daemon.prompts / "empty.txt", daemon.photos / "empty.jpg")
