"""Say how long the real service would take, as far as anybody tells.

Pure. Integrators report 3 to 10 seconds for a picture (image4_standard 5.7, image4_ultra 9.8), about a minute for
image4_custom, and one to three minutes for a clip of five seconds; the rest is guessed beside these.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from dropglow.sandbox.orders import Operation, Order

__all__ = ["believable_s"]

PACE: Final[Mapping[str, float]] = {"image4_standard": 1.1, "image4_ultra": 1.8, "image4_custom": 12.0}
BASE_S: Final[Mapping[Operation, float]] = {
    Operation.GENERATE: 2.5,
    Operation.IMAGE5: 4.0,
    Operation.SIMILAR: 2.5,
    Operation.EXPAND: 3.5,
    Operation.FILL: 3.5,
    Operation.COMPOSITE: 4.0,
    Operation.PRECISE_COMPOSITE: 5.0,
    Operation.ADAPTIVE_COMPOSITE: 6.0,
    Operation.UPSCALE: 3.0,
}
MEGAPIXEL_S: Final = 0.45
FURTHER_IMAGE_S: Final = 0.8
VIDEO_S: Final = (60.0, 180.0)


def believable_s(order: Order, dice: random.Random) -> float:
    """Return the seconds that a job takes; the dice are rolled once."""
    if order.operation is Operation.VIDEO:
        return dice.uniform(*VIDEO_S)
    megapixels = order.width * order.height / 1_000_000
    usual_s = (
        BASE_S[order.operation] + MEGAPIXEL_S * megapixels + FURTHER_IMAGE_S * (order.images - 1)
    ) * PACE.get(order.model, 1.0)
    return usual_s * dice.uniform(0.85, 1.25)
