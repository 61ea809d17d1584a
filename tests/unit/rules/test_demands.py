"""What operations demand of their pictures, by slot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dropglow.errors import SourceFault
from dropglow.fitness import MB
from dropglow.model import Colours, DeliveryPlan, Facts, Format, Kind, Order, Reference
from dropglow.preparing import AsIs, Copy
from dropglow.rules.demands import accept, demands_of, planned

PHOTO = Facts(
    kind=Kind.IMAGE, format=Format.JPEG, width=3000, height=2000, size_bytes=2 * MB, colours=Colours.RGB
)
ANIMATED = replace(PHOTO, format=Format.GIF, frames=2)


def order(operation: str, *slots: str, body: dict[str, Any] | None = None, **keys: Any) -> Order:
    keys.setdefault("references", tuple(Reference(slot=slot) for slot in slots))
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    return Order(operation=operation, body=body or {}, delivery=plan, **keys)


@pytest.mark.parametrize(
    ("operation", "slot", "largest_mb"),
    [
        ("expand", "image.source", 15),
        ("generate", "style.imageReference.source", 15),
        ("generate", "referenceBlobs.0.source", 10),
        ("composite", "image.source", 10),
        ("precise_composite", "background.image.source", 10),
        ("adaptive_composite", "object.image.source", 10),
        ("video", "image.conditions.0.source", 15),
    ],
)
def test_bytes_are_limited_by_operation(operation: str, slot: str, largest_mb: int) -> None:
    """15 MB, and 10 for composites and for pictures that are edited by instruction."""
    assert largest_mb * MB == demands_of(order(operation, slot), slot).largest_bytes


def test_a_picture_that_is_edited_has_an_area() -> None:
    """No other has."""
    edited = demands_of(order("generate", "referenceBlobs.0.source"), "referenceBlobs.0.source")

    assert (512 * 512, 2048 * 2048, 5) == (edited.smallest_area, edited.largest_area, edited.largest_ratio)


def test_fill_wants_a_longer_side() -> None:
    """Of the picture; its mask follows from it."""
    filling = order("fill", "image.source", "mask.source")

    assert 600 == demands_of(filling, "image.source").smallest_longer_side
    assert 0 == demands_of(filling, "mask.source").smallest_longer_side


@pytest.mark.parametrize(("body", "factor"), [({}, 2), ({"upscaleFactor": 4}, 4)])
def test_upscaling_demands_by_its_factor(body: dict[str, Any], factor: int) -> None:
    """Adobe's default counts where the request names none; a smaller copy would be a smaller result."""
    demands = demands_of(order("upscale", "image.source", body=body), "image.source")

    assert factor == demands.upscaled_by
    assert demands.takes_cmyk
    assert demands.keeps_size


def test_a_mask_and_its_picture_keep_their_size_and_the_mask_every_pixel() -> None:
    """They belong together; a style reference beside them does not."""
    masked = order("expand", "image.source", "mask.source", "style.imageReference.source")
    image, mask, style = (demands_of(masked, each.slot) for each in masked.references)

    assert [True, True, False] == [image.keeps_size, mask.keeps_size, style.keeps_size]
    assert [False, True, False] == [image.exact, mask.exact, style.exact]


def test_a_mask_of_the_background_leaves_the_object_free() -> None:
    """Each has its own part of the body."""
    composed = order(
        "precise_composite",
        "background.image.source",
        "background.fillAreaMask.source",
        "object.image.source",
    )

    assert demands_of(composed, "background.image.source").keeps_size
    assert demands_of(composed, "background.fillAreaMask.source").exact
    assert not demands_of(composed, "object.image.source").keeps_size


def test_the_order_says_whether_pictures_are_prepared_and_stripped() -> None:
    """As the rule says."""
    large = replace(PHOTO, size_bytes=20 * MB)

    assert isinstance(planned(order("expand", "image.source"), "image.source", large), Copy)
    assert AsIs() == planned(order("expand", "image.source", prepared=False), "image.source", PHOTO)
    assert AsIs() != planned(order("expand", "image.source", stripped=True), "image.source", PHOTO)


def test_a_drop_that_can_be_sent_is_accepted() -> None:
    """Nothing is returned; pictures that the rule names are looked at later."""
    references = (Reference(slot="image.source"), Reference(slot="mask.source", path="/rules/mask.png"))

    accept(order("expand", references=references), facts=PHOTO, companions={})


def test_a_drop_that_cannot_be_sent_is_refused() -> None:
    """Before anything is stored."""
    with pytest.raises(SourceFault, match="animated"):
        accept(order("expand", "image.source"), facts=ANIMATED, companions={})


def test_what_would_have_to_be_prepared_is_refused_where_the_rule_prepares_nothing() -> None:
    """The same picture is accepted by a rule that does."""
    lying = replace(PHOTO, orientation=6)
    accept(order("expand", "image.source"), facts=lying, companions={})

    with pytest.raises(SourceFault, match="not stored upright"):
        accept(order("expand", "image.source", prepared=False), facts=lying, companions={})


def test_a_companion_that_cannot_be_sent_is_refused_by_its_name() -> None:
    """The drop itself may be all right."""
    references = (Reference(slot="image.source"), Reference(slot="mask.source", companion="beach.mask.gif"))

    with pytest.raises(SourceFault, match=r"beach\.mask\.gif: the picture is animated"):
        accept(order("expand", references=references), facts=PHOTO, companions={"beach.mask.gif": ANIMATED})


def test_a_slot_at_the_top_of_the_body_is_no_mask() -> None:
    """Whatever it is called."""
    assert not demands_of(order("expand", "mask"), "mask").exact
