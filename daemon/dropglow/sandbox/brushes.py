"""Give the painters their means: colours, gradients, noise, grain.

Pillow and the standard library only. Noise comes from a seeded generator and not from Pillow's own, because the same
request must give the same picture.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias, cast

from PIL import Image, ImageChops

__all__ = ["Colour", "clouds", "colour_at", "gradient", "grain", "mix", "noise", "screen", "shade"]

Colour: TypeAlias = "tuple[int, int, int]"
STEPS: Final = 256
GRAIN_TILE: Final = 256


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return a colour between two, at a share of 0 to 1 of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour made darker (below 1) or lighter (above 1)."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def colour_at(picture: Image.Image, place: tuple[float, float]) -> Colour:
    """Return the colour at a place in pixels, or the nearest one inside the picture."""
    x = max(0, min(picture.width - 1, int(place[0])))
    y = max(0, min(picture.height - 1, int(place[1])))
    return cast("Colour", picture.getpixel((x, y)))


def gradient(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Return a picture whose colour changes from top (0) to bottom (1) through the given stops."""
    column = bytearray()
    for step in range(STEPS):
        column += bytes(_between(stops, step / (STEPS - 1)))
    strip = Image.frombytes("RGB", (1, STEPS), bytes(column))
    return strip.resize(size, Image.Resampling.BICUBIC)


def noise(dice: random.Random, cells: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Return soft grey noise (mode L) with so many cells across and down."""
    width, height = max(2, cells[0]), max(2, cells[1])
    coarse = Image.frombytes("L", (width, height), dice.randbytes(width * height))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def clouds(dice: random.Random, size: tuple[int, int], *, cells: int, stretch: float = 1.0) -> Image.Image:
    """Return fractal grey noise (mode L); ``stretch`` above 1 draws it out sideways."""
    down = max(2, round(cells * size[1] / size[0] * stretch))
    layer = noise(dice, (cells, down), size)
    for octave, share in ((2, 0.42), (4, 0.3), (9, 0.2)):
        layer = Image.blend(layer, noise(dice, (cells * octave, down * octave), size), share)
    return layer


def grain(picture: Image.Image, dice: random.Random, *, strength: float) -> Image.Image:
    """Return the picture with the fine unevenness of film; ``strength`` is a share of 0 to 1."""
    tile = Image.frombytes("L", (GRAIN_TILE, GRAIN_TILE), dice.randbytes(GRAIN_TILE * GRAIN_TILE))
    tile = tile.point([round(128 + (level - 128) * strength) for level in range(256)])
    sheet = Image.new("L", picture.size)
    for left in range(0, picture.width, GRAIN_TILE):
        for top in range(0, picture.height, GRAIN_TILE):
            sheet.paste(tile, (left, top))
    return ImageChops.add(picture, Image.merge("RGB", (sheet, sheet, sheet)), offset=-128)


def screen(picture: Image.Image, colour: Colour, mask: Image.Image) -> Image.Image:
    """Return the picture with light of a colour thrown on it where the mask (mode L) is bright."""
    light = Image.composite(Image.new("RGB", picture.size, colour), Image.new("RGB", picture.size), mask)
    return ImageChops.screen(picture, light)


def _between(stops: Sequence[tuple[float, Colour]], place: float) -> Colour:
    for (low, first), (high, second) in pairwise(stops):
        if place <= high:
            return mix(first, second, max(0.0, place - low) / max(1e-6, high - low))
    return stops[-1][1]
