"""Read a submission's body into an order, or say everything that is wrong with it.

Pure. The tables are those of GenerateImagesRequestV3 and ExpandImageRequestV3 in Adobe's OpenAPI document; what the
document says in prose only (sizes, seeds and variations, mask and placement) stands in functions below them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dropglow.sandbox.checks import Complaint, Flag, Items, Number, Shape, Source, Text, complain, complaint
from dropglow.sandbox.jobs import Operation, Order, Placement

if TYPE_CHECKING:
    from dropglow.sandbox.checks import Rule

__all__ = ["BadBody", "read_order"]

DEFAULT_MODEL: Final = "image3"
# The documented ones, and image3_fast, which the live service names in its refusals.
MODELS: Final = ("image3", "image3_fast", "image3_custom", "image4_standard", "image4_ultra", "image4_custom")
IMAGE3_SIZES: Final = (
    (2048, 2048),
    (1024, 1024),
    (2304, 1792),
    (1792, 2304),
    (2688, 1536),
    (2688, 1512),
    (1344, 768),
    (1344, 756),
    (1152, 896),
    (896, 1152),
)
IMAGE4_SIZES: Final = ((2048, 2048), (2304, 1792), (1792, 2304), (2688, 1536), (1440, 2560))
EXPAND_LIMIT: Final = 3999
SIDES: Final = ("left", "top", "right", "bottom")
# Where a body may name a picture.
SOURCES: Final[Mapping[Operation, tuple[tuple[str, ...], ...]]] = {
    Operation.GENERATE: (("style", "imageReference", "source"), ("structure", "imageReference", "source")),
    Operation.EXPAND: (("image", "source"), ("image", "mask"), ("mask", "source")),
}

SIZE: Final = Shape(
    fields={"width": Number(least=1, most=4096), "height": Number(least=1, most=4096)},
    required=frozenset({"width", "height"}),
)
PROMPT: Final = Text(shortest=1, longest=1024)
SEEDS: Final = Items(item=Number(), fewest=1, most=4)
VARIATIONS: Final = Number(least=1, most=4)
REFERENCE: Final = Shape(fields={"source": Source()})

RULES: Final[Mapping[Operation, Rule]] = {
    Operation.GENERATE: Shape(
        fields={
            "prompt": PROMPT,
            "negativePrompt": Text(longest=1024),
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
            "contentClass": Text(choices=("photo", "art")),
            "visualIntensity": Number(least=2, most=10),
            "style": Shape(
                fields={
                    "presets": Items(item=Text()),
                    "imageReference": REFERENCE,
                    "strength": Number(above=0, most=100),
                }
            ),
            "structure": Shape(fields={"imageReference": REFERENCE, "strength": Number(least=0, most=100)}),
            "promptBiasingLocaleCode": Text(),
            "customModelId": Text(),
            "upsamplerType": Text(choices=("default", "low_creativity")),
        },
        required=frozenset({"prompt"}),
    ),
    Operation.EXPAND: Shape(
        fields={
            "image": Shape(fields={"source": Source(), "mask": Source()}, required=frozenset({"source"})),
            "mask": Shape(fields={"source": Source(), "invert": Flag()}, required=frozenset({"source"})),
            "prompt": PROMPT,
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
            "placement": Shape(
                fields={
                    "alignment": Shape(
                        fields={
                            "horizontal": Text(choices=("center", "left", "right")),
                            "vertical": Text(choices=("center", "top", "bottom")),
                        }
                    ),
                    "inset": Shape(fields={side: Number() for side in SIDES}),
                }
            ),
        },
        required=frozenset({"image"}),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadBody:
    """Say why a body is refused: with complaints it is a 422, with a message alone a 400."""

    message: str
    complaints: tuple[Complaint, ...] = ()


def read_order(body: object, *, operation: Operation, model: str | None) -> Order | BadBody:
    """Return the order a body stands for, or what is wrong with it.

    ``model`` is the x-model-version header; it means something to `generate` only.
    """
    named = model or DEFAULT_MODEL
    complaints = [*complain(body, RULES[operation], ("body",))]
    if operation is Operation.GENERATE and named not in MODELS:
        message = f"Invalid x-model-version: {named}. Must be one of: {list(MODELS)}"
        complaints.append(complaint(("header", "x-model-version"), message, "value_error"))
        return BadBody(message=message, complaints=tuple(complaints))
    if isinstance(body, Mapping):
        complaints += _complain_together(body, operation=operation, model=named)
    if complaints or not isinstance(body, Mapping):
        return BadBody(message="The request body is not valid.", complaints=tuple(complaints))
    width, height = _size(body)
    if operation is Operation.GENERATE:
        sizes = IMAGE4_SIZES if named.startswith("image4") else IMAGE3_SIZES
        if (width, height) not in sizes:
            return BadBody(message=f"Size must be one of {{{', '.join(str(size) for size in sizes)}}}")
    return _order(body, operation=operation, model=named)


def _complain_together(body: Mapping[str, Any], *, operation: Operation, model: str) -> Iterator[Complaint]:
    seeds, variations = body.get("seeds"), body.get("numVariations")
    if isinstance(seeds, list) and isinstance(variations, int) and len(seeds) != variations:
        message = "the number of seeds must equal numVariations"
        yield complaint(("body", "seeds"), message, "value_error", numVariations=variations)
    if operation is Operation.GENERATE:
        yield from _complain_model(body, model=model)
    else:
        yield from _complain_expand(body)


def _complain_model(body: Mapping[str, Any], *, model: str) -> Iterator[Complaint]:
    custom = model.endswith("_custom")
    if custom and "customModelId" not in body:
        yield complaint(("body", "customModelId"), "field required", "value_error.missing")
    if custom and "negativePrompt" in body:
        yield complaint(("body", "negativePrompt"), f"not supported with {model}", "value_error")
    if model == "image4_custom" and "visualIntensity" in body:
        yield complaint(("body", "visualIntensity"), f"not supported with {model}", "value_error")
    if model != "image4_custom" and "upsamplerType" in body:
        yield complaint(("body", "upsamplerType"), f"not supported with {model}", "value_error")


def _complain_expand(body: Mapping[str, Any]) -> Iterator[Complaint]:
    if "mask" in body and "placement" in body:
        yield complaint(("body", "placement"), "placement cannot be used together with a mask", "value_error")
    size = body.get("size")
    if not isinstance(size, Mapping):
        return
    for side in ("width", "height"):
        value = size.get(side)
        # Above 4096 the table has complained already.
        if isinstance(value, int) and EXPAND_LIMIT < value <= 4096:
            message = f"ensure this value is less than or equal to {EXPAND_LIMIT}"
            loc = ("body", "size", side)
            yield complaint(loc, message, "value_error.number.not_le", limit_value=EXPAND_LIMIT)


def _order(body: Mapping[str, Any], *, operation: Operation, model: str) -> Order:
    width, height = _size(body)
    seeds = tuple(int(seed) for seed in body.get("seeds", ()))
    return Order(
        operation=operation,
        model=model if operation is Operation.GENERATE else "",
        prompt=body.get("prompt", ""),
        width=width,
        height=height,
        seeds=seeds,
        images=int(body.get("numVariations", len(seeds) or 1)),
        content_class=body.get("contentClass"),
        upload_ids=tuple(upload for path in SOURCES[operation] if (upload := _upload_id(body, path))),
        source_id=_upload_id(body, ("image", "source")) if operation is Operation.EXPAND else None,
        mask_id=_upload_id(body, ("mask", "source")) if operation is Operation.EXPAND else None,
        mask_inverted=operation is Operation.EXPAND and bool(body.get("mask", {}).get("invert", False)),
        placement=_placement(body) if operation is Operation.EXPAND else Placement(),
        body_sha256=_digest(body, operation=operation, model=model),
    )


def _placement(body: Mapping[str, Any]) -> Placement:
    placement = body.get("placement", {})
    alignment, inset = placement.get("alignment", {}), placement.get("inset", {})
    return Placement(
        horizontal=alignment.get("horizontal", "center"),
        vertical=alignment.get("vertical", "center"),
        inset={side: int(inset[side]) for side in SIDES if side in inset},
    )


def _size(body: Mapping[str, Any]) -> tuple[int, int]:
    size = body.get("size", {"width": 2048, "height": 2048})
    return int(size["width"]), int(size["height"])


def _upload_id(body: Mapping[str, Any], path: tuple[str, ...]) -> str | None:
    value: Any = body
    for name in (*path, "uploadId"):
        value = value.get(name, {})
    return value.lower() if isinstance(value, str) else None


def _digest(body: Mapping[str, Any], *, operation: Operation, model: str) -> str:
    canonical = json.dumps([operation.value, model, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
