"""Stories of people who change their mind while the service is busy with the same thing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dropglow.ledger.mailbox import Verb
from dropglow.model import DropState, Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


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
