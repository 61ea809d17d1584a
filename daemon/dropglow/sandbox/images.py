"""Paint the sandbox's pictures: compositions for prompts, and photos with new surroundings.

The same arguments give the same bytes. Everything is painted small and scaled up, so that a picture of four
megapixels takes about a quarter of a second. Every picture carries a ribbon that says where it comes from.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from PIL import Image, ImageOps

from dropglow.sandbox.brushes import grain
from dropglow.sandbox.finishing import finish, printable
from dropglow.sandbox.graphics import paint_graphics
from dropglow.sandbox.moods import read_mood
from dropglow.sandbox.scenery import paint_scenery
from dropglow.sandbox.surroundings import expand_photo, open_photo, place_photo

__all__ = ["paint_expansion", "paint_prompt", "paint_scene"]

COARSE: Final = 800


def paint_prompt(prompt: str, *, seed: int, content_class: str, width: int, height: int) -> bytes:
    """Return a JPEG of the given size in pixels that suits a prompt.

    ``content_class`` is `photo` or `art`: a soft landscape or a graphic poster.
    """
    text = printable(prompt)
    dice = random.Random(f"{text}|{seed}|{content_class}|{width}x{height}")
    picture = paint_scene(text, (width, height), content_class=content_class, dice=dice)
    return finish(picture, text, seed=seed)


def paint_scene(text: str, size: tuple[int, int], *, content_class: str, dice: random.Random) -> Image.Image:
    """Return what a text describes at a size in pixels, without a ribbon; ``content_class`` as for a prompt."""
    scale = min(1.0, COARSE / max(size))
    coarse = max(16, round(size[0] * scale)), max(16, round(size[1] * scale))
    mood = read_mood(text, dice)
    paint = paint_graphics if content_class == "art" else paint_scenery
    picture = paint(coarse, mood, dice).resize(size, Image.Resampling.BICUBIC)
    return grain(picture, dice, strength=0.035 if content_class == "art" else 0.055)


def paint_expansion(
    source: bytes,
    *,
    width: int,
    height: int,
    alignment: tuple[str, str],
    inset: Mapping[str, int],
    mask: bytes | None,
    invert_mask: bool = False,
    seed: int,
    prompt: str,
) -> bytes:
    """Return a JPEG of the given size in pixels that shows a photo with painted surroundings.

    ``alignment`` is horizontal (left, center, right) and vertical (top, center, bottom); ``inset`` holds margins in
    pixels by side. White parts of the mask are painted over, or black ones if it is inverted. The photo's EXIF orientation is respected.

    Raises:
        OSError: The photo or the mask cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"{text}|{seed}|{width}x{height}")
    photo = open_photo(source)
    box = place_photo(photo.size, (width, height), alignment=alignment, inset=inset)
    stencil = open_photo(mask).convert("L") if mask is not None else None
    if stencil is not None and invert_mask:
        stencil = ImageOps.invert(stencil)
    picture = expand_photo(photo, (width, height), box, mask=stencil, dice=dice)
    return finish(picture, text or "expanded", seed=seed)
