"""The sandbox as a client sees it: a real port on loopback, real requests."""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from dropglow.sandbox.faults import Faults, parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

GENERATE = "/v3/images/generate-async"
EXPAND = "/v3/images/expand-async"
# Loading the certificates of the world costs more than most of these tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret", "scope": "openid"}


class Caller:
    """A bare client with a token."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http
        self.headers: dict[str, str] = {}

    async def log_in(self) -> None:
        """Fetch a token and use it from now on."""
        answer = await self.http.post("/ims/token/v3", data=FORM)
        self.headers = {"authorization": f"Bearer {answer.json()['access_token']}", "x-api-key": "me"}

    def break_it(self, *words: str) -> None:
        """Let things go wrong from now on; jobs end at once unless said otherwise."""
        self.world.faults = parse_faults(["duration=0", "pictures=plain", *words])

    async def submit(self, body: dict[str, Any] | None = None, path: str = GENERATE) -> httpx.Response:
        """Order a picture."""
        return await self.http.post(path, json=body or {"prompt": "a hat"}, headers=self.headers)

    async def upload(self, content: bytes, media_type: str = "image/jpeg") -> httpx.Response:
        """Store a picture."""
        return await self.http.post(
            "/v2/storage/image", content=content, headers=self.headers | {"content-type": media_type}
        )

    async def get(self, url: str) -> httpx.Response:
        """Ask an address of the API."""
        return await self.http.get(url, headers=self.headers)

    async def finished(self, body: dict[str, Any] | None = None, path: str = GENERATE) -> dict[str, Any]:
        """Order a picture and return the result of its job."""
        accepted = (await self.submit(body, path)).json()
        answer: dict[str, Any] = (await self.get(accepted["statusUrl"])).json()["result"]
        return answer


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    world = World()
    async with Sandbox(world) as sandbox, httpx.AsyncClient(base_url=sandbox.url, verify=NO_TLS) as http:
        caller = Caller(world, http)
        caller.break_it()
        await caller.log_in()
        yield caller


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, form)
    return buffer.getvalue()


# The whole way.


async def test_a_prompt_comes_back_as_a_picture(caller: Caller) -> None:
    """Submit, ask, download: the picture has the size that was ordered."""
    caller.world.faults = parse_faults(["duration=0"])
    body = {"prompt": "a hat", "seeds": [5], "size": {"width": 896, "height": 1152}, "contentClass": "art"}
    result = await caller.finished(body)
    answer = await caller.http.get(result["outputs"][0]["image"]["url"])

    assert ("art", 5) == (result["contentClass"], result["outputs"][0]["seed"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (896, 1152)


async def test_a_photo_comes_back_expanded(caller: Caller) -> None:
    """One upload serves an expansion of any size."""
    caller.world.faults = parse_faults(["duration=0"])
    upload_id = (await caller.upload(picture())).json()["images"][0]["id"]
    body = {"image": {"source": {"uploadId": upload_id}}, "size": {"width": 333, "height": 222}}
    result = await caller.finished(body, EXPAND)
    answer = await caller.http.get(result["outputs"][0]["image"]["url"])

    assert Image.open(io.BytesIO(answer.content)).size == (333, 222)
    assert upload_id == caller.world.books()["jobs"][0]["upload"]


async def test_a_picture_it_cannot_read_is_expanded_all_the_same(caller: Caller) -> None:
    """JPEG XL is stored, and a composition stands in for the photo."""
    caller.world.faults = parse_faults(["duration=0"])
    upload_id = (await caller.upload(b"\xff\x0a" + bytes(100), "image/jxl")).json()["images"][0]["id"]
    body = {"image": {"source": {"uploadId": upload_id}}, "size": {"width": 64, "height": 64}}
    result = await caller.finished(body, EXPAND)

    assert (await caller.http.get(result["outputs"][0]["image"]["url"])).status_code == 200


async def test_the_same_picture_is_painted_once(caller: Caller) -> None:
    """Fetching twice gives the same bytes."""
    caller.world.faults = parse_faults(["duration=0"])
    url = (await caller.finished({"prompt": "a hat"}))["outputs"][0]["image"]["url"]
    first, second = await asyncio.gather(caller.http.get(url), caller.http.get(url))

    assert first.content == second.content


async def test_the_books_tell_everything(caller: Caller) -> None:
    """What was asked can be read over HTTP as well."""
    await caller.submit()
    await caller.submit()
    books = (await caller.http.get("/sandbox/books")).json()

    assert (2, 1, 1) == (books["accepted"], books["same_body_twice"], books["tokens"])
    assert books["requests"] == {"GET /sandbox/books": 1, f"POST {GENERATE}": 2, "POST /ims/token/v3": 1}


async def test_the_front_page_says_what_this_is(caller: Caller) -> None:
    """Somebody who opens it in a browser is not lost."""
    page = (await caller.http.get("/")).text

    assert "pretend Adobe Firefly" in page
    assert f"base_url: {str(caller.http.base_url).rstrip('/')}" in page


# Credentials.


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
    ],
)
async def test_wrong_credentials_are_refused(
    caller: Caller, changes: dict[str, str], status: int, error: str
) -> None:
    """The token endpoint answers as OAuth does."""
    caller.world.client_secret = "secret"
    answer = await caller.http.post("/ims/token/v3", data=FORM | changes)

    assert (status, error) == (answer.status_code, answer.json()["error"])


async def test_a_token_is_fetched_with_a_form(caller: Caller) -> None:
    """JSON and GET are refused."""
    assert (await caller.http.post("/ims/token/v3", json=FORM)).status_code == 400
    assert (await caller.http.get("/ims/token/v3")).status_code in {404, 405}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "403000"),
        ({"x-api-key": "me"}, 401, "401013"),
        ({"x-api-key": "me", "authorization": "Bearer made-up"}, 401, "401013"),
        ({"x-api-key": "me", "authorization": "made-up"}, 401, "401013"),
    ],
)
async def test_every_call_needs_key_and_token(
    caller: Caller, headers: dict[str, str], status: int, code: str
) -> None:
    """A missing key is 403, a wrong token 401."""
    caller.headers = headers
    answers = [await caller.submit(), await caller.upload(picture()), await caller.get("/v3/status/x")]

    assert [(status, code)] * 3 == [(answer.status_code, answer.json()["error_code"]) for answer in answers]


async def test_a_token_ends(caller: Caller) -> None:
    """After its life a token is refused."""
    caller.break_it("token_life=0")
    await caller.log_in()

    assert (await caller.submit()).json()["error_code"] == "401014"


async def test_another_key_than_the_worlds_is_refused(caller: Caller) -> None:
    """With particular credentials the key is compared."""
    caller.world.client_id = "somebody else"

    assert (await caller.submit()).json()["error_code"] == "403003"


# Uploads.


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_the_documented_formats_are_stored(caller: Caller, form: str) -> None:
    """Each format is taken under its own type."""
    assert (await caller.upload(picture(form), f"image/{form.lower()}")).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", "image/jpeg", 400, "empty_input_body"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "image/png", 400, "10075"),
        (picture("PNG"), "image/jpeg", 400, "10075"),
        (picture(size=(640, 480))[:-40], "image/jpeg", 400, "10075"),
        (b"GIF89a", "image/gif", 415, "invalid_content_type"),
        (b"JXL", "image/jxl", 400, "10075"),
    ],
)
async def test_what_is_no_picture_is_refused(
    caller: Caller, content: bytes, media_type: str, status: int, code: str
) -> None:
    """The bytes must be what they are declared to be."""
    answer = await caller.upload(content, media_type)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])


async def test_fifteen_megabytes_are_the_most(caller: Caller) -> None:
    """One byte more is answered in HTML, as by a gateway."""
    answer = await caller.upload(bytes(15 * 1024 * 1024 + 1))

    assert (413, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])


async def test_an_unknown_upload_is_refused(caller: Caller) -> None:
    """An id that was never given out, or has ended, is good for nothing."""
    upload_id = (await caller.upload(picture())).json()["images"][0]["id"]
    caller.break_it("upload_life=0")
    answer = await caller.submit({"image": {"source": {"uploadId": upload_id}}}, EXPAND)

    assert answer.status_code == 400
    assert upload_id in answer.json()["message"]


# Submissions.


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "empty_input_body"),
        (b"{", "application/json", 400, "bad_request"),
        (b"[" * 100_000, "application/json", 400, "bad_request"),
        (b'{"numVariations": ' + b"9" * 5000 + b"}", "application/json", 400, "bad_request"),
        (b"{}", "text/plain", 415, "invalid_content_type"),
        (b"{}", "multipart/form-data; boundary=x", 415, "invalid_content_type"),
        (b"{}", "application/json; charset=utf-8", 422, "validation_error"),
    ],
)
async def test_an_odd_body_has_its_answer(
    caller: Caller, content: bytes, media_type: str, status: int, code: str
) -> None:
    """Nothing makes the sandbox stumble."""
    headers = caller.headers | {"content-type": media_type}
    answer = await caller.http.post(GENERATE, content=content, headers=headers)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])


async def test_a_refused_order_is_not_charged(caller: Caller) -> None:
    """Refusals are counted, and cost nothing."""
    await caller.submit({"prompt": ""})
    books = caller.world.books()

    assert (0, 0, 1) == (books["accepted"], books["images"], books["refused"])


async def test_links_name_the_host_that_was_asked(caller: Caller) -> None:
    """Whoever reaches the sandbox under a name gets links with that name."""
    caller.headers["host"] = "sandbox.example:8080"
    accepted = (await caller.submit()).json()

    assert accepted["statusUrl"] == f"http://sandbox.example:8080/v3/status/{accepted['jobId']}"


async def test_other_operations_are_unknown(caller: Caller) -> None:
    """The former synchronous calls are 404 with a JSON body."""
    answer = await caller.submit(path="/v3/images/generate")

    assert (404, "404") == (answer.status_code, answer.json()["error_code"])


# Jobs.


async def test_a_running_job_says_so(caller: Caller) -> None:
    """Until its end a job is pending or running."""
    caller.break_it("duration=100", "progress=yes")
    accepted = (await caller.submit()).json()
    answer = (await caller.get(accepted["statusUrl"])).json()

    assert {"status": "pending", "jobId": accepted["jobId"], "progress": 0} == answer


@pytest.mark.parametrize("spelling", ["canceled", "cancelled"])
async def test_a_cancelled_job_says_so(caller: Caller, spelling: str) -> None:
    """Cancelling is answered without a body; the job then tells it in either spelling."""
    caller.break_it("duration=100", f"spelling={spelling}")
    accepted = (await caller.submit()).json()
    answer = await caller.http.put(accepted["cancelUrl"], headers=caller.headers)
    again = await caller.http.put(accepted["cancelUrl"], headers=caller.headers)

    assert (200, b"") == (answer.status_code, answer.content)
    assert (409, "job_already_canceled") == (again.status_code, again.json()["error_code"])
    assert spelling == (await caller.get(accepted["statusUrl"])).json()["status"]


@pytest.mark.parametrize(
    ("fault", "status", "code"), [("empty=0", 409, "job_completed"), ("timeout=1", 410, "job_timeout")]
)
async def test_a_finished_job_is_not_cancelled(caller: Caller, fault: str, status: int, code: str) -> None:
    """It is too late then."""
    caller.break_it(fault)
    accepted = (await caller.submit()).json()
    answer = await caller.http.put(accepted["cancelUrl"], headers=caller.headers)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])


@pytest.mark.parametrize(
    ("job_id", "status", "code"),
    [
        ("nonsense", 422, "validation_error"),
        ("urn:ff:jobs:eso851211:86ffe2ea-d765-4bd3-b2fd-568ca8fc36ac", 404, "unknown_job_id"),
    ],
)
async def test_an_unknown_job_has_its_answer(caller: Caller, job_id: str, status: int, code: str) -> None:
    """Malformed and unknown ids are told apart."""
    answer = await caller.get(f"/v3/status/{job_id}")

    assert (status, code) == (answer.status_code, answer.json()["error_code"])


# Downloads.


async def test_a_link_works_without_credentials_only(caller: Caller) -> None:
    """S3 refuses a request that is authorised twice."""
    url = (await caller.finished())["outputs"][0]["image"]["url"]
    answers = [await caller.http.get(url), await caller.get(url), await caller.http.get(url + "0")]

    assert [200, 400, 403] == [answer.status_code for answer in answers]


async def test_an_expired_link_is_forbidden(caller: Caller) -> None:
    """Asking for the status again signs a new one."""
    caller.break_it("link_life=0")
    accepted = (await caller.submit()).json()
    old = (await caller.get(accepted["statusUrl"])).json()["result"]["outputs"][0]["image"]["url"]
    caller.break_it()
    new = (await caller.get(accepted["statusUrl"])).json()["result"]["outputs"][0]["image"]["url"]
    first, second = await caller.http.get(old), await caller.http.get(new)

    assert (403, 200) == (first.status_code, second.status_code)
    assert "Request has expired" in first.text


# Faults.


@pytest.mark.parametrize("shape", ["A", "B", "C"])
async def test_acceptance_has_three_shapes(caller: Caller, shape: str) -> None:
    """Each shape leads to the status in its own way."""
    caller.break_it(f"shape={shape}", "accept_status=200")
    answer = await caller.submit()
    body = answer.json()
    url = body["links"]["result"]["href"] if shape == "B" else body["statusUrl"]

    assert answer.status_code == 200
    assert (shape == "B") == ("jobId" not in body)
    assert (await caller.get(url)).json()["status"] == "succeeded"


@pytest.mark.parametrize("fault", ["submit_lost", "status_lost", "upload_lost"])
async def test_a_connection_can_be_cut(caller: Caller, fault: str) -> None:
    """The request is done, the answer never comes, and the next one works again."""
    caller.break_it(f"{fault}=first:1")
    accepted = (await caller.submit()).json() if fault == "status_lost" else {}

    async def ask() -> httpx.Response:
        match fault:
            case "submit_lost":
                return await caller.submit()
            case "upload_lost":
                return await caller.upload(picture())
            case _:
                return await caller.get(accepted["statusUrl"])

    with pytest.raises(httpx.TransportError):
        await ask()

    assert (await ask()).is_success
    books = caller.world.books()
    assert {"submit_lost": 2, "status_lost": 1, "upload_lost": 0}[fault] == books["accepted"]
    assert len(books["uploads"]) == (2 if fault == "upload_lost" else 0)


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        ("submit_500", 500, 0),
        ("submit_502", 502, 1),
        ("submit_garbled", 202, 1),
        ("redirect", 307, 0),
        ("rate_limit", 429, 0),
        ("rate_limit_bare", 429, 0),
        ("unauthorised", 401, 0),
        ("moderation", 422, 0),
    ],
)
async def test_a_submission_can_go_wrong(caller: Caller, fault: str, status: int, accepted: int) -> None:
    """The answer is as asked for, and the books know whether it was charged."""
    caller.break_it(f"{fault}=1")
    answer = await caller.submit()

    assert status == answer.status_code
    assert accepted == caller.world.books()["accepted"]


async def test_a_garbled_answer_may_keep_its_link(caller: Caller) -> None:
    """The Link header names the job where the body does not, unless that is lost, too."""
    caller.break_it("submit_garbled=1", "submit_no_link=every:2")
    first, second = await caller.submit(), await caller.submit()

    assert "jobId" not in first.json()
    assert caller.world.jobs[0].id in first.headers["link"]
    assert "link" not in second.headers


async def test_retry_after_can_be_a_date(caller: Caller) -> None:
    """Adobe describes it as a date, and others send seconds."""
    caller.break_it("rate_limit_date=1", "retry_after=60")
    answer = await caller.submit()
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(
        answer.headers["date"]
    )

    assert 59 <= wait.total_seconds() <= 61


async def test_a_minute_has_its_limit(caller: Caller) -> None:
    """Uploads and submissions count together."""
    caller.break_it("per_minute=2")
    answers = [await caller.upload(picture()), await caller.submit(), await caller.submit()]

    assert [200, 202, 429] == [answer.status_code for answer in answers]
    assert 50 <= int(answers[2].headers["retry-after"]) <= 60


@pytest.mark.parametrize("reason", ["quota_exhausted", "user_non_entitled"])
async def test_access_can_be_denied(caller: Caller, reason: str) -> None:
    """The reason stands in a header."""
    caller.break_it(f"forbidden={reason}")
    answer = await caller.submit()

    assert (403, "access_error") == (answer.status_code, answer.json()["error_code"])
    assert reason == answer.headers["x-access-error"]


async def test_a_word_can_be_unsafe(caller: Caller) -> None:
    """Content policy looks at the prompt."""
    caller.break_it("unsafe_word=hat", "moderation_status=451")
    answer = await caller.submit({"prompt": "A HAT"})

    assert (451, "prompt_unsafe") == (answer.status_code, answer.json()["error_code"])
    assert (await caller.submit({"prompt": "a coat"})).status_code == 202


async def test_status_urls_can_name_another_host(caller: Caller) -> None:
    """The host of the status is the service's choice."""
    caller.break_it("status_host=firefly-epo1.example")

    assert (await caller.submit()).json()["statusUrl"].startswith("http://firefly-epo1.example/v3/status/")


async def test_a_failed_job_is_a_200(caller: Caller) -> None:
    """Failure comes as HTTP 200 with an error_code."""
    caller.break_it("job_failed=1", "job_failed_code=image_unsafe")
    answer = await caller.get((await caller.submit()).json()["statusUrl"])

    assert (200, "failed", "image_unsafe") == (
        answer.status_code,
        answer.json()["status"],
        answer.json()["error_code"],
    )


async def test_a_running_job_may_have_a_bare_id(caller: Caller) -> None:
    """The URN of the submission is a UUID while running."""
    caller.break_it("bare_ids=1", "never=1")
    accepted = (await caller.submit()).json()
    job_id = (await caller.get(accepted["statusUrl"])).json()["jobId"]

    assert accepted["jobId"].endswith(f":{job_id}")


@pytest.mark.parametrize("fault", ["cut_download", "link_403", "wrong_type", "download_500"])
async def test_a_download_can_go_wrong(caller: Caller, fault: str) -> None:
    """The first attempt fails in its own way, the second works."""
    caller.break_it(f"{fault}=first:1")
    url = (await caller.finished())["outputs"][0]["image"]["url"]
    try:
        first = (await caller.http.get(url)).headers["content-type"]
    except httpx.RemoteProtocolError:
        first = "cut"
    second = await caller.http.get(url)

    assert first != "image/jpeg"
    assert second.headers["content-type"] == "image/jpeg"


async def test_a_download_can_be_slow(caller: Caller) -> None:
    """All bytes arrive, in their time."""
    url = (await caller.finished())["outputs"][0]["image"]["url"]
    fast = await caller.http.get(url)
    caller.break_it(f"slow_download={len(fast.content) * 4}")
    began = time.monotonic()
    slow = await caller.http.get(url)

    assert time.monotonic() - began > 0.15
    assert fast.content == slow.content


async def test_the_servers_clock_is_told(caller: Caller) -> None:
    """A skewed clock shows in the Date header."""
    honest = parsedate_to_datetime((await caller.http.get("/")).headers["date"])
    caller.break_it("clock_skew=3600")
    skewed = parsedate_to_datetime((await caller.http.get("/")).headers["date"])

    assert 3599 <= (skewed - honest).total_seconds() <= 3602


# The server.


async def test_leaving_cuts_what_is_open() -> None:
    """A slow answer and an idle connection do not keep the server, and nothing is left behind."""
    before = asyncio.all_tasks()
    world = World(faults=Faults(latency=60))
    sandbox = Sandbox(world)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        async with sandbox:
            await http.get(f"{sandbox.url}/sandbox/books")
            asking = asyncio.create_task(http.get(f"{sandbox.url}/v3/status/x"))
            while not world.books()["requests"].get("GET /v3/status"):  # noqa: ASYNC110 - the books have no bell
                await asyncio.sleep(0)
            began = time.monotonic()
        took_s = time.monotonic() - began
        with pytest.raises(httpx.TransportError):
            await asking

    assert took_s < 30  # of sixty
    assert before == asyncio.all_tasks()


async def test_leaving_frees_the_port() -> None:
    """Nobody answers there any more."""
    async with Sandbox(World()) as sandbox:
        url = sandbox.url

    async with httpx.AsyncClient(verify=NO_TLS) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


async def test_a_taken_port_is_an_error() -> None:
    """Two sandboxes do not share a port."""
    async with Sandbox(World()) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await Sandbox(World(), port=port).__aenter__()
