"""Adobe is away for long: people hear of it once, and of its end when there is one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.model import Stage
from tests.integration.stories.test_answers import CONFIGURATION, HURRY, count

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import StringIO

    from tests.integration.stories.conftest import DaemonMaker

TOKEN: Final = "POST /ims/"
QUESTION: Final = "GET /v3/status"


def told(log: StringIO, *names: str) -> list[str]:
    """Return the names of the log's events, of *names* alone, in their order."""
    events: list[str] = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    return [event for event in events if event in names]


async def until(seen: Callable[[], Any]) -> None:
    """Wait until *seen*; the test's own patience ends it otherwise."""
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    ("fault", "probe"), [("token_500=1", TOKEN), ("token_401=1", TOKEN), ("rate_limit=1", QUESTION)]
)
async def test_an_outage_is_told_once_and_so_is_its_end(
    make_daemon: DaemonMaker, log: StringIO, fault: str, probe: str
) -> None:
    """However often it is tried whether Adobe is back: there is one trouble, and one recovery after an order was taken."""
    daemon = make_daemon(fault, text=CONFIGURATION, hurry=HURRY)
    for number in range(4):
        daemon.prompt(f"fox{number}.txt", f"fox {number}")
    stop = asyncio.Event()
    seen: set[bool] = set()
    async with daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=False))
        await until(lambda: service.snapshot().trouble)
        tried = count(daemon, probe)

        def tried_again() -> bool:
            seen.add(bool(service.snapshot().trouble))
            return count(daemon, probe) >= tried + 2

        await until(tried_again)
        daemon.faults()
        await until(lambda: "service.recovered" in log.getvalue())
        well, taken = service.snapshot().trouble, len(daemon.world.jobs)
        stop.set()
        await asyncio.wait_for(running, 60)

    assert ({True}, "") == (seen, well)
    assert ["service.trouble", "service.recovered"] == told(log, "service.trouble", "service.recovered")
    assert taken >= 1


async def test_a_trouble_that_no_order_waits_for_ends_by_a_question(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """The one order is in doubt and nothing waits: after a while it is asked whether Adobe is well, and nothing is bought."""
    daemon = make_daemon("submit_502=1", text=CONFIGURATION, hurry=4 * HURRY)
    daemon.prompt()

    await daemon.run_until(lambda: "service.recovered" in log.getvalue())

    assert ["service.trouble", "service.recovered"] == told(log, "service.trouble", "service.recovered")
    assert (1, 1) == (count(daemon, "POST /v3/"), count(daemon, QUESTION))


async def test_another_trouble_is_told_though_the_first_has_not_gone(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """While Adobe was down the secret was rotated: somebody has to hear of that, and once."""
    daemon = make_daemon("token_500=1", text=CONFIGURATION, hurry=HURRY)
    daemon.prompt()

    def seen() -> bool:
        times = len(told(log, "service.trouble"))
        if times == 1:
            daemon.faults("token_401=1")
        if times == 2:
            daemon.faults()
        return "service.recovered" in log.getvalue()

    await daemon.run_until(seen)

    assert ["service.trouble", "service.trouble", "service.recovered"] == told(
        log, "service.trouble", "service.recovered"
    )


@pytest.mark.parametrize(
    ("before", "fault", "reason", "stage"),
    [
        ("", "token_500=1", "Adobe has trouble with the request for a token: 500", Stage.QUEUED),
        (
            "duration=60",
            "status_500=1",
            "Adobe has trouble with the question how the job stands",
            Stage.RUNNING,
        ),
    ],
    ids=["orders", "questions"],
)
async def test_a_single_run_does_not_wait_for_adobe_for_ever(
    make_daemon: DaemonMaker, before: str, fault: str, reason: str, stage: Stage
) -> None:
    """After minutes without a good answer --once gives up and says why; another run finishes the work, and buys once."""
    daemon = make_daemon(text=CONFIGURATION, hurry=HURRY)
    prompt = daemon.prompt()
    if before:
        daemon.faults(before)
        await daemon.run_until(lambda: daemon.books()["accepted"])
    daemon.faults(fault)
    began_s = daemon.clock.monotonic()

    outcome = await daemon.run_once()

    [job] = await daemon.jobs()
    assert outcome.gave_up.startswith("Adobe has not given a good answer for 5 minutes: ")
    assert reason in outcome.gave_up
    assert "by itself" not in outcome.gave_up
    assert (stage, False, False) == (job.stage, outcome.troubled, outcome.needs_person)
    assert 300 <= daemon.clock.monotonic() - began_s < 1200
    daemon.faults()
    assert "" == (await daemon.run_once()).gave_up
    assert [] == await daemon.broken_promises(prompt)
    assert 1 == daemon.books()["accepted"]
