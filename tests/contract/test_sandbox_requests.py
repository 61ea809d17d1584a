"""What the sandbox takes and what it refuses, against the request schemas of Adobe's OpenAPI document.

Bodies are made from the schemas themselves, good ones and spoiled ones. A body is taken if, and only if, its schema
accepts it and no rule of ``BEYOND`` forbids it: rules that the document says in prose, or that are known from elsewhere.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dropglow.sandbox.bodies import BadBody, read_order
from dropglow.sandbox.orders import Operation, Upload

# It has no types of its own, and this way it needs none.
jsonschema = pytest.importorskip("jsonschema")

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "firefly" / "firefly-api.openapi.json"
UPLOAD: Final = "510aabb4-26c5-4a5f-93b2-1a6f9ab1ee2a"
OLD_UUID: Final = "510aabb4-26c5-1a5f-93b2-1a6f9ab1ee2a"
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
MODELS: Final[dict[Operation, tuple[str, ...]]] = {
    Operation.GENERATE: ("image3", "image3_custom", "image4_standard", "image4_ultra", "image4_custom"),
    Operation.IMAGE5: ("image5",),
    Operation.SIMILAR: ("image3", "image4_standard", "image4_ultra"),
    Operation.UPSCALE: ("precise_upsampler_v1",),
    Operation.VIDEO: ("video1_standard",),
}
SOURCES: Final = {"PublicBinaryInputV3", "ImageSource", "ReferenceBlobSourceV3"}
BUCKET: Final = "https://bucket.s3.amazonaws.com/a.jpg?X-Amz-Signature=1"
URLS: Final = (
    BUCKET, BUCKET, "https://x.blob.core.windows.net/a", "https://dl.dropboxusercontent.com/a", "https://storage.googleapis.com/a",
    "https://example.com/a.jpg", "http://bucket.s3.amazonaws.com/a.jpg", "https://evilamazonaws.com/a",
    "https://assets.frame.io/a", "https://x.adobe.io/a", "https://frontdoor.prod.azure.cxp.adobe.com/a",
    "https://bucket.s3.amazonaws.com:443/a", "https://bucket.s3.amazonaws.com/" + "a" * 2083,
)  # fmt: skip
SIZES: Final = (
    (2048, 2048), (1024, 1024), (2304, 1792), (1792, 2304), (2688, 1536), (2688, 1512), (1344, 768), (1344, 756),
    (1152, 896), (896, 1152), (1440, 2560), (1920, 1080), (540, 960), (3999, 3999), (4000, 10),
)  # fmt: skip
IMAGE3: Final = set(SIZES[:10])
IMAGE4: Final = {(2048, 2048), (2304, 1792), (1792, 2304), (2688, 1536), (1440, 2560)}
COMMON: Final = IMAGE3 - {(2688, 1512), (1344, 756)}
VIDEO: Final = {
    size for wide, high in ((1920, 1080), (1280, 720), (960, 540)) for size in ((wide, high), (high, wide), (high, high))
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="Adobe's OpenAPI document does not lie beside the checkout"
)


@functools.cache
def schemas() -> dict[str, Any]:
    """Return the schemas of Adobe's document."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    return found


@functools.cache
def validator(operation: Operation) -> Any:
    """Return what judges bodies by the document alone."""
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("uuid4")(lambda text: not isinstance(text, str) or text == UPLOAD)
    formats.checks("uuid")(lambda text: not isinstance(text, str) or text in {UPLOAD, OLD_UUID})
    whole = {
        "$ref": f"#/components/schemas/{REQUESTS[operation]}",
        "components": {"schemas": schemas()},
    }
    return jsonschema.Draft202012Validator(whole, format_checker=formats)


# Bodies.


def source(name: str) -> st.SearchStrategy[Any]:
    """Return sources of pictures: most of them good, some with both ways, none, or a strange address."""
    url = st.sampled_from(URLS)
    return st.one_of(
        st.just({"uploadId": UPLOAD}),
        st.just({"uploadId": UPLOAD}),
        st.builds(lambda address: {"url": address}, url),
        st.builds(lambda address: {"url": address, "uploadId": UPLOAD}, url) if name else st.nothing(),
        st.just({}),
        st.just({"uploadId": OLD_UUID}),
    )


def value(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that a schema accepts."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return source(name) if name in SOURCES else value(schemas()[name])
    if "allOf" in schema:
        return value(schema["allOf"][0])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return objects(schema)
        case "array":
            item, unique = value(schema["items"]), schema.get("uniqueItems", False)
            longest = schema.get("maxItems", 3)
            return st.lists(
                item,
                min_size=schema.get("minItems", 0),
                max_size=longest,
                unique_by=repr if unique else None,
            )
        case "integer":
            low = schema.get("minimum", schema.get("exclusiveMinimum", -6) + 1)
            return st.integers(low, schema.get("maximum", low + 10))
        case "number":
            return st.floats(schema["minimum"], schema["maximum"])
        case "boolean":
            return st.booleans()
        case _:
            shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 20)
            return st.text("añ🦊 ", min_size=shortest, max_size=20) | st.just("x" * longest)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return objects that a schema accepts; sizes are likely to be on somebody's list."""
    fields = schema["properties"]
    if set(fields) == {"width", "height"}:
        named = st.sampled_from(SIZES).map(lambda size: {"width": size[0], "height": size[1]})
        return named if schema["properties"]["width"]["maximum"] < 5000 else named | named
    needed = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: value(fields[name]) for name in needed},
        optional={name: value(inner) for name, inner in fields.items() if name not in needed},
    )


@functools.cache
def bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Return bodies that the schema of an operation accepts, few of them with everything."""
    schema = schemas()[REQUESTS[operation]]
    needed = schema.get("required", ())
    names = [name for name in schema["properties"] if name not in needed]
    some = st.sets(st.sampled_from(names), max_size=3) if names else st.just(set())
    return some.flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: value(schema["properties"][name]) for name in (*needed, *sorted(chosen))}
        )
    )


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in a body."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, held in inner:
        yield (*path, key)
        yield from places(held, (*path, key))


SPOILED: Final[tuple[Any, ...]] = (
    None, True, "", "x" * 3000, 0, -1, 5, 7, 101, 10_000, 0.5, 1.5, 2.0, [], [1, 1], [1, 2, 3, 4, 5], {}, {"source": 3}, "nothing"
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, operation: Operation) -> Any:
    """Return a body in which one value was taken out or replaced."""
    body = copy.deepcopy(draw(bodies(operation)))
    ways = list(places(body))
    if not ways:
        return body
    way = draw(st.sampled_from(ways))
    holder = body
    for key in way[:-1]:
        holder = holder[key]
    if draw(st.booleans()) and isinstance(holder, dict):
        del holder[way[-1]]
    else:
        holder[way[-1]] = draw(st.sampled_from(SPOILED))
    return body


# What the document says in prose, and what is known from elsewhere.


def sources_in(body: Any, path: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield every source of a picture in a body that fits its schema."""
    if isinstance(body, dict):
        for key, held in body.items():
            if isinstance(held, dict) and (key == "source" or (key == "mask" and path == ("image",))):
                yield held
            yield from sources_in(held, (*path, key))
    elif isinstance(body, list):
        for held in body:
            yield from sources_in(held, path)


def not_one_source(_: Operation, body: Any, model: str) -> bool:
    """A source is exactly one of an upload and a URL (ImageSource; the others by their sense)."""
    return any(len({"url", "uploadId"} & set(one)) != 1 for one in sources_in(body))


def strange_store(operation: Operation, body: Any, model: str) -> bool:
    """URLs lie on the domains that the descriptions and the usage notes list, under https."""
    domains = ["amazonaws.com", "windows.net", "dropboxusercontent.com", "storage.googleapis.com"]
    ports: tuple[int | None, ...] = (None,)
    if operation is Operation.IMAGE5:
        domains += ["frontdoor.prod.azure.cxp.adobe.com"]
    if operation in {Operation.PRECISE_COMPOSITE, Operation.ADAPTIVE_COMPOSITE}:
        domains += ["assets.frame.io", "adobe.io"]
        ports = (None, 443)
    for one in sources_in(body):
        parts = urlsplit(one.get("url", BUCKET))
        known = any(f".{parts.hostname}".endswith(f".{domain}") for domain in domains)
        if parts.scheme != "https" or not known or parts.port not in ports:
            return True
    return False


def seeds_disagree(_: Operation, body: Any, model: str) -> bool:
    """There are as many seeds as variations, where both are given."""
    return "seeds" in body and "numVariations" in body and len(body["seeds"]) != body["numVariations"]


def unknown_size(operation: Operation, body: Any, model: str) -> bool:
    """The sizes are those of the lists in the descriptions and the usage notes."""
    if operation is Operation.VIDEO:
        return any((one["width"], one["height"]) not in VIDEO for one in body.get("sizes", ()))
    if "size" not in body:
        return False
    size = body["size"]["width"], body["size"]["height"]
    if operation is Operation.EXPAND:
        return bool(max(size) > 3999)
    if operation is Operation.GENERATE:
        return size not in (IMAGE4 if model.startswith("image4") else IMAGE3)
    return size not in COMMON


def mask_and_placement(operation: Operation, body: Any, model: str) -> bool:
    """Placement cannot be used with a mask."""
    return "mask" in body and "placement" in body


def model_lacks_it(operation: Operation, body: Any, model: str) -> bool:
    """Some models do not know some parameters, and a custom one needs its id."""
    if operation is not Operation.GENERATE:
        return False
    custom = model.endswith("_custom")
    return (
        (custom and ("negativePrompt" in body or "customModelId" not in body))
        or (model == "image4_custom" and "visualIntensity" in body)
        or (model != "image4_custom" and "upsamplerType" in body)
        or (model == "image4_ultra" and max(len(body.get("seeds", ())), body.get("numVariations", 1)) > 1)
    )


def ratio_of_an_edit(operation: Operation, body: Any, model: str) -> bool:
    """With a reference, the aspect ratio is omitted or auto."""
    return bool(body.get("referenceBlobs")) and body.get("aspectRatio", "auto") != "auto"


def nothing_ordered(operation: Operation, body: Any, model: str) -> bool:
    """Image5 documents no lower bound for numVariations, and a video no need of a prompt; neither makes sense."""
    if operation is Operation.VIDEO:
        return not body.get("prompt") and not body.get("image", {}).get("conditions")
    return operation is Operation.IMAGE5 and body.get("numVariations", 1) < 1


BEYOND: Final[tuple[Callable[[Operation, Any, str], bool], ...]] = (
    not_one_source,
    strange_store,
    seeds_disagree,
    unknown_size,
    mask_and_placement,
    model_lacks_it,
    ratio_of_an_edit,
    nothing_ordered,
)


# The same answer from both.


def upload(upload_id: str) -> Upload:
    """Return an upload that no operation minds."""
    return Upload(
        id=upload_id, sha256="", size_bytes=5000, width=800, height=600, transparent=True, stored_at=0
    )


def taken(operation: Operation, body: Any, model: str) -> bool:
    """Return whether the sandbox makes an order of a body."""
    named = model if operation in MODELS else None
    answer = read_order(body, operation=operation, model=named, find_upload=upload)
    return not isinstance(answer, BadBody)


def forbidden(operation: Operation, body: Any, model: str) -> list[str]:
    """Return the rules beyond its schema that a body breaks."""
    return [rule.__name__ for rule in BEYOND if rule(operation, body, model)]


def agrees(operation: Operation, body: Any, model: str) -> None:
    """Check that schema and rules on one side and the sandbox on the other say the same."""
    valid = bool(validator(operation).is_valid(body))
    broken = forbidden(operation, body, model) if valid else []
    event("good" if valid and not broken else broken[0] if broken else "against the schema")

    assert taken(operation, body, model) == (valid and not broken), (valid, broken)


@pytest.mark.parametrize("operation", Operation)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_schema_accepts_is_taken(operation: Operation, data: st.DataObject) -> None:
    """Unless a rule that stands in prose forbids it."""
    model = data.draw(st.sampled_from(MODELS.get(operation, ("",))))

    agrees(operation, data.draw(bodies(operation)), model)


@pytest.mark.parametrize("operation", Operation)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_schema_refuses_is_refused(operation: Operation, data: st.DataObject) -> None:
    """One spoiled value is enough; where the spoiled body is good all the same, it is taken."""
    model = data.draw(st.sampled_from(MODELS.get(operation, ("",))))

    agrees(operation, data.draw(spoiled(operation)), model)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("body", [None, [], "prompt", 3, True])
def test_no_operation_takes_what_is_no_object(operation: Operation, body: Any) -> None:
    """A body is an object."""
    assert not taken(operation, body, MODELS.get(operation, ("",))[0])


@pytest.mark.parametrize("operation", [Operation.IMAGE5, Operation.VIDEO])
def test_some_operations_need_their_model(operation: Operation) -> None:
    """Where the header is required, its absence is a fault, though the document names a default."""
    answer = read_order({"prompt": "a hat"}, operation=operation, model=None, find_upload=upload)

    assert isinstance(answer, BadBody)
    assert ["header", "x-model-version"] == answer.complaints[0]["loc"]


def test_the_rules_beyond_the_schemas_are_listed() -> None:
    """Whoever wants to know why something is refused finds each rule with its reason."""
    for rule in BEYOND:
        print(rule.__name__.replace("_", " "), "-", rule.__doc__)

    assert all(rule.__doc__ for rule in BEYOND)
