"""Pictures from a prompt, and edits by instruction: POST /v4/images/generate-async, ImageGenerateRequestV3.

Adobe publishes no sizes in pixels for an aspect ratio and a resolution level; the ones here have the ratio and about
the area, in steps of 16 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dropglow.sandbox.checks import Complaint, Items, Number, Shape, Source, Text
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import STORES, seeds_agree, too_heavy
from dropglow.sandbox.tables.table import Body, Size, Spot, Submission, Table, wrong

__all__ = ["IMAGE5"]

LIMIT_BYTES: Final = 10 * 1024 * 1024
AREAS: Final = (512 * 512, 2048 * 2048)
LONGEST_RATIO: Final = 5
LEVELS: Final[Mapping[str, int]] = {"1MP": 1024 * 1024, "2.4MP": 1536 * 1536, "4MP": 2048 * 2048}
RATIOS: Final[Mapping[str, Size]] = {
    "1:1": (1, 1),
    "4:3": (4, 3),
    "3:4": (3, 4),
    "16:9": (16, 9),
    "9:16": (9, 16),
}
STEP: Final = 16
# PublicBinaryInputV3 has its own list; this one adds the store of Adobe's own products.
SOURCE: Final = Source(domains=(*STORES, "frontdoor.prod.azure.cxp.adobe.com"), any_uuid=True)


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    yield from seeds_agree(body)
    if body.get("referenceBlobs") and body.get("aspectRatio", "auto") != "auto":
        yield wrong("aspectRatio must be omitted or auto when referenceBlobs is given", "aspectRatio")


def _limits(submission: Submission) -> Iterator[Complaint]:
    yield from too_heavy(submission, Role.SOURCE, limit_bytes=LIMIT_BYTES)
    for named, upload in submission.measured(Role.SOURCE):
        if not AREAS[0] <= upload.width * upload.height <= AREAS[1]:
            message = "the area of the image must be between 512x512 and 2048x2048 pixels"
            yield wrong(message, *named.loc, width=upload.width, height=upload.height)
        sides = sorted((upload.width, upload.height))
        if sides[1] > LONGEST_RATIO * sides[0]:
            message = "the aspect ratio of the image must be between 1:5 and 5:1"
            yield wrong(message, *named.loc, width=upload.width, height=upload.height)


def _size(submission: Submission) -> Size:
    across, down = RATIOS.get(
        submission.body.get("aspectRatio", "auto"), submission.size_of(Role.SOURCE) or (1, 1)
    )
    scale = (LEVELS[submission.body.get("resolutionLevel", "2.4MP")] / (across * down)) ** 0.5
    return round(across * scale / STEP) * STEP, round(down * scale / STEP) * STEP


IMAGE5: Final = Table(
    operation=Operation.IMAGE5,
    shape=Shape(
        fields={
            "prompt": Text(shortest=1, longest=1500),
            "aspectRatio": Text(choices=(*RATIOS, "auto")),
            "resolutionLevel": Text(choices=tuple(LEVELS)),
            "modelId": Text(choices=("firefly_image",)),
            "modelSpecificPayload": Shape(
                fields={"localeCode": Text(), "prompt_reasoner": Text(choices=("quality", "speed"))}
            ),
            # The document has no lower bound; nobody orders no picture.
            "numVariations": Number(least=1, most=1),
            "referenceBlobs": Items(
                item=Shape(
                    fields={"source": SOURCE, "usage": Text(choices=("general",))},
                    required=frozenset({"source"}),
                ),
                most=1,
            ),
            "seeds": Items(item=Number(), most=1),
        },
        required=frozenset({"prompt"}),
    ),
    spots=(Spot(role=Role.SOURCE, path=("referenceBlobs", "*", "source")),),
    models=("image5",),
    model=None,
    clashes=_clashes,
    limits=_limits,
    size=_size,
)
