"""Find the object in a picture: by its mask, by its transparency, or by the plain ground it stands on."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final, cast

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, ImageStat

from dropglow.sandbox.brushes import Colour
from dropglow.sandbox.surroundings import open_photo

__all__ = ["Cutout", "cut_out", "open_mask"]

# The ground is looked for at this many pixels on the longer side.
COARSE: Final = 400
# How much a plain ground may vary along the picture's edge, and how far an object's colour is from it.
PLAIN: Final = 14.0
APART: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """Hold an object (mode RGBA, cropped to itself), and whether it is a whole photo without an outline of its own."""

    picture: Image.Image
    whole: bool


def cut_out(content: bytes, *, mask: bytes | None) -> Cutout:
    """Return the object of a picture: white in the mask, else what is not transparent, else what is on plain ground.

    Raises:
        OSError: The picture or the mask cannot be read.
    """
    photo = open_photo(content)
    outline = _transparency(content)
    if mask is not None:
        marked = open_mask(mask, photo.size)
        outline = ImageChops.multiply(outline, marked) if outline else marked
    outline = outline or _on_plain_ground(photo)
    box = outline.getbbox() if outline else None
    whole = outline is None or box is None or outline.getextrema()[0] == 255
    picture = photo.convert("RGBA")
    if outline is None or box is None:
        return Cutout(picture=picture, whole=True)
    picture.putalpha(outline)
    return Cutout(picture=picture.crop(box), whole=whole)


def open_mask(content: bytes, size: tuple[int, int] | None, *, inverted: bool = False) -> Image.Image:
    """Return a mask (mode L), stretched to a size in pixels if one is given.

    Raises:
        OSError: The mask cannot be read.
    """
    mask = open_photo(content).convert("L")
    mask = mask.resize(size, Image.Resampling.BILINEAR) if size else mask
    return ImageOps.invert(mask) if inverted else mask


def _transparency(content: bytes) -> Image.Image | None:
    """Return the picture's opacity (mode L), unless it is opaque all over."""
    with Image.open(io.BytesIO(content)) as opened:
        if "A" not in opened.getbands() and "transparency" not in opened.info:
            return None
        opacity = ImageOps.exif_transpose(opened).convert("RGBA").getchannel("A")
    return opacity if cast("tuple[int, int]", opacity.getextrema())[0] < 255 else None


def _on_plain_ground(photo: Image.Image) -> Image.Image | None:
    """Return the outline (mode L) of what stands on one plain colour; nothing if the photo's edge is not plain."""
    small = photo.copy()
    small.thumbnail((COARSE, COARSE))
    if min(small.size) < 8:
        return None
    edge = Image.new("L", small.size, 255)
    edge.paste(0, (2, 2, small.width - 2, small.height - 2))
    spread = ImageStat.Stat(small, edge)
    if max(spread.stddev) > PLAIN:
        return None
    red, green, blue = (round(part) for part in spread.mean)
    inside = _apart(small, (red, green, blue)).point([255 * (level > APART) for level in range(256)])
    framed = ImageOps.expand(inside, border=1, fill=0)
    ImageDraw.floodfill(framed, (0, 0), 128)
    # Islands of the ground's colour within the object belong to the object.
    body = framed.crop((1, 1, small.width + 1, small.height + 1)).point(
        [255 * (level != 128) for level in range(256)]
    )
    # Its rim has taken on the colour of the ground.
    body = body.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.MinFilter(3))
    return body.filter(ImageFilter.GaussianBlur(1)).resize(photo.size, Image.Resampling.BICUBIC)


def _apart(photo: Image.Image, ground: Colour) -> Image.Image:
    """Return how far each pixel is from the ground's colour (mode L)."""
    red, green, blue = ImageChops.difference(photo, Image.new("RGB", photo.size, ground)).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)
