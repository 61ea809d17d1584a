"""What the sandbox says to a submission's body."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.sandbox.bodies import BadBody, read_order
from dropglow.sandbox.orders import Operation, Order, Placement, Role, Upload

UPLOAD = "510aabb4-26c5-4a5f-93b2-1a6f9ab1ee2a"
SOURCE = {"image": {"source": {"uploadId": UPLOAD}}}


def stored(upload_id: str) -> Upload:
    """Return an upload that nobody objects to."""
    return Upload(
        id=upload_id, sha256="", size_bytes=5000, width=800, height=600, transparent=False, stored_at=0
    )


def order_for(operation: Operation, body: object, *, model: str | None = None) -> Order | BadBody:
    """Return what becomes of a body whose uploads are all there."""
    return read_order(body, operation=operation, model=model, find_upload=stored)


def generate(body: object, *, model: str | None = None) -> Order | BadBody:
    """Return what becomes of a body for a picture from a prompt."""
    return order_for(Operation.GENERATE, body, model=model)


def expand(body: object) -> Order | BadBody:
    """Return what becomes of a body for an expansion."""
    return order_for(Operation.EXPAND, body)


def places(answer: Order | BadBody) -> list[str]:
    """Return the places that are complained about."""
    assert isinstance(answer, BadBody)
    return [".".join(str(part) for part in entry["loc"]) for entry in answer.complaints]


def test_a_prompt_alone_is_an_order() -> None:
    """Everything but the prompt has a default."""
    order = generate({"prompt": "a hat"})

    assert isinstance(order, Order)
    assert (2048, 2048, 1, "image3", ()) == (
        order.width,
        order.height,
        order.images,
        order.model,
        order.seeds,
    )


def test_seeds_decide_the_number_of_images() -> None:
    """Without numVariations there are as many images as seeds."""
    order = generate({"prompt": "a hat", "seeds": [7, 8, 9]})

    assert isinstance(order, Order)
    assert order.images == 3


def test_all_faults_come_at_once() -> None:
    """One answer names everything that is wrong."""
    body = {
        "numVariations": 5,
        "seeds": [1, 1],
        "size": {"width": "2048"},
        "contentClass": "picture",
        "style": {"strength": 0, "presets": ["bw", "bw"]},
        "visualIntensity": 11,
    }

    assert {
        "body.prompt",
        "body.numVariations",
        "body.seeds",
        "body.size.width",
        "body.size.height",
        "body.contentClass",
        "body.style.strength",
        "body.style.presets",
        "body.visualIntensity",
    } == set(places(generate(body)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""), ("prompt", "x" * 1025), ("prompt", 3), ("prompt", None), ("negativePrompt", "x" * 1025),
        ("numVariations", 0), ("numVariations", True), ("numVariations", 1.5), ("seeds", []), ("seeds", [1, 2, 3, 4, 5]),
        ("seeds", "1"), ("seeds", [None]), ("size", []), ("style", 1), ("promptBiasingLocaleCode", 1),
        ("numVariations", float("nan")), ("numVariations", float("inf")), ("upsamplerType", "default"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(field: str, value: Any) -> None:
    """A field that breaks its rule is complained about at its place."""
    assert any(
        place.startswith(f"body.{field}") for place in places(generate({"prompt": "a hat"} | {field: value}))
    )


def test_a_whole_number_may_be_written_as_a_decimal() -> None:
    """JSON does not tell 2 from 2.0."""
    order = generate({"prompt": "a hat", "numVariations": 2.0})

    assert isinstance(order, Order)
    assert order.images == 2


def test_unknown_fields_are_ignored() -> None:
    """The real service says nothing to fields it does not know."""
    assert isinstance(
        generate({"prompt": "a hat", "webhook": {"uploadId": "no"}, "mask": "x", "image": 3}), Order
    )


def test_as_many_seeds_as_variations() -> None:
    """Seeds and numVariations must agree."""
    assert ["body.seeds"] == places(generate({"prompt": "a hat", "seeds": [1], "numVariations": 2}))


def test_a_size_that_is_not_on_the_list_is_a_bad_request() -> None:
    """Sizes are refused with the list of the model's sizes, and without a place."""
    answer = generate({"prompt": "a hat", "size": {"width": 1024, "height": 1024}}, model="image4_standard")

    assert isinstance(answer, BadBody)
    assert not answer.complaints
    assert answer.message.startswith("Size must be one of {(2048, 2048), ")


def test_image3_has_the_small_square() -> None:
    """What one model refuses another takes."""
    assert isinstance(generate({"prompt": "a hat", "size": {"width": 1024, "height": 1024}}), Order)


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    """The header is checked like the body."""
    answer = generate({"prompt": "a hat"}, model="image9")

    assert ["header.x-model-version"] == places(answer)
    assert isinstance(answer, BadBody)
    assert "Invalid x-model-version: image9. Must be one of: ['image3'" in answer.message


def test_a_custom_model_needs_its_id() -> None:
    """A model of one's own is named in the body."""
    assert ["body.customModelId"] == places(generate({"prompt": "a hat"}, model="image3_custom"))


@pytest.mark.parametrize("field", ["negativePrompt", "visualIntensity"])
def test_custom_models_lack_some_parameters(field: str) -> None:
    """What a custom model cannot do is refused."""
    body = {"prompt": "a hat", "customModelId": "urn:x", "negativePrompt": "rain", "visualIntensity": 3}

    assert f"body.{field}" in places(generate(body, model="image4_custom"))


@pytest.mark.parametrize("body", [None, [], "prompt", 3])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    """JSON alone is not enough."""
    assert ["body"] == places(generate(body))


def test_an_expansion_needs_its_image() -> None:
    """There is nothing to expand without a source."""
    assert ["body.image"] == places(expand({"size": {"width": 100, "height": 100}}))


@pytest.mark.parametrize(
    "source",
    [
        {}, [], {"uploadId": "nope"}, {"uploadId": 3}, {"uploadId": UPLOAD, "url": "https://x.amazonaws.com/a"},
        {"url": "https://example.com/a"}, {"url": "http://x.amazonaws.com/a"}, {"url": "https://evilamazonaws.com/a"},
        {"url": ""}, {"url": 3}, {"url": "https://[x"}, {"url": "https://x.amazonaws.com/" + "a" * 2083},
    ],
)  # fmt: skip
def test_a_source_is_an_upload_or_an_allowed_url(source: object) -> None:
    """A source is exactly one of two things, and well formed."""
    assert places(expand({"image": {"source": source}}))[0].startswith("body.image.source")


def test_a_url_on_an_allowed_domain_is_a_source() -> None:
    """Pre-signed links of the named stores are taken."""
    order = expand({"image": {"source": {"url": "https://bucket.s3.amazonaws.com/a.jpg?X=1"}}})

    assert isinstance(order, Order)
    assert order.upload(Role.SOURCE) is None


def test_an_expansion_remembers_where_the_photo_goes() -> None:
    """Placement reaches the order."""
    placement = {"alignment": {"horizontal": "left", "tilt": 3}, "inset": {"top": 4, "middle": 3}}
    order = expand(SOURCE | {"placement": placement})

    assert isinstance(order, Order)
    assert Placement(horizontal="left", vertical="center", inset={"top": 4}) == order.manner


def test_a_mask_excludes_placement() -> None:
    """A mask says already where the photo lies."""
    body = SOURCE | {"mask": {"source": {"uploadId": UPLOAD}, "invert": 1}, "placement": {}}

    assert ["body.mask.invert", "body.placement"] == places(expand(body))


@pytest.mark.parametrize(
    ("side", "wrong"), [(3999, False), (4000, True), (4096, True), (4097, True), (0, True)]
)
def test_an_expansion_has_a_largest_side(side: int, wrong: bool) -> None:
    """3999 pixels are the most."""
    answer = expand(SOURCE | {"size": {"width": 100, "height": side}})

    assert isinstance(answer, BadBody) is wrong
    assert not wrong or places(answer) == ["body.size.height"]


def test_all_uploads_of_a_body_are_found() -> None:
    """Sources, masks and references are looked for where the document has them."""
    order = generate(
        {
            "prompt": "a hat",
            "style": {"imageReference": {"source": {"uploadId": UPLOAD.upper()}}},
            "structure": {"imageReference": {"source": {"uploadId": UPLOAD}}, "strength": 0},
        }
    )

    assert isinstance(order, Order)
    assert [UPLOAD, UPLOAD] == [one.upload_id for one in order.inputs]


def test_equal_bodies_have_equal_digests() -> None:
    """The order of keys does not matter; the model does."""
    first = generate({"prompt": "a hat", "seeds": [1]})
    second = generate({"seeds": [1], "prompt": "a hat"})
    third = generate({"seeds": [1], "prompt": "a hat"}, model="image4_standard")

    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert isinstance(third, Order)
    assert first.body_sha256 == second.body_sha256 != third.body_sha256


def test_half_a_surrogate_is_a_prompt_too() -> None:
    """JSON can carry what UTF-8 cannot."""
    assert isinstance(generate({"prompt": "\ud83d"}), Order)
