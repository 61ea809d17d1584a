"""What a finished job says of its results, what they are called, and how long they took."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dropglow.sandbox.books import upload_entry
from dropglow.sandbox.endpoints import ENDPOINTS
from dropglow.sandbox.jobs import Ending, Job, State
from dropglow.sandbox.orders import Adaptive, Operation, Order, Plain, Precise, Upload
from dropglow.sandbox.pace import believable_s
from dropglow.sandbox.results import describe_result, file_name, media_type_of

UUID = "86ffe2ea-d765-4bd3-b2fd-568ca8fc36ac"
SIZE = {"width": 640, "height": 480}


def order_for(operation: Operation, **given: Any) -> Order:
    """Return an order for two results."""
    usual: dict[str, Any] = {
        "operation": operation,
        "model": "a-model",
        "prompt": "a hat",
        "width": 640,
        "height": 480,
        "seeds": (7, 8),
        "images": 2,
        "operations": 2,
        "body_sha256": "0",
    }
    return Order(**usual | given)


def told(operation: Operation, **given: Any) -> dict[str, Any]:
    """Return the result of a job with two results."""
    job = Job(
        id=f"urn:ff:jobs:eso851211:{UUID}",
        order=order_for(operation, **given),
        seeds=(7, 8),
        outputs=2,
        accepted_at=0,
        ends_at=1,
        ending=Ending.SUCCEEDED,
        error_code="",
    )
    return describe_result(job, lambda index: f"link {index}")


PICTURES = [{"seed": 7, "image": {"url": "link 0"}}, {"seed": 8, "image": {"url": "link 1"}}]


@pytest.mark.parametrize(
    "operation",
    [Operation.GENERATE, Operation.SIMILAR, Operation.EXPAND, Operation.FILL, Operation.COMPOSITE],
)
def test_pictures_come_with_size_and_seeds(operation: Operation) -> None:
    """And with a class, where one was asked for."""
    assert {"size": SIZE, "outputs": PICTURES} == told(operation)
    assert "art" == told(operation, content_class="art")["contentClass"]


@pytest.mark.parametrize("operation", [Operation.PRECISE_COMPOSITE, Operation.ADAPTIVE_COMPOSITE])
def test_blends_come_with_seeds_only(operation: Operation) -> None:
    """No more is documented."""
    assert {"outputs": PICTURES} == told(operation)


def test_image5_comes_with_a_text() -> None:
    """It is empty unless it was asked for."""
    assert {"size": SIZE, "outputs": PICTURES, "altText": ""} == told(Operation.IMAGE5)
    assert "a hat" in told(Operation.IMAGE5, alt_text_wanted=True)["altText"]


def test_clips_stand_in_the_place_of_pictures() -> None:
    """With their seeds."""
    outputs = told(Operation.VIDEO)["outputs"]

    assert [{"seed": 7, "video": {"url": "link 0"}}, {"seed": 8, "video": {"url": "link 1"}}] == outputs


def test_an_upscale_lists_stored_items() -> None:
    """Each has an id of its own and no seed."""
    result = told(Operation.UPSCALE)

    assert {"outputs", "version"} == set(result)
    assert [{"id", "presignedUrl"}] * 2 == [set(one) for one in result["outputs"]]
    assert 2 == len({one["id"] for one in result["outputs"]})


@pytest.mark.parametrize(
    ("wanted", "given", "ending"),
    [
        ("image/png", "image/png", "png"),
        ("image/webp", "image/webp", "webp"),
        ("image/jpeg", "image/jpeg", "jpg"),
        ("image/jxl", "image/jpeg", "jpg"),
    ],
)
def test_blends_come_in_the_type_that_was_asked_for(wanted: str, given: str, ending: str) -> None:
    """Except JPEG XL, which nothing here can write."""
    precise = order_for(Operation.PRECISE_COMPOSITE, manner=Precise(blend=0.5, media_type=wanted))
    adaptive = order_for(
        Operation.ADAPTIVE_COMPOSITE,
        manner=Adaptive(harmonization=0, shadow_intensity=0, preserve_background=False, media_type=wanted),
    )

    assert {given} == {media_type_of(precise), media_type_of(adaptive)}
    assert f"3.{ending}" == file_name(precise, 3)


def test_other_results_are_jpegs_and_clips() -> None:
    """Their names say so."""
    assert ("image/jpeg", "0.jpg") == (
        media_type_of(order_for(Operation.UPSCALE, manner=Plain())),
        file_name(order_for(Operation.UPSCALE), 0),
    )
    assert "1.mp4" == file_name(order_for(Operation.VIDEO), 1)


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_takes_its_time(operation: Operation) -> None:
    """Pictures take seconds, clips minutes."""
    order, dice = order_for(operation), random.Random(1)
    took_s = [believable_s(order, dice) for _ in range(50)]

    low_s, high_s = (60, 180) if operation is Operation.VIDEO else (2, 15)
    assert low_s <= min(took_s) < max(took_s) <= high_s


def test_a_custom_model_takes_about_a_minute() -> None:
    """Ten times as long as its base."""
    order = order_for(Operation.GENERATE, model="image4_custom", width=2048, height=2048, images=1)

    assert 40 < believable_s(order, random.Random(1)) < 80


def test_every_operation_has_one_address() -> None:
    """No two share one."""
    assert set(Operation) == set(ENDPOINTS)
    assert len(Operation) == len({endpoint.path for endpoint in ENDPOINTS.values()})


def test_an_upload_has_its_entry_in_the_books() -> None:
    """By which tests find it."""
    upload = Upload(id=UUID, sha256="ab", size_bytes=3, width=1, height=1, transparent=True, stored_at=5.0)

    assert {"id": UUID, "sha256": "ab", "size_bytes": 3, "at": 5.0} == upload_entry(upload)


def test_only_some_states_are_final() -> None:
    """Whoever asks has to go on asking in the others."""
    assert {State.PENDING, State.RUNNING, State.CANCEL_PENDING} == {
        state for state in State if not state.final
    }
