"""Every request that a rule can order, against Adobe's own document, and every parameter of Adobe's against the rules.

Rules are made at random, for all operations with all parameters, as the text that an operator would write; drops are
pictures and prompts, with and without front matter, links and files beside them. The document is Adobe's and is no
part of this project; where it does not lie beside the checkout, these tests are skipped.

Run with ``-rP``, the last test prints what of Adobe's document is deliberately left out, and why.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from dropglow.errors import SourceFault
from dropglow.firefly import wire
from dropglow.firefly.wire import OrderRequest
from dropglow.model import DropKey, Facts, Kind, Order, Upload
from dropglow.rules.assemble import Folders, assemble
from dropglow.rules.contradictions import contradictions
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.order import orders
from dropglow.rules.positions import parse
from dropglow.rules.review import review
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape, rules_schema
from dropglow.rules.shape import Shape
from dropglow.rules.units import picture_size

jsonschema = pytest.importorskip("jsonschema")  # it has no types of its own, and this way it needs none

DOCUMENT: Final = Path(__file__).parents[3] / "shared" / "firefly" / "firefly-api.openapi.json"
NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
LINK: Final = "https://bucket.s3.amazonaws.com/a.png?X-Amz-Signature=0"
JSON: Final = "application/json"
MODEL: Final = "x-model-version"

# Where in a request schema, by its beginning, and why no rule leads there.
LEFT_OUT: Final[Mapping[str, str]] = {
    "/v3/images/expand-async image.mask": "deprecated by Adobe; the rule's `mask` is sent as the request's own",
    "/v3/images/fill-async image.mask": "deprecated by Adobe; the rule's `mask` is sent as the request's own",
    "/v3/images/generate-object-composite-async image.mask": (
        "deprecated by Adobe; the rule's `mask` is sent as the request's own"
    ),
    "multipart/form-data": "pictures are uploaded once and named by their ids, so that several orders share them",
}

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="Adobe's OpenAPI document does not lie beside the checkout"
)


# ---------------------------------------------------------------- Adobe's document


@functools.cache
def document() -> dict[str, Any]:
    """Return Adobe's document."""
    content: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return content


def schema(path: str) -> dict[str, Any]:
    """Return the schema of the JSON that is sent to *path*."""
    found: dict[str, Any] = document()["paths"][path]["post"]["requestBody"]["content"][JSON]["schema"]
    return found


@functools.cache
def validator(path: str) -> Any:
    whole = schema(path) | {"components": document()["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(whole, format_checker=checker)


def flat(found: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its references and its only ``allOf`` followed."""
    while "$ref" in found or "allOf" in found:
        name = found.get("$ref", "").rpartition("/")[2]
        found = found["allOf"][0] if "allOf" in found else document()["components"]["schemas"][name]
    return found


def documented(found: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every property of a schema."""
    found = flat(found)
    if "items" in found:
        yield from documented(found["items"], f"{path}[]")
    for key, inner in found.get("properties", {}).items():
        place = f"{path}.{key}" if path else key
        yield place
        yield from documented(inner, place)


def sent(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every property of a body."""
    if isinstance(value, list):
        for item in value:
            yield from sent(item, f"{path}[]")
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            yield place
            yield from sent(inner, place)


def words(name: str) -> st.SearchStrategy[Any]:
    """Give every value that one of the document's enumerations has."""
    return st.sampled_from(document()["components"]["schemas"][name]["enum"])


def model_header(path: str) -> dict[str, Any]:
    """Return what the document says about the header for the model; empty where there is none."""
    found = document()["paths"][path]["post"].get("parameters", [])
    return next((each for each in found if each["name"] == MODEL), {})


def models(path: str) -> st.SearchStrategy[str]:
    return st.sampled_from(model_header(path)["schema"]["enum"])


# ---------------------------------------------------------------- rules


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=2, unique_by=str)


def text(longest: int = 1024) -> st.SearchStrategy[str]:
    """Give prompts: quotes, braces, what YAML might read, and the longest that is allowed."""
    short = st.text("ab é字😀'\"{}:#-&*!|%@", min_size=1, max_size=40).filter(str.strip)
    return short | st.just("字" * longest)


def sizes(largest: int) -> st.SearchStrategy[Any]:
    side = st.integers(1, largest)
    spelled = st.builds(lambda width, height: f"{width}x{height}", side, side)
    return spelled | st.fixed_dictionaries({"width": side, "height": side})


SHARE: Final = st.sampled_from([0, 0.25, 1])
EDGE: Final = st.integers(-10, 4096)
FILES: Final = st.sampled_from(
    ["a.png", {"source": "b.png"}, {"sidecar": "{stem}.mask.png"}, {"source": {"sidecar": "{name}.x.png"}}]
)
LINKS: Final = st.just(LINK)
Pictures = st.SearchStrategy[Any]


def repeated(most: int = 4) -> dict[str, st.SearchStrategy[Any]]:
    count = st.integers(1, most)
    seeds = st.lists(st.integers(-(2**31), 2**53 - 1), min_size=1, max_size=most, unique=True)
    return {"variations": count, "num_variations": count, "seeds": seeds}


def sized(largest: int = 4096) -> dict[str, st.SearchStrategy[Any]]:
    many = st.lists(
        sizes(largest),
        min_size=1,
        max_size=2,
        unique_by=lambda size: str(picture_size(size, largest=largest)),
    )
    return {"size": sizes(largest), "sizes": many}


def classed() -> dict[str, st.SearchStrategy[Any]]:
    return {"content_class": words("ContentClassV3"), "content_classes": several(words("ContentClassV3"))}


def prompts(picture: Pictures) -> st.SearchStrategy[Any]:
    if picture is LINKS:  # in front matter, where the text of the file follows
        return st.just("A {text}!")
    return text() | st.just("A {text}!") | st.just({"sidecar": "{stem}.txt"})


def style(picture: Pictures) -> st.SearchStrategy[Any]:
    presets = st.lists(st.sampled_from(["bokeh", "ink", "new_one"]), unique=True)
    return optional(presets=presets, image_reference=picture, strength=st.integers(1, 100))


def placement() -> st.SearchStrategy[Any]:
    alignment = optional(horizontal=words("AlignmentHorizontal"), vertical=words("AlignmentVertical"))
    return optional(alignment=alignment, inset=optional(left=EDGE, top=EDGE, right=EDGE, bottom=EDGE))


def mask(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(source=picture, invert=st.booleans()) | picture


def generate(picture: Pictures) -> st.SearchStrategy[Any]:
    path = "/v3/images/generate-async"
    return optional(
        prompt=prompts(picture),
        negative_prompt=text(),
        **repeated(),
        **sized(),
        **classed(),
        model=models(path),
        models=several(models(path)),
        visual_intensity=st.integers(2, 10),
        style=style(picture),
        structure=st.fixed_dictionaries(
            {"image_reference": picture}, optional={"strength": st.integers(0, 100)}
        ),
        prompt_biasing_locale_code=st.just("en-GB"),
        custom_model_id=st.just("urn:aaid:sc:1"),
        upsampler_type=st.sampled_from(["default", "low_creativity"]),
    )


def image5(picture: Pictures) -> st.SearchStrategy[Any]:
    levels = flat(schema("/v4/images/generate-async"))["properties"]["resolutionLevel"]["enum"]
    payload = optional(locale_code=st.just("en-US"), prompt_reasoner=st.sampled_from(["quality", "speed"]))
    blob = optional(source=picture, usage=words("ReferenceBlobUsageV3"))
    return st.fixed_dictionaries(
        {"model": models("/v4/images/generate-async")},
        optional={
            "prompt": prompts(picture),
            **repeated(1),
            "aspect_ratio": words("AspectRatio"),
            "resolution_level": st.sampled_from(levels),
            "image": picture,
            "reference_blobs": st.lists(blob, min_size=1, max_size=1),
            "model_specific_payload": payload,
            "model_id": words("FireflyModelId"),
        },
    )


def similar(picture: Pictures) -> st.SearchStrategy[Any]:
    path = "/v3/images/generate-similar-async"
    return optional(image=picture, **repeated(), **sized(), model=models(path), models=several(models(path)))


def expand(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(
        image=picture,
        prompt=prompts(picture),
        **repeated(),
        **sized(3999),
        mask=mask(picture),
        placement=placement(),
    )


def fill(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(
        image=picture,
        prompt=prompts(picture),
        negative_prompt=text(),
        **repeated(),
        **sized(),
        mask=mask(picture),
        prompt_biasing_locale_code=st.just("de-AT"),
    )


def composite(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(
        image=picture,
        prompt=prompts(picture),
        **repeated(),
        **sized(),
        **classed(),
        mask=picture,
        placement=placement(),
        style=style(picture),
    )


def scene(picture: Pictures, **thing: Pictures) -> dict[str, st.SearchStrategy[Any]]:
    media_types = document()["components"]["schemas"]["OutputSpec"]["properties"]["mediaType"]["enum"]
    return {
        **repeated(3),
        "background": optional(image=picture, fill_area_mask=picture),
        "object": optional(image=picture, **thing),
        "output": optional(media_type=st.sampled_from(media_types)),
    }


def precise_composite(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(**scene(picture), blend=SHARE)


def adaptive_composite(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(
        **scene(picture, mask=picture),
        harmonization=SHARE,
        shadow_intensity=SHARE,
        preserve_background=st.booleans(),
    )


def upscale(picture: Pictures) -> st.SearchStrategy[Any]:
    return optional(
        image=picture,
        **repeated(),
        upscale_factor=words("UpsampleFactor"),
        model=models("/v3/images/upscale"),
    )


def video(picture: Pictures) -> st.SearchStrategy[Any]:
    placed = {"placement": st.fixed_dictionaries({"position": SHARE})}
    sourced = st.fixed_dictionaries({**placed, "source": picture})
    condition = sourced if picture is LINKS else sourced | st.fixed_dictionaries(placed)
    return optional(
        prompt=prompts(picture),
        **repeated(1),
        **sized(8192),
        model=models("/v3/videos/generate"),
        bit_rate_factor=st.integers(0, 63),
        image=st.fixed_dictionaries({"conditions": st.lists(condition, min_size=1, max_size=3)}) | picture,
        video_settings=optional(
            camera_motion=words("CameraMotion"),
            prompt_style=words("VideoPromptStyle"),
            shot_angle=words("ShotAngle"),
            shot_size=words("ShotSize"),
        ),
    )


# By the key of the operation, and by the model where that has an endpoint of its own.
PARAMETERS: Final[Mapping[str, Callable[[Pictures], st.SearchStrategy[Any]]]] = {
    "generate": generate,
    "generate image5": image5,
    "similar": similar,
    "expand": expand,
    "fill": fill,
    "composite": composite,
    "precise_composite": precise_composite,
    "adaptive_composite": adaptive_composite,
    "upscale": upscale,
    "video": video,
}


@functools.cache
def editor() -> Any:
    """Return what marks slips while somebody writes a rule."""
    return jsonschema.Draft202012Validator(rules_schema())


def mended(raw: dict[str, Any], operation: str) -> Rule:
    """Return the rule that *raw* says, without what contradicts itself, and with what it still needs."""
    for _ in range(40):
        read = review(RuleShape, parse(json.dumps(raw, ensure_ascii=False), environ={}).value)
        assert not read.problems, "every single value is right"
        wrong = next(contradictions(read, raw), None)
        if wrong is None:
            editor().validate({"rules": [raw]})
            folders = Folders(base="/rules", inbox="/in", outbox="/out")
            return assemble(read.value, file="/rules/a.yaml", line=1, folders=folders)
        mend(raw, wrong.path, operation)
    pytest.fail(f"no rule can be made of {raw}")


def mend(raw: dict[str, Any], path: tuple[str | int, ...], operation: str) -> None:
    """Take away what stands at *path*, or put there what is missing."""
    if path == ("match", "kind"):
        raw["match"]["kind"] = "prompt"
    elif path == (operation,):
        raw[operation]["prompt"] = "a beach"
    elif not taken_away(raw, path):
        put(raw, path, "missing.png")


def taken_away(raw: Any, path: tuple[str | int, ...]) -> bool:
    *folders, last = path
    for step in folders:
        if isinstance(raw, dict) and step not in raw:
            return False
        raw = raw[step]
    if isinstance(raw, str):  # a picture in its short form, of which the place is one deeper
        return False
    if isinstance(raw, dict):
        return raw.pop(last, None) is not None
    del raw[last]
    return True


def put(raw: Any, path: tuple[str | int, ...], value: Any) -> None:
    *folders, last = path
    for step in folders:
        raw = raw.setdefault(step, {}) if isinstance(raw, dict) else raw[step]
    if not isinstance(raw, str):  # a mask in its short form is there already
        raw[last] = value


# ---------------------------------------------------------------- drops


@st.composite
def ordered(draw: st.DrawFn, name: str) -> tuple[Order, ...]:
    """Give what a random rule of one operation orders for a random drop."""
    operation = name.partition(" ")[0]
    kind = draw(st.sampled_from(["image", "prompt"]))
    raw: dict[str, Any] = {"name": "a", "inbox": "in", "outbox": "out", "match": {"kind": kind}}
    raw |= draw(st.fixed_dictionaries({}, optional={"split": st.sampled_from(["lines", "blocks"])}))
    raw[operation] = draw(PARAMETERS[name](FILES))
    rule = mended(raw, operation)
    more = draw(st.none() | front_matter(name, rule))
    written = draw(st.lists(text(200), max_size=3)) if rule.parameters.longest_prompt else []
    try:
        return dropped(rule, more, written)
    except SourceFault:  # two of them contradict each other, or are too much: then the least that is needed
        return dropped(rule, None, ["a boat"] if rule.parameters.longest_prompt else [])


@st.composite
def front_matter(draw: st.DrawFn, name: str, rule: Rule) -> dict[str, Any]:
    """Give a few parameters and addresses of pictures; many would rarely go together."""
    whole = draw(PARAMETERS[name](LINKS))
    front = {key: whole[key] for key in sorted(whole)[draw(st.integers(0, 20)) % (len(whole) + 1) :][:2]}
    taken = () if rule.conditions.kind is Kind.PROMPT else rule.parameters.drop_slots
    places = [place for place, slot in rule.parameters.slots.items() if slot not in taken]
    for place in draw(st.lists(st.sampled_from(places), max_size=2, unique=True)) if places else ():
        put(front, place, LINK)
    return front


def dropped(rule: Rule, front: dict[str, Any] | None, written: list[str]) -> tuple[Order, ...]:
    """Return the orders for a drop of the rule's kind, with the text and the parameters that come with it."""
    missing = rule.parameters.empty_places(Kind.PROMPT) if rule.conditions.kind is Kind.PROMPT else ()
    front = front if front is not None or not missing else {}
    for place in missing:
        put(front, place, LINK)
    head = [] if front is None else ["---", json.dumps(front, ensure_ascii=False), "---"]
    prompt = Facts(kind=Kind.PROMPT, text="\n".join([*head, "\n\n".join(written)]))
    picture = Facts(kind=Kind.IMAGE)
    companions = {f"sub/beach.{end}": picture for end in ("mask.png", "jpg.x.png", "txt.x.png")}
    return orders(
        rule,
        drop_key=DropKey("abcdefghij"),
        path="sub/beach.jpg" if rule.conditions.kind is Kind.IMAGE else "sub/beach.txt",
        facts=picture if rule.conditions.kind is Kind.IMAGE else prompt,
        companions={**companions, "sub/beach.txt": prompt},
        first_ordinal=1,
        now=NOW,
    )


def requested(order: Order) -> OrderRequest:
    """Return the request for *order* after its uploads."""
    uploads = [
        Upload(slot=each.slot, sha256="", upload_id=str(UUID(int=number, version=4)), valid_until=NOW)
        for number, each in enumerate(order.references)
        if not each.linked
    ]
    links = {each.slot: LINK for each in order.references if each.linked}
    return wire.order_request(order, uploads, links)


# ---------------------------------------------------------------- tests


def check(order: Order) -> None:
    request = requested(order)
    body = json.loads(request.body)
    validator(request.path).validate(body)
    assert set(sent(body)) <= set(documented(schema(request.path))), (
        "nothing is sent that Adobe does not name"
    )
    header, model = model_header(request.path), dict(request.headers).get(MODEL)
    assert model in header["schema"]["enum"] if model else not header.get("required")
    assert {MODEL} >= {name for name, _ in request.headers}
    sources = [path for path in sent(body) if path.endswith((".uploadId", ".url"))]
    assert len(order.references) == sum(1 for _ in pictures(body)), (
        "every picture has its place, and no place none"
    )
    assert sources or not order.references
    assert order.results == len(set(body["seeds"])) == body.get("numVariations", order.results)
    assert not {"mask", "placement"} <= body.keys()
    assert order.images >= order.results


def pictures(value: Any) -> Iterator[str]:
    """Yield each way in which *value* names a picture, which is one for each."""
    if isinstance(value, list):
        for item in value:
            yield from pictures(item)
    elif isinstance(value, dict):
        found = value.get("source")
        if isinstance(found, dict):
            (way,) = found
            yield way
        for inner in value.values():
            yield from pictures(inner)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_request_is_one_that_adobe_describes(name: str) -> None:
    """Whatever a rule and a drop say, the requests keep to Adobe's schema and add nothing to it."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(made=ordered(name))
    def holds(made: tuple[Order, ...]) -> None:
        assert made
        for order in made:
            check(order)

    holds()


def some_requests(name: str, number: int) -> list[OrderRequest]:
    """Return requests of one operation: always the same ones for the same number."""
    found: list[OrderRequest] = []

    @seed(number)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(made=ordered(name))
    def collect(made: tuple[Order, ...]) -> None:
        found.extend(requested(order) for order in made[:4])

    collect()
    return found


def places_and_models(path: str) -> set[str]:
    """Return what the document has for a path, but for what is left out."""
    places = {f"{path} {place}" for place in documented(schema(path))}
    kept = {place for place in places if not place.startswith(tuple(LEFT_OUT))}
    return kept | {f"{path} {MODEL}: {each}" for each in model_header(path).get("schema", {}).get("enum", ())}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_of_adobes_can_be_asked_for(name: str) -> None:
    """Each property and each model that the document has for an operation is in some request, but for what is left out."""
    operation = OPERATIONS[name.partition(" ")[0]]
    missing = places_and_models(operation.path_of(name.partition(" ")[2]))

    for number in range(20):
        for request in some_requests(name, number) if missing else ():
            missing -= {f"{request.path} {place}" for place in sent(json.loads(request.body))}
            missing -= {f"{request.path} {header}: {value}" for header, value in request.headers}

    assert set() == missing


def test_every_parameter_of_a_rule_is_tried() -> None:
    """No parameter is written by an operator that these tests know nothing of."""
    written = {name: keys(PARAMETERS[name](FILES)) for name in PARAMETERS}

    for key, operation in OPERATIONS.items():
        tried = set().union(*(found for name, found in written.items() if name.partition(" ")[0] == key))
        assert set(fields(operation.parameters)) == tried


def keys(strategy: st.SearchStrategy[Any]) -> set[str]:
    """Return the keys, dotted, that values of *strategy* have."""
    found: set[str] = set()

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(value=strategy)
    def collect(value: dict[str, Any]) -> None:
        found.update(sent(value))

    collect()
    return {place for place in found if not place.endswith((".source", ".sidecar", ".width", ".height"))}


def fields(shape: type[Shape], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every key that *shape* has."""
    definitions = shape.model_json_schema()

    def walk(found: dict[str, Any], path: str) -> Iterator[str]:
        for inner in found.get("anyOf", ()):
            yield from walk(inner, path)
        if "$ref" in found:
            found = definitions["$defs"][found["$ref"].rpartition("/")[2]]
        if "items" in found:
            yield from walk(found["items"], f"{path}[]")
        for key, inner in found.get("properties", {}).items():
            place = f"{path}.{key}" if path else key
            if not place.endswith((".source", ".sidecar", ".width", ".height")):
                yield place
                yield from walk(inner, place)

    yield from walk(definitions, path)


def test_what_is_left_out_is_told() -> None:
    """Each reason is about something that the document has, and everything else is JSON to a path of ours."""
    forms = {
        (path, form)
        for path, calls in document()["paths"].items()
        for form in calls.get("post", {}).get("requestBody", {}).get("content", {})
    }
    ours = {
        path
        for operation in OPERATIONS.values()
        for path in (operation.path, *operation.paths_by_model.values())
    }
    places = {f"{path} {place}" for path in ours for place in documented(schema(path))} | {
        form for _, form in forms
    }

    for place, reason in LEFT_OUT.items():
        print(f"left out: {place}: {reason}")
        assert any(found.startswith(place) for found in places)
    assert {path for path, form in forms if form == JSON} == ours
    assert {JSON, *LEFT_OUT} >= {form for path, form in forms if path in ours}
