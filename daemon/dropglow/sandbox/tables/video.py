"""Clips of five seconds: POST /v3/videos/generate, GenerateVideoRequestV3.

The sizes stand in Adobe's usage notes, the price in its definition of operations: 0.4, 1 or 2 a second with 540, 720
or 1080 lines. No default size is documented; 1080 lines are taken. Of several sizes the first is made, since the
document's result has only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dropglow.sandbox.checks import Complaint, Decimal, Items, Number, Shape, Text
from dropglow.sandbox.orders import Filming, Operation, Role
from dropglow.sandbox.tables.pieces import SOURCE
from dropglow.sandbox.tables.table import Body, Size, Spot, Submission, Table, wrong

__all__ = ["VIDEO"]

DEFAULT_SIZE: Final = (1920, 1080)
SIZES: Final = tuple(
    size
    for lines, wide in ((1080, 1920), (720, 1280), (540, 960))
    for size in ((wide, lines), (lines, wide), (lines, lines))
)
PRICES: Final[Mapping[int, int]] = {540: 2, 720: 5, 1080: 10}
CAMERA: Final = (
    "camera pan left", "camera pan right", "camera zoom in", "camera zoom out", "camera tilt up", "camera tilt down",
    "camera locked down", "camera handheld",
)  # fmt: skip
STYLES: Final = (
    "anime", "3d", "fantasy", "cinematic", "claymation", "line art", "stop motion", "2d", "vector art",
    "black and white",
)  # fmt: skip
ANGLES: Final = ("aerial shot", "eye_level shot", "high angle shot", "low angle shot", "top-down shot")
SHOTS: Final = ("close-up shot", "extreme close-up", "medium shot", "long shot", "extreme long shot")


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    image, sizes = body.get("image"), body.get("sizes")
    pictured = isinstance(image, Mapping) and bool(image.get("conditions"))
    if not body.get("prompt") and not pictured:
        yield wrong("a prompt or an image is needed", "prompt")
    for index, size in enumerate(sizes if isinstance(sizes, list) else ()):
        if isinstance(size, Mapping) and (size.get("width"), size.get("height")) not in SIZES:
            yield wrong(f"the size must be one of {list(SIZES)}", "sizes", index)


def _size(submission: Submission) -> Size:
    sizes = submission.body.get("sizes") or [{"width": DEFAULT_SIZE[0], "height": DEFAULT_SIZE[1]}]
    return int(sizes[0]["width"]), int(sizes[0]["height"])


def _one(body: Body) -> int:  # noqa: ARG001 - the form of its kind
    return 1


def _manner(body: Body) -> Filming:
    return Filming(camera_motion=body.get("videoSettings", {}).get("cameraMotion", ""))


def _price(size: Size) -> int:
    return PRICES[min(size)]


VIDEO: Final = Table(
    operation=Operation.VIDEO,
    shape=Shape(
        fields={
            "prompt": Text(),
            "bitRateFactor": Number(least=0, most=63),
            "seeds": Items(item=Number(), fewest=1, most=1),
            "sizes": Items(
                item=Shape(
                    fields={"width": Number(least=1, most=8192), "height": Number(least=1, most=8192)},
                    required=frozenset({"width", "height"}),
                )
            ),
            "image": Shape(
                fields={
                    "conditions": Items(
                        item=Shape(
                            fields={
                                "source": SOURCE,
                                "placement": Shape(
                                    fields={"position": Decimal(least=0, most=1)},
                                    required=frozenset({"position"}),
                                ),
                            },
                            required=frozenset({"source", "placement"}),
                        )
                    )
                }
            ),
            "videoSettings": Shape(
                fields={
                    "cameraMotion": Text(choices=CAMERA),
                    "promptStyle": Text(choices=STYLES),
                    "shotAngle": Text(choices=ANGLES),
                    "shotSize": Text(choices=SHOTS),
                }
            ),
        }
    ),
    spots=(Spot(role=Role.FRAME, path=("image", "conditions", "*", "source")),),
    models=("video1_standard",),
    model=None,
    size=_size,
    images=_one,
    clashes=_clashes,
    manner=_manner,
    price=_price,
)
