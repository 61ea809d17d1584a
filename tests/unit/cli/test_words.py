"""What an order is called in lists."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.cli.words import bill_words, order_words
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


def test_what_several_cost_is_told_in_what_adobe_bills() -> None:
    """A clip of ten operations is one image, and no ten; where each picture costs one, pictures say it all."""
    plan = DeliveryPlan(outbox="", folder="", name="")
    picture = Order(operation="generate", body={}, delivery=plan, results=2, images=2)
    clip = Order(operation="video", body={}, delivery=plan, results=1, images=10)

    assert "4 images" == bill_words([picture, picture])
    assert "12 operations for 3 images" == bill_words([picture, clip])
