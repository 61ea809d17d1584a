"""Finish a painted picture: the ribbon that says where it comes from, and the bytes.

The same picture gives the same bytes in every format.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

__all__ = ["finish", "printable", "tie_ribbon"]

JPEG: Final = "image/jpeg"
EXCERPT: Final = 56
# By media type: Pillow's name of the format, and settings that are quick for large pictures.
FORMATS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    JPEG: ("JPEG", {"quality": 88}),
    "image/png": ("PNG", {"compress_level": 1}),
    "image/webp": ("WEBP", {"quality": 86, "method": 0}),
}


def finish(picture: Image.Image, text: str, *, seed: int, media_type: str = JPEG) -> bytes:
    """Return the picture with its ribbon as bytes; an unknown media type gives a JPEG."""
    form, settings = FORMATS.get(media_type, FORMATS[JPEG])
    buffer = io.BytesIO()
    tie_ribbon(picture, text, seed=seed).save(buffer, form, **settings)
    return buffer.getvalue()


def printable(text: str) -> str:
    """Return the text without what no font and no encoder can take: lone surrogates, control characters."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in clean).split())


def tie_ribbon(picture: Image.Image, text: str, *, seed: int) -> Image.Image:
    """Return the picture, which is drawn on, with a strip at its foot: sandbox, the text's beginning, the seed."""
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
