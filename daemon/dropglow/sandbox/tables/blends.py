"""Objects put into given pictures: PreciseCompositeRequest and AdaptiveCompositeRequest.

POST /v3/images/precise-composite and /v3/images/adaptive-composite. The results have the size of the background.
No default is documented for the media type; it is JPEG here, as of the other operations' samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dropglow.sandbox.checks import Complaint, Decimal, Flag, Items, Number, Rule, Shape, Source, Text
from dropglow.sandbox.orders import Adaptive, Operation, Precise, Role
from dropglow.sandbox.tables.pieces import COMPOSITE_LIMIT_BYTES, STORES, seeds_agree, too_heavy
from dropglow.sandbox.tables.table import UNKNOWN_SIZE, Body, Size, Spot, Submission, Table

__all__ = ["ADAPTIVE_COMPOSITE", "PRECISE_COMPOSITE"]

DEFAULT_SEEDS: Final = (333, 222, 111)
DEFAULT_TYPE: Final = "image/jpeg"
SHARE: Final = Decimal(least=0, most=1)
PICTURE: Final = Shape(
    fields={"source": Source(domains=(*STORES, "assets.frame.io", "adobe.io"), ports=(443,), any_uuid=True)},
    required=frozenset({"source"}),
)
BOTH: Final[Mapping[str, Rule]] = {
    "background": Shape(
        fields={"image": PICTURE, "fillAreaMask": PICTURE}, required=frozenset({"image", "fillAreaMask"})
    ),
    "numVariations": Number(least=1, most=3),
    "seeds": Items(item=Number(), fewest=1, most=3),
    "output": Shape(
        fields={"mediaType": Text(choices=("image/png", "image/jpeg", "image/webp", "image/jxl"))}
    ),
}
SPOTS: Final = (
    Spot(role=Role.SOURCE, path=("background", "image", "source")),
    Spot(role=Role.MASK, path=("background", "fillAreaMask", "source")),
    Spot(role=Role.OBJECT, path=("object", "image", "source")),
    Spot(role=Role.OBJECT_MASK, path=("object", "mask", "source")),
)


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    return seeds_agree(body)


def _limits(submission: Submission) -> Iterator[Complaint]:
    return too_heavy(
        submission,
        Role.SOURCE,
        Role.MASK,
        Role.OBJECT,
        Role.OBJECT_MASK,
        limit_bytes=COMPOSITE_LIMIT_BYTES,
    )


def _size(submission: Submission) -> Size:
    return submission.size_of(Role.SOURCE) or UNKNOWN_SIZE


def _seeds(body: Body) -> tuple[int, ...]:
    given = tuple(int(seed) for seed in body.get("seeds", ()))
    return given or DEFAULT_SEEDS[: int(body.get("numVariations", 1))]


def _precise(body: Body) -> Precise:
    return Precise(blend=float(body.get("blend", 0.5)), media_type=_media_type(body))


def _adaptive(body: Body) -> Adaptive:
    return Adaptive(
        harmonization=float(body.get("harmonization", 0.6)),
        shadow_intensity=float(body.get("shadowIntensity", 1)),
        preserve_background=bool(body.get("preserveBackground", False)),
        media_type=_media_type(body),
    )


def _media_type(body: Body) -> str:
    output: dict[str, Any] = body.get("output", {})
    return str(output.get("mediaType", DEFAULT_TYPE))


PRECISE_COMPOSITE: Final = Table(
    operation=Operation.PRECISE_COMPOSITE,
    shape=Shape(
        fields={
            **BOTH,
            "object": Shape(fields={"image": PICTURE}, required=frozenset({"image"})),
            "blend": SHARE,
        },
        required=frozenset({"background", "object"}),
    ),
    spots=SPOTS[:3],
    clashes=_clashes,
    limits=_limits,
    size=_size,
    seeds=_seeds,
    manner=_precise,
)

ADAPTIVE_COMPOSITE: Final = Table(
    operation=Operation.ADAPTIVE_COMPOSITE,
    shape=Shape(
        fields={
            **BOTH,
            "object": Shape(fields={"image": PICTURE, "mask": PICTURE}, required=frozenset({"image"})),
            "harmonization": SHARE,
            "shadowIntensity": SHARE,
            "preserveBackground": Flag(),
        },
        required=frozenset({"background", "object"}),
    ),
    spots=SPOTS,
    clashes=_clashes,
    limits=_limits,
    size=_size,
    seeds=_seeds,
    manner=_adaptive,
)
