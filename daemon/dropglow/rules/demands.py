"""Say what each operation demands of its pictures, by the slot that they stand in.

Pure. Limits are Adobe's, each with its source; ``preparing`` decides what to do
about a picture that does not meet them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dropglow.errors import SourceFault
from dropglow.fitness import MB, Demands
from dropglow.model import Facts, Order
from dropglow.preparing import Plan, plan, refusal

_IMAGE: Final = "image.source"
_FACTOR: Final = 2  # Adobe's OpenAPI document, upscaleFactor: used where a request names none
# Adobe's usage notes: a picture of a composite may have 10 MB.
_COMPOSITES: Final = frozenset({"composite", "precise_composite", "adaptive_composite"})
_COMPOSED: Final = Demands(largest_bytes=10 * MB)
# Adobe's OpenAPI document, the source of a reference blob: bytes, area and ratio, all inclusive.
_EDITED: Final = Demands(
    largest_bytes=10 * MB, smallest_area=512 * 512, largest_area=2048 * 2048, largest_ratio=5
)
# Adobe's schema of the mask that Fill takes: "the larger side of the image is 600 px" at least.
_FILLED: Final = Demands(smallest_longer_side=600)


def demands_of(order: Order, slot: str) -> Demands:
    """Return what *order* demands of the picture in *slot* of its body."""
    found = _of_operation(order, slot)
    masked = any(_is_mask(each.slot) and _owner(each.slot) == _owner(slot) for each in order.references)
    if not masked:
        return found
    return replace(found, keeps_size=True, exact=_is_mask(slot))


def planned(order: Order, slot: str, facts: Facts) -> Plan:
    """Return what is to be sent of the picture in *slot*, of which a look inside told *facts*."""
    return plan(facts, demands_of(order, slot), prepared=order.prepared, stripped=order.stripped)


def accept(order: Order, *, facts: Facts, companions: Mapping[str, Facts]) -> None:
    """Return if Firefly would take every dropped picture of *order*, after preparation where that is allowed.

    Pictures that a rule names are looked at when they are uploaded: they are the rule's, and not the drop's.

    Args:
        order: Rendered, not stored yet.
        facts: What a look inside the drop told.
        companions: The same of the files that were dropped beside it, by their paths below the inbox.

    Raises:
        SourceFault: One of them could be sent in no way; nothing should be ordered.
    """
    for reference in order.references:
        known = facts if reference.of_drop else companions.get(reference.companion or "")
        if known is None:
            continue
        no = refusal(known, demands_of(order, reference.slot), prepared=order.prepared)
        if no is not None:
            named = f"{reference.companion}: " if reference.companion else ""
            raise SourceFault(f"{named}{no.message}", hint=no.hint)


def _of_operation(order: Order, slot: str) -> Demands:
    if order.operation in _COMPOSITES:
        return _COMPOSED
    if slot.startswith("referenceBlobs."):
        return _EDITED
    if order.operation == "fill" and slot == _IMAGE:
        return _FILLED
    if order.operation == "upscale" and slot == _IMAGE:
        # Adobe's guide to upscale: CMYK may go in, and RGB comes out.
        factor = int(order.body.get("upscaleFactor", _FACTOR))
        return Demands(upscaled_by=factor, takes_cmyk=True, keeps_size=True)
    return Demands()


def _is_mask(slot: str) -> bool:
    return "mask" in slot.split(".")[-2].lower() if "." in slot else False


def _owner(slot: str) -> str:
    """Return the part of the body whose picture and mask belong together: ``background`` of ``background.image.source``."""
    return ".".join(slot.split(".")[:-2])
