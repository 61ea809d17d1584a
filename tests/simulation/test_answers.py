"""The page of what the service does after each answer is what it does; ``TEST_ANSWERS=all`` runs every cell of it."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from dropglow.model import Stage
from dropglow.retry import BURST, PLACE_S
from dropglow.runtime.fetching import FRESH_LINKS
from tests.simulation.answers import CALLS, PAGE, REPLIES, TABLES, Cell, column, columns_of
from tests.simulation.run import folder

ALL: Final = os.environ.get("TEST_ANSWERS") == "all"
ONCE, LASTING = TABLES


@pytest.mark.parametrize("call", CALLS)
def test_the_page_tells_what_follows_an_answer(call: str) -> None:
    """Each cell of the first table is what a run comes to."""
    title, _, times = ONCE

    assert columns_of(PAGE.read_text(encoding="utf-8"), title)[call] == column(call, times=times)


@pytest.mark.parametrize("call", CALLS if ALL else ("order",))
def test_the_page_tells_what_follows_an_answer_that_lasts(call: str) -> None:
    """Each cell of the second table is what a run comes to within its hour."""
    title, _, times = LASTING

    assert columns_of(PAGE.read_text(encoding="utf-8"), title)[call] == column(call, times=times)


def test_nothing_on_the_page_is_bought_or_ordered_twice() -> None:
    """Neither an order that may stand nor one that stands is sent again."""
    text = PAGE.read_text(encoding="utf-8")

    assert "**" not in text


def test_an_outage_is_not_multiplied_by_the_jobs_that_wait() -> None:
    """Sixteen jobs that Adobe does not answer about ask together no more often than the budget of repeats allows."""
    down = next(reply for reply in REPLIES if reply.name == "502 in HTML")
    with folder() as root:
        cell = Cell("status", down, Path(root), times=10**9, photos=16)
        cell.run()

    asked_s = cell.wire.asked_s["status"]
    first_minute = [at_s for at_s in asked_s if at_s < asked_s[0] + 60]
    assert {Stage.RUNNING} == {job.stage for job in cell.jobs()}
    assert len(first_minute) <= 16 + BURST + 60 * 16 / PLACE_S
    assert len(asked_s) <= 16 + BURST + 3600 * 16 / PLACE_S
    assert len(asked_s) > 3600 / 60


def test_links_that_stay_dead_are_asked_for_at_growing_distances() -> None:
    """Fresh links are tried at once a few times; after that each try waits longer than the one before."""
    gone = next(reply for reply in REPLIES if reply.name == "404 in HTML")
    with folder() as root:
        cell = Cell("download", gone, Path(root), times=10**9)
        cell.run()

    asked_s = cell.wire.asked_s["download"]
    apart_s = [
        round(later - sooner) for sooner, later in pairwise(asked_s)
    ]  # what the network takes is no wait
    assert FRESH_LINKS == sum(each < 1 for each in apart_s)
    assert apart_s[FRESH_LINKS:] == sorted(apart_s[FRESH_LINKS:])
    assert len(apart_s) > FRESH_LINKS + 5
