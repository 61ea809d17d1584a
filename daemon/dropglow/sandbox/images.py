"""Paint the sandbox's pictures: compositions for prompts, and photos with new surroundings.

The same arguments give the same bytes. Everything is painted small and scaled up, so that a picture of four
megapixels takes about a quarter of a second. Every picture carries a ribbon that says where it comes from.
"""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Mapping
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from dropglow.sandbox.brushes import grain
from dropglow.sandbox.graphics import paint_graphics
from dropglow.sandbox.moods import read_mood
from dropglow.sandbox.scenery import paint_scenery
from dropglow.sandbox.surroundings import expand_photo, open_photo, place_photo

__all__ = ["paint_expansion", "paint_prompt"]

QUALITY: Final = 88
COARSE: Final = 800
EXCERPT: Final = 56


def paint_prompt(prompt: str, *, seed: int, content_class: str, width: int, height: int) -> bytes:
    """Return a JPEG of the given size in pixels that suits a prompt.

    ``content_class`` is `photo` or `art`: a soft landscape or a graphic poster.
    """
    text = _printable(prompt)
    dice = random.Random(f"{text}|{seed}|{content_class}|{width}x{height}")
    scale = min(1.0, COARSE / max(width, height))
    coarse = max(16, round(width * scale)), max(16, round(height * scale))
    mood = read_mood(text, dice)
    paint = paint_graphics if content_class == "art" else paint_scenery
    picture = paint(coarse, mood, dice).resize((width, height), Image.Resampling.BICUBIC)
    picture = grain(picture, dice, strength=0.035 if content_class == "art" else 0.055)
    return _encode(_ribbon(picture, text, seed=seed))


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
    text = _printable(prompt)
    dice = random.Random(f"{text}|{seed}|{width}x{height}")
    photo = open_photo(source)
    box = place_photo(photo.size, (width, height), alignment=alignment, inset=inset)
    stencil = open_photo(mask).convert("L") if mask is not None else None
    if stencil is not None and invert_mask:
        stencil = ImageOps.invert(stencil)
    picture = expand_photo(photo, (width, height), box, mask=stencil, dice=dice)
    return _encode(_ribbon(picture, text or "expanded", seed=seed))


def _printable(text: str) -> str:
    """Return the text without what no font and no encoder can take: lone surrogates, control characters."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in clean).split())


def _ribbon(picture: Image.Image, text: str, *, seed: int) -> Image.Image:
    """Return the picture with a strip at its foot: sandbox, the prompt's beginning, the seed."""
    size = max(9, min(picture.size) // 58)
    excerpt = text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"
    pad = round(size * 0.7)
    draw = ImageDraw.Draw(picture, "RGBA")
    words = f"sandbox  ·  {excerpt}  ·  seed {seed}"
    font = _font(size)
    wide = min(picture.width, round(draw.textlength(words, font=font)) + 3 * pad)
    top = picture.height - round(size * 2.3)
    draw.rectangle((0, top, wide, picture.height), fill=(14, 18, 26, 150))
    draw.rectangle((0, top, max(2, pad // 3), picture.height), fill=(255, 122, 60, 235))
    draw.text(
        (round(1.4 * pad), top + (picture.height - top) / 2),
        words,
        fill=(244, 244, 246, 235),
        font=font,
        anchor="lm",
    )
    return picture


@functools.lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
