"""The main job as a user sees it: files come in by several ways, every result comes back, once.

The full size (200 prompts, 40 photos) runs with ``TEST_FULL_SIZE=1``; a
tenth of it by default.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

FULL = os.environ.get("TEST_FULL_SIZE") == "1"
PROMPTS, PHOTOS = (200, 40) if FULL else (20, 4)
RESULTS = PROMPTS + 3 * PHOTOS

pytestmark = pytest.mark.e2e


async def drop_everything(site: Site) -> None:
    """Drop every file, by turns with cp, mv and a slow writer, several writers at once."""
    drops = [(site.prompt_source(n), site.prompts, n) for n in range(PROMPTS)]
    drops += [(site.photo_source(n), site.photos, n) for n in range(PHOTOS)]
    random.Random(5).shuffle(drops)
    writers = asyncio.Semaphore(6)

    async def bring(source: Path, inbox: Path, how: int) -> None:
        async with writers:
            await site.drop(source, inbox, how)

    await asyncio.gather(*(bring(*each) for each in drops))


def all_done(site: Site) -> bool:
    return PROMPTS + PHOTOS == site.count("prompts/_done", "photos/_done")


async def test_everything_dropped_comes_back_once(make_site: SiteMaker) -> None:
    """Every prompt and photo is delivered; the books show each order once, each photo uploaded once."""
    site = await make_site("duration=0.2-0.6")
    process = await site.start()

    await drop_everything(site)
    await site.until(lambda: all_done(site), process=process)
    code = await site.stop(process)

    books = site.world.books()
    logged = {record["job_id"] for record in site.events("job.submitted")}
    assert 0 == code
    assert RESULTS == len(site.results())
    assert (RESULTS, 0) == (books["accepted"], books["same_body_twice"])
    assert PHOTOS == len(books["uploads"])
    assert {job["id"] for job in books["jobs"]} == logged


@pytest.mark.crash
async def test_five_kills_lose_nothing_and_buy_nothing_twice(make_site: SiteMaker) -> None:
    """Killed five times and restarted, the same results come; what is in doubt is shown and settled."""
    site = await make_site("duration=0.2-0.6")
    dice = random.Random(23)
    dropping = asyncio.create_task(drop_everything(site))
    for _ in range(5):
        process = await site.start()
        target = len(site.results()) + dice.randint(2, RESULTS // 8)
        await site.until_results(target, process=process, inputs=PROMPTS + PHOTOS)
        process.kill()
        await process.wait()
    await dropping
    process = await site.start()

    await site.until(lambda: all_done(site) or PROMPTS + PHOTOS == site.at_rest(), process=process)
    doubts = await site.jobs(Stage.IN_DOUBT)
    known = {job.submission.remote_id for job in await site.jobs() if job.submission}
    lost = [job for job in site.world.books()["jobs"] if job["id"] not in known]
    print(f"five kills: {len(doubts)} in doubt, {len(lost)} orders whose answer got lost")
    _, status = await site.command("status")
    for doubt in doubts:
        assert doubt.key in status
        bought = [job for job in lost if job["seeds"] == list(doubt.order.seeds)]
        how = ("--job-id", bought[0]["id"]) if bought else ("--resubmit", "--yes")
        assert 0 == (await site.command("resolve", doubt.key, *how))[0]
    await site.until(lambda: all_done(site), process=process)
    await site.stop(process)

    books = site.world.books()
    assert RESULTS == len(site.results())
    assert (RESULTS, 0) == (books["accepted"], books["same_body_twice"])
