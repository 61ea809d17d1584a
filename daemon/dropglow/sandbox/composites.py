"""Set an object into a scene: its place, its shadow, the scene's light upon it.

The object is a picture of mode RGBA; scenes are of mode RGB and are returned anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

from dropglow.sandbox.cutouts import Cutout
from dropglow.sandbox.surroundings import Box

__all__ = ["Setting", "feather", "keep_in_place", "place_object", "set_object", "soften"]

# Shadows are soft: they are painted at this many pixels on the longer side.
COARSE: Final = 480
# How long a shadow lies, as a share of the object's height, and how dark the darkest is, of 255.
LENGTH: Final = 0.3
DARKEST: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Hold how an object is set: the share of the scene's light it takes, the share of shadow, and where that falls.

    ``lean`` is how far aside the shadow falls, as a share of its length; to the left below 0.
    """

    harmony: float
    shadow: float
    lean: float


def place_object(cutout: Cutout, area: Image.Image) -> tuple[Image.Image, Box]:
    """Return the object scaled into the white area (mode L, the scene's size), and its box.

    An object with an outline stands on the foot of the area as large as its shape allows; a whole photo fills the area
    and takes its shape. An area without any white is the whole scene.
    """
    left, top, right, bottom = area.point([255 * (level > 127) for level in range(256)]).getbbox() or (
        0, 0, *area.size,
    )  # fmt: skip
    room = right - left, bottom - top
    picture = cutout.picture
    if cutout.whole:
        scale = max(room[0] / picture.width, room[1] / picture.height)
        wide, high = room[0] / scale, room[1] / scale
        x, y = (picture.width - wide) / 2, (picture.height - high) / 2
        filled = picture.resize(room, Image.Resampling.LANCZOS, box=(x, y, x + wide, y + high))
        filled.putalpha(_shape(area, (left, top, right, bottom)))
        return filled, Box(left=left, top=top, right=right, bottom=bottom)
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    start = left + (room[0] - size[0]) // 2
    box = Box(left=start, top=bottom - size[1], right=start + size[0], bottom=bottom)
    return picture.resize(size, Image.Resampling.LANCZOS), box


def keep_in_place(photo: Image.Image, kept: Image.Image, canvas: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Return the photo, whole and in the middle of the canvas, opaque where the mask (mode L) is white, and its box."""
    scale = min(canvas[0] / photo.width, canvas[1] / photo.height)
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    left, top = (canvas[0] - size[0]) // 2, (canvas[1] - size[1]) // 2
    thing = photo.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    thing.putalpha(feather(kept.resize(size, Image.Resampling.BILINEAR), min(size) / 250))
    return thing, Box(left=left, top=top, right=left + size[0], bottom=top + size[1])


def soften(thing: Image.Image, box: Box, canvas: tuple[int, int]) -> Image.Image:
    """Return a whole photo with edges that fade out where they lie inside the canvas."""
    soft = max(1, min(box.size) // 14)
    sides = box.left > 0, box.top > 0, box.right < canvas[0], box.bottom < canvas[1]
    opacity = Image.new("L", (thing.width + 4 * soft, thing.height + 4 * soft), 255)
    frame = [soft * (3 if inside else 0) for inside in sides]
    hollow = (frame[0], frame[1], opacity.width - frame[2], opacity.height - frame[3])
    faded = Image.new("L", opacity.size)
    faded.paste(opacity.crop(hollow), hollow[:2])
    faded = feather(faded, soft * 0.45)
    soft_edged = thing.copy()
    soft_edged.putalpha(faded.crop((2 * soft, 2 * soft, 2 * soft + thing.width, 2 * soft + thing.height)))
    return soft_edged


def set_object(scene: Image.Image, thing: Image.Image, box: Box, setting: Setting) -> Image.Image:
    """Return the scene with the object in its box, standing in the scene's light and casting a shadow."""
    shown = _shadowed(scene, thing, box, setting)
    place = (box.left, box.top, box.right, box.bottom)
    behind = shown.crop(place)
    opacity = thing.getchannel("A")
    body = thing.convert("RGB")
    if setting.harmony > 0:
        body = _lit(body, setting)
        body = _harmonised(body, opacity, _neighbourhood(scene, box), setting.harmony)
        body = _wrapped(body, opacity, behind, setting.harmony)
    shown.paste(body, place[:2], opacity)
    return shown


def feather(mask: Image.Image, radius: float) -> Image.Image:
    """Return a mask with soft edges that lie inside the old ones."""
    part = max(1, int(radius / 2))
    small = max(1, mask.width // part), max(1, mask.height // part)
    soft = mask.resize(small, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(radius / part))
    soft = soft.point([max(0, (level - 64) * 255 // 191) for level in range(256)])
    return ImageChops.multiply(soft.resize(mask.size, Image.Resampling.BICUBIC), mask)


def _shape(area: Image.Image, place: tuple[int, int, int, int]) -> Image.Image:
    # Blurred with what is around it, so that the edges of the area fade as well.
    return feather(area, max(1.0, min(area.size) / 160)).crop(place)


def _neighbourhood(scene: Image.Image, box: Box) -> Image.Image:
    """Return the scene around the box, small: its light is what falls on the object."""
    width, height = box.size
    around = (
        max(0, box.left - width // 2),
        max(0, box.top - height // 3),
        min(scene.width, box.right + width // 2),
        min(scene.height, box.bottom + height // 3),
    )
    return scene.resize((64, 64), Image.Resampling.BOX, box=around)


def _lit(body: Image.Image, setting: Setting) -> Image.Image:
    """Return the object brighter on the side that its shadow falls away from."""
    side = Image.linear_gradient("L").rotate(90 if setting.lean < 0 else -90)
    strength = 0.9 * setting.harmony * min(1.0, abs(setting.lean))
    side = side.point([128 + round((level - 128) * strength) for level in range(256)])
    side = side.resize(body.size, Image.Resampling.BILINEAR)
    return ImageChops.soft_light(body, Image.merge("RGB", (side, side, side)))


def _harmonised(body: Image.Image, opacity: Image.Image, near: Image.Image, harmony: float) -> Image.Image:
    """Return the object's colours moved towards those around it: their tone, their contrast, their brightness."""
    solid = opacity.point([255 * (level > 127) for level in range(256)])
    own = ImageStat.Stat(body, solid) if solid.getbbox() else ImageStat.Stat(body)
    theirs = ImageStat.Stat(near)
    channels = []
    for index, channel in enumerate(body.split()):
        mean, wanted = own.mean[index], theirs.mean[index]
        contrast = max(0.7, min(1.15, (theirs.stddev[index] + 24) / (own.stddev[index] + 24)))
        factor = 1 + harmony * 0.6 * (contrast - 1)
        centre = mean + harmony * 0.5 * (wanted - mean)
        channels.append(channel.point([_level(centre + (level - mean) * factor) for level in range(256)]))
    return Image.merge("RGB", channels)


def _wrapped(body: Image.Image, opacity: Image.Image, behind: Image.Image, harmony: float) -> Image.Image:
    """Return the object with the light of what is behind it around its edges."""
    width = max(1.0, min(body.size) / 60)
    small = max(1, round(body.width / width)), max(1, round(body.height / width))
    rim = opacity.resize(small, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1.2))
    rim = rim.resize(body.size, Image.Resampling.BICUBIC)
    rim = rim.point([round((255 - level) * 0.75 * harmony) for level in range(256)])
    glow = behind.resize(small, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(2))
    return Image.composite(glow.resize(body.size, Image.Resampling.BICUBIC), body, rim)


def _shadowed(scene: Image.Image, thing: Image.Image, box: Box, setting: Setting) -> Image.Image:
    """Return the scene with a shadow that lies on the ground, and a darker one where the object touches it."""
    if setting.shadow <= 0:
        return scene.copy()
    lean = setting.lean
    scale = min(1.0, COARSE / max(scene.size))
    coarse = max(2, round(scene.width * scale)), max(2, round(scene.height * scale))
    size = max(1, round(thing.width * scale)), max(1, round(thing.height * scale))
    foot = box.left * scale, box.bottom * scale
    opacity = thing.getchannel("A").resize(size, Image.Resampling.BOX)
    canvas = Image.new("L", coarse)
    canvas.paste(opacity, (round(foot[0]), round(foot[1]) - size[1]))
    # A row of the shadow shows a row of the object that is so many times higher above the ground, moved aside.
    stretch = 1 / LENGTH
    line = foot[1] - size[1] * 0.02
    laid = (1, lean * stretch, -lean * stretch * line, 0, stretch, line - stretch * line)
    cast_down = canvas.transform(coarse, Image.Transform.AFFINE, laid, Image.Resampling.BILINEAR)
    cast_down = cast_down.filter(ImageFilter.GaussianBlur(max(coarse) / 110))
    below = canvas.transform(
        coarse, Image.Transform.AFFINE, (1, 0, 0, 0, 9, foot[1] - 9 * foot[1]), Image.Resampling.BILINEAR
    )
    below = below.filter(ImageFilter.GaussianBlur(max(coarse) / 160))
    both = ImageChops.screen(
        cast_down.point([round(level * 0.62) for level in range(256)]),
        below.point([round(level * 0.55) for level in range(256)]),
    )
    dark = both.point([round(level * DARKEST / 255 * setting.shadow) for level in range(256)])
    dark = dark.resize(scene.size, Image.Resampling.BICUBIC)
    shade = ImageStat.Stat(_neighbourhood(scene, box)).mean
    red, green, blue = (round(part * 0.12) for part in shade)
    return Image.composite(Image.new("RGB", scene.size, (red, green, blue)), scene, dark)


def _level(value: float) -> int:
    return max(0, min(255, round(value)))
