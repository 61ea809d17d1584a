"""Wishes on the real program: doubts settled, jobs cancelled and retried, live and stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

pytestmark = pytest.mark.e2e


async def document(site: Site, *arguments: Any) -> Any:
    """Return what a command tells as JSON."""
    code, text = await site.command(*arguments, "--json")
    assert 0 == code, text
    return json.loads(text)


def bought(site: Site) -> Any:
    """Return Adobe's ids of every order that the sandbox accepted."""
    return [job["id"] for job in site.world.books()["jobs"]]


async def doubtful(make_site: SiteMaker) -> Any:
    """Return a site with a running service whose first order's answer was lost."""
    site = await make_site("submit_lost=first:1", "duration=0.2")
    process = await site.start()
    site.prompt_source(1).rename(site.prompts / "fox.txt")
    # Told once the ledger knows: the file lies in its folder a moment before.
    await site.until(lambda: bool(site.events("drop.held")), process=process)
    return site, process


def put(site: Site) -> Any:
    """Return in which last folders the prompt file lies, with its report where there is one."""
    return sorted(str(path.relative_to(site.prompts)) for path in site.prompts.glob("_*/*"))


HELD = ["_held/fox.txt", "_held/fox.txt.held.txt"]
FAILED = ["_failed/fox.txt", "_failed/fox.txt.error.txt"]
DONE = ["_done/fox.txt"]

WAYS: dict[str, tuple[Callable[[Any], tuple[str, ...]], Any, int]] = {
    "found": (lambda site: ("--job-id", bought(site)[0]), DONE, 1),
    "again": (lambda _: ("--resubmit",), DONE, 2),
    "given up": (lambda _: ("--abandon",), FAILED, 1),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_doubt_is_settled_while_the_service_runs(make_site: SiteMaker, way: Any) -> None:
    """Shown by status, a doubt is settled in each of the three ways; file and purchases are as they should be."""
    options, ends, orders = WAYS[way]
    site, process = await doubtful(make_site)
    held = put(site)
    (doubt,) = (await document(site, "status"))["in_doubt"]

    (answer,) = await document(site, "resolve", doubt["job"], *options(site))
    await site.until(lambda: ends == put(site), process=process)
    await site.stop(process)

    assert HELD == held
    assert (True, "service") == (answer["ok"], answer["by"])
    assert orders == len(bought(site))
    assert (ends == DONE) == (1 == len(site.results()))


@pytest.mark.parametrize("way", WAYS)
async def test_a_doubt_is_settled_while_no_service_runs(make_site: SiteMaker, way: Any) -> None:
    """Settled on a stopped service, a doubt ends the same way at the next run."""
    options, ends, orders = WAYS[way]
    site, process = await doubtful(make_site)
    await site.stop(process)

    (answer,) = await document(site, "resolve", "--yes", (await site.jobs())[0].key, *options(site))
    process = await site.start()
    await site.until(lambda: ends == put(site), process=process)
    await site.stop(process)

    assert (True, "nobody" if way == "found" else "command") == (answer["ok"], answer["by"])
    assert orders == len(bought(site))
    assert (ends == DONE) == (1 == len(site.results()))


async def test_running_jobs_are_cancelled_at_adobe(make_site: SiteMaker) -> None:
    """Cancelled while they run, jobs are cancelled at Adobe too, and the file goes to _failed with a report."""
    site = await make_site("duration=60")
    process = await site.start()
    site.photo_source(1).rename(site.photos / "beach.jpg")
    await site.until(lambda: 3 == len(bought(site)), process=process)
    status = await document(site, "status")
    drop = (await document(site, "jobs", "--state", "open"))[0]["drop"]

    await document(site, "cancel", drop)
    await site.until(lambda: 2 == site.count("photos/_failed"), process=process)
    stages = {job["stage"] for job in (await document(site, "show", drop))["jobs"]}
    await site.stop(process)

    assert (True, 3) == (status["service"]["running"], status["in_flight"])
    assert {"cancelled"} == stages
    assert {"cancelled"} == {job["state"] for job in site.world.books()["jobs"]}


async def test_what_failed_is_retried_while_the_service_runs(make_site: SiteMaker) -> None:
    """Of three sizes the one that failed is ordered again, and the file ends in _done."""
    site = await make_site("duration=0.2", "job_failed=first:1")
    process = await site.start()
    site.photo_source(1).rename(site.photos / "beach.jpg")
    await site.until(lambda: 2 == site.count("photos/_failed"), process=process)
    failures = (await document(site, "status"))["failures"]

    await document(site, "retry", "--all-failed")
    await site.until(lambda: 1 == site.count("photos/_done"), process=process)
    await site.stop(process)

    assert (1, "beach.jpg") == (failures["last_day"], failures["latest"][0]["source"])
    assert (4, 3, 0) == (len(bought(site)), len(site.results()), site.count("photos/_failed"))


async def test_spending_is_paused_and_goes_on_while_the_service_runs(make_site: SiteMaker) -> None:
    """The service obeys at once: what is dropped meanwhile is taken and not ordered, across a restart, until `resume`."""
    site = await make_site("duration=0.2")
    process = await site.start()
    site.prompt_source(1).rename(site.prompts / "bear.txt")
    await site.until(lambda: 1 == site.count("prompts/_done"), process=process)
    paused = await document(site, "pause", "--reason", "lunch")
    site.prompt_source(2).rename(site.prompts / "fox.txt")
    await site.until(lambda: 0 == site.count("prompts"), process=process)
    await site.stop(process)
    process = await site.start()
    await site.until((site.folder / "state" / "status.json").exists, process=process)
    status = await document(site, "status")
    ordered = len(bought(site))

    resumed = await document(site, "resume")
    await site.until(lambda: 2 == site.count("prompts/_done"), process=process)
    costs = await document(site, "costs")
    await site.stop(process)

    assert (True, "service", "lunch") == (paused["ok"], paused["by"], paused["paused"]["reason"])
    assert ("lunch", 1) == (status["money"]["paused"]["reason"], ordered)
    assert (True, "service", None) == (resumed["ok"], resumed["by"], resumed["paused"])
    assert site.world.books()["images"] == costs["total"]["bought"]["operations"] == 2


async def test_after_a_kill_the_state_is_told_as_it_is(make_site: SiteMaker) -> None:
    """A service that was killed is not said to run, and what it began is shown from the ledger."""
    site = await make_site("duration=60")
    process = await site.start()
    site.prompt_source(1).rename(site.prompts / "fox.txt")
    await site.until(lambda: 1 == len(bought(site)), process=process)
    process.kill()
    await process.wait()

    status = await document(site, "status")

    assert (False, None) == (status["service"]["running"], status["service"]["started_at"])
    assert 1 == sum(status["jobs"][stage.value] for stage in (Stage.SUBMITTING, Stage.RUNNING))
