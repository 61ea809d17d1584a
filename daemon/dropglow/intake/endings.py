"""Tell whether a picture's own end is there. Pillow paints over some gaps in silence.

Nothing here decodes, and nothing reads a whole file into memory.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO, Final, assert_never

from dropglow.model import Format

_BLOCK_BYTES: Final = 1 << 16
# Within a JPEG's compressed data FF is followed by 00 or a restart marker; anything else is a marker.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_END: Final = 0xD9
_MAX_CHUNKS: Final = 1_000_000  # the largest picture that is taken has a tenth of them
_WEBP_PIXELS: Final = frozenset({b"VP8 ", b"VP8L"})
_GAP_BYTES: Final = 64  # so many zeros in a row no encoder ends with
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_LAST_BYTES: Final = {Format.JPEG: b"\xff\xd9", Format.PNG: _PNG_END}


def ends(stream: BinaryIO, picture: Format) -> bool:
    """Return whether the file reaches its own end. What stands behind that is no matter.

    Raises:
        OSError: It cannot be read.
    """
    match picture:
        case Format.JPEG:
            return _jpeg_ends(stream)
        case Format.PNG:
            return _png_ends(stream)
        case Format.WEBP:
            return _webp_ends(stream)
        case Format.TIFF | Format.JXL | Format.GIF | Format.BMP | Format.AVIF:
            return True  # their parts may stand in any order, or their decoders notice
        case _:
            assert_never(picture)


def seems_cut(stream: BinaryIO, picture: Format) -> bool:
    """Return whether a file seems to lack its own end. Reads the last few bytes of one that does not.

    Never of a whole picture; but one that merely ends well may have gaps, which its decoder finds.

    Raises:
        OSError: It cannot be read.
    """
    end = _LAST_BYTES.get(picture)
    if end is not None:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - len(end)))
        if stream.read() == end:
            return False
    return not ends(stream, picture)


def _jpeg_ends(stream: BinaryIO) -> bool:
    at = 2
    while True:
        stream.seek(at)
        block = stream.read(_BLOCK_BYTES)
        here = 0
        while (marker := _JPEG_MARKER.search(block, here)) is not None:
            if block[marker.end() - 1] == _JPEG_END:
                return True
            if marker.end() + 2 > len(block):
                break
            here = marker.end() + int.from_bytes(block[marker.end() : marker.end() + 2], "big")
        if len(block) < _BLOCK_BYTES:
            return False
        # A marker may be cut by the block's end.
        at += max(here, len(block) - 4) if marker is None else marker.start()


def _png_ends(stream: BinaryIO) -> bool:
    at = 8
    for _ in range(_MAX_CHUNKS):
        stream.seek(at)
        head = stream.read(len(_PNG_END))
        if head == _PNG_END:
            return True
        if len(head) < len(_PNG_END) or not head[4:8].isalpha():
            return False
        at += int.from_bytes(head[:4], "big") + 12
    return False


def _webp_ends(stream: BinaryIO) -> bool:
    stream.seek(4)
    announced = 8 + int.from_bytes(stream.read(4), "little")
    return stream.seek(0, os.SEEK_END) >= announced and not _webp_has_a_gap(stream, announced)


def _webp_has_a_gap(stream: BinaryIO, announced: int) -> bool:
    """Return whether zeros stand where pixels should: its decoder paints something of them, and says nothing."""
    at = 12
    for _ in range(_MAX_CHUNKS):
        stream.seek(at)
        name, size = stream.read(4), int.from_bytes(stream.read(4), "little")
        if at + 8 > announced:
            return False
        if name == bytes(4):
            return True
        if name in _WEBP_PIXELS and size >= _GAP_BYTES:
            stream.seek(at + 8 + size - _GAP_BYTES)
            if not stream.read(_GAP_BYTES).strip(b"\x00"):
                return True
        at += 8 + size + size % 2
    return False
