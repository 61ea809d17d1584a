"""Every operation of the sandbox from the upload to the downloaded result, and every fault that belongs to one."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import av
import httpx
import pytest
from PIL import Image, ImageDraw

from dropglow.sandbox.app import make_app
from dropglow.sandbox.endpoints import ENDPOINTS
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.orders import Operation
from dropglow.sandbox.world import World

FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}
BY_URL = {"source": {"url": "https://bucket.s3.amazonaws.com/a.jpg"}}
MODELS = {Operation.IMAGE5: "image5", Operation.VIDEO: "video1_standard"}
SMALL = {"width": 896, "height": 1152}


class Caller:
    """A client with a token, without a socket."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http

    def break_it(self, *words: str) -> None:
        """Let things go wrong from now on; jobs end at once unless said otherwise."""
        self.world.faults = parse_faults(["duration=0", *words])

    async def upload(self, content: bytes, media_type: str = "image/png") -> dict[str, Any]:
        """Store a picture and return the part of a body that names it."""
        headers = {"content-type": media_type}
        answer = await self.http.post("/v2/storage/image", content=content, headers=headers)
        return {"source": {"uploadId": answer.json()["images"][0]["id"]}}

    async def submit(
        self, operation: Operation, body: dict[str, Any], model: str | None = None
    ) -> httpx.Response:
        """Order something."""
        version = model or MODELS.get(operation)
        headers = {"x-model-version": version} if version else {}
        return await self.http.post(ENDPOINTS[operation].path, json=body, headers=headers)

    async def ask(self) -> dict[str, Any]:
        """Return how the last job stands."""
        answer: dict[str, Any] = (await self.http.get(f"/v3/status/{self.world.jobs[-1].id}")).json()
        return answer

    async def fetch(self, url: str) -> httpx.Response:
        """Download a result, without credentials."""
        bare = httpx.Headers({"host": "sandbox"})
        request = self.http.build_request("GET", url)
        request.headers = bare
        return await self.http.send(request)

    async def made(self, operation: Operation, body: dict[str, Any]) -> list[httpx.Response]:
        """Order something and return the downloads of its results."""
        assert (await self.submit(operation, body)).is_success
        outputs = (await self.ask())["result"]["outputs"]
        return [await self.fetch(address(output)) for output in outputs]


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    world = World()
    transport = httpx.ASGITransport(app=make_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        token = (await http.post("/ims/token/v3", data=FORM)).json()["access_token"]
        http.headers.update({"authorization": f"Bearer {token}", "x-api-key": "me"})
        caller = Caller(world, http)
        caller.break_it()
        yield caller


def address(output: dict[str, Any]) -> str:
    """Return the link in an output, whatever its operation."""
    if "presignedUrl" in output:
        return str(output["presignedUrl"])
    return str((output.get("image") or output["video"])["url"])


def photo(size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a PNG with something to see."""
    picture = Image.new("RGB", size, (90, 140, 190))
    ImageDraw.Draw(picture).ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="orange")
    return encoded(picture)


def mask(size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a PNG that is white in its middle."""
    picture = Image.new("L", size)
    ImageDraw.Draw(picture).rectangle((size[0] // 3, size[1] // 3, size[0] // 2, size[1] // 2), fill=255)
    return encoded(picture)


def encoded(picture: Image.Image) -> bytes:
    """Return a picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def looked_at(answer: httpx.Response) -> tuple[str | None, tuple[int, int]]:
    """Return format and size of a downloaded picture, which is decoded whole."""
    with Image.open(io.BytesIO(answer.content)) as picture:
        picture.load()
        return picture.format, picture.size


async def body_for(caller: Caller, operation: Operation) -> dict[str, Any]:
    """Return a body with uploaded pictures."""
    source, area = await caller.upload(photo()), await caller.upload(mask())
    blend = {"background": {"image": source, "fillAreaMask": area}, "object": {"image": source}}
    bodies: dict[Operation, dict[str, Any]] = {
        Operation.GENERATE: {"prompt": "a hat", "size": SMALL},
        Operation.IMAGE5: {"prompt": "at night", "referenceBlobs": [source], "resolutionLevel": "1MP"},
        Operation.SIMILAR: {"image": source, "size": SMALL, "numVariations": 2},
        Operation.EXPAND: {"image": source, "size": {"width": 800, "height": 600}},
        Operation.FILL: {"image": source, "mask": area, "prompt": "a boat", "size": SMALL},
        Operation.COMPOSITE: {"image": source, "mask": area, "prompt": "a table", "size": SMALL},
        Operation.PRECISE_COMPOSITE: {**blend, "output": {"mediaType": "image/png"}},
        Operation.ADAPTIVE_COMPOSITE: {
            **blend,
            "object": {"image": source, "mask": area},
            "output": {"mediaType": "image/webp"},
        },
        Operation.UPSCALE: {"image": source, "seeds": [1, 2]},
        Operation.VIDEO: {
            "prompt": "a hat",
            "sizes": [{"width": 960, "height": 540}],
            "image": {"conditions": [{**source, "placement": {"position": 0}}]},
        },
    }
    return bodies[operation]


@pytest.mark.parametrize("pictures", ["full", "plain"])
@pytest.mark.parametrize(
    ("operation", "count", "form", "size"),
    [
        (Operation.GENERATE, 1, "JPEG", (896, 1152)),
        (Operation.IMAGE5, 1, "JPEG", (1184, 880)),
        (Operation.SIMILAR, 2, "JPEG", (896, 1152)),
        (Operation.EXPAND, 1, "JPEG", (800, 600)),
        (Operation.FILL, 1, "JPEG", (896, 1152)),
        (Operation.COMPOSITE, 1, "JPEG", (896, 1152)),
        (Operation.PRECISE_COMPOSITE, 1, "PNG", (640, 480)),
        (Operation.ADAPTIVE_COMPOSITE, 1, "WEBP", (640, 480)),
        (Operation.UPSCALE, 2, "JPEG", (1280, 960)),
    ],
)
async def test_pictures_come_in_their_number_form_and_size(
    caller: Caller, operation: Operation, count: int, form: str, size: tuple[int, int], pictures: str
) -> None:
    """Painted or plain, a result is what was ordered, and its name ends as it should."""
    caller.break_it(f"pictures={pictures}")
    answers = await caller.made(operation, await body_for(caller, operation))

    assert [(form, size)] * count == [looked_at(answer) for answer in answers]
    assert {f"image/{form.lower()}"} == {answer.headers["content-type"] for answer in answers}
    ending = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[form]
    assert all(answer.url.path.endswith(ending) for answer in answers)


@pytest.mark.parametrize("pictures", ["full", "plain"])
async def test_a_clip_can_be_played(caller: Caller, pictures: str) -> None:
    """It lasts five seconds and has the size that was ordered."""
    caller.break_it(f"pictures={pictures}")
    answers = await caller.made(Operation.VIDEO, await body_for(caller, Operation.VIDEO))

    assert ["video/mp4"] == [answer.headers["content-type"] for answer in answers]
    assert answers[0].url.path.endswith(".mp4")
    with av.open(io.BytesIO(answers[0].content), mode="r") as clip:
        frames = [(frame.width, frame.height) for frame in clip.decode(video=0)]
        assert {(960, 540)} == set(frames)
        assert 4.5 < float(clip.duration or 0) / 1_000_000 < 5.5


@pytest.mark.parametrize("operation", [one for one in Operation if one is not Operation.GENERATE])
async def test_what_is_not_at_hand_is_stood_in_for(caller: Caller, operation: Operation) -> None:
    """A picture by URL is never fetched; a composition takes the result's place, in its form."""
    bodies: dict[Operation, dict[str, Any]] = {
        Operation.IMAGE5: {"prompt": "at night", "referenceBlobs": [BY_URL], "resolutionLevel": "1MP"},
        Operation.VIDEO: {
            "image": {"conditions": [{**BY_URL, "placement": {"position": 1}}]},
            "sizes": [{"width": 540, "height": 540}],
        },
        Operation.PRECISE_COMPOSITE: {
            "background": {"image": BY_URL, "fillAreaMask": BY_URL},
            "object": {"image": BY_URL},
            "output": {"mediaType": "image/png"},
        },
        Operation.ADAPTIVE_COMPOSITE: {
            "background": {"image": BY_URL, "fillAreaMask": BY_URL},
            "object": {"image": BY_URL},
            "output": {"mediaType": "image/webp"},
        },
        Operation.UPSCALE: {"image": BY_URL, "seeds": [1]},
        Operation.EXPAND: {"image": BY_URL, "size": SMALL},
    }
    usual = {"image": BY_URL, "mask": BY_URL, "prompt": "a table", "size": SMALL}
    answers = await caller.made(operation, bodies.get(operation, usual))

    assert [200] == [answer.status_code for answer in answers]
    kind = answers[0].headers["content-type"]
    assert kind == "video/mp4" or looked_at(answers[0])[0] == kind.partition("/")[2].upper()


async def test_jpeg_xl_is_answered_in_jpeg(caller: Caller) -> None:
    """Nothing here can write it; the bytes say what they are."""
    body = await body_for(caller, Operation.PRECISE_COMPOSITE) | {"output": {"mediaType": "image/jxl"}}
    answer = (await caller.made(Operation.PRECISE_COMPOSITE, body))[0]

    assert ("image/jpeg", "JPEG") == (answer.headers["content-type"], looked_at(answer)[0])


async def test_a_mask_that_cannot_be_read_is_done_without(caller: Caller) -> None:
    """A fill whose mask is JPEG XL gets a composition."""
    source = await caller.upload(photo())
    area = await caller.upload(b"\xff\x0a" + bytes(50), "image/jxl")
    body = {"image": source, "mask": area, "size": SMALL}

    assert ("JPEG", (896, 1152)) == looked_at((await caller.made(Operation.FILL, body))[0])


@pytest.mark.parametrize(("reasoner", "told"), [("quality", True), ("speed", False)])
async def test_image5_describes_its_picture_if_asked(caller: Caller, reasoner: str, told: bool) -> None:
    """The text is empty otherwise."""
    body = {"prompt": "a hat", "modelSpecificPayload": {"prompt_reasoner": reasoner}}
    await caller.submit(Operation.IMAGE5, body)

    assert told == bool((await caller.ask())["result"]["altText"])


async def test_a_clip_takes_minutes_and_tells_its_progress(caller: Caller) -> None:
    """One to three, unless said otherwise; no other operation tells it by itself."""
    caller.world.faults = parse_faults([])
    for _ in range(20):
        await caller.submit(Operation.VIDEO, {"prompt": "a hat"})
    took_s = [(job.ends_at or 0) - job.accepted_at for job in caller.world.jobs]
    clip = await caller.ask()
    await caller.submit(Operation.GENERATE, {"prompt": "a hat"})

    assert 60 <= min(took_s) < max(took_s) <= 180
    assert 0 <= clip["progress"] <= 99
    assert "progress" not in await caller.ask()


async def test_the_books_count_operations(caller: Caller) -> None:
    """A clip of 720 lines costs five, two pictures two; what was put in is written down by what it was for."""
    await caller.submit(Operation.VIDEO, {"prompt": "a hat", "sizes": [{"width": 1280, "height": 720}]})
    source = await caller.upload(photo())
    await caller.submit(Operation.SIMILAR, {"image": source, "numVariations": 2})
    books = caller.world.books()

    assert (7, [5, 2]) == (books["images"], [job["images"] for job in books["jobs"]])
    assert [{"role": "source", "upload": source["source"]["uploadId"]}] == books["jobs"][1]["inputs"]


async def test_an_upright_photo_lies_as_it_is_looked_at(caller: Caller) -> None:
    """The orientation in a photo's EXIF turns its size round."""
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (640, 480), "teal").save(buffer, "JPEG", exif=exif)
    source = await caller.upload(buffer.getvalue(), "image/jpeg")

    answers = await caller.made(Operation.UPSCALE, {"image": source, "seeds": [1]})

    assert (960, 1280) == looked_at(answers[0])[1]


# Faults.


@pytest.mark.parametrize("status", [400, 408, 409, 410, 413, 415, 422, 499, 500, 501, 502, 503, 504, 529])
async def test_an_order_can_be_answered_with_any_error(caller: Caller, status: int) -> None:
    """Nothing is charged, unless that is asked for as well."""
    caller.break_it(f"submit_error={status}", "submit_error_charged=every:2")
    answers = [await caller.submit(Operation.GENERATE, {"prompt": "a hat"}) for _ in range(2)]

    assert [status, status] == [answer.status_code for answer in answers]
    assert (1, 1) == (caller.world.books()["accepted"], caller.world.books()["refused"])


async def test_a_wrong_body_can_be_answered_as_seen_live(caller: Caller) -> None:
    """The document says 422, live answers are 400."""
    caller.break_it("complaint_status=400")
    answer = await caller.submit(Operation.GENERATE, {"prompt": ""})

    assert (400, "bad_request") == (answer.status_code, answer.json()["error_code"])
    assert ["body", "prompt"] == answer.json()["validation_errors"][0]["loc"]


async def test_a_url_can_be_out_of_reach(caller: Caller) -> None:
    """Only orders with a URL are struck."""
    caller.break_it("url_unreachable=1")
    source = await caller.upload(photo())

    assert 422 == (await caller.submit(Operation.SIMILAR, {"image": BY_URL})).status_code
    assert 202 == (await caller.submit(Operation.SIMILAR, {"image": source})).status_code


async def test_a_custom_model_can_be_unknown(caller: Caller) -> None:
    """Only orders that name one are struck."""
    caller.break_it("unknown_model=1")
    body = {"prompt": "a hat", "customModelId": "urn:x"}

    assert 400 == (await caller.submit(Operation.GENERATE, body, "image4_custom")).status_code
    assert 202 == (await caller.submit(Operation.GENERATE, {"prompt": "a hat"})).status_code


async def test_an_acceptance_can_be_empty(caller: Caller) -> None:
    """The order is charged, and only its Link header tells of it."""
    caller.break_it("submit_empty=1")
    answer = await caller.submit(Operation.GENERATE, {"prompt": "a hat"})

    assert (202, b"") == (answer.status_code, answer.content)
    assert caller.world.jobs[0].id in answer.headers["link"]


@pytest.mark.parametrize("code", ["image_unsafe", "legal_error", "prompt_entity_denied"])
async def test_content_policy_has_many_codes(caller: Caller, code: str) -> None:
    """Each can be asked for."""
    caller.break_it("moderation=1", "moderation_status=451", f"moderation_code={code}")
    answer = await caller.submit(Operation.GENERATE, {"prompt": "a hat"})

    assert (451, code) == (answer.status_code, answer.json()["error_code"])


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "10075"), (403, "10007"), (415, "invalid_content_type"), (451, "input_media_unsafe")],
)
async def test_an_upload_can_be_refused(caller: Caller, status: int, code: str) -> None:
    """With the codes of its own; nothing is stored."""
    caller.break_it(f"upload_error={status}")
    headers = {"content-type": "image/png"}
    answer = await caller.http.post("/v2/storage/image", content=photo(), headers=headers)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])
    assert [] == caller.world.books()["uploads"]


async def test_a_status_can_be_a_word_or_a_page(caller: Caller) -> None:
    """A client that knows neither has to ask again."""
    caller.break_it("status_strange=first:1", "status_word=paused", "status_html=every:2")
    await caller.submit(Operation.GENERATE, {"prompt": "a hat"})
    first = await caller.ask()
    second = await caller.http.get(f"/v3/status/{caller.world.jobs[0].id}")

    assert "paused" == first["status"]
    assert "text/html" in second.headers["content-type"]


async def test_a_cancellation_can_go_unanswered(caller: Caller) -> None:
    """The job is cancelled all the same."""
    caller.break_it("never=1", "cancel_lost=1")
    await caller.submit(Operation.GENERATE, {"prompt": "a hat"})

    with pytest.raises(ConnectionResetError):
        await caller.http.put(f"/v3/cancel/{caller.world.jobs[0].id}")
    assert "cancelled" == (await caller.ask())["status"]


async def test_throttling_names_its_level(caller: Caller) -> None:
    """The organisation's or the account's."""
    caller.break_it("rate_limit=1", "rate_limit_level=account", "rate_limit_code=backpressure_limited")
    answer = await caller.submit(Operation.GENERATE, {"prompt": "a hat"})

    assert ("account", "backpressure_limited") == (
        answer.headers["x-access-rate-limit-level"],
        answer.json()["error_code"],
    )


async def test_an_organisation_may_have_no_models(caller: Caller) -> None:
    """The list is there and empty; and it has further pages where it is long."""
    caller.break_it("no_models=first:1")
    query = "/v3/custom-models?publishedState=all&start=0&limit=2"
    empty, full = (await caller.http.get(query)).json(), (await caller.http.get(query)).json()
    following = (await caller.http.get(full["_links"]["next"]["href"])).json()

    assert ([], 0) == (empty["custom_models"], empty["total_count"])
    assert 4 == full["total_count"] == len(full["custom_models"]) + len(following["custom_models"])
    assert "next" not in following["_links"]
