"""Continue a photo beyond its edges.

The photo's own edge zones are drawn out and mirrored into the new area through a distorting mesh, and lose their
detail with the distance from the photo, so that nothing repeats and no seam shows. The photo itself is untouched but
for a thin feathered rim.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from dropglow.sandbox.brushes import clouds

__all__ = ["Box", "expand_photo", "place_photo"]

# The new area is painted at this many pixels on its longer side.
COARSE: Final = 900
CELLS: Final = 30
# The share of the photo, from its edge inward, that the new area is made of.
REACH: Final = 0.26


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Hold a rectangle in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height."""
        return self.right - self.left, self.bottom - self.top


def place_photo(
    photo: tuple[int, int], canvas: tuple[int, int], *, alignment: tuple[str, str], inset: Mapping[str, int]
) -> Box:
    """Return where a photo lies on the canvas, both given as width and height in pixels.

    Inside the margins if there are any, as large as its shape allows. Else at its own size where that is between
    half and four fifths of what would fit, aligned as asked.
    """
    left, top = max(0, inset.get("left", 0)), max(0, inset.get("top", 0))
    right = canvas[0] - max(0, inset.get("right", 0))
    bottom = canvas[1] - max(0, inset.get("bottom", 0))
    if right - left < 8 or bottom - top < 8:
        left, top, right, bottom = 0, 0, *canvas
    fit = min((right - left) / photo[0], (bottom - top) / photo[1])
    scale = fit if any(inset.values()) else max(0.5 * fit, min(1.0, 0.8 * fit))
    width, height = max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))
    x = {"left": left, "right": right - width}.get(alignment[0], (left + right - width) // 2)
    y = {"top": top, "bottom": bottom - height}.get(alignment[1], (top + bottom - height) // 2)
    return Box(left=x, top=y, right=x + width, bottom=y + height)


def expand_photo(
    photo: Image.Image, canvas: tuple[int, int], box: Box, *, mask: Image.Image | None, dice: random.Random
) -> Image.Image:
    """Return the canvas with the photo in its box and painted surroundings.

    Where the mask (mode L, any size) is white, the surroundings are painted over the photo.
    """
    scale = min(1.0, COARSE / max(canvas))
    coarse = max(16, round(canvas[0] * scale)), max(16, round(canvas[1] * scale))
    inner = Box(
        left=round(box.left * coarse[0] / canvas[0]),
        top=round(box.top * coarse[1] / canvas[1]),
        right=max(1, round(box.right * coarse[0] / canvas[0])),
        bottom=max(1, round(box.bottom * coarse[1] / canvas[1])),
    )
    around = _surround(photo, coarse, inner, dice)
    if mask is not None:
        # The mesh copies the photo where it lies; what is to be painted over loses its detail there.
        smooth = around.filter(ImageFilter.GaussianBlur(max(coarse) / 16))
        around = Image.composite(smooth, around, mask.resize(coarse))
    around = around.resize(canvas, Image.Resampling.BICUBIC)
    placed = photo.resize(box.size, Image.Resampling.LANCZOS)
    rim = _rim(canvas, box)
    if mask is not None:
        kept = ImageOps.invert(mask.resize(canvas)).crop((box.left, box.top, box.right, box.bottom))
        rim = ImageChops.multiply(rim, kept.filter(ImageFilter.GaussianBlur(3)))
    around.paste(placed, (box.left, box.top), rim)
    return around


def open_photo(content: bytes) -> Image.Image:
    """Return an uploaded picture upright, in RGB, transparent parts on white.

    Raises:
        OSError: The bytes are not a picture that can be read here.
    """
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
    if "A" in upright.getbands() or "transparency" in upright.info:
        layered = upright.convert("RGBA")
        ground = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(ground, layered)
    return upright.convert("RGB")


def _surround(photo: Image.Image, coarse: tuple[int, int], box: Box, dice: random.Random) -> Image.Image:
    small = photo.resize((max(2, box.size[0]), max(2, box.size[1])), Image.Resampling.BOX)
    drawn = small.transform(coarse, Image.Transform.MESH, _mesh(coarse, box, dice), Image.Resampling.BILINEAR)
    distance = _distance(coarse, box)
    for radius, start, full in ((2, 8, 40), (6, 30, 90), (16, 70, 180), (36, 150, 255)):
        span = full - start
        share = distance.point([max(0, min(255, (level - start) * 255 // span)) for level in range(256)])
        drawn = Image.composite(
            drawn.filter(ImageFilter.GaussianBlur(radius * max(coarse) / COARSE)), drawn, share
        )
    # What was smoothed away comes back as unevenness, the more the farther out.
    texture = clouds(dice, coarse, cells=14)
    texture = texture.point([128 + round((level - 128) * 0.28) for level in range(256)])
    uneven = ImageChops.soft_light(drawn, Image.merge("RGB", (texture, texture, texture)))
    return Image.composite(uneven, drawn, distance.point([min(255, level * 3) for level in range(256)]))


def _mesh(
    coarse: tuple[int, int], box: Box, dice: random.Random
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Return cells of the canvas and the corners they are taken from, in pixels of the small photo."""
    xs, ys = _lines(coarse[0], box.left, box.right), _lines(coarse[1], box.top, box.bottom)
    jitter = {(x, y): (dice.uniform(-1, 1), dice.uniform(-1, 1)) for x in xs for y in ys}
    source = {(x, y): _origin(x, y, box, jitter[x, y]) for x in xs for y in ys}
    cells = []
    for left, right in pairwise(xs):
        for top, bottom in pairwise(ys):
            corners = (source[left, top], source[left, bottom], source[right, bottom], source[right, top])
            cells.append(((left, top, right, bottom), tuple(part for corner in corners for part in corner)))
    return cells


def _lines(extent: int, low: int, high: int) -> list[int]:
    step = max(6, extent // CELLS)
    lines = {0, extent, *range(0, extent, step)}
    # The photo's own edges are lines of the mesh, so that it continues exactly from there.
    near = {line for line in lines if min(abs(line - low), abs(line - high)) >= step // 2}
    return sorted(near | {0, extent} | {line for line in (low, high) if 0 < line < extent})


def _origin(x: int, y: int, box: Box, jitter: tuple[float, float]) -> tuple[float, float]:
    width, height = box.size
    across, out_x = _fold(x - box.left, width)
    along, out_y = _fold(y - box.top, height)
    sway = min(0.07 * min(width, height), 0.22 * max(out_x, out_y))
    return (
        max(0.0, min(width - 1.0, across + jitter[0] * sway)),
        max(0.0, min(height - 1.0, along + jitter[1] * sway)),
    )


def _fold(place: int, extent: int) -> tuple[float, float]:
    """Return where along the photo a place beyond its edge is taken from, and how far beyond it is."""
    out = max(-place, place - extent, 0)
    if not out:
        return float(place), 0.0
    # Near the edge a mirror, farther out ever more drawn out; never deep into the photo.
    depth = REACH * extent
    inward = depth * (1 - math.exp(-out * 0.8 / depth))
    return (inward if place < 0 else extent - inward), float(out)


def _distance(coarse: tuple[int, int], box: Box) -> Image.Image:
    """Return how far outside the box each pixel is (mode L); 255 is a third of the canvas' longer side."""
    unit = 255 / (max(coarse) / 3)
    row = bytes(min(255, round(max(box.left - x, x - box.right, 0) * unit)) for x in range(coarse[0]))
    column = bytes(min(255, round(max(box.top - y, y - box.bottom, 0) * unit)) for y in range(coarse[1]))
    across = Image.frombytes("L", (coarse[0], 1), row).resize(coarse, Image.Resampling.NEAREST)
    down = Image.frombytes("L", (1, coarse[1]), column).resize(coarse, Image.Resampling.NEAREST)
    return ImageChops.lighter(across, down)


def _rim(canvas: tuple[int, int], box: Box) -> Image.Image:
    """Return the photo's mask: opaque, but soft along the edges that lie inside the canvas."""
    width, height = box.size
    soft = max(2, min(width, height) // 40)
    if min(width, height) < 4 * soft:
        return Image.new("L", (width, height), 255)
    solid = [
        soft if box.left > 0 else -soft * 3,
        soft if box.top > 0 else -soft * 3,
        width - soft if box.right < canvas[0] else width + soft * 3,
        height - soft if box.bottom < canvas[1] else height + soft * 3,
    ]
    # Blurred small: a wide blur of a large mask would cost more than the whole rest.
    part = max(1, soft // 3)
    mask = Image.new("L", (max(1, width // part), max(1, height // part)))
    ImageDraw.Draw(mask).rectangle([value / part for value in solid], fill=255)
    return mask.filter(ImageFilter.GaussianBlur(soft / part / 2.2)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
