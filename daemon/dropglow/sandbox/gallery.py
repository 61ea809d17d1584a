"""Make the results of finished jobs when they are fetched, and keep the last few.

Painting takes a fraction of a second of CPU, a clip about a second, so it happens in a thread, two at a time, and
never for a result nobody asks for. The same request always gives the same bytes.
"""

from __future__ import annotations

import asyncio
import functools
import io
from collections import OrderedDict
from typing import Final

from PIL import Image

from dropglow.sandbox.clips import paint_clip
from dropglow.sandbox.jobs import Job
from dropglow.sandbox.orders import Input, Operation, Role
from dropglow.sandbox.painting import Work, paint
from dropglow.sandbox.results import media_type_of
from dropglow.sandbox.uploads import JXL_STARTS
from dropglow.sandbox.world import World

__all__ = ["Gallery"]

KEPT: Final = 12
PAINTERS: Final = 2
FLAT: Final = (94, 129, 172)
FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


class Gallery:
    """Give out the results of one world's jobs."""

    def __init__(self, world: World) -> None:
        """Begin empty."""
        self._world = world
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._painters = asyncio.Semaphore(PAINTERS)

    async def result(self, job: Job, index: int) -> bytes:
        """Return one result of a job, in its media type."""
        order = job.order
        if self._world.faults.pictures == "plain" and order.operation is not Operation.VIDEO:
            return plain_picture(order.width, order.height, media_type_of(order))
        key = (job.id, index)
        async with self._painters:
            if key not in self._kept:
                self._kept[key] = await asyncio.to_thread(self._task(job, index))
            self._kept.move_to_end(key)
            content = self._kept[key]
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return content

    def _task(self, job: Job, index: int) -> functools.partial[bytes]:
        order = job.order
        if self._world.faults.pictures == "plain":
            return functools.partial(plain_clip, order.width, order.height)
        pictures = tuple((one, self._content(one)) for one in order.inputs)
        return functools.partial(paint, Work(order=order, seed=job.seeds[index], pictures=pictures))

    def _content(self, picture: Input) -> bytes | None:
        """Return the bytes of an input that can be painted with.

        None for a URL, which is never fetched, for JPEG XL, which nothing here can read, and for bytes that are not
        held any more.
        """
        content = self._world.content(picture.upload_id) if picture.role is not Role.REFERENCE else None
        return None if content is None or content.startswith(JXL_STARTS) else content


@functools.lru_cache(maxsize=32)
def plain_picture(width: int, height: int, media_type: str) -> bytes:
    """Return a picture of one flat colour; the same bytes for the same size in pixels and type."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), FLAT).save(buffer, FORMATS[media_type], quality=40)
    return buffer.getvalue()


@functools.lru_cache(maxsize=8)
def plain_clip(width: int, height: int) -> bytes:
    """Return a clip that stays the same from beginning to end; painted once for each size in pixels."""
    frame = plain_picture(width, height, "image/jpeg")
    return paint_clip("", seed=0, width=width, height=height, frames=((0.0, frame),), camera_motion="")
