"""Paint what comes of an uploaded picture: variations, fills, composites, enlargements, edits by instruction.

The same arguments give the same bytes. The work is done small and scaled up where nobody sees it; every result
carries the sandbox's ribbon.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps

from dropglow.sandbox.brushes import grain
from dropglow.sandbox.composites import Setting, feather, keep_in_place, place_object, set_object, soften
from dropglow.sandbox.cutouts import cut_out, open_mask
from dropglow.sandbox.finishing import finish, printable
from dropglow.sandbox.grading import bend, grade_photo, relight
from dropglow.sandbox.healing import heal_photo
from dropglow.sandbox.images import paint_scene
from dropglow.sandbox.manners import manner_of
from dropglow.sandbox.moods import read_mood
from dropglow.sandbox.surroundings import open_photo, place_photo

__all__ = [
    "paint_adaptive_composite",
    "paint_edit",
    "paint_fill",
    "paint_object_composite",
    "paint_precise_composite",
    "paint_similar",
    "paint_upscale",
]

# Variations and edits are worked out at this many pixels on the longer side.
COARSE: Final = 1200
# No enlargement has a longer side than this many pixels ("6k" in Adobe's guide to upscaling).
LARGEST: Final = 6144


def paint_similar(source: bytes, *, seed: int, width: int, height: int) -> bytes:
    """Return a JPEG of the given size in pixels that is akin to a photo in palette and composition.

    The seed decides what differs: the crop, the side, the light, where things stand.

    Raises:
        OSError: The photo cannot be read.
    """
    dice = random.Random(f"similar|{seed}|{width}x{height}")
    zoom = dice.uniform(1.04, 1.28)
    centre = dice.uniform(0.25, 0.75), dice.uniform(0.25, 0.75)
    coarse = _coarse((width, height))
    wider = round(coarse[0] * zoom), round(coarse[1] * zoom)
    photo = ImageOps.fit(open_photo(source), wider, Image.Resampling.LANCZOS)
    photo = bend(photo, dice, strength=0.07)
    left, top = round((wider[0] - coarse[0]) * centre[0]), round((wider[1] - coarse[1]) * centre[1])
    photo = photo.crop((left, top, left + coarse[0], top + coarse[1]))
    photo = ImageOps.mirror(photo) if dice.random() < 0.5 else photo
    photo = relight(Image.blend(photo, _in_patches(photo), 0.55), dice)
    return finish(_enlarged(photo, (width, height), dice), "similar", seed=seed)


def paint_fill(
    source: bytes, *, mask: bytes, invert_mask: bool, prompt: str, seed: int, width: int, height: int
) -> bytes:
    """Return a JPEG of the given size in pixels: the photo, painted anew where the mask is white.

    Where it is black, if the mask is inverted. Without a prompt the surroundings grow over the place.

    Raises:
        OSError: The photo or the mask cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"fill|{text}|{seed}|{width}x{height}")
    photo = open_photo(source)
    hole = open_mask(mask, photo.size, inverted=invert_mask)
    photo, hole = (ImageOps.fit(one, (width, height), Image.Resampling.LANCZOS) for one in (photo, hole))
    if not text:
        return finish(heal_photo(photo, hole, dice), "filled", seed=seed)
    return finish(_painted_into(photo, hole, text, dice), f"filled: {text}", seed=seed)


def paint_object_composite(
    source: bytes,
    *,
    mask: bytes | None,
    prompt: str,
    seed: int,
    width: int,
    height: int,
    alignment: tuple[str, str],
    inset: Mapping[str, int],
    content_class: str,
) -> bytes:
    """Return a JPEG of the given size in pixels that shows an object in a scene that suits the prompt.

    The object is what the mask leaves black, else what is not transparent, else what stands on plain ground.
    ``alignment`` is horizontal and vertical, ``inset`` holds margins in pixels by side, as for an expansion; with a
    mask the object stays where it is in its picture. ``content_class`` is `photo` or `art`.

    Raises:
        OSError: The picture or the mask cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"composite|{text}|{seed}|{content_class}|{width}x{height}")
    scene = paint_scene(text, (width, height), content_class=content_class, dice=dice)
    if mask is not None:
        thing, box = keep_in_place(open_photo(source), open_mask(mask, None, inverted=True), scene.size)
        setting = Setting(harmony=0.3, shadow=0.0, lean=0.0)
        return finish(set_object(scene, thing, box, setting), text, seed=seed)
    cutout = cut_out(source, mask=None)
    box = place_photo(cutout.picture.size, scene.size, alignment=alignment, inset=inset)
    thing = cutout.picture.resize(box.size, Image.Resampling.LANCZOS)
    thing = soften(thing, box, scene.size) if cutout.whole else thing
    setting = Setting(harmony=0.45, shadow=0.0 if cutout.whole else 0.9, lean=_lean(dice))
    return finish(set_object(scene, thing, box, setting), text, seed=seed)


def paint_precise_composite(
    background: bytes, *, area: bytes, object_: bytes, blend: float, seed: int, media_type: str
) -> bytes:
    """Return the background with an object in the white part of the area, at the background's size.

    ``blend`` is 0 for an object in the background's light and 1 for its own colours (Adobe's OpenAPI document,
    PreciseCompositeRequest). ``media_type`` is image/png, image/jpeg or image/webp.

    Raises:
        OSError: One of the pictures cannot be read.
    """
    dice = random.Random(f"precise|{seed}")
    scene = open_photo(background)
    thing, box = place_object(cut_out(object_, mask=None), open_mask(area, scene.size))
    setting = Setting(harmony=1 - blend, shadow=0.35, lean=_lean(dice))
    return finish(
        set_object(scene, thing, box, setting), "precise composite", seed=seed, media_type=media_type
    )


def paint_adaptive_composite(
    background: bytes,
    *,
    area: bytes,
    object_: bytes,
    object_mask: bytes | None,
    harmonization: float,
    shadow_intensity: float,
    preserve_background: bool,
    seed: int,
    media_type: str,
) -> bytes:
    """Return the background with an object in the white part of the area, in its light and with its shadow.

    ``harmonization`` and ``shadow_intensity`` are 0 to 1 (Adobe's OpenAPI document, AdaptiveCompositeRequest). What
    the area shows is painted over first, unless the background is to be preserved. The object is what is white in its mask.

    Raises:
        OSError: One of the pictures cannot be read.
    """
    dice = random.Random(f"adaptive|{seed}")
    scene = open_photo(background)
    place = open_mask(area, scene.size)
    thing, box = place_object(cut_out(object_, mask=object_mask), place)
    if not preserve_background:
        scene = heal_photo(scene, place, dice)
    setting = Setting(harmony=harmonization, shadow=shadow_intensity, lean=_lean(dice))
    return finish(
        set_object(scene, thing, box, setting), "adaptive composite", seed=seed, media_type=media_type
    )


def paint_upscale(source: bytes, *, factor: int, seed: int) -> bytes:
    """Return a JPEG in RGB that is ``factor`` times as large as the photo, but at most 6144 pixels on a side.

    Raises:
        OSError: The photo cannot be read.
    """
    dice = random.Random(f"upscale|{seed}|{factor}")
    photo = open_photo(source)
    scale = min(float(factor), LARGEST / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    # Sharpened before it is large: the same look for a tenth of the time.
    crisp = photo.filter(ImageFilter.UnsharpMask(radius=1.1, percent=110, threshold=2))
    enlarged = grain(crisp.resize(size, Image.Resampling.LANCZOS), dice, strength=0.02)
    return finish(enlarged, f"enlarged {factor} times", seed=seed)


def paint_edit(source: bytes, *, prompt: str, seed: int, width: int, height: int) -> bytes:
    """Return a JPEG of the given size in pixels: the photo changed in light, weather or manner as the prompt says.

    Raises:
        OSError: The photo cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"edit|{text}|{seed}|{width}x{height}")
    photo = ImageOps.fit(open_photo(source), _coarse((width, height)), Image.Resampling.LANCZOS)
    words = frozenset(re.findall(r"[a-z]+", text.casefold()))
    manner = manner_of(words)
    photo = manner(photo, dice) if manner else grade_photo(photo, read_mood(text, dice), dice)
    return finish(_enlarged(photo, (width, height), dice), f"edited: {text}", seed=seed)


def _painted_into(photo: Image.Image, hole: Image.Image, text: str, dice: random.Random) -> Image.Image:
    """Return the photo with a scene in its hole that takes on something of the light there."""
    box = hole.getbbox()
    if box is None:
        return photo
    size = box[2] - box[0], box[3] - box[1]
    light = photo.resize((6, 6), Image.Resampling.BOX, box=box).resize(size, Image.Resampling.BICUBIC)
    scene = paint_scene(text, size, content_class="photo", dice=dice)
    scene = Image.blend(scene, ImageChops.soft_light(scene, light), 0.35)
    edge = feather(hole, max(1.5, min(size) / 26)).crop(box)
    filled = photo.copy()
    filled.paste(scene, box[:2], edge)
    return filled


def _lean(dice: random.Random) -> float:
    return dice.choice((-1, 1)) * dice.uniform(0.35, 0.9)


def _in_patches(photo: Image.Image) -> Image.Image:
    """Return the photo in small patches of one colour, as a brush leaves them."""
    return photo.reduce(2).filter(ImageFilter.MedianFilter(5)).resize(photo.size, Image.Resampling.BICUBIC)


def _coarse(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, COARSE / max(size))
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))


def _enlarged(photo: Image.Image, size: tuple[int, int], dice: random.Random) -> Image.Image:
    crisp = photo.filter(ImageFilter.UnsharpMask(radius=1.4, percent=70, threshold=2))
    return grain(crisp.resize(size, Image.Resampling.BICUBIC), dice, strength=0.03)
