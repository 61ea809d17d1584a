"""The truth table of answers, for a whole service: what becomes of a file, and of the money, after each answer.

Deliberately different from what one might expect:

* An order whose answer is missing is IN_DOUBT and its file in ``_held``, what others call HELD.
* A dead link is asked about again for a day, not once: the pictures are paid for, and links may mend.
* The same output twice makes two files: two were ordered, and nobody but a person can tell that one is enough.
* A job that never ends is late, is asked about slowly for a day, and is given up then; it is not cancelled, since a
  cancelled job may be billed and its pictures are gone, while a late one may still come.
* There is no count of refusals per person: whoever dropped a file is not known.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from dropglow.model import Billed, DropState, Job, Stage

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker
    from tests.integration.stories.conftest import Daemon, DaemonMaker

HURRY: Final = 150.0
ORDER: Final = "POST /v3/images/generate-async"
STATUS: Final = "GET /v3/status"
CONFIGURATION: Final = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 500ms, max: 5s}}
rules:
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 500ms
    rescan: 5s
    match: {kind: prompt}
    generate: {size: 1024x1024, variations: 2}
"""


@pytest.fixture
def daemon(make_daemon: DaemonMaker) -> Daemon:
    """Return a daemon in a hurry, with one prompt in its inbox."""
    daemon = make_daemon(text=CONFIGURATION, hurry=HURRY)
    daemon.prompt()
    return daemon


def events_in(ledger: Path) -> list[str]:
    """Return what has happened so far, as the history has it."""
    if not ledger.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'history'").fetchone()
        return [str(row[0]) for row in connection.execute("SELECT event FROM history")] if found[0] else []


def count(daemon: Daemon, request: str) -> int:
    """Return how often the world was asked so."""
    requests: dict[str, int] = daemon.books()["requests"]
    return sum(times for name, times in requests.items() if name.startswith(request))


async def the_job(daemon: Daemon) -> Job:
    (job,) = await daemon.jobs()
    return job


async def until_asked(daemon: Daemon, request: str, times: int) -> None:
    """Run until the world was asked so often, and stop in the middle of whatever goes on."""
    await daemon.run_until(lambda: count(daemon, request) >= times)


# ---------------------------------------------------------------- orders


@pytest.mark.parametrize(
    ("faults", "charged"),
    [
        (("submit_garbled=1", "submit_no_link=1"), 1),
        (("submit_empty=1", "submit_no_link=1"), 1),
        (("submit_lost=1",), 1),
        (("submit_502=1",), 1),
        (("redirect=1",), 0),
        (("submit_500=1",), 0),
        *(((f"submit_error={status}",), 0) for status in (408, 409, 499, 502, 503, 504, 529)),
        *(((f"submit_error={status}", "submit_error_charged=1"), 1) for status in (408, 500, 502, 503, 504)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_an_order_without_a_clear_answer_is_held_and_not_repeated(
    daemon: Daemon, faults: tuple[str, ...], charged: int
) -> None:
    """Whether it was bought or not, it is asked for once, and waits for a person."""
    daemon.faults(*faults)

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.IN_DOUBT, Billed.UNKNOWN) == (job.stage, job.failure and job.failure.billed)
    assert (1, charged) == (count(daemon, ORDER), len(daemon.world.jobs))
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()


class Heard(httpx.AsyncBaseTransport):
    """Note by which id each order was sent."""

    def __init__(self, inner: httpx.AsyncBaseTransport, ids: list[str]) -> None:
        self._inner = inner
        self._ids = ids

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("-async"):
            self._ids.append(request.headers["x-request-id"])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_an_order_in_doubt_can_be_asked_for_by_the_id_that_it_was_sent_with(daemon: Daemon) -> None:
    """The ledger can tell it, and so does what a person reads; another attempt has another."""
    ids: list[str] = []
    daemon.wire = lambda inner: Heard(inner, ids)
    daemon.faults("rate_limit=first:1", "submit_lost=1")

    await daemon.run_once()

    job = await the_job(daemon)
    assert 2 == len(set(ids))
    assert ids[-1] == job.request_id
    assert ids[-1] in (daemon.prompts / "_held" / "fox.txt.held.txt").read_text()


@pytest.mark.parametrize(
    "fault",
    [
        *(f"submit_error={status}" for status in (400, 410, 413, 415, 422, 501)),
        "moderation=1",
        "moderation=1 moderation_status=451",
        *(f"moderation=1 moderation_code={code}" for code in ("prompt_entity_denied", "image_unsafe")),
    ],
)
async def test_an_order_that_adobe_declined_fails_for_good(daemon: Daemon, fault: str) -> None:
    """It is not reworded, not repeated and not billed, and its owner reads why."""
    daemon.faults(*fault.split())

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.FAILED, Billed.NO) == (job.stage, job.failure and job.failure.billed)
    assert (1, 0) == (count(daemon, ORDER), len(daemon.world.jobs))
    report = (daemon.prompts / "_failed" / "fox.txt.error.txt").read_text()
    assert "moderation" not in fault or "content policy" in report


@pytest.mark.parametrize(
    "fault",
    ["rate_limit=first:1", "rate_limit_date=first:1", "token_500=first:1", "upload_500=first:1"],
)
async def test_an_order_that_was_certainly_not_taken_is_placed_again(daemon: Daemon, fault: str) -> None:
    """Adobe itself says that it took nothing, so that the second order is the first that counts."""
    daemon.faults(fault, "submit_error_rate=first:1")

    await daemon.run_once()

    assert Stage.DELIVERED is (await the_job(daemon)).stage
    assert 1 == len(daemon.world.jobs)


@pytest.mark.parametrize(
    "fault",
    [
        "unauthorised=1",
        "token_401=1",
        "forbidden=quota_exhausted",
        "forbidden=user_non_entitled",
        "forbidden=user_profile_denied",
        "forbidden=invalid_ims_scope",
    ],
)
async def test_while_the_account_is_the_trouble_everything_waits(daemon: Daemon, fault: str) -> None:
    """Many files stay queued, not failed, behind one order that tries from time to time; then all are delivered."""
    for number in range(5):
        daemon.prompt(f"fox{number}.txt", f"fox {number}")
    daemon.faults(fault)
    probe = "POST /ims/" if fault == "token_401=1" else ORDER
    await until_asked(daemon, probe, 3)
    jobs = await daemon.jobs()
    daemon.faults()

    await daemon.run_once()

    assert {Stage.QUEUED} == {job.stage for job in jobs}
    assert {Stage.DELIVERED} == {job.stage for job in await daemon.jobs()}
    assert 6 == len(daemon.world.jobs)


@pytest.mark.parametrize("fault", ["rate_limit=1", "rate_limit_date=1", "rate_limit_bare=1", "token_500=1"])
async def test_e17_a_storm_is_sat_out_without_a_herd(daemon: Daemon, fault: str) -> None:
    """While Adobe is unwell one question at a time tries whether it is well again; nothing fails, nothing is lost."""
    for number in range(19):
        daemon.prompt(f"fox{number}.txt", f"fox {number}")
    daemon.faults(fault)
    began_s = daemon.clock.monotonic()
    await until_asked(daemon, "POST /", 6)
    storm_s = daemon.clock.monotonic() - began_s
    failed = [job for job in await daemon.jobs() if job.stage is Stage.FAILED]
    daemon.faults()

    await daemon.run_once()

    # Eight orders may be out together when it begins; after that each setback doubles the pause.
    assert storm_s > 2
    assert [] == failed
    assert {Stage.DELIVERED} == {job.stage for job in await daemon.jobs()}
    assert (20, 0) == (len(daemon.world.jobs), daemon.books()["same_body_twice"])


PHOTOS: Final = (
    CONFIGURATION.replace("prompt", "photo")
    .replace("kind: photo", "kind: image")
    .replace("generate: {size: 1024x1024, variations: 2}", "expand: {size: 300x200}")
)


async def test_one_order_alone_tries_whether_adobe_is_well_again(make_daemon: DaemonMaker) -> None:
    """Eight jobs whose uploads failed together wake together; seven of them wait for what becomes of the first order."""
    daemon = make_daemon("upload_500=first:8", "submit_502=1", "latency=0.05", text=PHOTOS, hurry=HURRY)
    for number in range(8):
        daemon.photo(f"beach{number}.jpg", shade=number)

    await daemon.run_until(lambda: daemon.world.jobs)

    assert 1 == len(daemon.world.jobs)


# ---------------------------------------------------------------- questions


@pytest.mark.parametrize(
    "fault",
    [
        "status_500=first:4",
        *(f"status_error={status}" for status in (403, 408, 499, 502, 503, 504, 529)),
        "rate_limit_status=first:4",
        "status_lost=first:4",
        "status_html=first:4",
        "status_404=first:3",
        "status_strange=first:4",
        "status_host=evil.example",
        "bare_ids=1",
    ],
)
async def test_a_job_is_not_lost_over_bad_answers_about_it(daemon: Daemon, fault: str) -> None:
    """It is asked about again, slower, and delivered; nothing is ordered a second time."""
    daemon.faults(fault, "status_error_rate=first:4")

    await daemon.run_once()

    assert Stage.DELIVERED is (await the_job(daemon)).stage
    assert (1, 1) == (count(daemon, ORDER), len(daemon.world.jobs))


async def test_a_job_that_adobe_denies_for_long_is_lost_and_said(daemon: Daemon) -> None:
    """After several denials it is given up, with its id, and with the word that it may have been billed."""
    daemon.faults("status_404=1")

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.FAILED, Billed.UNKNOWN) == (job.stage, job.failure and job.failure.billed)
    assert 6 == count(daemon, STATUS)
    assert daemon.world.jobs[0].id in (daemon.prompts / "_failed" / "fox.txt.error.txt").read_text()


@pytest.mark.parametrize(("status", "code"), [(451, "prompt_unsafe"), (410, "job_timeout")])
async def test_a_question_whose_refusal_tells_the_end_is_asked_once(
    daemon: Daemon, status: int, code: str
) -> None:
    """Moderation and time-outs that come as errors end the job as they do in a status."""
    daemon.faults(f"status_error={status}")

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.FAILED, code) == (job.stage, job.failure and job.failure.code)
    assert (1, 1) == (count(daemon, STATUS), len(daemon.world.jobs))


@pytest.mark.parametrize(
    "fault", ["job_failed=1", "timeout=1", "job_failed=1 job_failed_code=image_unsafe", "empty=1"]
)
async def test_a_job_that_ended_without_results_is_not_ordered_again(daemon: Daemon, fault: str) -> None:
    """E14 and its like: whether that was billed is not known, so only a person may ask anew."""
    daemon.faults(*fault.split())

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.FAILED, Billed.UNKNOWN) == (job.stage, job.failure and job.failure.billed)
    assert 1 == count(daemon, ORDER)


async def test_e8_a_job_that_never_ends_is_late_and_still_asked_about(daemon: Daemon) -> None:
    """It is neither repeated nor forgotten; when it ends after all, it is delivered."""
    text = CONFIGURATION.replace("poll:", "job_timeout: 10s, poll:")
    (daemon.folder / "dropglow.yaml").write_text(text)
    daemon.faults("never=1")
    ledger = daemon.folder / "state" / "ledger.sqlite3"
    await daemon.run_until(lambda: "RanLate" in events_in(ledger))
    late = await the_job(daemon)
    daemon.faults()
    daemon.world.finish(daemon.world.jobs[0].id)

    await daemon.run_once()

    assert (Stage.RUNNING, True) == (late.stage, late.late)
    assert (Stage.DELIVERED, 1) == ((await the_job(daemon)).stage, len(daemon.world.jobs))


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    "fault",
    [
        "link_403=first:2",
        "link_life=0.01",
        "download_500=first:3",
        "cut_download=first:3",
        "wrong_type=first:2",
    ],
)
async def test_a_result_that_does_not_come_is_fetched_again(daemon: Daemon, fault: str) -> None:
    """E6, E7, E13: it is paid for, so that it is fetched until it is whole, with new links where the old are dead."""
    daemon.faults(fault)
    if fault.startswith("link_life"):
        await until_asked(daemon, "GET /", 4)
        daemon.faults()

    await daemon.run_once()

    job = await the_job(daemon)
    assert (Stage.DELIVERED, 2) == (job.stage, len(daemon.results()))
    assert 1 == len(daemon.world.jobs)
    assert [] == await daemon.broken_promises(daemon.prompts / "fox.txt")


async def test_a_result_that_stands_already_is_not_brought_a_second_time(
    daemon: Daemon, faulty_disk: DiskMaker
) -> None:
    """One of two is delivered when the other's file vanishes, as after a power cut: it stays the only one of its kind."""
    lost: list[Path] = []

    def lose() -> None:
        if daemon.results() and not lost:
            lost.extend((daemon.folder / "outbox").rglob(".dropglow-*.1-1-*.part"))
            lost[0].unlink()

    daemon.disk = faulty_disk(faulty_disk.fault(verb="publish", lasting=True, after=True, deed=lose))

    await daemon.run_once()

    job = await the_job(daemon)
    assert (1, 2) == (len(lost), len(job.delivered))
    assert 2 == len(daemon.results())


async def test_e14_fewer_results_than_ordered_are_delivered(daemon: Daemon) -> None:
    """What is there is kept, and the rest is not ordered again."""
    daemon.faults("fewer=1")

    await daemon.run_once()

    assert (Stage.DELIVERED, 1) == ((await the_job(daemon)).stage, len(daemon.results()))
    assert 1 == count(daemon, ORDER)


class Rewritten(httpx.AsyncBaseTransport):
    """Change what the world says of a job that has succeeded."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, change: Callable[[list[dict[str, Any]]], Any]
    ) -> None:
        self._inner = inner
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.method != "GET" or "/v3/status/" not in request.url.path:
            return response
        body = json.loads(await response.aread())
        if body.get("status") == "succeeded":
            body["result"]["outputs"] = self._change(body["result"]["outputs"])
        return httpx.Response(response.status_code, json=body)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_e15_the_same_output_twice_makes_two_files(daemon: Daemon) -> None:
    """Neither takes the other's name."""
    daemon.wire = lambda inner: Rewritten(inner, lambda outputs: [outputs[0], outputs[0]])

    await daemon.run_once()

    first, second = [(daemon.outbox / name).read_bytes() for name in daemon.results()]
    assert first == second


@pytest.mark.parametrize(
    "seed", ["../../../escaped", "/etc/passwd", "\x00", True, 2**70, -(2**70), 1.5, [1], {"a": 1}, None]
)
async def test_e16_what_adobe_calls_a_seed_is_no_part_of_a_path(daemon: Daemon, seed: Any) -> None:
    """Only a number may stand in a name; otherwise it is the seed that was ordered."""
    daemon.wire = lambda inner: Rewritten(
        inner, lambda outputs: [{**output, "seed": seed, "name": "../x", "id": "/x"} for output in outputs]
    )

    await daemon.run_once()

    job = await the_job(daemon)
    assert sorted(f"prompts/fox_1024x1024_{number}.jpg" for number in job.order.seeds) == daemon.results()
    assert not list(daemon.folder.glob("**/escaped*"))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x.jpg?sig=1",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/x.jpg",
        "file:///etc/passwd",
        "https://bucket.s3.amazonaws.com@evil.example/x.jpg",
    ],
)
async def test_e12_a_result_elsewhere_waits_and_is_told(daemon: Daemon, log: StringIO, url: str) -> None:
    """Nothing is fetched from there; the job waits, its money is not written off, and better links are taken."""
    daemon.wire = lambda inner: Rewritten(inner, lambda outputs: [{"seed": 1, "image": {"url": url}}])
    await daemon.run_until(lambda: "result_host" in log.getvalue())
    waiting = await the_job(daemon)
    daemon.wire = lambda inner: inner

    await daemon.run_once()

    assert (Stage.FETCHING, Stage.DELIVERED) == (waiting.stage, (await the_job(daemon)).stage)
    assert (1, 0) == (len(daemon.world.jobs), len(await daemon.drops(DropState.FAILED)))
