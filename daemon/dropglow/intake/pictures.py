"""Tell what picture a file holds, how large it is, and whether all of it is there.

The bytes decide, never the name. Pillow's readers are called one by one,
chosen by signature: its general ``open`` would also take EPS, and warns of
bombs through process-wide filters that threads cannot share. Nothing here
decodes more pixels than ``MAX_PIXELS``.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import BinaryIO, Final, assert_never

from PIL import ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from dropglow.errors import SourceFault
from dropglow.model import Format

HEAD_BYTES: Final = 64  # enough for every signature below

# Adobe's OpenAPI document, storeImage: at most 15 MB.
MAX_PICTURE_BYTES: Final = 15 * 1024 * 1024

# A picture of the largest cameras that fits into 15 MB has about a hundred million; a bomb
# of 50 kB can claim four hundred, and each one costs up to eight bytes of memory.
MAX_PIXELS: Final = 150_000_000

READABLE: Final = "Firefly reads JPEG, PNG, WebP, TIFF and JPEG XL"

_ORIENTATION: Final = 0x0112
_QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
_ISO_BRANDS: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"crx ": "Canon raw",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}
_FOREIGN: Final = (
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%PDF", "PDF"),
    (b"GIF8", "GIF"),
    (b"8BPS", "Photoshop"),
    (b"BM", "BMP"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE html", "HTML"),
    (b"<html", "HTML"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
)

# What Pillow's readers are known to raise on damaged files.
_BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    Warning,  # where the process turns warnings into errors
    struct.error,
    zlib.error,
)

# Within a JPEG's compressed data FF is followed by 00 or a restart marker; anything else is a marker.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_END: Final = 0xD9
_PNG_END: Final = b"IEND\xaeB`\x82"

_CUT_OFF: Final = "the picture is cut off: it ends before its last line of pixels"
_COPY_AGAIN: Final = "copy it again, whole"


def signature(head: bytes) -> Format | None:
    """Return which format Firefly reads the first bytes announce, if any."""
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return Format.TIFF
    if head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")):
        return Format.JXL
    return None


def foreign_format(head: bytes) -> str | None:
    """Return the name of a format that Firefly does not read, if the first bytes are known to be one."""
    if head[4:8] == b"ftyp":
        return _ISO_BRANDS.get(head[8:12], "video")
    return next((name for start, name in _FOREIGN if head.startswith(start)), None)


def measure(stream: BinaryIO, picture: Format) -> tuple[int, int] | None:
    """Return width and height in pixels after EXIF rotation; None for JPEG XL, which Pillow does not read.

    Reads the header only.

    Raises:
        SourceFault: There is no sound header, or it announces too many pixels.
        OSError: It cannot be read.
    """
    if picture is Format.JXL:
        return None
    image = _opened(stream, picture)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise SourceFault(
            f"the picture has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million",
            hint="make it smaller and drop it again",
        )
    return (height, width) if _orientation(image) in _QUARTER_TURNS else (width, height)


def decode(data: bytes, picture: Format) -> None:
    """Decode the whole picture and throw it away. ``measure`` must have accepted it.

    Costs up to eight bytes of memory a pixel for a while.

    Raises:
        SourceFault: It is cut off or damaged.
    """
    if picture is Format.JXL:
        return
    if not _ends(data, picture):
        raise SourceFault(_CUT_OFF, hint=_COPY_AGAIN)
    image = _opened(io.BytesIO(data), picture)
    # An eighth of the size still reads all of a JPEG's data, with a sixty-fourth of the memory.
    image.draft("L", (1, 1))
    try:
        image.load()
    except _BROKEN as error:
        if "truncated" in str(error):
            raise SourceFault(_CUT_OFF, hint=_COPY_AGAIN) from error
        raise _damaged(picture) from error


def _opened(stream: BinaryIO, picture: Format) -> ImageFile.ImageFile:
    stream.seek(0)
    try:
        return _reader(stream, picture)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # it is the disk that speaks, not Pillow
        raise _damaged(picture) from error


def _reader(stream: BinaryIO, picture: Format) -> ImageFile.ImageFile:
    match picture:
        case Format.JPEG:
            return JpegImagePlugin.JpegImageFile(stream)
        case Format.PNG:
            return PngImagePlugin.PngImageFile(stream)
        case Format.WEBP:
            return WebPImagePlugin.WebPImageFile(stream)
        case Format.TIFF:
            return TiffImagePlugin.TiffImageFile(stream)
        case Format.JXL:
            raise ValueError("Pillow does not read JPEG XL")
        case _:
            assert_never(picture)


def _orientation(image: ImageFile.ImageFile) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # its size is told as it is seen already
        return 1
    # Pillow decodes a whole PNG to look for EXIF data behind the pixels.
    if isinstance(image, PngImagePlugin.PngImageFile) and "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:  # a broken EXIF block does not make a broken picture
        return 1


def _damaged(picture: Format) -> SourceFault:
    return SourceFault(
        f"the picture is damaged: it begins like {_SPELLED[picture]}, and cannot be decoded",
        hint="open it in an image program, save it afresh, and drop it again",
    )


def _ends(data: bytes, picture: Format) -> bool:
    """Return whether the file's own end is there. Pillow paints over some gaps in silence."""
    match picture:
        case Format.JPEG:
            return _jpeg_ends(data)
        case Format.PNG:
            return _PNG_END in data
        case Format.WEBP:
            return len(data) >= 8 + int.from_bytes(data[4:8], "little")
        case Format.TIFF | Format.JXL:  # their parts may stand in any order
            return True
        case _:
            assert_never(picture)


def _jpeg_ends(data: bytes) -> bool:
    at = 2
    while (marker := _JPEG_MARKER.search(data, at)) is not None:
        at = marker.end()
        if data[at - 1] == _JPEG_END:
            return True
        at += int.from_bytes(data[at : at + 2], "big")
    return False


_SPELLED: Final = {
    Format.JPEG: "a JPEG",
    Format.PNG: "a PNG",
    Format.WEBP: "a WebP",
    Format.TIFF: "a TIFF",
    Format.JXL: "a JPEG XL",
}
