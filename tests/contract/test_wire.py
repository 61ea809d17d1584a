"""The client's readers against the answers in Adobe's OpenAPI document, and what it uploads.

The document is Adobe's and is not part of this project; where it does not lie beside the checkout, these tests are
skipped.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from dropglow.firefly import wire
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded

# It has no types of its own, and this way it needs none.
jsonschema = pytest.importorskip("jsonschema")

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "firefly" / "firefly-api.openapi.json"

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
