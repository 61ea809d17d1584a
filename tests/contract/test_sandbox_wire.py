"""The sandbox's answers against the response schemas of Adobe's OpenAPI document.

The document is Adobe's and is not part of this project; where it does not lie beside the checkout, these tests are
skipped. ``DIFFERENT`` lists every answer that the document does not have, and why it is given all the same.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from dropglow.sandbox.app import make_app
from dropglow.sandbox.bodies import TABLES
from dropglow.sandbox.endpoints import ENDPOINTS
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.orders import Operation
from dropglow.sandbox.world import World

# It has no types of its own, and this way it needs none.
jsonschema = pytest.importorskip("jsonschema")

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "firefly" / "firefly-api.openapi.json"
UPLOAD = "/v2/storage/image"
STATUS = "/v3/status/{jobId}"
CANCEL = "/v3/cancel/{jobId}"
MODELS = "/v3/custom-models"
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}
SOURCE = {"source": {"url": "https://bucket.s3.amazonaws.com/a.png?X-Amz-Signature=1"}}
BODIES: Final[dict[Operation, dict[str, Any]]] = {
    Operation.GENERATE: {"prompt": "a hat", "contentClass": "art"},
    Operation.IMAGE5: {"prompt": "a hat", "modelSpecificPayload": {"prompt_reasoner": "quality"}},
    Operation.SIMILAR: {"image": SOURCE, "numVariations": 2},
    Operation.EXPAND: {"image": SOURCE},
    Operation.FILL: {"image": SOURCE, "mask": SOURCE},
    Operation.COMPOSITE: {"image": SOURCE, "prompt": "a table", "contentClass": "photo"},
    Operation.PRECISE_COMPOSITE: {
        "background": {"image": SOURCE, "fillAreaMask": SOURCE},
        "object": {"image": SOURCE},
    },
    Operation.ADAPTIVE_COMPOSITE: {
        "background": {"image": SOURCE, "fillAreaMask": SOURCE},
        "object": {"image": SOURCE, "mask": SOURCE},
    },
    Operation.UPSCALE: {"image": SOURCE, "seeds": [1, 2]},
    Operation.VIDEO: {"prompt": "a hat", "sizes": [{"width": 960, "height": 540}]},
}
REQUESTS: Final = {
    Operation.GENERATE: "GenerateImagesRequestV3",
    Operation.IMAGE5: "ImageGenerateRequestV3",
    Operation.SIMILAR: "GenerateSimilarImagesRequestV3",
    Operation.EXPAND: "ExpandImageRequestV3",
    Operation.FILL: "FillImageRequestV3",
    Operation.COMPOSITE: "GenerateObjectCompositeRequestV3",
    Operation.PRECISE_COMPOSITE: "PreciseCompositeRequest",
    Operation.ADAPTIVE_COMPOSITE: "AdaptiveCompositeRequest",
    Operation.UPSCALE: "PreciseUpsamplerRequestV3",
    Operation.VIDEO: "GenerateVideoRequestV3",
}
# What each operation's own part of the document says of its result.
RESULTS: Final = {
    Operation.GENERATE: "GenerateImagesResponseV3",
    Operation.IMAGE5: "GenerateImagesResponseV3",
    Operation.SIMILAR: "GenerateSimilarImagesResponseV3",
    Operation.EXPAND: "ExpandImageResponseV3",
    Operation.FILL: "FillImageResponseV3",
    Operation.COMPOSITE: "GenerateObjectCompositeResponseV3",
    Operation.PRECISE_COMPOSITE: "JobResult",
    Operation.ADAPTIVE_COMPOSITE: "JobResult",
    Operation.UPSCALE: "PreciseUpsamplerResponse",
    Operation.VIDEO: "AsyncResult",
}

LIVE: Final = "seen live; the document does not list it for this call"
FORMER: Final = "in Adobe's former documents of single calls, which name more codes than the present one"
GATEWAY: Final = "no document can list what a gateway in between says"
# By call, status and error_code ("html" for a page): the answers that the document does not have.
DIFFERENT: Final[dict[tuple[str, int, str], str]] = {
    ("order", 401, "401013"): LIVE,
    ("order", 403, "403000"): LIVE,
    ("order", 409, "job_cancel_failed"): FORMER,
    ("order", 410, "job_timeout"): FORMER,
    ("order", 413, "html"): "documented for most operations only; the gateway is the same for all",
    ("order", 415, "invalid_content_type"): "asked for by a fault; documented for most operations only",
    ("order", 422, "prompt_unsafe"): "live, content policy answers 422; the document has 451 for it",
    ("order", 429, "backpressure_limited"): FORMER,
    ("order", 451, "prompt_unsafe"): "documented for image5 and the two composites only; a fault asks for it",
    ("order", 499, "cancelled_error"): FORMER,
    ("order", 501, "not_implemented"): FORMER,
    ("order", 408, "timeout_error"): "documented for most operations only; a fault asks for it",
    ("order", 502, "html"): GATEWAY,
    ("order", 503, "model_not_loaded"): FORMER,
    ("order", 504, "html"): GATEWAY,
    ("order", 529, "html"): GATEWAY,
    ("upload", 413, "html"): "15 MB are documented, the answer above them is not: as of the other calls",
    ("upload", 415, "invalid_content_type"): "the types are documented, the answer to others is not",
    ("upload", 502, "html"): GATEWAY,
    ("upload", 503, "model_not_loaded"): "documented for the other calls only; a fault asks for it",
    ("status", 408, "timeout_error"): FORMER,
    ("status", 409, "job_cancel_failed"): FORMER,
    ("status", 410, "job_timeout"): FORMER,
    ("status", 451, "prompt_unsafe"): FORMER,
    ("status", 499, "cancelled_error"): FORMER,
    ("status", 501, "not_implemented"): FORMER,
    ("status", 502, "html"): GATEWAY,
    ("status", 504, "html"): GATEWAY,
    ("status", 529, "html"): GATEWAY,
    ("status", 200, "html"): "an answer that makes no sense; a fault asks for it",
    ("status", 200, "canceled"): "the other spelling, from AsyncTaskResponseV3; a fault asks for it",
    ("status", 200, "waiting"): "a word that nobody has heard of; a fault asks for it",
    ("status", 200, "a video"): "the status call documents pictures only; AsyncResponseV3 has the video",
    (
        "status",
        200,
        "an empty upscale",
    ): "without outputs, the document cannot tell an upscale from a picture",
}

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="Adobe's OpenAPI document does not lie beside the checkout"
)


@functools.cache
def document() -> dict[str, Any]:
    """Return Adobe's document."""
    content: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return content


def fits(value: object, schema: dict[str, Any]) -> bool:
    """Return whether a value is as a schema of the document says."""
    whole = schema | {"components": document()["components"]}
    return bool(jsonschema.Draft202012Validator(whole).is_valid(value))


def documented(answer: httpx.Response, *, path: str, method: str = "post") -> bool:
    """Return whether status, type and body of an answer stand in the document."""
    responses = document()["paths"][path][method]["responses"]
    if str(answer.status_code) not in responses:
        return False
    contents = responses[str(answer.status_code)].get("content")
    if contents is None:
        return answer.content == b""
    media_type = answer.headers["content-type"].partition(";")[0]
    if media_type != "application/json":
        return media_type in contents
    return media_type in contents and fits(answer.json(), contents[media_type]["schema"])


def code_of(answer: httpx.Response) -> str:
    """Return the word by which an answer that is an error stands in the list."""
    if "json" not in answer.headers["content-type"]:
        return "html"
    body: dict[str, Any] = answer.json()
    return str(body.get("error_code", body.get("reason")))


class Caller:
    """A client that speaks to the application without a socket."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http

    def break_it(self, *words: str) -> None:
        """Let things go wrong from now on."""
        self.world.faults = parse_faults(["duration=0", *words])

    async def submit(self, operation: Operation = Operation.GENERATE, **request: Any) -> httpx.Response:
        """Order something."""
        models = TABLES[operation].models
        headers = {"x-model-version": models[0]} if models else {}
        content = {} if "content" in request else {"json": BODIES[operation]}
        given = {"headers": headers, **content, **request}
        return await self.http.post(ENDPOINTS[operation].path, **given)

    async def job_id(self, operation: Operation = Operation.GENERATE) -> str:
        """Order something and return the id of its job."""
        assert (await self.submit(operation)).is_success
        return self.world.jobs[-1].id

    async def status(self, operation: Operation = Operation.GENERATE) -> httpx.Response:
        """Order something and ask for it."""
        return await self.http.get(f"/v3/status/{await self.job_id(operation)}")

    async def cancel(self) -> httpx.Response:
        """Order something and cancel it."""
        return await self.http.put(f"/v3/cancel/{await self.job_id()}")

    async def upload(self, content: bytes, media_type: str = "image/png") -> httpx.Response:
        """Store a picture."""
        return await self.http.post(UPLOAD, content=content, headers={"content-type": media_type})


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    world = World()
    transport = httpx.ASGITransport(app=make_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="https://firefly-api.adobe.io") as http:
        token = (await http.post("/ims/token/v3", data=FORM)).json()["access_token"]
        http.headers.update({"authorization": f"Bearer {token}", "x-api-key": "me"})
        caller = Caller(world, http)
        caller.break_it()
        yield caller


def picture() -> bytes:
    """Return a small PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("operation", Operation)
async def test_an_order_is_accepted_as_documented(caller: Caller, operation: Operation) -> None:
    """Each operation has its status, its form and its headers."""
    answer = await caller.submit(operation)
    path = ENDPOINTS[operation].path
    accepting = next(iter(document()["paths"][path]["post"]["responses"].items()))

    assert documented(answer, path=path), answer.text
    assert accepting[0] == str(answer.status_code)
    assert ("Link" in accepting[1].get("headers", {})) == ("link" in answer.headers)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize(
    "word",
    [
        "fewer=0",
        "never=1",
        "duration=100",
        "job_failed=1",
        "timeout=1",
        "fewer=1",
        "bare_ids=1",
        "progress=yes",
    ],
)
async def test_a_status_is_answered_as_documented(caller: Caller, operation: Operation, word: str) -> None:
    """Every state has its documented body; that of a finished video stands elsewhere in the document."""
    caller.break_it(word)

    answer = await caller.status(operation)

    if operation is Operation.VIDEO and answer.json()["status"] == "succeeded":
        assert ("status", 200, "a video") in DIFFERENT
        assert fits(answer.json(), {"$ref": "#/components/schemas/AsyncResponseV3"})
    else:
        assert documented(answer, path=STATUS, method="get"), answer.text


@pytest.mark.parametrize("operation", Operation)
async def test_a_result_has_the_form_of_its_operation(caller: Caller, operation: Operation) -> None:
    """The document describes the results a second time, for each operation; both descriptions hold."""
    result = (await caller.status(operation)).json()["result"]

    assert fits(result, {"$ref": f"#/components/schemas/{RESULTS[operation]}"}), result


async def test_a_cancelled_job_is_answered_as_documented(caller: Caller) -> None:
    """Cancelling, having been cancelled, and hesitating are documented."""
    for takes in ("0", "60"):
        caller.break_it("never=1", f"cancel_takes={takes}")
        job_id = await caller.job_id()

        for _ in range(2):
            assert documented(await caller.http.put(f"/v3/cancel/{job_id}"), path=CANCEL, method="put")
        assert documented(await caller.http.get(f"/v3/status/{job_id}"), path=STATUS, method="get")


@pytest.mark.parametrize("job_id", ["nonsense", "86ffe2ea-d765-4bd3-b2fd-568ca8fc36ac"])
async def test_an_unknown_job_is_answered_as_documented(caller: Caller, job_id: str) -> None:
    """Both ways of not knowing a job are documented."""
    assert documented(await caller.http.get(f"/v3/status/{job_id}"), path=STATUS, method="get")


async def test_an_upload_is_answered_as_documented(caller: Caller) -> None:
    """The answer holds one image with its id."""
    answer = await caller.upload(picture())

    assert answer.status_code == 200
    assert documented(answer, path=UPLOAD)


@pytest.mark.parametrize(
    "query",
    ["", "?publishedState=all", "?start=1&limit=1&publishedState=all", "?sortBy=-assetName", "?start=99"],
)
async def test_custom_models_are_listed_as_documented(caller: Caller, query: str) -> None:
    """Every page of the list is."""
    answer = await caller.http.get(MODELS + query)

    assert answer.status_code == 200
    assert documented(answer, path=MODELS, method="get"), answer.text


@pytest.mark.parametrize(
    "query",
    ["?sortBy=size", "?publishedState=new", "?start=-1", "?start=0&limit=51", "?start=0&limit=0", "?limit=5"],
)
async def test_a_wrong_query_is_refused_as_documented(caller: Caller, query: str) -> None:
    """Errors have a form of their own here."""
    answer = await caller.http.get(MODELS + query)

    assert answer.status_code == 400
    assert set(answer.json()) == {"reason", "message"}
    assert documented(answer, path=MODELS, method="get")


@pytest.mark.parametrize("status", [400, 401, 403, 406, 500, 503])
async def test_custom_models_can_be_refused(caller: Caller, status: int) -> None:
    """Each documented status is within reach."""
    caller.break_it(f"models_error={status}")
    answer = await caller.http.get(MODELS)

    assert status == answer.status_code
    assert documented(answer, path=MODELS, method="get")


@pytest.mark.parametrize(
    ("headers", "status"), [({"authorization": "Bearer no"}, 401), ({"accept": "text/html"}, 406)]
)
async def test_custom_models_are_not_for_everybody(
    caller: Caller, headers: dict[str, str], status: int
) -> None:
    """Also the errors of all calls have that form here."""
    answer = await caller.http.get(MODELS, headers=headers)

    assert status == answer.status_code
    assert documented(answer, path=MODELS, method="get")


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize(
    "request_",
    [
        {"json": {}},
        {"json": []},
        {"json": {"prompt": 3, "seeds": 3, "image": 3, "numVariations": 0}},
        {"content": b"", "headers": {"content-type": "application/json"}},
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b"{}", "headers": {"content-type": "text/plain"}},
        {"headers": {"x-model-version": "image9"}, "json": {}},
    ],
)
async def test_a_bad_request_is_refused_as_documented(
    caller: Caller, operation: Operation, request_: dict[str, Any]
) -> None:
    """Whatever is wrong with it, the document knows the answer."""
    models = TABLES[operation].models
    headers = {"x-model-version": models[0]} if models else {}
    answer = await caller.submit(operation, **request_ | {"headers": headers | request_.get("headers", {})})

    assert 400 <= answer.status_code < 500
    assert documented(answer, path=ENDPOINTS[operation].path), answer.text


SUBMIT_WORDS: Final = (
    *(f"submit_error={status}" for status in (400, 408, 409, 410, 413, 415, 422)),
    *(f"submit_error={status}" for status in (499, 500, 501, 502, 503, 504, 529)),
    "rate_limit=1", "rate_limit_date=1", "rate_limit=1 rate_limit_code=backpressure_limited", "submit_500=1",
    "forbidden=quota_exhausted", "moderation=1", "moderation=1 moderation_status=451", "unauthorised=1",
)  # fmt: skip
STATUS_WORDS: Final = (
    *(f"status_error={status}" for status in (403, 408, 409, 410, 451, 499, 501, 502, 503, 504, 529)),
    "rate_limit_status=1", "status_500=1", "status_404=1", "status_html=1",
)  # fmt: skip
UPLOAD_WORDS: Final = (
    *(f"upload_error={status}" for status in (400, 403, 415, 451, 502, 503)),
    "upload_413=1", "upload_500=1", "rate_limit=1", "unauthorised=1",
)  # fmt: skip


async def test_every_refusal_is_documented_or_listed(caller: Caller) -> None:
    """No answer differs from the document without standing in the list, and nothing stands there in vain."""
    found: set[tuple[str, int, str]] = set()

    def look(kind: str, answer: httpx.Response, path: str, method: str = "post") -> None:
        if not documented(answer, path=path, method=method):
            found.add((kind, answer.status_code, code_of(answer)))

    for operation in Operation:
        for words in SUBMIT_WORDS:
            caller.break_it(*words.split())
            look("order", await caller.submit(operation), ENDPOINTS[operation].path)
        caller.break_it()
        headers = {"x-api-key": "", "x-model-version": next(iter(TABLES[operation].models), "")}
        look("order", await caller.submit(operation, headers=headers), ENDPOINTS[operation].path)
    for words in STATUS_WORDS:
        caller.break_it(*words.split())
        look("status", await caller.status(), STATUS, "get")
    for words in UPLOAD_WORDS:
        caller.break_it(*words.split())
        look("upload", await caller.upload(picture()), UPLOAD)

    for entry in sorted(DIFFERENT):
        print(*entry, "-", DIFFERENT[entry])
    by_refusal = {entry for entry in DIFFERENT if entry[1] != 200 or entry[2] == "html"}
    assert by_refusal == found


@pytest.mark.parametrize(
    ("word", "operation", "entry"),
    [
        ("fewer=0", Operation.VIDEO, "a video"),
        ("empty=1", Operation.UPSCALE, "an empty upscale"),
        ("status_strange=1", Operation.GENERATE, "waiting"),
    ],
)
async def test_every_odd_status_is_listed(
    caller: Caller, word: str, operation: Operation, entry: str
) -> None:
    """What differs under 200 stands in the list as well."""
    caller.break_it(word)

    assert not documented(await caller.status(operation), path=STATUS, method="get")
    assert ("status", 200, entry) in DIFFERENT


async def test_the_other_spelling_is_listed(caller: Caller) -> None:
    """The present document has two l, a former part of it one."""
    caller.break_it("never=1", "spelling=canceled")
    job_id = await caller.job_id()
    await caller.http.put(f"/v3/cancel/{job_id}")
    answer = await caller.http.get(f"/v3/status/{job_id}")

    assert not documented(answer, path=STATUS, method="get")
    assert ("status", 200, answer.json()["status"]) in DIFFERENT


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("unknown_job_id", 404), ("job_already_canceled", 409), ("job_cancel_failed", 409), ("job_completed", 409),
        ("job_timeout", 410), ("rate_limited", 429), ("runtime_error", 500), ("model_not_loaded", 503),
    ],
)  # fmt: skip
async def test_cancelling_can_be_refused(caller: Caller, code: str, status: int) -> None:
    """Every documented refusal is within reach, and leaves the job alone."""
    caller.break_it("never=1", f"cancel_error={code}")
    answer = await caller.cancel()

    assert (status, code) == (answer.status_code, answer.json()["error_code"])
    assert documented(answer, path=CANCEL, method="put")
    assert caller.world.books()["cancelled"] == 0


@pytest.mark.parametrize("operation", Operation)
async def test_files_do_not_come_with_the_order(caller: Caller, operation: Operation) -> None:
    """Left out on purpose: some calls take multipart/form-data, but nobody says how its files are named."""
    path = ENDPOINTS[operation].path
    offered = "multipart/form-data" in document()["paths"][path]["post"]["requestBody"]["content"]
    files = {"request": ("", b'{"prompt": "a hat"}', "application/json"), "files": ("a.png", picture())}
    answer = await caller.submit(operation, content=None, json=None, files=files)

    if offered:
        print(path, "- refuses multipart/form-data: how a file is named in it is not documented")
    assert answer.status_code in {415, 422}
    assert documented(answer, path=path)


def test_the_codes_of_cancelling_are_the_documented_ones() -> None:
    """The document names five of them apart; all can be asked for."""
    codes = set(document()["components"]["schemas"]["ColligoAsyncCancelErrorCodeV3"]["enum"])

    assert codes == {
        "unknown_job_id",
        "job_already_canceled",
        "job_cancel_failed",
        "job_completed",
        "job_timeout",
    }


@pytest.mark.parametrize("operation", Operation)
def test_the_tables_know_every_documented_field(operation: Operation) -> None:
    """A field of Adobe's document that our tables do not have would never be checked."""
    shape, schema = TABLES[operation].shape, document()["components"]["schemas"][REQUESTS[operation]]

    assert set(schema["properties"]) == set(shape.fields)
    assert set(schema.get("required", ())) == shape.required


def test_every_documented_call_is_served() -> None:
    """All of the document's POSTs are ours; its other calls have tests of their own here."""
    posts = {path for path, calls in document()["paths"].items() if "post" in calls}

    assert posts - {UPLOAD} == {endpoint.path for endpoint in ENDPOINTS.values()}
    assert set(document()["paths"]) - posts == {STATUS, CANCEL, MODELS}
