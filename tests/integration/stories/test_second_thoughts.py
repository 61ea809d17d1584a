"""Stories of people who change their mind while the service is busy with the same thing."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from dropglow.cli.main import main
from dropglow.disk import RealDisk
from dropglow.errors import DiskError
from dropglow.holding import own
from dropglow.ledger.mailbox import Mailbox, Verb, Wish
from dropglow.model import Drop, DropState, Stage
from dropglow.money import Switch
from dropglow.runtime import taking_back

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import DiskMaker
    from tests.integration.stories.conftest import Daemon, DaemonMaker


async def test_a_job_cancelled_and_retried_during_its_upload_is_bought_once(make_daemon: DaemonMaker) -> None:
    """Cancelling and retrying a job whose picture is on its way gives it no second worker."""
    daemon = make_daemon()
    daemon.faults("latency=0.8")
    photo = daemon.photo()

    async def change_minds() -> None:
        while photo.exists():  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.01)
        while not (jobs := await daemon.jobs()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        first, *_ = jobs
        daemon.wish(Verb.CANCEL, first.key)
        daemon.wish(Verb.RETRY, first.key)

    async with asyncio.TaskGroup() as group:
        group.create_task(change_minds())
        group.create_task(daemon.run_once())

    jobs = await daemon.jobs()
    assert {Stage.DELIVERED} == {job.stage for job in jobs}
    assert [1, 1] == [job.attempt for job in jobs]
    assert 2 == daemon.books()["accepted"]
    assert 1 == len(await daemon.drops(DropState.DONE))


async def test_a_retry_during_the_closing_is_not_closed_over(make_daemon: DaemonMaker) -> None:
    """Somebody retries a drop at the very moment it is closed: it is open again, its file back in work."""
    daemon = make_daemon("job_failed=first:1")
    daemon.prompt()
    moving, may_move = threading.Event(), threading.Event()

    class SlowDisk(RealDisk):
        """A disk that takes its time with the way to ``_failed``."""

        def move(self, source: str, target: str) -> None:
            if "/_failed/" in target:
                moving.set()
                may_move.wait(60)
            super().move(source, target)

    daemon.disk = SlowDisk()

    async def retry() -> None:
        await asyncio.to_thread(moving.wait, 60)
        (job,) = await daemon.jobs()
        daemon.wish(Verb.RETRY, job.key)
        while list((daemon.folder / "state" / "wishes").glob("*.wish")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        may_move.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(retry())
        group.create_task(daemon.run_until((daemon.prompts / "_done/fox.txt").exists))
    await daemon.run_once()  # the file may be there before the ledger says so

    assert 1 == len(await daemon.drops(DropState.DONE))
    assert ["prompts/_done/fox.txt"] == daemon.inbox()


async def test_a_re_opening_that_was_interrupted_leaves_a_report(make_daemon: DaemonMaker) -> None:
    """A held file came back into work, and the service died before its ledger knew: it is held again, with its report."""
    daemon = make_daemon("submit_lost=first:1")
    prompt = daemon.prompt()
    await daemon.run_once()
    [held] = await daemon.drops(DropState.HELD)
    taking_back.take_back(RealDisk(), held)
    between = daemon.inbox()

    await daemon.run_once()

    assert [] == between
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()
    assert [] == await daemon.broken_promises(prompt)
    assert 1 == daemon.books()["accepted"]


async def moved_back(make_daemon: DaemonMaker, *, hurry: int, words: str = "") -> tuple[Daemon, Path]:
    """Return a daemon, stopped, and a prompt whose order is in doubt and which was moved from _held into the inbox.

    Its rule says these *words* besides.
    """
    daemon = make_daemon("submit_lost=first:1", hurry=hurry)
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("generate:", f"{words}generate:"))
    prompt = daemon.prompt()
    await daemon.run_once()
    (daemon.prompts / "_held/fox.txt").rename(prompt)
    return daemon, prompt


async def test_a_file_that_is_held_again_on_a_full_disk_has_its_report(make_daemon: DaemonMaker) -> None:
    """A held file came back through the inbox, and there was no room for its report: it is written once there is."""
    daemon, prompt = await moved_back(make_daemon, hurry=60)

    class FullDisk(RealDisk):
        """A disk that takes the second report only."""

        refused = 0

        def write(self, path: str, data: bytes, **more: Any) -> None:
            if path.endswith(".held.txt") and not self.refused:
                self.refused += 1
                raise DiskError("No space left on device")
            super().write(path, data, **more)

    disk = daemon.disk = FullDisk()

    await daemon.run_once()

    assert 1 == disk.refused
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()
    assert [] == await daemon.broken_promises(prompt)
    assert 1 == daemon.books()["accepted"]


async def test_a_file_that_cannot_join_its_held_drop_is_not_left_in_work(make_daemon: DaemonMaker) -> None:
    """A held file came back through the inbox and could not be moved within work: it goes to _held all the same."""
    daemon, prompt = await moved_back(make_daemon, hurry=60)

    class FullDisk(RealDisk):
        """A disk that refuses the first move from work to work."""

        refused = 0

        def move(self, source: str, target: str) -> None:
            if "/work/" in source and "/work/" in target and not self.refused:
                self.refused += 1
                raise DiskError("No space left on device")
            super().move(source, target)

    disk = daemon.disk = FullDisk()

    await daemon.run_once()

    assert 1 == disk.refused
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()
    assert [] == await daemon.broken_promises(prompt)
    assert 1 == daemon.books()["accepted"]


async def test_a_disk_that_does_not_tell_where_a_held_file_lies_ends_nothing(
    make_daemon: DaemonMaker,
) -> None:
    """A held file came back through the inbox while the share stuttered: the service goes on, and buys nothing."""
    daemon, _ = await moved_back(make_daemon, hurry=20)

    class StutteringDisk(RealDisk):
        """A disk that fails to answer once."""

        refused = 0

        def look(self, path: str) -> Any:
            if path.endswith("_held/fox.txt") and not self.refused:
                self.refused += 1
                raise DiskError("Stale file handle")
            return super().look(path)

    disk = daemon.disk = StutteringDisk()

    await daemon.run_once()

    assert 1 == disk.refused
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()
    assert 1 == daemon.books()["accepted"]


@pytest.mark.parametrize(
    ("fault", "last", "verb"),
    [("submit_lost=first:1", "_held", Verb.RESUBMIT), ("job_failed=first:1", "_failed", Verb.RETRY)],
    ids=["resubmitted", "retried"],
)
async def test_a_file_that_was_moved_back_and_asked_for_is_bought_once(
    make_daemon: DaemonMaker, fault: str, last: str, verb: Verb
) -> None:
    """Whoever does both wants one thing, also where the rule buys every copy; and no report of before stays."""
    daemon = make_daemon(fault, "duration=0.5-0.5")
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("generate:", "duplicates: buy\n    generate:"))
    prompt = daemon.prompt()
    await daemon.run_once()
    [job] = await daemon.jobs()
    (daemon.prompts / last / "fox.txt").rename(prompt)
    daemon.wish(verb, job.key)

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert ["prompts/_done/fox.txt"] == daemon.inbox()
    assert 1 == len(await daemon.drops())


@pytest.mark.parametrize("name", ["fox.txt", "another.txt", "sub/fox.txt"])
@pytest.mark.parametrize("words", ["", "duplicates: buy\n    "], ids=["reused", "bought"])
async def test_a_file_that_was_moved_back_and_given_up_is_not_bought(
    make_daemon: DaemonMaker, words: str, name: str
) -> None:
    """While no service ran, somebody moved a held file into the inbox, and gave its order up then: that was the last word."""
    daemon, prompt = await moved_back(make_daemon, hurry=1, words=words)
    (daemon.prompts / "sub").mkdir()
    prompt.rename(daemon.prompts / name)
    [job] = await daemon.jobs()
    daemon.wish(Verb.ABANDON, job.key)

    await daemon.run_once()

    assert 1 == daemon.books()["accepted"]
    assert ["prompts/_failed/fox.txt", "prompts/_failed/fox.txt.error.txt"] == daemon.inbox()
    assert 1 == len(await daemon.drops())


async def test_a_drop_is_done_with_its_file_before_that_could_settle(make_daemon: DaemonMaker) -> None:
    """A held file was moved into the inbox, and its order was found: the results are there before the file lies still."""
    daemon, prompt = await moved_back(make_daemon, hurry=1, words="duplicates: buy\n    ")
    [job] = await daemon.jobs()
    [bought] = daemon.books()["jobs"]
    daemon.wish(Verb.ATTACH, job.key, bought["id"])
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("settle: 20ms", "settle: 600ms"))

    await daemon.run_once()

    assert 1 == daemon.books()["accepted"]
    assert ["prompts/_done/fox.txt"] == daemon.inbox()
    assert [] == await daemon.broken_promises(prompt)
    assert 1 == len(await daemon.drops())


class DyingLedger:
    """A ledger whose process dies before it has stored that a drop is held."""

    def __init__(self, ledger: Any, death: type[BaseException]) -> None:
        self._ledger, self._death = ledger, death

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def save_drop(self, before: Drop, after: Drop, **what: Any) -> Drop:
        if after.state is DropState.HELD:
            raise self._death
        saved: Drop = await self._ledger.save_drop(before, after, **what)
        return saved


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
@pytest.mark.usefixtures("log")
async def test_a_doubt_that_is_settled_after_a_crash_takes_its_file_along(
    make_daemon: DaemonMaker, faulty_disk: DiskMaker, stopped: bool
) -> None:
    """The file was in _held already, and the ledger did not know: its drop is done with it, whoever carries the wish out."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    daemon.ledger = lambda ledger: DyingLedger(ledger, faulty_disk.power_cut)
    with contextlib.suppress(faulty_disk.power_cut, BaseExceptionGroup):
        await daemon.run_once()
    between = daemon.inbox()
    daemon.ledger = lambda ledger: ledger
    (job,) = await daemon.jobs()
    if stopped:
        words = ["--config", str(daemon.folder), "resolve", "--yes", job.key, "--resubmit"]
        await asyncio.to_thread(CliRunner().invoke, main, words)
    else:
        daemon.wish(Verb.RESUBMIT, job.key)

    await daemon.run_once()

    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == between
    assert ["prompts/_done/fox.txt"] == daemon.inbox()
    assert [str(daemon.prompts / "_done/fox.txt")] == [drop.place for drop in await daemon.drops()]


async def test_a_retry_without_its_picture_says_which_one_is_gone(make_daemon: DaemonMaker) -> None:
    """Somebody took the picture out of _failed, and then asked for it."""
    daemon = make_daemon("upload_error=415")
    daemon.photo()
    await daemon.run_once()
    (daemon.photos / "_failed/beach.jpg").unlink()
    [drop] = await daemon.drops()
    daemon.wish(Verb.RETRY, drop.key)

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.jpg was taken away" in report


async def test_an_order_that_was_declined_looks_again_at_its_double(make_daemon: DaemonMaker) -> None:
    """A copy was refused for a while; its original, which had been given up, is bought meanwhile: it stands for both."""
    daemon = make_daemon("submit_lost=first:1", hurry=20)
    daemon.prompt("fox.txt")
    await daemon.run_once()
    [first] = await daemon.jobs()
    daemon.wish(Verb.ABANDON, first.key)
    await daemon.run_once()
    daemon.faults("rate_limit=1")
    daemon.prompt("vixen.txt")
    await daemon.run_until(lambda: daemon.books()["refused"])
    daemon.faults()
    daemon.wish(Verb.PAUSE, "")
    await daemon.run_once()
    daemon.wish(Verb.RETRY, first.key)
    await daemon.run_once()
    before = {job.source: (job.stage, job.attempt) for job in await daemon.jobs()}
    daemon.wish(Verb.RESUME, "")

    await daemon.run_once()

    assert {"fox.txt": (Stage.QUEUED, 1), "vixen.txt": (Stage.QUEUED, 1)} == before
    assert [Stage.DELIVERED] * 2 == [job.stage for job in await daemon.jobs()]
    assert 2 == daemon.books()["accepted"], "the lost order, and one for both"


def taken_by_a_dead_service(daemon: Daemon, verb: Verb, target: str = "") -> None:
    """Leave a wish of an hour ago as a service leaves it that was killed before it could answer."""
    asked_at = datetime.now(UTC) - timedelta(hours=1)
    wishes = daemon.folder / "state" / "wishes"
    Mailbox(wishes).post(Wish(key="old", verb=verb, target=target, asked_at=asked_at))
    Mailbox(wishes).take()


@pytest.mark.parametrize("verb", [Verb.RESUBMIT, Verb.RETRY])
async def test_a_wish_is_not_fulfilled_for_what_came_after_it(make_daemon: DaemonMaker, verb: Verb) -> None:
    """A service was killed before it answered: what was ordered at this wish is not ordered once more at the next start."""
    fault = "submit_lost=1" if verb is Verb.RESUBMIT else "job_failed=1"
    daemon = make_daemon(fault)
    daemon.prompt()
    await daemon.run_once()
    [job] = await daemon.jobs()
    taken_by_a_dead_service(daemon, verb, job.key)

    await daemon.run_once()

    assert 1 == daemon.books()["accepted"]
    assert [job.stage] == [each.stage for each in await daemon.jobs()]


async def test_the_last_word_about_spending_stands(make_daemon: DaemonMaker) -> None:
    """A `resume` that a killed service took undoes no `pause` that was said later."""
    daemon = make_daemon()
    await daemon.run_once()
    async with own(daemon.folder / "state") as owned:
        await owned.ledger.set_switch(Switch(stopped=True, at=datetime.now(UTC), reason="look first"))
    taken_by_a_dead_service(daemon, Verb.RESUME)
    daemon.prompt()

    await daemon.run_once()

    assert 0 == daemon.books()["accepted"]
