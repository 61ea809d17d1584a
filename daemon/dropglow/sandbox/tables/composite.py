"""Objects in painted scenes: POST /v3/images/generate-object-composite-async, GenerateObjectCompositeRequestV3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dropglow.sandbox.checks import Complaint, Shape
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import (
    COMPOSITE_LIMIT_BYTES,
    CONTENT_CLASS,
    IMAGE,
    OLD_MASK,
    PLACEMENT,
    PROMPT,
    REFERENCE,
    SEEDS,
    SIZE,
    STYLE,
    VARIATIONS,
    common_sizes,
    mask_or_placement,
    placed,
    seeds_agree,
    too_heavy,
)
from dropglow.sandbox.tables.table import DEFAULT_SIZE, Body, Spot, Submission, Table, wrong

__all__ = ["COMPOSITE"]


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    yield from seeds_agree(body)
    yield from mask_or_placement(body)


def _limits(submission: Submission) -> Iterator[Complaint]:
    yield from too_heavy(submission, Role.SOURCE, Role.MASK, limit_bytes=COMPOSITE_LIMIT_BYTES)
    if any(named.role is Role.MASK for named, _ in submission.pictures):
        return
    size = submission.body.get("size", {"width": DEFAULT_SIZE[0], "height": DEFAULT_SIZE[1]})
    for named, upload in submission.measured(Role.SOURCE):
        # One side that is longer leaves room for a scene.
        fits = size["width"] <= upload.width and size["height"] <= upload.height
        if fits and not upload.transparent:
            message = "the size must be larger than the image, or the image transparent, or a mask given"
            yield wrong(message, *named.loc, width=upload.width, height=upload.height)


COMPOSITE: Final = Table(
    operation=Operation.COMPOSITE,
    shape=Shape(
        fields={
            "image": IMAGE,
            "mask": REFERENCE,
            "prompt": PROMPT,
            "contentClass": CONTENT_CLASS,
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
            "placement": PLACEMENT,
            "style": STYLE,
        },
        required=frozenset({"image", "prompt"}),
    ),
    spots=(
        Spot(role=Role.SOURCE, path=("image", "source")),
        Spot(role=Role.MASK, path=("mask", "source")),
        OLD_MASK,
        Spot(role=Role.REFERENCE, path=("style", "imageReference", "source")),
    ),
    sizes=common_sizes,
    clashes=_clashes,
    limits=_limits,
    manner=placed,
)
