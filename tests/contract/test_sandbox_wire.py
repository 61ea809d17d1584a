"""The sandbox's answers against the response schemas of Adobe's OpenAPI document.

The document is Adobe's and is not part of this project; where it does not lie beside the checkout, these tests are
skipped.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dropglow.sandbox.app import make_app
from dropglow.sandbox.bodies import TABLES
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.orders import Operation
from dropglow.sandbox.world import World

# It has no types of its own, and this way it needs none.
jsonschema = pytest.importorskip("jsonschema")

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "firefly" / "firefly-api.openapi.json"
GENERATE = "/v3/images/generate-async"
EXPAND = "/v3/images/expand-async"
UPLOAD = "/v2/storage/image"
STATUS = "/v3/status/{jobId}"
CANCEL = "/v3/cancel/{jobId}"
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="Adobe's OpenAPI document does not lie beside the checkout"
)


@functools.cache
def document() -> dict[str, Any]:
    """Return Adobe's document."""
    content: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return content


def conforms(answer: httpx.Response, *, path: str, method: str = "post") -> None:
    """Check status, type and body of an answer against the document.

    Raises:
        jsonschema.ValidationError: The body is not as the document says.
    """
    responses = document()["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, f"{answer.status_code} is not documented for {path}"
    contents = responses[str(answer.status_code)].get("content")
    if contents is None:
        assert answer.content == b""
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in contents
    if media_type == "application/json":
        schema = contents[media_type]["schema"] | {"components": document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


class Caller:
    """A client that speaks to the application without a socket."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http

    def break_it(self, *words: str) -> None:
        """Let things go wrong from now on."""
        self.world.faults = parse_faults(["duration=0", *words])

    async def submit(self, body: dict[str, Any] | None = None, path: str = GENERATE) -> httpx.Response:
        """Order a picture."""
        return await self.http.post(path, json=body or {"prompt": "a hat"})

    async def status(self) -> httpx.Response:
        """Order a picture and ask for it."""
        return await self.http.get((await self.submit()).json()["statusUrl"])

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


async def test_an_upload_is_answered_as_documented(caller: Caller) -> None:
    """The answer holds one image with its id."""
    answer = await caller.upload(picture())

    conforms(answer, path=UPLOAD)
    assert answer.status_code == 200


@pytest.mark.parametrize("word", ["duration=1", "upload_500=1", "rate_limit=1", "unauthorised=1"])
async def test_an_upload_is_refused_as_documented(caller: Caller, word: str) -> None:
    """Errors have their documented bodies."""
    caller.break_it(word)

    conforms(await caller.upload(b"no picture"), path=UPLOAD)


async def test_a_submission_is_answered_as_documented(caller: Caller) -> None:
    """Acceptance is a 202 with three fields."""
    answer = await caller.submit()

    conforms(answer, path=GENERATE)
    assert answer.status_code == 202


async def test_an_expansion_is_answered_as_documented(caller: Caller) -> None:
    """The same holds for the other operation."""
    upload_id = (await caller.upload(picture())).json()["images"][0]["id"]
    answer = await caller.submit({"image": {"source": {"uploadId": upload_id}}}, EXPAND)

    conforms(answer, path=EXPAND)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "word", ["rate_limit=1", "rate_limit_date=1", "submit_500=1", "forbidden=quota_exhausted"]
)
@pytest.mark.parametrize("path", [GENERATE, EXPAND])
async def test_a_submission_is_refused_as_documented(caller: Caller, path: str, word: str) -> None:
    """Errors of a submission have their documented bodies."""
    caller.break_it(word)
    source = {"url": "https://bucket.amazonaws.com/a.jpg"}
    answer = await caller.submit({"prompt": "a hat", "image": {"source": source}}, path)

    assert answer.status_code >= 400
    conforms(answer, path=path)


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": ""},
        {"prompt": "a hat", "size": {"width": 5, "height": 5}},
        {"contentClass": 3, "seeds": []},
    ],
)
async def test_a_bad_body_is_refused_as_documented(caller: Caller, body: dict[str, Any]) -> None:
    """Complaints have place, message and kind."""
    conforms(await caller.submit(body), path=GENERATE)


async def test_a_wrong_type_is_refused_as_documented(caller: Caller) -> None:
    """Text is no JSON."""
    headers = {"content-type": "text/plain"}

    conforms(await caller.http.post(GENERATE, content=b"{}", headers=headers), path=GENERATE)


@pytest.mark.parametrize(
    "word",
    [
        "fewer=0",
        "never=1",
        "duration=100",
        "job_failed=1",
        "timeout=1",
        "empty=1",
        "bare_ids=1",
        "status_500=1",
    ],
)
async def test_a_status_is_answered_as_documented(caller: Caller, word: str) -> None:
    """Every state has its documented body."""
    caller.break_it(word)

    conforms(await caller.status(), path=STATUS, method="get")


@pytest.mark.parametrize("takes", ["0", "60"])
async def test_a_cancelled_job_is_answered_as_documented(caller: Caller, takes: str) -> None:
    """Cancelling and having been cancelled are documented, too."""
    caller.break_it("never=1", f"cancel_takes={takes}")
    accepted = (await caller.submit()).json()

    conforms(await caller.http.put(accepted["cancelUrl"]), path=CANCEL, method="put")
    conforms(await caller.http.put(accepted["cancelUrl"]), path=CANCEL, method="put")
    conforms(await caller.http.get(accepted["statusUrl"]), path=STATUS, method="get")


@pytest.mark.parametrize("job_id", ["nonsense", "86ffe2ea-d765-4bd3-b2fd-568ca8fc36ac"])
async def test_an_unknown_job_is_answered_as_documented(caller: Caller, job_id: str) -> None:
    """Both ways of not knowing a job are documented."""
    conforms(await caller.http.get(f"/v3/status/{job_id}"), path=STATUS, method="get")


REQUESTS = {
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


@pytest.mark.parametrize("operation", Operation)
def test_the_tables_know_every_documented_field(operation: Operation) -> None:
    """A field of Adobe's document that our tables do not have would never be checked."""
    shape, schema = TABLES[operation].shape, document()["components"]["schemas"][REQUESTS[operation]]

    assert set(schema["properties"]) == set(shape.fields)
    assert set(schema.get("required", ())) == shape.required
