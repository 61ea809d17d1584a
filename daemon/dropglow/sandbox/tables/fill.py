"""Parts of a picture painted anew: POST /v3/images/fill-async, FillImageRequestV3.

The least size of the picture stands in the schema of the former synchronous call (InputImage.mask).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dropglow.sandbox.checks import Complaint, Shape, Text
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import (
    IMAGE,
    MASK,
    OLD_MASK,
    PROMPT,
    SEEDS,
    SIZE,
    VARIATIONS,
    common_sizes,
    placed,
    seeds_agree,
)
from dropglow.sandbox.tables.table import Body, Spot, Submission, Table, wrong

__all__ = ["FILL"]

LEAST_LARGER_SIDE: Final = 600


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    return seeds_agree(body)


def _limits(submission: Submission) -> Iterator[Complaint]:
    for named, upload in submission.measured(Role.SOURCE):
        if max(upload.width, upload.height) < LEAST_LARGER_SIDE:
            message = f"the larger side of the image must have at least {LEAST_LARGER_SIDE} pixels"
            yield wrong(message, *named.loc, width=upload.width, height=upload.height)


FILL: Final = Table(
    operation=Operation.FILL,
    shape=Shape(
        fields={
            "image": IMAGE,
            "mask": MASK,
            "prompt": PROMPT,
            "negativePrompt": Text(longest=1024),
            "promptBiasingLocaleCode": Text(),
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
        },
        required=frozenset({"image", "mask"}),
    ),
    spots=(
        Spot(role=Role.SOURCE, path=("image", "source")),
        Spot(role=Role.MASK, path=("mask", "source")),
        OLD_MASK,
    ),
    sizes=common_sizes,
    clashes=_clashes,
    limits=_limits,
    manner=placed,
)
