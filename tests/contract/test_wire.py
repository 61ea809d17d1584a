"""The client's requests against the request schemas of Adobe's OpenAPI document, and its readers against the answers.

The document is Adobe's and is not part of this project; where it does not lie beside the checkout, these tests are
skipped.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dropglow.firefly import wire
from dropglow.firefly.wire import EndedBadly, OrderRequest, StillRunning, Succeeded
from dropglow.model import DropKey, Facts, Format, Kind, Upload
from dropglow.rules.load import Harvest, load_rule_file
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.order import orders

# It has no types of its own, and this way it needs none.
jsonschema = pytest.importorskip("jsonschema")

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "firefly" / "firefly-api.openapi.json"
PICTURE = "iVBORw0KGgo="
RULES = """
rules:
  - name: everything-generated
    inbox: ./in/prompts
    outbox: ./out
    match: {kind: prompt}
    generate:
      sizes: [2048x2048, 2304x1792]
      content_classes: [photo, art]
      models: [image4_standard, image4_ultra]
      variations: 1
      negative_prompt: people
      visual_intensity: 6
      prompt_biasing_locale_code: en-US
      style: {presets: [watercolor], strength: 60, image_reference: a.png}
      structure: {strength: 40, image_reference: a.png}
  - name: barely-generated
    inbox: ./in/plain
    outbox: ./out
    match: {kind: prompt}
    generate: {variations: 4}
  - name: placed
    inbox: ./in/photos
    outbox: ./out
    match: {kind: image}
    expand:
      sizes: [2500x2500, 3999x3999]
      prompt: a beach
      placement: {alignment: {horizontal: left, vertical: top}}
  - name: masked
    inbox: ./in/masked
    outbox: ./out
    match: {kind: image}
    expand: {size: 3000x3000, mask: {source: a.png, invert: true}, seeds: [1, 2]}
"""
PHOTO = Facts(kind=Kind.IMAGE, format=Format.PNG, width=1000, height=800)
PROMPT = Facts(kind=Kind.PROMPT, text="a lighthouse at dusk")

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="Adobe's OpenAPI document does not lie beside the checkout"
)


@functools.cache
def document() -> dict[str, Any]:
    """Return Adobe's document."""
    content: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return content


def schema_of(reference: dict[str, Any]) -> dict[str, Any]:
    return reference | {"components": document()["components"]}


def requests(folder: Path) -> Iterator[OrderRequest]:
    """Give a request for every order of the rules above."""
    (folder / "a.png").write_bytes(b"never opened here")
    for name in ("prompts", "plain", "photos", "masked"):
        (folder / "in" / name).mkdir(parents=True)
    (folder / "rules.yaml").write_text(RULES)
    harvest = Harvest()
    load_rule_file(str(folder / "rules.yaml"), environ={}, harvest=harvest)
    assert not harvest.faults
    now = datetime(2030, 1, 1, tzinfo=UTC)
    for rule in (loaded.rule for loaded in harvest.rules):
        facts = PHOTO if rule.conditions.kind is Kind.IMAGE else PROMPT
        for order in orders(
            rule, drop_key=DropKey("abcdefghij"), path="a", facts=facts, first_ordinal=1, now=now
        ):
            uploads = [
                Upload(slot=each.slot, sha256="", upload_id=str(UUID(int=number, version=4)), valid_until=now)
                for number, each in enumerate(order.references)
            ]
            yield wire.order_request(order, uploads)


def test_every_request_is_as_documented(tmp_path: Path) -> None:
    """Path, model header and body of each order fit the document, down to the upload ids."""
    seen = list(requests(tmp_path))

    for request in seen:
        operation = document()["paths"][request.path]["post"]
        reference = operation["requestBody"]["content"]["application/json"]["schema"]
        body = json.loads(request.body)
        jsonschema.Draft202012Validator(schema_of(reference)).validate(body)
        known = document()["components"]["schemas"][reference["$ref"].rpartition("/")[2]]["properties"]
        assert body.keys() <= known.keys()
        headers = {name for name, _ in request.headers}
        assert headers <= {parameter["name"] for parameter in operation.get("parameters", [])}
    assert {request.path for request in seen} <= {operation.path for operation in OPERATIONS.values()}
    assert 12 == len(seen)


def test_the_upload_goes_to_the_documented_path() -> None:
    """The path of the storage, and the shape of its answer."""
    answer = {"images": [{"id": "510aabb4-ec84-4b9d-9a0a-5d4e0e0f0001"}]}

    jsonschema.Draft202012Validator(
        schema_of(document()["components"]["schemas"]["StorageImageResponse"])
    ).validate(answer)
    assert "post" in document()["paths"][wire.UPLOAD_PATH]
    assert "510aabb4-ec84-4b9d-9a0a-5d4e0e0f0001" == wire.upload_id(json.dumps(answer).encode())


@pytest.mark.parametrize(
    "name",
    ["AsyncAcceptResponseV3", "AsyncJobResponse", "PreciseUpscaleAcceptResponseV3", "AsyncTaskResponse"],
)
def test_every_documented_acceptance_is_a_receipt(name: str) -> None:
    """An answer that fits one of the documented schemas of acceptance is understood."""
    url, cancel = (
        "https://firefly-epo1.adobe.io/v3/status/urn:ff:1",
        "https://firefly-epo1.adobe.io/v3/cancel/urn:ff:1",
    )
    schema = schema_of(document()["components"]["schemas"][name])
    full = {
        "status": "running",
        "jobId": "urn:ff:1",
        "statusUrl": url,
        "cancelUrl": cancel,
        "links": {"result": {"href": url}, "cancel": {"href": cancel}},
    }
    answer = {key: value for key, value in full.items() if key in schema["properties"]}

    jsonschema.Draft202012Validator(schema).validate(answer)
    receipt = wire.submission({}, json.dumps(answer).encode())
    assert receipt is not None
    assert ("urn:ff:1", url, cancel) == (receipt.remote_id, receipt.status_url, receipt.cancel_url)


def test_every_documented_status_word_is_known() -> None:
    """Each word of the document is an ending or a known way of not having ended."""
    schemas = document()["components"]["schemas"]
    words = {
        *schemas["JobPollPayload"]["properties"]["status"]["enum"],
        *schemas["AsyncTaskResponseV3"]["properties"]["status"]["enum"],
    }
    kinds = {word: type(wire.status(json.dumps({"status": word, "jobId": "1"}).encode())) for word in words}

    running, ended = {"pending", "running", "cancel_pending"}, {"failed", "cancelled", "canceled", "timeout"}
    assert kinds == {
        **dict.fromkeys(running, StillRunning),
        **dict.fromkeys(ended, EndedBadly),
        "succeeded": Succeeded,
    }
