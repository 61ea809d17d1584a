"""Pictures from a prompt: POST /v3/images/generate-async, GenerateImagesRequestV3.

That image4_ultra makes one picture at a time stands in Adobe's tutorials only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dropglow.sandbox.checks import Complaint, Number, Shape, Text
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import (
    CONTENT_CLASS,
    PROMPT,
    REFERENCE,
    SEEDS,
    SIZE,
    STYLE,
    VARIATIONS,
    seeds_agree,
)
from dropglow.sandbox.tables.table import Body, Size, Spot, Table, missing, wrong

__all__ = ["GENERATE"]

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


def _sizes(model: str) -> tuple[Size, ...]:
    return IMAGE4_SIZES if model.startswith("image4") else IMAGE3_SIZES


def _clashes(body: Body, model: str) -> Iterator[Complaint]:
    yield from seeds_agree(body)
    custom = model.endswith("_custom")
    if custom and "customModelId" not in body:
        yield missing("customModelId")
    if custom and "negativePrompt" in body:
        yield wrong(f"not supported with {model}", "negativePrompt")
    if model == "image4_custom" and "visualIntensity" in body:
        yield wrong(f"not supported with {model}", "visualIntensity")
    if model != "image4_custom" and "upsamplerType" in body:
        yield wrong(f"not supported with {model}", "upsamplerType")
    if model == "image4_ultra":
        yield from _one_at_a_time(body, model)


def _one_at_a_time(body: Body, model: str) -> Iterator[Complaint]:
    seeds, variations = body.get("seeds"), body.get("numVariations")
    if isinstance(variations, int | float) and variations > 1:
        yield wrong(f"{model} makes one variation at a time", "numVariations", limit_value=1)
    elif isinstance(seeds, list) and len(seeds) > 1:
        yield wrong(f"{model} makes one variation at a time", "seeds", limit_value=1)


GENERATE: Final = Table(
    operation=Operation.GENERATE,
    shape=Shape(
        fields={
            "prompt": PROMPT,
            "negativePrompt": Text(longest=1024),
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
            "contentClass": CONTENT_CLASS,
            "visualIntensity": Number(least=2, most=10),
            "style": STYLE,
            "structure": Shape(fields={"imageReference": REFERENCE, "strength": Number(least=0, most=100)}),
            "promptBiasingLocaleCode": Text(),
            "customModelId": Text(),
            "upsamplerType": Text(choices=("default", "low_creativity")),
        },
        required=frozenset({"prompt"}),
    ),
    spots=(
        Spot(role=Role.REFERENCE, path=("style", "imageReference", "source")),
        Spot(role=Role.REFERENCE, path=("structure", "imageReference", "source")),
    ),
    models=MODELS,
    model="image3",
    sizes=_sizes,
    clashes=_clashes,
)
