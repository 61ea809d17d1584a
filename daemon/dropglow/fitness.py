"""Say what an operation demands of a picture, and which pictures no preparation makes fit. Pure.

What can be mended is decided in ``preparing.py``; which operation demands what, in ``rules.demands``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from dropglow.model import Colours, Facts, Format

MB: Final = 1024 * 1024
# Documented as "6k" in Adobe's guide to upscale; taken as the longer side of the result.
LARGEST_UPSCALED_SIDE: Final = 6144
UPSCALE_FACTORS: Final = (2, 3, 4, 6)  # Adobe's OpenAPI document, upscaleFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What an operation demands of one picture. Sizes are in pixels; 0 means that there is no such demand."""

    largest_bytes: int = 15 * MB  # Adobe's OpenAPI document, storage/image
    smallest_longer_side: int = 0
    smallest_area: int = 0
    largest_area: int = 0  # goes with a largest ratio
    largest_ratio: int = 0  # of the longer side to the shorter one
    upscaled_by: int = 0
    takes_cmyk: bool = False
    keeps_size: bool = False  # a mask belongs to it, or its size decides about the result's
    exact: bool = False  # a mask: every pixel counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Send nothing: why, and what the picture's owner can do."""

    message: str
    hint: str


def unfit(facts: Facts, demands: Demands) -> Refusal | None:
    """Return why a picture can be sent in no way, whatever is done to it; None: it can be, perhaps as a copy.

    What a look inside did not tell is taken to be all right.
    """
    if facts.frames > 1:
        return _many(facts)
    if facts.colours is Colours.NUMBERS:
        return Refusal(
            message="the picture's pixels are 32-bit numbers, which have no black and no white",
            hint="save it with 8 or 16 bits a channel and drop that",
        )
    if facts.width is None or facts.height is None:
        return None
    return _out_of_bounds(facts.width, facts.height, demands) or _too_large_to_upscale(
        max(facts.width, facts.height), demands.upscaled_by
    )


def _many(facts: Facts) -> Refusal:
    if facts.format is Format.TIFF:
        return Refusal(
            message=f"the picture has {facts.frames} pages, and nobody can know which one is meant",
            hint="save the page that you mean as a file of its own and drop that",
        )
    return Refusal(
        message="the picture is animated, and nobody can know which of its pictures is meant",
        hint="save the one that you mean as PNG or JPEG and drop that",
    )


def _out_of_bounds(width: int, height: int, demands: Demands) -> Refusal | None:
    longer, shorter = max(width, height), min(width, height)
    size = f"the picture has {width}x{height} pixels"
    if longer < demands.smallest_longer_side:
        return Refusal(
            message=f"{size}, and Firefly wants at least {demands.smallest_longer_side} on the longer side here",
            hint="drop a larger one",
        )
    if demands.largest_ratio and longer > demands.largest_ratio * shorter:
        return Refusal(
            message=f"{size}, and Firefly takes no picture here that is more than {demands.largest_ratio} times"
            " as long as it is wide",
            hint="crop it and drop it again",
        )
    if width * height < demands.smallest_area:
        side = math.isqrt(demands.smallest_area)
        return Refusal(
            message=f"{size}, and Firefly wants at least as many as {side}x{side} has here",
            hint="drop a larger one",
        )
    return None


def _too_large_to_upscale(longer: int, factor: int) -> Refusal | None:
    if longer * factor <= LARGEST_UPSCALED_SIDE:
        return None
    possible = [str(each) for each in UPSCALE_FACTORS if longer * each <= LARGEST_UPSCALED_SIDE]
    if not possible:
        return Refusal(
            message=f"the picture is {longer} pixels long, and Firefly makes nothing longer than {LARGEST_UPSCALED_SIDE}:"
            " it cannot even be doubled",
            hint=f"drop one of at most {LARGEST_UPSCALED_SIDE // 2} pixels",
        )
    return Refusal(
        message=f"the picture is {longer} pixels long, and {factor} times that is more than the {LARGEST_UPSCALED_SIDE}"
        " that Firefly makes",
        hint=f"use the factor {' or '.join(possible)}, or drop one of at most"
        f" {LARGEST_UPSCALED_SIDE // factor} pixels",
    )
