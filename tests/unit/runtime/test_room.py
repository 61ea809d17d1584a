"""How much room is asked for before anything is bought."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.model import DeliveryPlan, Order
from dropglow.runtime.room import (
    LEAST_BYTES,
    LOSSLESS_VIDEO_BYTES,
    PICTURE_BYTES,
    UPSCALED_BYTES,
    VIDEO_BYTES,
    needed_bytes,
)


@pytest.mark.parametrize(
    ("operation", "body", "results", "expected"),
    [
        ("generate", {}, 1, LEAST_BYTES),
        ("generate", {}, 8, 8 * PICTURE_BYTES),
        ("upscale", {}, 2, 2 * UPSCALED_BYTES),
        ("video", {}, 1, VIDEO_BYTES),
        ("video", {"bitRateFactor": 18}, 1, VIDEO_BYTES),
        ("video", {"bitRateFactor": 10}, 1, VIDEO_BYTES),
        ("video", {"bitRateFactor": 9}, 1, LOSSLESS_VIDEO_BYTES),
        ("video", {"bitRateFactor": 0}, 1, LOSSLESS_VIDEO_BYTES),
        ("video", {"bitRateFactor": "0"}, 1, VIDEO_BYTES),
    ],
)
def test_large_results_need_room(operation: str, body: dict[str, Any], results: int, expected: int) -> None:
    """A video without loss needs ten times what a usual one needs; several results need room for each."""
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")

    order = Order(operation=operation, body=body, results=results, delivery=plan)

    assert expected == needed_bytes(order)
