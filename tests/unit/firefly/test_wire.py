"""Orders become requests; answers in all their shapes become our nouns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.firefly import wire
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded, Trouble
from dropglow.model import DeliveryPlan, Order, Output, Reference, Submission, Upload

PLAN = DeliveryPlan(outbox="/outbox", folder="", name="{stem}{ext}")
STATUS, CANCEL = (
    "https://firefly-epo1.adobe.io/v3/status/urn:ff:1",
    "https://firefly-epo1.adobe.io/v3/cancel/urn:ff:1",
)
HEADER = f'<{CANCEL}>; rel="cancel", <{STATUS}>; rel="status"'


def order(**values: Any) -> Order:
    return Order(**{"operation": "generate", "body": {"prompt": "a lighthouse"}, "delivery": PLAN, **values})


def upload(slot: str, upload_id: str) -> Upload:
    return Upload(slot=slot, sha256="", upload_id=upload_id, valid_until=datetime(2030, 1, 1, tzinfo=UTC))


def packed(value: object) -> bytes:
    return json.dumps(value).encode()


# Requests.


def test_a_plain_order_is_its_body() -> None:
    """Without references and model there is nothing to add."""
    request = wire.order_request(order(body={"prompt": "Möwe"}), [])

    assert ("/v3/images/generate-async", ()) == (request.path, request.headers)
    assert b'{"prompt":"M\\u00f6we"}' == request.body


def test_references_are_filled_with_upload_ids() -> None:
    """Each slot gets its id, beside what the body has there; the order itself stays as it was."""
    ordered = order(
        operation="expand",
        body={"style": {"strength": 50}, "image": {"conditions": [{"placement": {"position": 0}}]}},
        references=(
            Reference(slot="mask.source", path="/m.png"),
            Reference(slot="style.imageReference.source", path="/s.png"),
            Reference(slot="image.conditions.0.source", path=None),
        ),
    )
    uploads = [upload("style.imageReference.source", "s"), upload("mask.source", "m")]
    uploads.append(upload("image.conditions.0.source", "i"))

    request = wire.order_request(ordered, uploads)

    assert json.loads(request.body) == {
        "style": {"strength": 50, "imageReference": {"source": {"uploadId": "s"}}},
        "image": {"conditions": [{"placement": {"position": 0}, "source": {"uploadId": "i"}}]},
        "mask": {"source": {"uploadId": "m"}},
    }
    assert {"strength": 50} == ordered.body["style"]


def test_the_model_is_a_header() -> None:
    """Adobe reads the version from x-model-version, and no field of the body."""
    request = wire.order_request(order(model="image4_ultra"), [])

    assert (("x-model-version", "image4_ultra"),) == request.headers
    assert b"image4_ultra" not in request.body


# Receipts.


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"jobId": "urn:ff:1", "statusUrl": STATUS, "cancelUrl": CANCEL}),
        ({}, {"status": "running", "jobId": "urn:ff:1", "statusUrl": STATUS, "cancelUrl": CANCEL}),
        ({}, {"links": {"result": {"href": STATUS}, "cancel": {"href": CANCEL}}, "progress": 0}),
        ({}, {"links": {"result": None, "status": {"href": STATUS}, "cancel": {"href": CANCEL}}}),
        ({"link": HEADER}, {}),
        ({"link": HEADER}, {"jobId": "urn:ff:1", "links": []}),
        ({"link": HEADER}, ["odd"]),
        ({"link": f"<{STATUS}>, <{CANCEL}>"}, None),
        ({"link": f"<{STATUS}>, <{STATUS}x>, <{CANCEL}>, <{CANCEL}x>"}, None),
    ],
)
def test_every_shape_gives_the_same_receipt(headers: dict[str, str], body: object) -> None:
    """The three shapes of acceptance and the header mean the same."""
    expected = Submission(remote_id="urn:ff:1", status_url=STATUS, cancel_url=CANCEL)  # type: ignore[arg-type]

    assert expected == wire.submission(headers, packed(body))


def test_an_id_alone_is_a_receipt() -> None:
    """The documented paths work with the id."""
    assert wire.submission({}, packed({"jobId": 17})) == Submission(remote_id="17", status_url="")  # type: ignore[arg-type]


def test_a_quoted_id_in_an_address_is_read() -> None:
    """A URN may come with its colons quoted."""
    found = wire.submission({}, packed({"statusUrl": "https://h/v3/status/urn%3Aff%3A1/?a=/b"}))

    assert found is not None
    assert "urn:ff:1" == found.remote_id


@pytest.mark.parametrize("job_id", ["an odd/id", ""])
def test_an_odd_id_does_not_lose_a_receipt(job_id: str) -> None:
    """Where an address is known, the id is made printable and the receipt is kept."""
    found = wire.submission({}, packed({"jobId": job_id, "statusUrl": "https://h/v3/status/an odd id"}))

    assert found is not None
    assert "an_odd_id" == found.remote_id


@pytest.mark.parametrize("job_id", ["../../../v3/cancel/all", "", "x" * 300])
def test_where_the_body_names_no_job_the_header_does(job_id: str) -> None:
    """An address that leads to no job is of no use while there is another one."""
    body = {
        "jobId": job_id,
        "statusUrl": f"https://h/v3/status/{job_id}",
        "cancelUrl": f"https://h/v3/cancel/{job_id}",
    }
    urn = "urn:ff:jobs:eso851211:12345678-1234-4123-8123-123456789abc"
    status_url, cancel_url = f"https://h/v3/status/{urn}", f"https://h/v3/cancel/{urn}"

    found = wire.submission({"link": f"<{status_url}>, <{cancel_url}>"}, packed(body))

    assert Submission(remote_id=urn, status_url=status_url, cancel_url=cancel_url) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"jobId": ""}', b'{"jobId": ".."}', b'{"jobId": true}', b"[" * 99_999]
)
def test_no_id_and_no_address_is_no_receipt(body: bytes) -> None:
    """Nothing to ask by."""
    assert wire.submission({}, body) is None


def read_everything(body: bytes, link: str = "") -> None:
    wire.submission({"link": link}, body)
    wire.status(body)
    wire.upload_id(body)
    wire.token(body)
    wire.trouble(body)


@given(st.binary(max_size=200), st.text(max_size=50))
def test_no_answer_breaks_a_reader(body: bytes, link: str) -> None:
    """Every reader takes every answer."""
    read_everything(body, link)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jobId", "links", "result", "outputs", "image", "url", "status", "href", "seed", "loc"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_json_breaks_a_reader(value: object) -> None:
    """A known key with a value of any other kind is as good as absent."""
    read_everything(packed(value))


# Statuses.


@pytest.mark.parametrize("word", ["pending", "running", "cancel_pending", "queued", "Almost", "", 7, None])
def test_what_is_no_ending_is_still_running(word: object) -> None:
    """A word that nobody knows never ends a job, let alone buys another."""
    status = wire.status(packed({"status": word, "jobId": "86ffe2ea"}))

    assert isinstance(status, StillRunning)
    assert status.progress is None


@pytest.mark.parametrize(
    ("given_progress", "progress"),
    [
        (80, 80.0),
        (0, 0.0),
        ("55", 55.0),
        (120, 100.0),
        (-1, 0.0),
        ("x", None),
        ([], None),
        (float("nan"), None),
        (10**400, None),
    ],
)
def test_progress_is_percent_where_it_is_a_number(given_progress: object, progress: float | None) -> None:
    """Adobe tells whole percent; nonsense is silence."""
    status = wire.status(packed({"status": "running", "progress": given_progress}))

    assert StillRunning(progress=progress, word="running") == status


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("canceled", "cancelled"),
        ("CANCELLED ", "cancelled"),
        ("timeout", "timeout"),
    ],
)
def test_bad_endings_have_one_word_each(word: str, ours: str) -> None:
    """Both spellings, in any case, with code and message."""
    body = {"status": word, "jobId": "1", "error_code": "some_code", "message": "Sorry."}

    assert EndedBadly(word=ours, code="some_code", message="Sorry.") == wire.status(packed(body))


@pytest.mark.parametrize(
    "body",
    [
        {"status": "succeeded", "result": {"outputs": [{"seed": 7, "image": {"url": "https://h/1"}}]}},
        {"status": "Succeeded", "result": {"outputs": [{"seed": 7, "video": {"url": "https://h/1"}}]}},
        {"status": "done", "result": {"outputs": [{"seed": 7, "presignedUrl": "https://h/1", "id": "x"}]}},
        {
            "status": "succeeded",
            "result": {"outputs": [{"seed": 7, "image": {"presignedUrl": "https://h/1"}}]},
        },
        {"status": "succeeded", "outputs": [{"seed": 7, "url": "https://h/1"}]},
        {"outputs": [{"seed": 7, "image": {"url": "https://h/1"}}]},
    ],
)
def test_every_shape_of_results_is_read(body: object) -> None:
    """Images, videos, upscaled pictures, the old form and top-level outputs."""
    assert Succeeded(outputs=(Output(index=0, seed=7, url="https://h/1"),)) == wire.status(packed(body))


@pytest.mark.parametrize(
    "result", [None, {}, {"outputs": None}, {"outputs": []}, {"outputs": [None, {}, {"image": 1}]}]
)
def test_success_without_outputs_is_told_as_it_is(result: object) -> None:
    """What it means is not for the reader to say."""
    assert Succeeded(outputs=()) == wire.status(packed({"status": "succeeded", "result": result}))


@pytest.mark.parametrize("seed", ["7", None, True, 7.5, 2**63])
def test_a_seed_is_a_whole_number_or_absent(seed: object) -> None:
    """A seed becomes part of names, so nothing else passes."""
    body = {"status": "succeeded", "result": {"outputs": [{"seed": seed, "image": {"url": "u"}}]}}

    assert Succeeded(outputs=(Output(index=0, seed=None, url="u"),)) == wire.status(packed(body))


def test_outputs_keep_their_places() -> None:
    """An output without a link leaves its number free."""
    outputs = [{"image": {"url": "a"}}, {}, {"image": {"url": "c"}}]

    status = wire.status(packed({"status": "succeeded", "result": {"outputs": outputs}}))

    assert isinstance(status, Succeeded)
    assert [0, 2] == [output.index for output in status.outputs]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"a": ' + b"1" * 5000 + b"}"])
def test_what_is_no_object_is_no_status(body: bytes) -> None:
    """A gateway's page says nothing about a job."""
    assert wire.status(body) is None


# Uploads and tokens.


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"images": [{"id": "510aabb4-1"}]}, "510aabb4-1"),
        ({"images": [{}, {"id": "510aabb4-1"}]}, "510aabb4-1"),
        ({"images": [{"id": "a/b"}]}, None),
        ({"images": []}, None),
        ({"images": {"id": "1"}}, None),
        ([], None),
    ],
)
def test_an_upload_has_an_id_or_nothing(body: object, found: str | None) -> None:
    """The first usable id counts."""
    assert found == wire.upload_id(packed(body))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"access_token": "t", "expires_in": 3600}, ("t", 3600.0)),
        ({"access_token": "t", "expires_in": "3600"}, ("t", 3600.0)),
        ({"access_token": "t", "expires_in": 86399000}, ("t", 86399.0)),
        ({"access_token": "t", "expires_in": -1}, ("t", 86399.0)),
        ({"access_token": "t"}, ("t", 86399.0)),
        ({"access_token": ""}, None),
        ({"access_token": "ä"}, None),
        ({"access_token": "a\r\nx: y"}, None),
        ({"error": "invalid_client"}, None),
        ([], None),
    ],
)
def test_a_token_has_a_life_of_at_most_a_day(body: object, found: tuple[str, float] | None) -> None:
    """Milliseconds and nonsense are taken for the documented day; what is no header value is no token."""
    assert found == wire.token(packed(body))


# Error bodies.


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error_code": "bad_request", "message": "No."}, "bad_request", "No."),
        ({"error_code": 10075, "message": "No."}, "10075", "No."),
        ({"error": "invalid_client", "error_description": "wrong secret"}, "invalid_client", "wrong secret"),
        ({"reason": "INTERNAL", "message": "Sorry."}, "", "Sorry."),
        ({"reason": "INTERNAL"}, "", "INTERNAL"),
        ({"detail": "Not found"}, "", "Not found"),
        ({"detail": [{"loc": ["body", "size", "width"], "msg": "too large"}]}, "", "size.width: too large"),
        (
            {
                "error_code": "validation_error",
                "message": "Invalid.",
                "validation_errors": [
                    {"loc": ["body", "seeds", 0], "msg": "not a number"},
                    {"loc": ["body"], "msg": "odd"},
                    {"loc": "x", "msg": "no place"},
                    {"loc": ["y"]},
                    "junk",
                ],
            },
            "validation_error",
            "Invalid: seeds.0: not a number; body: odd; no place",
        ),
        ({}, "", ""),
    ],
)
def test_an_error_body_is_read_in_every_shape(body: object, code: str, message: str) -> None:
    """Code and words, with the places that are wrong."""
    assert Trouble(code=code, message=message) == wire.trouble(packed(body))


def test_a_page_is_read_for_its_words() -> None:
    """A gateway's HTML leaves its text, without markup and control characters."""
    page = b"<html><head><title>x</title></head><body><h1>502 Bad\nGateway</h1>\x07<hr>nginx</body></html>"

    assert Trouble(message="502 Bad Gateway nginx") == wire.trouble(page)
