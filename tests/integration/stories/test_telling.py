"""What the log says of a story: every event with the fields that scripts rely on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropglow.ledger.mailbox import Verb

if TYPE_CHECKING:
    from io import StringIO

    from tests.integration.stories.conftest import DaemonMaker

CONFIGURATION_THAT_SKIPS = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox
    settle: 20ms
    rescan: 100ms
    match: {kind: prompt}
    generate: {size: 1024x1024}
    delivery: {name: "{stem}{ext}", collision: skip}
"""
JOB = {"job", "job_id", "rule", "source"}
DROP = {"drop", "rule", "source"}


def records(log: StringIO, *areas: str) -> list[dict[str, Any]]:
    """Return what was logged of these areas."""
    every = [json.loads(line) for line in log.getvalue().splitlines()]
    return [record for record in every if record["event"].partition(".")[0] in areas]


async def test_every_event_says_whose_it_is(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Through success, failure, doubt, cancelling and retrying, jobs and drops are named in the same fields."""
    daemon = make_daemon("submit_lost=first:1", "job_failed=every:3")
    daemon.photo()
    daemon.prompt()
    await daemon.run_once()
    jobs = {job.stage.value: job for job in await daemon.jobs()}
    daemon.wish(Verb.RETRY, jobs["failed"].key)
    daemon.wish(Verb.RESUBMIT, jobs["in_doubt"].key)
    await daemon.run_once()

    told = records(log, "job", "result")
    names = {record["event"] for record in told}

    assert {"job.submitted", "job.failed", "job.in_doubt", "job.retried", "result.delivered"} <= names
    assert [] == [record for record in told if not record.keys() >= JOB]
    assert [] == [record for record in records(log, "drop") if not record.keys() >= DROP]
    assert {None} == {record["job_id"] for record in told if record["event"] == "job.in_doubt"}


async def test_a_result_that_was_paid_for_and_skipped_is_told(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """With ``collision: skip`` and the name taken, the log says what was not kept, and not that it was delivered."""
    daemon = make_daemon(text=CONFIGURATION_THAT_SKIPS)
    (daemon.outbox / "fox.jpg").write_bytes(b"somebody's")
    daemon.prompt()

    await daemon.run_once()

    (told,) = records(log, "result")
    assert ("result.skipped", 1, "fox.txt") == (told["event"], told["count"], told["source"])
    assert b"somebody's" == (daemon.outbox / "fox.jpg").read_bytes()
