"""Show a photo in another manner: without colours, aged, drawn, painted, printed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from dropglow.sandbox.brushes import clouds, gradient

__all__ = ["Manner", "manner_of"]

# Filters that look at every pixel's neighbours are slow: they work at this many pixels on the longer side.
SMALL: Final = 640

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
    small = photo.resize(_small(photo), Image.Resampling.BOX)
    flat = small.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.UnsharpMask(radius=2, percent=120))
    bright = ImageEnhance.Color(flat.resize(photo.size, Image.Resampling.BICUBIC)).enhance(1.4)
    strokes = clouds(dice, photo.size, cells=60, stretch=3.0).filter(ImageFilter.EMBOSS)
    strokes = strokes.point([128 + round((level - 128) * 1.2) for level in range(256)])
    return ImageChops.soft_light(bright, Image.merge("RGB", (strokes, strokes, strokes)))


def _poster(photo: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo as it might be printed in a comic: a few inks, and black lines around the shapes."""
    small = ImageEnhance.Color(photo.resize(_small(photo), Image.Resampling.BOX)).enhance(
        dice.uniform(1.3, 1.6)
    )
    smooth = small.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(1))
    inks = smooth.quantize(14, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    # The commonest ink among a pixel's neighbours: counted by number, since colours counted one by one give others.
    numbers = Image.frombytes("L", inks.size, inks.tobytes()).filter(ImageFilter.ModeFilter(5))
    numbers.putpalette(inks.getpalette() or [])
    flat = numbers.convert("RGB")
    edges = smooth.convert("L").filter(ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), 1, 0))
    lines = edges.point([min(255, max(0, level - 9) * 12) for level in range(256)])
    # Convolution leaves the outermost pixels as they were.
    lines = ImageOps.expand(lines.crop((1, 1, lines.width - 1, lines.height - 1)), border=1, fill=0)
    drawn = Image.composite(Image.new("RGB", small.size, (20, 20, 30)), flat, lines)
    return drawn.resize(photo.size, Image.Resampling.BICUBIC)


def _small(photo: Image.Image) -> tuple[int, int]:
    scale = min(1.0, SMALL / max(photo.size))
    return max(2, round(photo.width * scale)), max(2, round(photo.height * scale))


MANNERS: Final[Mapping[frozenset[str], Manner]] = {
    frozenset(("monochrome", "grayscale", "greyscale", "noir", "colourless", "colorless")): _colourless,
    frozenset(("sepia", "vintage", "retro", "antique")): _aged,
    frozenset(("sketch", "drawing", "pencil", "charcoal")): _drawn,
    frozenset(("painting", "painted", "watercolor", "watercolour", "oil", "impressionist")): _painted,
    frozenset(("cartoon", "comic", "poster", "anime", "illustration")): _poster,
}
