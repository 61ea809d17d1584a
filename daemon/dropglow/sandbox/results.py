"""Say what a finished job brought: the result in its answer, and under which names its files are fetched.

Pure. The result's form follows the operation: pictures with their seeds, a video in their place, or the stored items
of an upscale (JobResult, GenerateImagesResponseV3, AsyncResult and PreciseUpsamplerResponse in Adobe's OpenAPI
document).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

from dropglow.sandbox.jobs import Job
from dropglow.sandbox.orders import Adaptive, Operation, Order, Precise

__all__ = ["describe_result", "file_name", "media_type_of"]

JPEG: Final = "image/jpeg"
ENDINGS: Final[Mapping[str, str]] = {
    JPEG: "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
}


def describe_result(job: Job, link: Callable[[int], str]) -> dict[str, Any]:
    """Return the ``result`` of a succeeded job; ``link`` signs the address of one output."""
    order = job.order
    outputs = range(job.outputs)
    size = {"width": order.width, "height": order.height}
    match order.operation:
        case Operation.UPSCALE:
            items = [{"id": _item_id(job, index), "presignedUrl": link(index)} for index in outputs]
            return {"outputs": items, "version": order.model}
        case Operation.VIDEO:
            return {
                "size": size,
                "outputs": [{"seed": job.seeds[index], "video": {"url": link(index)}} for index in outputs],
            }
        case Operation.PRECISE_COMPOSITE | Operation.ADAPTIVE_COMPOSITE:
            return {"outputs": _pictures(job, link)}
        case Operation.IMAGE5:
            told = f"A painted picture: {order.prompt}" if order.alt_text_wanted else ""
            return {"size": size, "outputs": _pictures(job, link), "altText": told}
        case Operation.GENERATE | Operation.SIMILAR | Operation.EXPAND | Operation.FILL | Operation.COMPOSITE:
            kind = {} if order.content_class is None else {"contentClass": order.content_class}
            return {"size": size, "outputs": _pictures(job, link), **kind}
        case _:
            assert_never(order.operation)


def media_type_of(order: Order) -> str:
    """Return the media type of an order's results. JPEG XL is answered in JPEG: nothing here can write it."""
    if order.operation is Operation.VIDEO:
        return "video/mp4"
    wanted = order.manner.media_type if isinstance(order.manner, Precise | Adaptive) else JPEG
    return wanted if wanted in ENDINGS else JPEG


def file_name(order: Order, index: int) -> str:
    """Return the name of one result, with the ending of its kind."""
    return f"{index}.{ENDINGS[media_type_of(order)]}"


def _pictures(job: Job, link: Callable[[int], str]) -> list[dict[str, Any]]:
    return [{"seed": job.seeds[index], "image": {"url": link(index)}} for index in range(job.outputs)]


def _item_id(job: Job, index: int) -> str:
    return str(uuid.uuid5(uuid.UUID(job.uuid), str(index)))
