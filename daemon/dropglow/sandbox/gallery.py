"""Make the pictures of finished jobs when they are fetched, and keep the last few.

Painting takes a fraction of a second of CPU, so it happens in a thread, two at a time, and never for a picture
nobody asks for. The same request always gives the same bytes.
"""

from __future__ import annotations

import asyncio
import functools
import io
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from PIL import Image

from dropglow.sandbox.images import paint_expansion, paint_prompt
from dropglow.sandbox.jobs import Job, Operation
from dropglow.sandbox.uploads import JXL_STARTS

if TYPE_CHECKING:
    from dropglow.sandbox.world import World

__all__ = ["Gallery"]

KEPT: Final = 12
PAINTERS: Final = 2


class Gallery:
    """Give out the pictures of one world's jobs."""

    def __init__(self, world: World) -> None:
        """Begin empty."""
        self._world = world
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._painters = asyncio.Semaphore(PAINTERS)

    async def picture(self, job: Job, index: int) -> bytes:
        """Return one picture of a job as JPEG."""
        order = job.order
        if self._world.faults.pictures == "plain":
            return plain_picture(order.width, order.height)
        key = (job.id, index)
        async with self._painters:
            if key not in self._kept:
                source = self._world.content(order.source_id)
                mask = self._world.content(order.mask_id)
                paint = functools.partial(_paint, job, index, source=source, mask=mask)
                self._kept[key] = await asyncio.to_thread(paint)
            self._kept.move_to_end(key)
            picture = self._kept[key]
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture


@functools.lru_cache(maxsize=32)
def plain_picture(width: int, height: int) -> bytes:
    """Return a JPEG of one flat colour; the same bytes for the same size in pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (94, 129, 172)).save(buffer, "JPEG", quality=40)
    return buffer.getvalue()


def _paint(job: Job, index: int, *, source: bytes | None, mask: bytes | None) -> bytes:
    order, seed = job.order, job.seeds[index]
    if order.operation is Operation.EXPAND and source is not None and not source.startswith(JXL_STARTS):
        return paint_expansion(
            source,
            width=order.width,
            height=order.height,
            alignment=(order.placement.horizontal, order.placement.vertical),
            inset=order.placement.inset,
            mask=mask,
            invert_mask=order.mask_inverted,
            seed=seed,
            prompt=order.prompt,
        )
    # Also for a source by URL, which the sandbox never fetches, for JPEG XL, which it cannot read, and for bytes
    # that are not held any more.
    return paint_prompt(
        order.prompt or "expansion",
        seed=seed,
        content_class=order.content_class or "photo",
        width=order.width,
        height=order.height,
    )
