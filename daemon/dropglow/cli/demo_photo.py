"""Paint the photo that the demo drops: a lake in the morning, with a camera's data in it.

Drawn here, so that nothing has to be downloaded and nobody's picture is given
away. The same bytes each time.
"""

from __future__ import annotations

import io
import math
import random
from typing import Final

from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter, ImageOps

WIDTH: Final = 1200
HEIGHT: Final = 800
SHORE: Final = 520  # pixels from the top

_Colour = tuple[int, int, int]

_SKY: Final[tuple[_Colour, ...]] = ((58, 98, 150), (150, 172, 196), (255, 205, 150))
_HILLS: Final[tuple[tuple[int, int, _Colour], ...]] = (  # crest and roughness in pixels, colour
    (340, 70, (142, 152, 176)),
    (400, 50, (98, 116, 138)),
    (455, 36, (58, 82, 88)),
    (495, 18, (30, 50, 46)),
)
_SUN: Final = (850, 262)
_GLOW: Final = 900  # pixels across


def photo() -> bytes:
    """Return a JPEG of 1200x800 pixels with EXIF data."""
    dice = random.Random(7)
    above = _sky()
    for crest, roughness, colour in _HILLS:
        above = _hill(above, dice, crest=crest, roughness=roughness, colour=colour)
    picture = _mirrored(above, dice)
    noise = Image.frombytes("L", picture.size, dice.randbytes(WIDTH * HEIGHT))
    noise = noise.filter(ImageFilter.GaussianBlur(0.8))
    picture = Image.blend(picture, ImageChops.overlay(picture, Image.merge("RGB", [noise] * 3)), 0.14)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90, exif=_camera())
    return stream.getvalue()


def _sky() -> Image.Image:
    gradient = Image.linear_gradient("L").resize((WIDTH, SHORE))
    sky = ImageOps.colorize(gradient, black=_SKY[0], mid=_SKY[1], white=_SKY[2], midpoint=95)
    glow = (
        ImageOps.invert(Image.radial_gradient("L"))
        .resize((_GLOW, _GLOW))
        .point(lambda value: round(value**3 / 65025 * 0.85))
    )
    light = Image.new("RGB", sky.size)
    corner = (_SUN[0] - _GLOW // 2, _SUN[1] - _GLOW // 2)
    light.paste(ImageOps.colorize(glow, black=(0, 0, 0), white=(255, 214, 150)), corner)
    disc = Image.new("RGB", sky.size)
    ImageDraw.Draw(disc).circle(_SUN, 30, fill=(255, 250, 225))
    return ImageChops.screen(ImageChops.screen(sky, light), disc.filter(ImageFilter.GaussianBlur(3)))


def _hill(
    picture: Image.Image, dice: random.Random, *, crest: int, roughness: int, colour: _Colour
) -> Image.Image:
    """Return *picture* with one more ridge in front, lighter towards its foot, where the mist lies."""
    waves = [
        (dice.uniform(0.4, 1.0) / step, step * dice.uniform(2.2, 3.1), dice.uniform(0, 6))
        for step in (1, 2, 4, 9)
    ]
    line = [
        (
            x,
            crest
            - roughness * sum(high * math.sin(fast * x / WIDTH * math.pi + at) for high, fast, at in waves),
        )
        for x in range(0, WIDTH + 8, 8)
    ]
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon([*line, (WIDTH + 8, SHORE), (0, SHORE)], fill=255)
    mist: _Colour = tuple(min(255, part + 46) for part in colour)  # type: ignore[assignment]
    slope = Image.new("L", picture.size)
    top = crest - 2 * roughness
    slope.paste(Image.linear_gradient("L").resize((WIDTH, SHORE - top)), (0, top))
    return Image.composite(
        ImageOps.colorize(slope, black=colour, white=mist),
        picture,
        mask.filter(ImageFilter.GaussianBlur(1.2)),
    )


def _mirrored(above: Image.Image, dice: random.Random) -> Image.Image:
    """Return the whole picture: *above* the shore, and its image in the water below."""
    depth = HEIGHT - SHORE
    water = ImageOps.flip(above).crop((0, 0, WIDTH, depth)).filter(ImageFilter.BoxBlur(2))
    water = ImageChops.multiply(water, Image.new("RGB", water.size, (176, 188, 204)))
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    picture.paste(above, (0, 0))
    for y in range(depth):  # ripples: each row is moved a little, more so towards the viewer
        sway = round(math.sin(y * 0.55 + dice.uniform(-0.6, 0.6)) * (1 + y / 40))
        row = ImageChops.offset(water.crop((0, y, WIDTH, y + 1)), sway, 0)
        picture.paste(row, (0, SHORE + y))
    return picture


def _camera() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Dropglow"
    exif[ExifTags.Base.Model] = "Demo Camera"
    exif[ExifTags.Base.DateTime] = "2026:05:17 06:12:40"
    exif[ExifTags.Base.ImageDescription] = "A lake in the morning, drawn by a program"
    exif[ExifTags.Base.Orientation] = 1
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:05:17 06:12:40"
    details[ExifTags.Base.ExposureTime] = (1, 125)
    details[ExifTags.Base.FNumber] = (8, 1)
    details[ExifTags.Base.ISOSpeedRatings] = 100
    details[ExifTags.Base.FocalLength] = (35, 1)
    return exif
