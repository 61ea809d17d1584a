"""Orders against Adobe's own document: whatever a rule may say, the request is one that Adobe describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from dropglow.model import DropKey, Facts, Kind, Order
from dropglow.rules.assemble import Folders, assemble, contradictions
from dropglow.rules.order import orders
from dropglow.rules.review import review
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape

DOCUMENT: Final = Path(__file__).parents[3] / "shared" / "firefly" / "firefly-api.openapi.json"
UPLOAD: Final = "510aabb4-1f6e-4c5a-9a3e-0f5d9f3f8f11"
SCHEMAS: Final = {"generate": "GenerateImagesRequestV3", "expand": "ExpandImageRequestV3"}
NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)

# Deprecated in Adobe's document, or another way to give a source: `mask` and upload ids are used instead.
NOT_USED: Final = {"image.mask", "url"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return Adobe's OpenAPI document, or skip where it is not beside the checkout."""
    if not DOCUMENT.exists():
        pytest.skip("Adobe's OpenAPI document is not beside the checkout")
    parsed: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return parsed


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3, unique_by=str)


def sizes(largest: int) -> st.SearchStrategy[str]:
    side = st.integers(1, largest)
    return st.builds(lambda width, height: f"{width}x{height}", side, side)


SEEDS: Final = st.lists(st.integers(-(2**31), 2**53 - 1), min_size=1, max_size=4, unique=True)
STRENGTH: Final = st.integers(1, 100)
MODELS: Final = st.sampled_from(
    ["image3", "image3_custom", "image4_standard", "image4_ultra", "image4_custom"]
)
GENERATE: Final = optional(
    prompt=st.just("A {text}"),
    negative_prompt=st.text("ab ", max_size=1024),
    variations=st.integers(1, 4),
    seeds=SEEDS,
    size=sizes(4096),
    sizes=several(sizes(4096)),
    content_class=st.sampled_from(["photo", "art"]),
    content_classes=several(st.sampled_from(["photo", "art"])),
    model=MODELS,
    models=several(MODELS),
    visual_intensity=st.integers(2, 10),
    style=optional(
        presets=st.lists(st.sampled_from(["bokeh", "ink", "new_one"]), unique=True),
        image_reference=st.just("style.png"),
        strength=STRENGTH,
    ),
    structure=optional(image_reference=st.just("structure.png"), strength=st.integers(0, 100)),
    prompt_biasing_locale_code=st.just("en-GB"),
    custom_model_id=st.just("urn:aaid:sc:1"),
    upsampler_type=st.sampled_from(["default", "low_creativity"]),
)
EDGE: Final = st.integers(0, 4096)
EXPAND: Final = optional(
    prompt=st.text("ab ", min_size=1, max_size=1024),
    num_variations=st.integers(1, 4),
    seeds=SEEDS,
    size=sizes(3999),
    sizes=several(sizes(3999)),
    mask=st.fixed_dictionaries({"source": st.just("mask.png")}, optional={"invert": st.booleans()}),
    placement=optional(
        alignment=optional(
            horizontal=st.sampled_from(["center", "left", "right"]),
            vertical=st.sampled_from(["center", "top", "bottom"]),
        ),
        inset=optional(left=EDGE, top=EDGE, right=EDGE, bottom=EDGE),
    ),
)


def rule_of(operation: str, parameters: dict[str, Any]) -> Rule:
    """Return the rule with *parameters*, without those that contradict others."""
    raw: dict[str, Any] = {"name": "a", "inbox": "in", "outbox": "out", operation: dict(parameters)}
    while True:
        read = review(RuleShape, raw)
        assert not read.problems, read.problems
        wrong = next(contradictions(read, raw), None)
        if wrong is None:
            break
        raw[operation].pop(wrong.path[1])
    folders = Folders(base="/rules", inbox="/in", outbox="/out")
    return assemble(read.value, file="/rules/a.yaml", line=1, folders=folders)


def ordered(operation: str, parameters: dict[str, Any]) -> tuple[Order, ...]:
    rule = rule_of(operation, parameters)
    facts = Facts(kind=rule.conditions.kind, text="a boat" if rule.conditions.kind is Kind.PROMPT else None)
    return orders(rule, drop_key=DropKey("abcdefghij"), path="a.txt", facts=facts, first_ordinal=1, now=NOW)


def completed(order: Order) -> dict[str, Any]:
    """Return the body as it is sent: every reference slot filled with an upload id."""
    body: dict[str, Any] = json.loads(json.dumps(order.body))
    for reference in order.references:
        block = body
        *folders, last = reference.slot.split(".")
        for folder in folders:
            block = block.setdefault(folder, {})
        block[last] = {"uploadId": UPLOAD}
    return body


def validator(document: dict[str, Any], operation: str) -> Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{SCHEMAS[operation]}"}
    return Draft202012Validator(reference | {"components": document["components"]})


def unknown(document: dict[str, Any], schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Yield every key of *value* that *schema* does not name: the document itself forbids none."""
    properties = flat(document, schema).get("properties", {})
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key not in properties:
            yield f"{path}{key}"
        else:
            yield from unknown(document, properties[key], inner, f"{path}{key}.")


def leaves(document: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every property that has none of its own."""
    for key, inner in flat(document, schema).get("properties", {}).items():
        if f"{path}{key}" in NOT_USED or key in NOT_USED:
            continue
        below = list(leaves(document, inner, f"{path}{key}."))
        yield from below or [f"{path}{key}"]


def flat(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with its references and its only ``allOf`` followed."""
    while "$ref" in schema or "allOf" in schema:
        schema = schema["allOf"][0] if "allOf" in schema else resolve(document, schema["$ref"])
    return schema


def resolve(document: dict[str, Any], reference: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def paths(value: Any, path: str = "") -> Iterator[str]:
    if not isinstance(value, dict):
        yield path.rstrip(".")
        return
    for key, inner in value.items():
        yield from paths(inner, f"{path}{key}.")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(parameters=GENERATE)
def test_every_generate_request_is_one_that_adobe_describes(
    document: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """Whatever a rule says of generate, the requests keep Adobe's schema and add nothing to it."""
    made = ordered("generate", parameters)

    assert made
    for order in made:
        body = completed(order)
        validator(document, "generate").validate(body)
        assert [] == list(unknown(document, {"$ref": SCHEMAS["generate"]}, body))
        assert order.images == body["numVariations"] == len(body["seeds"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(parameters=EXPAND)
def test_every_expand_request_is_one_that_adobe_describes(
    document: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """Whatever a rule says of expand, the requests keep Adobe's schema and add nothing to it."""
    made = ordered("expand", parameters)

    assert made
    for order in made:
        body = completed(order)
        validator(document, "expand").validate(body)
        assert [] == list(unknown(document, {"$ref": SCHEMAS["expand"]}, body))
        assert "placement" not in body or "mask" not in body


FULL: Final[dict[str, list[dict[str, Any]]]] = {
    "generate": [
        {
            "size": "2048x2048",
            "content_class": "art",
            "negative_prompt": "frames",
            "visual_intensity": 5,
            "style": {"presets": ["ink"], "image_reference": "a.png", "strength": 5},
            "structure": {"image_reference": "b.png", "strength": 5},
            "prompt_biasing_locale_code": "en-GB",
        },
        {"model": "image4_custom", "custom_model_id": "x", "upsampler_type": "default"},
    ],
    "expand": [
        {"size": "2048x2048", "prompt": "sand", "mask": {"source": "m.png", "invert": False}},
        {
            "placement": {
                "alignment": {"horizontal": "left", "vertical": "top"},
                "inset": {"left": 1, "top": 1, "right": 1, "bottom": 1},
            }
        },
    ],
}


@pytest.mark.parametrize("operation", sorted(SCHEMAS))
def test_every_property_can_be_written_in_a_rule(document: dict[str, Any], operation: str) -> None:
    """No parameter of Adobe's is out of an operator's reach."""
    reached = {
        path
        for parameters in FULL[operation]
        for order in ordered(operation, parameters)
        for path in paths(completed(order))
    }

    assert set(leaves(document, {"$ref": SCHEMAS[operation]})) <= reached
