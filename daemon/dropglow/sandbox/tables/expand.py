"""Pictures made larger than they are: POST /v3/images/expand-async, ExpandImageRequestV3.

A tutorial of Adobe's says that the size must be larger than the source, and the former synchronous call that a mask
must have the target's size. Neither stands in the document, and neither is insisted upon here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dropglow.sandbox.checks import Complaint, Shape, complaint
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import (
    IMAGE,
    MASK,
    OLD_MASK,
    PLACEMENT,
    PROMPT,
    SEEDS,
    SIZE,
    VARIATIONS,
    mask_or_placement,
    placed,
    seeds_agree,
)
from dropglow.sandbox.tables.table import Body, Spot, Table

__all__ = ["EXPAND"]

LONGEST_SIDE: Final = 3999


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    yield from seeds_agree(body)
    yield from mask_or_placement(body)
    size = body.get("size")
    if not isinstance(size, Mapping):
        return
    for side in ("width", "height"):
        value = size.get(side)
        # Above 4096 the shape has complained already.
        if isinstance(value, int) and LONGEST_SIDE < value <= 4096:
            message = f"ensure this value is less than or equal to {LONGEST_SIDE}"
            loc = ("body", "size", side)
            yield complaint(loc, message, "value_error.number.not_le", limit_value=LONGEST_SIDE)


EXPAND: Final = Table(
    operation=Operation.EXPAND,
    shape=Shape(
        fields={
            "image": IMAGE,
            "mask": MASK,
            "prompt": PROMPT,
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
            "placement": PLACEMENT,
        },
        required=frozenset({"image"}),
    ),
    spots=(
        Spot(role=Role.SOURCE, path=("image", "source")),
        Spot(role=Role.MASK, path=("mask", "source")),
        OLD_MASK,
    ),
    clashes=_clashes,
    manner=placed,
)
