"""Who comes first, and who waits: turns, priorities, request limits, and a service that is unwell."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from dropglow.model import Stage
from dropglow.settle import MOST_TOLD

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


def jobs_in(ledger: Path) -> int:
    """Return how many jobs are admitted; a claimed file is not yet."""
    if not ledger.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'jobs'").fetchone()
        return int(connection.execute("SELECT count(*) FROM jobs").fetchone()[0]) if tables[0] else 0


TIGHT = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 2, requests_per_minute: %s, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: many
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    priority: %d
    generate: {size: 1024x1024}
  - name: one
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    expand: {size: 300x200}
"""


async def test_many_files_in_one_inbox_do_not_starve_another(make_daemon: DaemonMaker) -> None:
    """Forty prompts wait in one inbox; the one photo in the other is ordered among the first few."""
    daemon = make_daemon(text=TIGHT % ("off", 0))
    for number in range(40):
        daemon.prompt(f"p{number:02}.txt", f"picture {number}")
    daemon.photo()

    await daemon.run_once()

    operations = [job["operation"] for job in daemon.books()["jobs"]]
    assert 41 == len(operations)
    assert next(index for index, name in enumerate(operations) if "expand" in name) < 10


async def test_a_higher_priority_goes_first(make_daemon: DaemonMaker) -> None:
    """With a priority of its own the crowd goes before the single photo."""
    daemon = make_daemon(text=TIGHT % ("off", 5))
    for number in range(12):
        daemon.prompt(f"p{number:02}.txt", f"picture {number}")
    await daemon.run_until(lambda: 12 == jobs_in(daemon.folder / "state" / "ledger.sqlite3"))
    daemon.photo()

    await daemon.run_once()

    operations = [job["operation"] for job in daemon.books()["jobs"]]
    assert 13 == len(operations)
    assert "expand" in operations[-1]


async def test_no_more_requests_than_the_limit(make_daemon: DaemonMaker) -> None:
    """With three requests a minute, three orders go out and the rest wait; a restart does not forget them."""
    daemon = make_daemon("per_minute=3", text=TIGHT % ("3", 0))
    for number in range(6):
        daemon.prompt(f"p{number}.txt", f"picture {number}")

    await daemon.run_until(lambda: 3 == len(daemon.results()))
    await daemon.run_until((daemon.folder / "state" / "status.json").exists)

    books = daemon.books()
    assert (3, 0) == (books["accepted"], books["refused"])


async def test_an_upload_counts_as_a_request(make_daemon: DaemonMaker) -> None:
    """A photo costs its upload and its order."""
    daemon = make_daemon("per_minute=3", text=TIGHT % ("3", 0))
    daemon.photo("a.jpg", shade=10)
    daemon.photo("b.jpg", shade=200)

    await daemon.run_until(lambda: 1 == len(daemon.results()))

    books = daemon.books()
    assert len(books["uploads"]) + books["accepted"] <= 3
    assert 0 == books["refused"]


async def test_an_outage_puts_only_what_was_on_the_wire_in_doubt(make_daemon: DaemonMaker) -> None:
    """While the service answers 500, questions that buy nothing try it; then the rest of the queue is delivered."""
    daemon = make_daemon("submit_500=first:8", "status_500=first:6", hurry=20)
    for number in range(20):
        daemon.prompt(f"p{number:02}.txt", f"picture {number}")

    await daemon.run_once()

    stages = Counter(job.stage for job in await daemon.jobs())
    assert {Stage.DELIVERED: 12, Stage.IN_DOUBT: 8} == stages
    assert (12, 12) == (len(daemon.results()), daemon.books()["accepted"])
    assert 6 < daemon.books()["requests"]["GET /v3/status"]


async def test_links_that_stay_dead_are_asked_for_again_later(make_daemon: DaemonMaker) -> None:
    """Paid results are not given up while Adobe still knows the job."""
    daemon = make_daemon("link_403=first:6", hurry=20)
    daemon.prompt()

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert (1, 1) == (len(daemon.results()), daemon.books()["accepted"])


CHOOSY = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 2, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: wanted
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 30s
    match: {name: "wanted*"}
    generate: {size: 1024x1024}
"""


async def test_very_many_files_that_nobody_wants_do_not_hide_one_that_is_wanted(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """One look tells no more than so many files; those that no rule takes are said once, and make room for others."""
    daemon = make_daemon(text=CHOOSY)
    for number in range(MOST_TOLD + 5):
        os.utime(daemon.prompt(f"unwanted{number}.txt"), (1_000_000, 1_000_000))
    daemon.prompt("wanted.txt")

    await daemon.run_once()

    assert 1 == len(daemon.results())
    assert MOST_TOLD + 5 == log.getvalue().count('"drop.unmatched"')
