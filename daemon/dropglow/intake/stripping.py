"""Take everything out of a picture's file but its pixels and what their colours mean. Pure: bytes in, bytes out.

Not one pixel is encoded again. What is kept is named, and all else goes: a
list of what to remove would miss the next maker's own notes. Content
Credentials go as well; they may tell the place, too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, assert_never

from dropglow.errors import SourceFault
from dropglow.model import Format

_JPEG_START: Final = b"\xff\xd8"
_JPEG_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_FILLER: Final = 0xFF
# JFIF's own units, the colour profile, and Adobe's word for how colours are stored.
_JPEG_NOTES_KEPT: Final = {0xE0: b"JFIF\x00", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}
_JPEG_NOTES: Final = frozenset({*range(0xE0, 0xF0), 0xFE})

_PNG_KEPT: Final = frozenset({
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"pHYs",
})  # fmt: skip

_WEBP_KEPT: Final = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})
_WEBP_NOTE_FLAGS: Final = 0b0000_1100  # EXIF and XMP, in the first byte of VP8X

_JXL_KEPT: Final = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp"})


def strip(data: bytes, picture: Format) -> bytes:
    """Return the same picture without EXIF, GPS, XMP, IPTC, comments and previews.

    Raises:
        SourceFault: The file is damaged.
    """
    try:
        return _stripped(data, picture)
    except (struct.error, IndexError) as error:
        raise SourceFault(
            "the picture is damaged: its notes cannot be told from its pixels",
            hint="open it in an image program, save it afresh, and drop it again",
        ) from error


def _stripped(data: bytes, picture: Format) -> bytes:
    match picture:
        case Format.JPEG:
            return b"".join(_jpeg_parts(data))
        case Format.PNG:
            return data[:8] + b"".join(_png_parts(data))
        case Format.WEBP:
            body = b"WEBP" + b"".join(_webp_parts(data))
            return b"RIFF" + struct.pack("<I", len(body)) + body
        case Format.JXL:
            return b"".join(_jxl_parts(data))
        case Format.TIFF | Format.GIF | Format.BMP | Format.AVIF:
            raise ValueError(f"{picture} is converted, and not stripped")
        case _:
            assert_never(picture)


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    yield _JPEG_START
    at = 2
    while True:
        while data[at + 1] == _FILLER:
            at += 1
        marker = data[at + 1]
        if marker == _JPEG_END[1]:
            yield _JPEG_END
            return
        end = at + 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        if marker == _SCAN:
            end = _end_of_scan(data, end)
        if marker not in _JPEG_NOTES or _is_kept(marker, data[at + 4 : end]):
            yield data[at:end]
        at = end


def _is_kept(marker: int, content: bytes) -> bool:
    start = _JPEG_NOTES_KEPT.get(marker)
    return start is not None and content.startswith(start)


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the next marker stands that is neither data nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise IndexError("a scan without an end")
        following = data[at + 1]
        if following and not 0xD0 <= following <= 0xD7 and following != _FILLER:
            return at
        at += 1 if following == _FILLER else 2


def _png_parts(data: bytes) -> Iterator[bytes]:
    at = 8
    name = b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if name in _PNG_KEPT:
            yield data[at:end]
        at = end


def _webp_parts(data: bytes) -> Iterator[bytes]:
    at = 12
    end = 8 + int(struct.unpack_from("<I", data, 4)[0])
    while at < end:
        name, length = struct.unpack_from("<4sI", data, at)
        following = at + 8 + length + length % 2
        if name == b"VP8X":
            yield data[at : at + 8] + bytes([data[at + 8] & ~_WEBP_NOTE_FLAGS]) + data[at + 9 : following]
        elif name in _WEBP_KEPT:
            yield data[at:following]
        at = following


def _jxl_parts(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\xff\x0a"):  # a bare codestream has no room for notes
        yield data
        return
    at = 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 0:  # the last one reaches to the end
            length = len(data) - at
        elif length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        end = at + length
        if end <= at:
            raise IndexError("a box without a length")
        if name in _JXL_KEPT:
            yield data[at:end]
        at = end
