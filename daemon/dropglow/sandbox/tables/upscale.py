"""Pictures made sharper and larger: POST /v3/images/upscale, PreciseUpsamplerRequestV3.

Adobe's guide limits the result to "6k", taken for 6144 pixels on the longer side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dropglow.sandbox.checks import Complaint, Items, Number, Shape
from dropglow.sandbox.orders import Operation, Role, Upscaling
from dropglow.sandbox.tables.pieces import SOURCE
from dropglow.sandbox.tables.table import UNKNOWN_SIZE, Body, Size, Spot, Submission, Table, wrong

__all__ = ["UPSCALE"]

LONGEST_SIDE: Final = 6144


def _limits(submission: Submission) -> Iterator[Complaint]:
    factor = _factor(submission.body)
    for _, upload in submission.measured(Role.SOURCE):
        if max(upload.width, upload.height) * factor > LONGEST_SIDE:
            message = f"the output would be larger than {LONGEST_SIDE} pixels"
            yield wrong(message, "upscaleFactor", width=upload.width, height=upload.height)


def _factor(body: Body) -> int:
    return int(body.get("upscaleFactor", 2))


def _size(submission: Submission) -> Size:
    width, height = submission.size_of(Role.SOURCE) or UNKNOWN_SIZE
    factor = _factor(submission.body)
    return width * factor, height * factor


def _manner(body: Body) -> Upscaling:
    return Upscaling(factor=_factor(body))


UPSCALE: Final = Table(
    operation=Operation.UPSCALE,
    shape=Shape(
        fields={
            "image": Shape(fields={"source": SOURCE}, required=frozenset({"source"})),
            "seeds": Items(item=Number(), fewest=1, most=4),
            "upscaleFactor": Number(choices=(2, 3, 4, 6)),
        },
        required=frozenset({"image", "seeds"}),
    ),
    spots=(Spot(role=Role.SOURCE, path=("image", "source")),),
    models=("precise_upsampler_v1",),
    model="precise_upsampler_v1",
    limits=_limits,
    size=_size,
    manner=_manner,
)
