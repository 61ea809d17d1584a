"""Say how much room the results of an order may need, before it is paid for. Pure.

Nobody publishes sizes. These are what such files weigh at most in practice: a guess that is too large holds orders
back while a disk is nearly full, one that is too small only has a result wait in its hour for room.
"""

from __future__ import annotations

from typing import Final

from dropglow.model import Order

_MEGABYTE: Final = 1024 * 1024
# A few pictures of other jobs may be on their way at once.
LEAST_BYTES: Final = 64 * _MEGABYTE
# PNG files of four megapixels have some 15 MB; upscaled ones have up to thirty-six.
PICTURE_BYTES: Final = 16 * _MEGABYTE
UPSCALED_BYTES: Final = 96 * _MEGABYTE
# Five seconds at 1920 x 1080: some 20 MB by default, half a gigabyte where nothing may be lost.
VIDEO_BYTES: Final = 64 * _MEGABYTE
LOSSLESS_VIDEO_BYTES: Final = 640 * _MEGABYTE
# From 0, which loses nothing, to 63; 17 to 23 is usual (Adobe's OpenAPI document, bitRateFactor).
_NEARLY_LOSSLESS: Final = 10


def needed_bytes(order: Order) -> int:
    """Return how many bytes should be free in the outbox before *order* is placed."""
    return max(LEAST_BYTES, order.results * _each_bytes(order))


def _each_bytes(order: Order) -> int:
    match order.operation:
        case "upscale":
            return UPSCALED_BYTES
        case "video":
            factor = order.body.get("bitRateFactor")
            lossless = isinstance(factor, int) and factor < _NEARLY_LOSSLESS
            return LOSSLESS_VIDEO_BYTES if lossless else VIDEO_BYTES
        case _:
            return PICTURE_BYTES
