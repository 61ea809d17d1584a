"""Killed again and again under load, by chance and at any moment: the books and the ledger agree at the end.

Eight kills as a rule; ``TEST_SOAK_KILLS=500 python3 daemon test tests/e2e/test_soak.py -rP`` takes half an hour.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Final

import pytest

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

KILLS: Final = int(os.environ.get("TEST_SOAK_KILLS", "8"))
WAITING: Final = 12  # files that are kept in the inboxes, so that there is always something to do
LIFE_S: Final = (0.05, 1.5)  # from the first sign of life to the kill

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.slow]


class Load:
    """Keeps the inboxes of a site filled."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.dropped = 0

    async def top_up(self) -> None:
        """Drop files until enough of them wait; every fifth is a photo, with three sizes."""
        while self._waiting() < WAITING:
            self.dropped += 1
            photo = self.dropped % 5 == 0
            source = (self._site.photo_source if photo else self._site.prompt_source)(self.dropped)
            await self._site.drop(
                source, self._site.photos if photo else self._site.prompts, self.dropped % 2
            )

    def _waiting(self) -> int:
        return self._site.count("photos", "prompts")

    @property
    def jobs(self) -> int:
        """Return how many jobs come of what was dropped."""
        photos = self.dropped // 5
        return self.dropped + 2 * photos


async def started(site: Site) -> asyncio.subprocess.Process:
    """Start the program, and return it once it gives a sign of life: before that it hears no signal."""
    before = site.log.stat().st_size if site.log.exists() else 0
    process = await site.start()
    await site.until(lambda: site.log.stat().st_size > before, process=process)
    return process


@pytest.mark.skipif(KILLS < 1, reason="no kill was asked for")
async def test_any_number_of_kills_leaves_the_books_equal_to_the_ledger(make_site: SiteMaker) -> None:
    """Every order at the remote is known or in doubt; none was placed twice, and every input is in one place."""
    site, dice = await make_site("duration=0.1-0.4", settle="50ms"), random.Random(31)
    load = Load(site)
    for _ in range(KILLS):
        await load.top_up()
        process = await started(site)
        await asyncio.sleep(dice.uniform(*LIFE_S))
        process.kill()
        await process.wait()
    process = await started(site)
    await site.until(lambda: load.dropped == site.at_rest(), process=process, limit_s=120 + KILLS)
    assert 0 == await site.stop(process)

    jobs, books = await site.jobs(), site.world.books()
    doubts = [job for job in jobs if job.stage is Stage.IN_DOUBT]
    known = {job.submission.remote_id for job in jobs if job.submission is not None}
    lost = [entry for entry in books["jobs"] if entry["id"] not in known]
    print(
        f"{KILLS} kills, {load.dropped} files, {len(jobs)} jobs: {books['accepted']} accepted, "
        f"{len(doubts)} in doubt, {len(lost)} answers lost"
    )
    assert 0 == books["same_body_twice"]
    assert load.jobs == len(jobs)
    in_doubt = [list(job.order.seeds) for job in doubts]
    assert [] == [entry["id"] for entry in lost if entry["seeds"] not in in_doubt]
    assert books["accepted"] - len(lost) == len(known)
    assert len(jobs) - len(doubts) == len(site.results())
