"""Look at uploaded bytes: are they the picture they are declared to be, and how large is it?

Costs CPU (the picture is decoded, at an eighth of its size where the format allows that); call it in a thread.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "JXL_STARTS", "measure_picture"]

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


def measure_picture(content: bytes, *, media_type: str) -> tuple[int, int] | None:
    """Return width and height in pixels, or None if the bytes are not a whole picture of that type.

    JPEG XL cannot be decoded here: only its first bytes are looked at, and the size is given as 0 x 0.
    """
    if media_type == "image/jxl":
        return (0, 0) if content.startswith(JXL_STARTS) else None
    try:
        return _decode(content, FORMATS[media_type])
    # Everything Pillow raises on broken files; SyntaxError is its word for a broken PNG.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return None


def _decode(content: bytes, form: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(content), formats=[form]) as picture:
        size = picture.size
        picture.draft(None, (size[0] // 8, size[1] // 8))
        picture.load()
        return size
