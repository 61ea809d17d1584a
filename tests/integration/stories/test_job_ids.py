"""A job id that somebody gives is asked about before it is believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dropglow.ledger.mailbox import Mailbox, Verb
from dropglow.model import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.stories.conftest import Daemon, DaemonMaker

UNKNOWN = "urn:ff:jobs:eso851211:00000000-0000-4000-8000-000000000000"


def answer(daemon: Daemon) -> str:
    """Return what the service answered to the one wish."""
    (found,) = (daemon.folder / "state" / "wishes").glob("*.answer")
    return str(json.loads(found.read_text())["text"])


async def doubtful(make_daemon: DaemonMaker) -> Daemon:
    """Return a daemon at rest, its one order in doubt."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    return daemon


@pytest.mark.parametrize(
    ("given", "faults", "said"),
    [
        (UNKNOWN, (), "Adobe does not know a job of this id"),
        ("nonsense", (), "'nonsense' is not a job id"),
        (UNKNOWN, ("token_500=1",), "try again when Adobe answers"),
    ],
)
async def test_a_job_id_that_adobe_does_not_confirm_changes_nothing(
    make_daemon: DaemonMaker, given: str, faults: tuple[str, ...], said: str
) -> None:
    """The doubt stays a doubt, the file stays held, and whoever asked is told why."""
    daemon = await doubtful(make_daemon)
    daemon.faults(*faults)
    (job,) = await daemon.jobs()
    daemon.wish(Verb.ATTACH, job.key, given)

    await daemon.run_once()

    (job,) = await daemon.jobs()
    assert Stage.IN_DOUBT is job.stage
    assert said in answer(daemon)
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()


async def test_a_single_run_waits_for_the_wishes_that_waited_for_it(make_daemon: DaemonMaker) -> None:
    """A job id left for the next run is confirmed and its results are taken, with ``--once`` as well."""
    daemon = await doubtful(make_daemon)
    daemon.faults("latency=0.5")
    (job,) = await daemon.jobs()
    daemon.wish(Verb.ATTACH, job.key, daemon.books()["jobs"][0]["id"])

    await daemon.run_once()

    assert (1, 1) == (daemon.books()["accepted"], len(daemon.results()))
    assert ["prompts/_done/fox.txt"] == daemon.inbox()
    assert () == Mailbox(daemon.folder / "state" / "wishes").take()


@pytest.mark.parametrize(
    "spelled",
    [str, lambda urn: urn.rpartition(":")[2], lambda urn: urn.upper()[-36:]],
    ids=["whole", "bare", "in capitals"],
)
async def test_a_job_that_is_another_s_is_not_taken_twice(
    make_daemon: DaemonMaker, spelled: Callable[[str], str]
) -> None:
    """However its id is written: two drops would get the results of one, and nobody those of the other."""
    daemon = await doubtful(make_daemon)
    daemon.prompt("second.txt", "a second fox")
    await daemon.run_once()
    doubt, other = await daemon.jobs()
    assert other.submission is not None
    daemon.wish(Verb.ATTACH, doubt.key, spelled(other.submission.remote_id))

    await daemon.run_once()

    assert f"is known already: {other.key} has it" in answer(daemon)
    assert 1 == len(daemon.results())
