"""Show a photo in another manner: without colours, aged, drawn, painted, printed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from dropglow.sandbox.brushes import clouds, gradient

__all__ = ["Manner", "manner_of"]

Manner: TypeAlias = Callable[[Image.Image, random.Random], Image.Image]


def manner_of(words: frozenset[str]) -> Manner | None:
    """Return what shows a photo in the manner that one of the words names; nothing if no word names one."""
    return next((apply for names, apply in MANNERS.items() if not names.isdisjoint(words)), None)


def _colourless(photo: Image.Image, dice: random.Random) -> Image.Image:
    grey = ImageOps.autocontrast(photo.convert("L"), cutoff=1)
    return ImageEnhance.Contrast(grey.convert("RGB")).enhance(dice.uniform(1.1, 1.3))


def _aged(photo: Image.Image, dice: random.Random) -> Image.Image:
    toned = ImageOps.colorize(photo.convert("L"), (44, 26, 16), (252, 236, 204), mid=(166, 122, 82))
    aged = Image.blend(photo, toned, dice.uniform(0.74, 0.9))
    edge = gradient(
        (64, 64), [(0.0, (90,) * 3), (0.3, (0,) * 3), (0.7, (0,) * 3), (1.0, (110,) * 3)]
    ).getchannel(0)
    rim = ImageChops.lighter(edge, edge.rotate(90)).resize(photo.size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", photo.size, (30, 16, 8)), aged, rim)


def _drawn(photo: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo as a pencil drawing: dodging a picture with its own blurred negative leaves the lines."""
    grey = photo.convert("L")
    negative = ImageOps.invert(grey).filter(
        ImageFilter.GaussianBlur(max(photo.size) / dice.uniform(110, 150))
    )
    inverse = ImageOps.invert(negative)
    lines = ImageChops.subtract(inverse, grey, offset=0).point(
        [max(0, 255 - level * 4) for level in range(256)]
    )
    tones = grey.point([170 + level // 3 for level in range(256)])
    sheet = ImageChops.multiply(lines, tones)
    return ImageOps.colorize(sheet, (38, 40, 50), (250, 246, 236))


def _painted(photo: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo as a painting: few tones, laid on in strokes."""
    flat = photo.filter(ImageFilter.MedianFilter(7)).filter(ImageFilter.ModeFilter(7))
    bright = ImageEnhance.Color(flat).enhance(1.45)
    strokes = clouds(dice, photo.size, cells=60, stretch=3.0)
    strokes = strokes.filter(ImageFilter.EMBOSS).point(
        [128 + round((level - 128) * 0.9) for level in range(256)]
    )
    return ImageChops.soft_light(bright, Image.merge("RGB", (strokes, strokes, strokes)))


def _poster(photo: Image.Image, dice: random.Random) -> Image.Image:
    flat = ImageOps.posterize(photo.filter(ImageFilter.MedianFilter(5)), 3)
    bright = ImageEnhance.Color(ImageEnhance.Brightness(flat).enhance(1.12)).enhance(dice.uniform(1.35, 1.65))
    edges = photo.convert("L").filter(ImageFilter.GaussianBlur(1.2)).filter(ImageFilter.FIND_EDGES)
    ink = edges.point([min(255, max(0, level - 26) * 6) for level in range(256)])
    ink.paste(0, (0, 0, ink.width, 2))
    return Image.composite(Image.new("RGB", photo.size, (24, 24, 34)), bright, ink)


MANNERS: Final[Mapping[frozenset[str], Manner]] = {
    frozenset(("monochrome", "grayscale", "greyscale", "noir", "colourless", "colorless")): _colourless,
    frozenset(("sepia", "vintage", "retro", "antique")): _aged,
    frozenset(("sketch", "drawing", "pencil", "charcoal")): _drawn,
    frozenset(("painting", "painted", "watercolor", "watercolour", "oil", "impressionist")): _painted,
    frozenset(("cartoon", "comic", "poster", "anime", "illustration")): _poster,
}
