"""Choose the painter for an order, and hand it what the order says.

Costs CPU; call it in a thread. Where a picture is not at hand that an operation cannot do without, a composition that
suits the prompt stands in for the result.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from PIL import Image

from dropglow.sandbox.clips import paint_clip
from dropglow.sandbox.edits import (
    paint_adaptive_composite,
    paint_edit,
    paint_fill,
    paint_object_composite,
    paint_precise_composite,
    paint_similar,
    paint_upscale,
)
from dropglow.sandbox.images import paint_expansion, paint_prompt
from dropglow.sandbox.orders import (
    Adaptive,
    Filming,
    Input,
    Operation,
    Order,
    Placement,
    Precise,
    Role,
    Upscaling,
)
from dropglow.sandbox.results import media_type_of

__all__ = ["Work", "paint"]

SETTINGS: Final = {
    "image/png": ("PNG", {"compress_level": 1}),
    "image/webp": ("WEBP", {"quality": 86, "method": 0}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Hold an order, the seed of one of its results, and the bytes of its pictures, None where there are none."""

    order: Order
    seed: int
    pictures: Sequence[tuple[Input, bytes | None]]

    def bytes_of(self, role: Role) -> bytes | None:
        """Return the first picture in this role that is at hand."""
        return next((held for one, held in self.pictures if one.role is role and held is not None), None)


def paint(work: Work) -> bytes:
    """Return one result, in the order's media type.

    Raises:
        OSError: A picture cannot be read after all.
    """
    order = work.order
    match order.operation:
        case Operation.GENERATE:
            return _composition(work)
        case Operation.VIDEO:
            return _clip(work)
        case Operation.PRECISE_COMPOSITE | Operation.ADAPTIVE_COMPOSITE:
            return _blend(work) or _composition(work)
        case (
            Operation.IMAGE5
            | Operation.SIMILAR
            | Operation.EXPAND
            | Operation.FILL
            | Operation.COMPOSITE
            | Operation.UPSCALE
        ):
            source = work.bytes_of(Role.SOURCE)
            return (_edit(work, source) if source is not None else None) or _composition(work)
        case _:
            assert_never(order.operation)


def _edit(work: Work, source: bytes) -> bytes | None:
    """Return the source changed as ordered, or None where a mask is not at hand."""
    order, seed, mask = work.order, work.seed, work.bytes_of(Role.MASK)
    width, height = order.width, order.height
    match order.manner:
        case Upscaling(factor=factor):
            return paint_upscale(source, factor=factor, seed=seed)
        case Placement() as placement if order.operation is Operation.EXPAND:
            return paint_expansion(
                source,
                width=width,
                height=height,
                alignment=(placement.horizontal, placement.vertical),
                inset=placement.inset,
                mask=mask,
                invert_mask=placement.mask_inverted,
                seed=seed,
                prompt=order.prompt,
            )
        case Placement() as placement if order.operation is Operation.COMPOSITE:
            return paint_object_composite(
                source,
                mask=mask,
                prompt=order.prompt,
                seed=seed,
                width=width,
                height=height,
                alignment=(placement.horizontal, placement.vertical),
                inset=placement.inset,
                content_class=order.content_class or "photo",
            )
        case Placement() as placement:
            return mask and paint_fill(
                source,
                mask=mask,
                invert_mask=placement.mask_inverted,
                prompt=order.prompt,
                seed=seed,
                width=width,
                height=height,
            )
        case _ if order.operation is Operation.IMAGE5:
            return paint_edit(source, prompt=order.prompt, seed=seed, width=width, height=height)
        case _:
            return paint_similar(source, seed=seed, width=width, height=height)


def _blend(work: Work) -> bytes | None:
    """Return the object in its background, or None where one of the pictures is not at hand."""
    background, area = work.bytes_of(Role.SOURCE), work.bytes_of(Role.MASK)
    object_, manner, media_type = work.bytes_of(Role.OBJECT), work.order.manner, media_type_of(work.order)
    if background is None or area is None or object_ is None:
        return None
    if isinstance(manner, Precise):
        return paint_precise_composite(
            background, area=area, object_=object_, blend=manner.blend, seed=work.seed, media_type=media_type
        )
    assert isinstance(manner, Adaptive)
    return paint_adaptive_composite(
        background,
        area=area,
        object_=object_,
        object_mask=work.bytes_of(Role.OBJECT_MASK),
        harmonization=manner.harmonization,
        shadow_intensity=manner.shadow_intensity,
        preserve_background=manner.preserve_background,
        seed=work.seed,
        media_type=media_type,
    )


def _clip(work: Work) -> bytes:
    order = work.order
    assert isinstance(order.manner, Filming)
    frames = [
        (one.position, held) for one, held in work.pictures if one.role is Role.FRAME and held is not None
    ]
    return paint_clip(
        order.prompt,
        seed=work.seed,
        width=order.width,
        height=order.height,
        frames=sorted(frames, key=lambda frame: frame[0]),
        camera_motion=order.manner.camera_motion,
    )


def _composition(work: Work) -> bytes:
    order = work.order
    picture = paint_prompt(
        order.prompt or order.operation.value.replace("_", " "),
        seed=work.seed,
        content_class=order.content_class or "photo",
        width=order.width,
        height=order.height,
    )
    media_type = media_type_of(order)
    if media_type not in SETTINGS:
        return picture
    form, settings = SETTINGS[media_type]
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as painted:
        painted.save(buffer, form, **settings)
    return buffer.getvalue()
