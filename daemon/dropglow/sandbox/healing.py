"""Take something out of a photo: what is around it grows together over the place.

Colours flow inward through a pyramid of ever smaller pictures; the finest detail is borrowed from beside the place.
"""

from __future__ import annotations

import random
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from dropglow.sandbox.brushes import clouds

__all__ = ["heal_photo"]

# Colours flow at this many pixels on the longer side; they are soft anyway.
COARSE: Final = 512
# A share of a pixel that is known counts this often, so that edges stay crisp.
TRUST: Final = 3


def heal_photo(photo: Image.Image, hole: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo with its surroundings grown over the hole (mode L, the photo's size, white is the hole)."""
    box = hole.getbbox()
    if box is None:
        return photo
    scale = min(1.0, COARSE / max(photo.size))
    coarse = max(4, round(photo.width * scale)), max(4, round(photo.height * scale))
    # A little wider than asked for: what is taken out has a rim.
    wide = hole.resize(coarse, Image.Resampling.BILINEAR).filter(ImageFilter.MaxFilter(5))
    known = photo.resize(coarse, Image.Resampling.BOX).convert("RGBA")
    known.putalpha(wide.point([255 - level for level in range(256)]))
    grown = _grow(known).convert("RGB")
    patch = grown.filter(ImageFilter.GaussianBlur(2)).resize(photo.size, Image.Resampling.BICUBIC)
    patch = _unevenly(patch, dice)
    patch = ImageChops.add(patch, _borrowed(photo, box), offset=-128)
    soft = max(1.0, min(photo.size) / 400)
    return Image.composite(patch, photo, hole.filter(ImageFilter.GaussianBlur(soft)))


def _grow(known: Image.Image) -> Image.Image:
    """Return the picture (mode RGBA) with its transparent parts filled from what is around them."""
    if max(known.size) <= 2:
        opaque = known.copy()
        opaque.putalpha(255)
        return opaque
    half = max(1, known.width // 2), max(1, known.height // 2)
    # Pillow weighs the pixels of RGBA by their opacity, so that the hole's own colours never count.
    smaller = known.resize(half, Image.Resampling.BOX)
    smaller.putalpha(smaller.getchannel("A").point([min(255, level * TRUST) for level in range(256)]))
    below = _grow(smaller).resize(known.size, Image.Resampling.BICUBIC)
    return Image.alpha_composite(below, known)


def _unevenly(patch: Image.Image, dice: random.Random) -> Image.Image:
    texture = clouds(dice, patch.size, cells=24)
    texture = texture.point([128 + round((level - 128) * 0.12) for level in range(256)])
    return ImageChops.soft_light(patch, Image.merge("RGB", (texture, texture, texture)))


def _borrowed(photo: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """Return the fine detail (grey is none) that lies beside the box, moved onto it."""
    width, height = box[2] - box[0], box[3] - box[1]
    aside = width if box[0] < photo.width - box[2] else -width
    along = height if box[1] < photo.height - box[3] else -height
    # Towards the side where there is more room, and by whichever way is shorter.
    moved = ImageChops.offset(photo, -aside if width <= height else 0, -along if height < width else 0)
    smooth = moved.reduce(4) if min(moved.size) >= 16 else moved
    smooth = smooth.filter(ImageFilter.GaussianBlur(1.5)).resize(moved.size, Image.Resampling.BILINEAR)
    return ImageChops.subtract(moved, smooth, offset=128)
