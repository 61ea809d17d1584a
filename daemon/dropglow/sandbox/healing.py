"""Take something out of a photo: what is around it grows together over the place.

Colours flow inward through a pyramid of ever smaller pictures; detail is that of the neighbourhood, mirrored.
"""

from __future__ import annotations

import random
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from dropglow.sandbox.brushes import clouds, grain

__all__ = ["heal_photo"]

# It is done at this many pixels on the longer side.
COARSE: Final = 800
# A share of a pixel that is known counts this often, so that edges stay crisp.
TRUST: Final = 3
TURN: Final = Image.Transpose.TRANSPOSE


def heal_photo(photo: Image.Image, hole: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo with its surroundings grown over the hole (mode L, the photo's size, white is the hole)."""
    if hole.getbbox() is None:
        return photo
    scale = min(1.0, COARSE / max(photo.size))
    coarse = max(4, round(photo.width * scale)), max(4, round(photo.height * scale))
    # A little wider than asked for: what is taken out has a rim.
    wide = hole.resize(coarse, Image.Resampling.BILINEAR).filter(ImageFilter.MaxFilter(3))
    small = photo.resize(coarse, Image.Resampling.BOX)
    known = small.convert("RGBA")
    known.putalpha(wide.point([255 - level for level in range(256)]))
    patch = _grow(known).convert("RGB").filter(ImageFilter.GaussianBlur(1.5))
    box = wide.getbbox()
    assert box is not None, "it holds the hole"
    patch = _unevenly(_detailed(patch, small, wide, box), dice)
    patch = grain(patch.resize(photo.size, Image.Resampling.BICUBIC), dice, strength=0.04)
    return Image.composite(patch, photo, hole)


def _detailed(
    patch: Image.Image, photo: Image.Image, hole: Image.Image, box: tuple[int, int, int, int]
) -> Image.Image:
    """Return the grown patch with what lies beside the box, mirrored: all of it inside, its detail near the edges."""
    beside = _beside(photo, box) or _beside(
        photo.transpose(TURN), (box[1], box[0], box[3], box[2]), turned=True
    )
    if beside is None:
        return patch
    smooth = beside.filter(ImageFilter.GaussianBlur(max(2, min(beside.size) / 8)))
    detail = ImageChops.subtract(beside, smooth, offset=128)
    rim = ImageChops.add(patch.crop(box), detail, offset=-128)
    inside = hole.filter(ImageFilter.GaussianBlur(max(1, min(beside.size) / 12))).crop(box)
    inside = inside.point([max(0, (level - 140) * 255 // 115) for level in range(256)])
    healed = patch.copy()
    healed.paste(Image.composite(beside, rim, inside), box[:2])
    return healed


def _beside(
    photo: Image.Image, box: tuple[int, int, int, int], *, turned: bool = False
) -> Image.Image | None:
    """Return what lies left and right of the box, mirrored into it and faded into each other; nothing without room."""
    left, top, right, bottom = box
    size = right - left, bottom - top
    strips = []
    for start, end in ((max(0, left - size[0]), left), (right, min(photo.width, right + size[0]))):
        # A strip much narrower than the box would only be smeared.
        if (end - start) * 3 >= size[0]:
            strip = photo.crop((start, top, end, bottom)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            strips.append(strip.resize(size, Image.Resampling.BICUBIC))
    if not strips:
        return None
    fade = Image.linear_gradient("L").rotate(90).resize(size, Image.Resampling.BILINEAR)
    steep = fade.point([max(0, min(255, (level - 96) * 4)) for level in range(256)])
    both = Image.composite(strips[-1], strips[0], steep)
    return both.transpose(TURN) if turned else both


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
    texture = clouds(dice, patch.size, cells=18)
    texture = texture.point([128 + round((level - 128) * 0.08) for level in range(256)])
    return ImageChops.soft_light(patch, Image.merge("RGB", (texture, texture, texture)))
