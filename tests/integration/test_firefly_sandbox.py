"""The client against the sandbox, without a socket: each call once, and each documented shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dropglow.clock import RealClock
from dropglow.errors import (
    AuthError,
    FireflyError,
    ProtocolError,
    RequestRefused,
    Throttled,
    Unavailable,
    Verdict,
)
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.settings import ApiSettings
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded
from dropglow.model import DeliveryPlan, Order, Reference, Submission, Upload
from dropglow.sandbox.app import make_app
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.world import World
from tests.telling import Telling, nothing_to_store

BASE_URL = "http://127.0.0.1:9000"
PLAN = DeliveryPlan(outbox="/outbox", folder="", name="{stem}{ext}")


@pytest.fixture
def world() -> World:
    return World(faults=parse_faults(["duration=0", "pictures=plain"]))


@pytest.fixture
async def client(world: World) -> AsyncIterator[FireflyClient]:
    client = FireflyClient(
        ApiSettings(base_url=BASE_URL, token_url=f"{BASE_URL}/ims/token/v3"),
        FixedCredentials(client_id="a-client", client_secret="a-secret"),
        RealClock(),
        connections=4,
        transport=Telling(httpx.ASGITransport(make_app(world))),
    )
    yield client
    await client.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "beach.jpg"
    Image.new("RGB", (300, 200), "teal").save(path)
    return path


def generation(**body: Any) -> Order:
    full = {"prompt": "a lighthouse", "size": {"width": 1024, "height": 1024}, "seeds": [7], **body}
    return Order(operation="generate", body=full, delivery=PLAN)


def expansion() -> Order:
    return Order(
        operation="expand",
        body={"size": {"width": 600, "height": 600}},
        references=(Reference(slot="image.source", path=None),),
        delivery=PLAN,
    )


def fault(world: World, *words: str) -> None:
    world.faults = parse_faults(["duration=0", "pictures=plain", *words])


async def test_a_prompt_becomes_a_picture(client: FireflyClient, world: World) -> None:
    """Submit, poll and download give the bytes of the result, of the announced length."""
    received = bytearray()

    submission = await client.submit(generation(), [], before_sending=nothing_to_store)
    status = await client.status(submission)
    assert isinstance(status, Succeeded)
    downloaded = await client.download(status.outputs[0].url, received.extend)

    assert 7 == status.outputs[0].seed
    assert downloaded.size_bytes == downloaded.expected_bytes == len(received)
    assert "image/jpeg" == downloaded.media_type
    assert 1 == world.books()["accepted"]


async def test_an_uploaded_photo_is_expanded(client: FireflyClient, world: World, photo: Path) -> None:
    """The upload's bytes arrive whole, and its id stands in the order's source."""
    upload_id, valid_until = await client.upload(str(photo), "image/jpeg")
    upload = Upload(slot="image.source", sha256="", upload_id=upload_id, valid_until=valid_until)

    await client.submit(expansion(), [upload], before_sending=nothing_to_store)

    assert photo.read_bytes() == world.content(upload_id)
    assert upload_id == world.books()["jobs"][0]["upload"]
    assert timedelta(0) < valid_until - RealClock().now() <= timedelta(days=7)


@pytest.mark.parametrize("shape", ["A", "B", "C"])
@pytest.mark.parametrize("status", ["200", "202"])
async def test_every_shape_of_acceptance_is_a_receipt(
    client: FireflyClient, world: World, shape: str, status: str
) -> None:
    """The receipt names the job and both addresses, whatever form the answer has."""
    fault(world, f"shape={shape}", f"accept_status={status}", "submit_no_link=1")

    submission = await client.submit(generation(), [], before_sending=nothing_to_store)

    job_id = world.jobs[0].id
    assert submission == Submission(
        remote_id=submission.remote_id,
        status_url=f"{BASE_URL}/v3/status/{job_id}",
        cancel_url=f"{BASE_URL}/v3/cancel/{job_id}",
    )
    assert job_id == submission.remote_id


async def test_the_link_header_saves_a_receipt_without_a_body(client: FireflyClient, world: World) -> None:
    """An accepting answer whose body names no job is understood by its header."""
    fault(world, "submit_garbled=1")

    submission = await client.submit(generation(), [], before_sending=nothing_to_store)

    assert world.jobs[0].id == submission.remote_id


async def test_an_answer_without_any_id_is_in_doubt(client: FireflyClient, world: World) -> None:
    """Neither body nor header names a job, so the order may stand."""
    fault(world, "submit_garbled=1", "submit_no_link=1")

    with pytest.raises(ProtocolError) as caught:
        await client.submit(generation(), [], before_sending=nothing_to_store)

    assert Verdict.UNKNOWN is caught.value.verdict


@pytest.mark.parametrize(
    ("words", "kind", "verdict", "service_wide"),
    [
        (["submit_lost=1"], Unavailable, Verdict.UNKNOWN, False),
        (["submit_502=1"], Unavailable, Verdict.UNKNOWN, False),
        (["redirect=1"], ProtocolError, Verdict.UNKNOWN, False),
        (["submit_500=1"], Unavailable, Verdict.UNKNOWN, False),
        (["rate_limit=1"], Throttled, Verdict.LATER, True),
        (["rate_limit_date=1"], Throttled, Verdict.LATER, True),
        (["rate_limit_bare=1"], Throttled, Verdict.LATER, True),
        (["forbidden=quota_exhausted"], AuthError, Verdict.LATER, True),
        (["token_401=1"], AuthError, Verdict.LATER, True),
        (["token_500=1"], Unavailable, Verdict.LATER, True),
        (["unauthorised=1"], AuthError, Verdict.LATER, True),
        (["moderation=1"], RequestRefused, Verdict.NO, False),
        (["moderation=1", "moderation_status=451"], RequestRefused, Verdict.NO, False),
    ],
)
async def test_a_failed_submission_has_the_right_verdict(
    client: FireflyClient,
    world: World,
    words: list[str],
    kind: type[FireflyError],
    verdict: Verdict,
    service_wide: bool,
) -> None:
    """Only what may stand is in doubt; only what Adobe read and declined is final."""
    fault(world, *words)

    with pytest.raises(FireflyError) as caught:
        await client.submit(generation(), [], before_sending=nothing_to_store)

    assert kind is type(caught.value)
    assert (verdict, service_wide) == (caught.value.verdict, caught.value.service_wide)
    accepted = verdict is Verdict.UNKNOWN and words not in (["redirect=1"], ["submit_500=1"])
    assert accepted == bool(world.jobs)


async def test_a_date_in_retry_after_is_told_by_the_server_s_clock(
    client: FireflyClient, world: World
) -> None:
    """A server an hour ahead that asks for 30 seconds gets 30 seconds, not an hour."""
    fault(world, "rate_limit_date=1", "retry_after=30", "clock_skew=3600")

    with pytest.raises(Throttled) as caught:
        await client.submit(generation(), [], before_sending=nothing_to_store)

    assert caught.value.retry_at is not None
    assert timedelta(seconds=20) < caught.value.retry_at - RealClock().now() <= timedelta(seconds=31)


async def test_a_token_that_died_is_renewed_once(client: FireflyClient, world: World) -> None:
    """A 401 costs one more token and one more request, and nobody notices."""
    await client.submit(generation(), [], before_sending=nothing_to_store)
    world.revoke_tokens()

    await client.submit(generation(), [], before_sending=nothing_to_store)

    assert (2, 2) == (world.books()["accepted"], world.books()["tokens"])
    assert 3 == world.books()["requests"]["POST /v3/images/generate-async"]


async def test_complaints_about_the_body_are_readable(client: FireflyClient) -> None:
    """The message says which field is wrong."""
    with pytest.raises(RequestRefused) as caught:
        await client.submit(generation(numVariations=9, seeds=[1, 2]), [], before_sending=nothing_to_store)

    assert "numVariations: " in caught.value.message


async def test_a_running_job_tells_its_progress(client: FireflyClient, world: World) -> None:
    """Progress is percent, and absent where Adobe is silent."""
    fault(world, "duration=100", "progress=yes")

    status = await client.status(await client.submit(generation(), [], before_sending=nothing_to_store))

    assert isinstance(status, StillRunning)
    assert 0.0 == status.progress


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        (["job_failed=1"], EndedBadly(word="failed", code="runtime_error", message="The job failed.")),
        (["timeout=1"], EndedBadly(word="timeout", code="job_timeout", message="The job timed out.")),
        (["empty=1"], Succeeded(outputs=())),
    ],
)
async def test_an_ending_is_told_as_it_is(
    client: FireflyClient, world: World, words: list[str], ending: EndedBadly | Succeeded
) -> None:
    """Failures come as HTTP 200 and are told with code and message; no outputs is no failure."""
    fault(world, *words)

    assert ending == await client.status(
        await client.submit(generation(), [], before_sending=nothing_to_store)
    )


@pytest.mark.parametrize("spelling", ["canceled", "cancelled"])
async def test_a_cancelled_job_is_cancelled_in_both_spellings(
    client: FireflyClient, world: World, spelling: str
) -> None:
    """After a cancellation the status says so in one word of ours."""
    fault(world, "duration=100", f"spelling={spelling}")
    submission = await client.submit(generation(), [], before_sending=nothing_to_store)

    await client.cancel(submission)
    status = await client.status(submission)

    assert isinstance(status, EndedBadly)
    assert "cancelled" == status.word


async def test_cancelling_too_late_is_refused_with_the_reason(client: FireflyClient) -> None:
    """A completed job refuses with Adobe's code."""
    submission = await client.submit(generation(), [], before_sending=nothing_to_store)

    with pytest.raises(RequestRefused) as caught:
        await client.cancel(submission)

    assert "job_completed" == caught.value.code


async def test_a_job_that_adobe_forgot_is_refused_as_unknown(client: FireflyClient, world: World) -> None:
    """A purged job has Adobe's code, for the runtime to decide upon."""
    submission = await client.submit(generation(), [], before_sending=nothing_to_store)
    world.forget(submission.remote_id)

    with pytest.raises(RequestRefused) as caught:
        await client.status(submission)

    assert "unknown_job_id" == caught.value.code


async def test_a_status_on_a_strange_host_is_asked_at_home(client: FireflyClient, world: World) -> None:
    """The token does not follow an address to a host that is not trusted."""
    fault(world, "status_host=evil.example")
    submission = await client.submit(generation(), [], before_sending=nothing_to_store)

    status = await client.status(submission)

    assert "evil.example" in submission.status_url
    assert isinstance(status, Succeeded)


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        (["link_403=1"], RequestRefused, "link_dead"),
        (["download_500=1"], Unavailable, "503"),
        (["cut_download=1"], Unavailable, "no_answer"),
    ],
)
async def test_a_download_that_fails_says_how(
    client: FireflyClient, world: World, words: list[str], kind: type[FireflyError], code: str
) -> None:
    """A dead link wants a new one; a cut or a busy storage wants patience."""
    fault(world, *words)
    status = await client.status(await client.submit(generation(), [], before_sending=nothing_to_store))
    assert isinstance(status, Succeeded)

    with pytest.raises(kind) as caught:
        await client.download(status.outputs[0].url, bytearray().extend)

    assert code == caught.value.code


async def test_a_result_on_a_strange_host_is_not_fetched(client: FireflyClient) -> None:
    """An address that is not trusted with results is named without its query, and not asked."""
    with pytest.raises(ProtocolError) as caught:
        await client.download("https://evil.example/a.jpg?signature=secret", bytearray().extend)

    assert ("result_host", Verdict.LATER) == (caught.value.code, caught.value.verdict)
    assert "evil.example" in caught.value.message
    assert "secret" not in str(caught.value)


async def test_what_the_writer_raises_comes_out(client: FireflyClient) -> None:
    """A full disk is the caller's, not the network's."""

    def full(_piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    status = await client.status(await client.submit(generation(), [], before_sending=nothing_to_store))
    assert isinstance(status, Succeeded)

    with pytest.raises(OSError, match="No space left"):
        await client.download(status.outputs[0].url, full)


@pytest.mark.parametrize("word", ["upload_413=1", "upload_500=1", "upload_lost=1"])
async def test_a_failed_upload_is_never_in_doubt(
    client: FireflyClient, world: World, photo: Path, word: str
) -> None:
    """An upload is free, so that it may always be tried again, unless Adobe refuses the picture."""
    fault(world, word)

    with pytest.raises(FireflyError) as caught:
        await client.upload(str(photo), "image/jpeg")

    assert caught.value.verdict is (Verdict.NO if "413" in word else Verdict.LATER)


async def test_an_order_whose_picture_is_missing_is_not_sent(client: FireflyClient, world: World) -> None:
    """Without its upload an order is put off rather than sent incomplete."""
    with pytest.raises(Unavailable) as caught:
        await client.submit(expansion(), [], before_sending=nothing_to_store)

    assert Verdict.LATER is caught.value.verdict
    assert not world.jobs


async def test_check_asks_for_a_token_each_time(client: FireflyClient, world: World) -> None:
    """A check is a real one, whatever token is in hand."""
    await client.check()
    await client.check()

    assert 2 == world.books()["tokens"]


async def test_many_callers_share_one_token(client: FireflyClient, world: World) -> None:
    """Twenty orders at once cost one token."""
    await asyncio.gather(
        *(client.submit(generation(seeds=[seed]), [], before_sending=nothing_to_store) for seed in range(20))
    )

    assert 1 == world.books()["tokens"]
