"""Look at uploaded bytes: are they the picture they are declared to be, how large is it, can one look through it?

Costs CPU (the picture is decoded, at an eighth of its size where the format allows that); call it in a thread.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "JXL_STARTS", "Measures", "measure_picture"]

# The content types of /v2/storage/image in Adobe's OpenAPI document, and Pillow's names of the formats.
FORMATS: Final[Mapping[str, str]] = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/tiff": "TIFF",
    "image/jxl": "JXL",
}
# A bare codestream, and the container.
JXL_STARTS: Final = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
ORIENTATION_TAG: Final = 0x0112
LYING_DOWN: Final = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Hold a picture's width and height in pixels, as it is looked at, and whether it has a transparent channel."""

    width: int
    height: int
    transparent: bool


def measure_picture(content: bytes, *, media_type: str) -> Measures | None:
    """Return the measures of a picture, or None if the bytes are not a whole picture of that type.

    JPEG XL cannot be decoded here: only its first bytes are looked at, and the size is given as 0 x 0.
    """
    if media_type == "image/jxl":
        whole = content.startswith(JXL_STARTS)
        return Measures(width=0, height=0, transparent=False) if whole else None
    try:
        return _decode(content, FORMATS[media_type])
    # Everything Pillow raises on broken files; SyntaxError is its word for a broken PNG.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return None


def _decode(content: bytes, form: str) -> Measures:
    with Image.open(io.BytesIO(content), formats=[form]) as picture:
        width, height = picture.size
        if picture.getexif().get(ORIENTATION_TAG) in LYING_DOWN:
            width, height = height, width
        transparent = picture.has_transparency_data
        picture.draft(None, (picture.width // 8, picture.height // 8))
        picture.load()
        return Measures(width=width, height=height, transparent=transparent)
