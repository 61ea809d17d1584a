"""Hold the pieces that several operations' bodies have in common, and the rules that go with them.

From the schemas Size, StylesV3, Placement, PublicBinaryInputV3, ImageSource and their kin in Adobe's OpenAPI
document; the domains are those its descriptions list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dropglow.sandbox.checks import Complaint, Flag, Items, Number, Shape, Source, Text
from dropglow.sandbox.orders import Placement, Role
from dropglow.sandbox.tables.table import Body, Size, Spot, Submission, wrong

__all__ = [
    "COMPOSITE_LIMIT_BYTES",
    "CONTENT_CLASS",
    "IMAGE",
    "MASK",
    "OLD_MASK",
    "PLACEMENT",
    "PROMPT",
    "REFERENCE",
    "SEEDS",
    "SIZE",
    "SOURCE",
    "STORES",
    "STYLE",
    "VARIATIONS",
    "common_sizes",
    "mask_or_placement",
    "placed",
    "seeds_agree",
    "too_heavy",
]

STORES: Final = ("amazonaws.com", "windows.net", "dropboxusercontent.com", "storage.googleapis.com")
COMPOSITE_LIMIT_BYTES: Final = 10 * 1024 * 1024
SIDES: Final = ("left", "top", "right", "bottom")
# Of similar, fill and object composite.
COMMON_SIZES: Final = (
    (2048, 2048),
    (1024, 1024),
    (2304, 1792),
    (1792, 2304),
    (2688, 1536),
    (1344, 768),
    (1152, 896),
    (896, 1152),
)

SOURCE: Final = Source(domains=STORES, longest=2083)
SIZE: Final = Shape(
    fields={"width": Number(least=1, most=4096), "height": Number(least=1, most=4096)},
    required=frozenset({"width", "height"}),
)
PROMPT: Final = Text(shortest=1, longest=1024)
SEEDS: Final = Items(item=Number(), fewest=1, most=4, unique=True)
VARIATIONS: Final = Number(least=1, most=4)
CONTENT_CLASS: Final = Text(choices=("photo", "art"))
REFERENCE: Final = Shape(fields={"source": SOURCE})
IMAGE: Final = Shape(fields={"source": SOURCE, "mask": SOURCE}, required=frozenset({"source"}))
MASK: Final = Shape(fields={"source": SOURCE, "invert": Flag()}, required=frozenset({"source"}))
STYLE: Final = Shape(
    fields={
        "presets": Items(item=Text(), unique=True),
        "imageReference": REFERENCE,
        "strength": Number(above=0, most=100),
    }
)
PLACEMENT: Final = Shape(
    fields={
        "alignment": Shape(
            fields={
                "horizontal": Text(choices=("center", "left", "right")),
                "vertical": Text(choices=("center", "top", "bottom")),
            }
        ),
        "inset": Shape(fields={side: Number() for side in SIDES}),
    }
)
# Deprecated in favour of the mask beside the image; still read.
OLD_MASK: Final = Spot(role=Role.MASK, path=("image", "mask"))


def common_sizes(model: str) -> tuple[Size, ...]:  # noqa: ARG001 - the form of its kind
    """Return the sizes in pixels that similar, fill and object composite can do, with whatever model."""
    return COMMON_SIZES


def seeds_agree(body: Body) -> Iterator[Complaint]:
    """Yield a complaint if there are not as many seeds as variations."""
    seeds, variations = body.get("seeds"), body.get("numVariations")
    if isinstance(seeds, list) and isinstance(variations, int | float) and len(seeds) != variations:
        yield wrong("the number of seeds must equal numVariations", "seeds", numVariations=variations)


def mask_or_placement(body: Body) -> Iterator[Complaint]:
    """Yield a complaint if the place of the picture is said twice."""
    if "mask" in body and "placement" in body:
        yield wrong("placement cannot be used together with a mask", "placement")


def placed(body: Body) -> Placement:
    """Return where a body of expand, fill or object composite puts its picture."""
    placement, mask = body.get("placement", {}), body.get("mask", {})
    alignment, inset = placement.get("alignment", {}), placement.get("inset", {})
    return Placement(
        horizontal=alignment.get("horizontal", "center"),
        vertical=alignment.get("vertical", "center"),
        inset={side: int(inset[side]) for side in SIDES if side in inset},
        mask_inverted=isinstance(mask, Mapping) and bool(mask.get("invert", False)),
    )


def too_heavy(submission: Submission, *roles: Role, limit_bytes: int) -> Iterator[Complaint]:
    """Yield a complaint for each picture in these roles that is larger than the limit in bytes."""
    for named, upload in submission.stored(*roles):
        if upload.size_bytes > limit_bytes:
            yield wrong(
                f"the file must not be larger than {limit_bytes // 1024 // 1024} MB",
                *named.loc,
                size_bytes=upload.size_bytes,
            )
