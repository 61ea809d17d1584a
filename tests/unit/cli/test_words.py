"""What an order is called in lists."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.cli.words import order_words
from dropglow.model import DeliveryPlan, Order


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"operation": "upscale"}, "upscale"),
        ({"operation": "generate", "size": "9x9", "results": 2, "images": 2}, "generate 9x9, 2 images"),
        (
            {"operation": "video", "size": "9x9", "model": "video1_standard", "images": 5},
            "video 9x9 video1_standard",
        ),
        (
            {"operation": "generate", "tokens": {"content_class": "art", "part": "07"}},
            "generate art, prompt 07",
        ),
    ],
)
def test_an_order_is_told_from_its_siblings(fields: dict[str, Any], words: str) -> None:
    """Class, model and prompt tell orders of one drop apart; a clip that costs five images is one clip."""
    assert words == order_words(
        Order(body={}, delivery=DeliveryPlan(outbox="", folder="", name=""), **fields)
    )
