"""Walk the outer structure of media files: boxes, chunks and segments, without reading what is in them.

Tells whether a file ends where its structure says, and where a manifest of
Content Credentials is kept. A walk that meets nonsense ends early; it raises
nothing but what reading the file raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from dropglow.delivery.boxes import Chunk, boxes, chunk, whole
from dropglow.delivery.media import GIF, JPEG, JXL, MOV, MP4, PNG, TIFF, WEBP, Media
from dropglow.delivery.movie import Flaw, examine

_SCAN: Final = 0xDA
_TRAILER_BYTES: Final = 4096  # some programs append a few bytes to a JPEG file
_APP11: Final = b"\xeb"
_C2PA_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA specification, embedding in BMFF
_C2PA_TIFF_TAG: Final = 0xCD41  # the same, embedding in TIFF


def ends_well(file: BinaryIO, media: Media, size_bytes: int) -> bool:
    """Return whether *file* of *size_bytes* is there to its last piece; it knows nothing of pixels.

    A decoder is content once it has its pixels. TIFF and a bare JPEG XL codestream have no such end.
    """
    match media:
        case _ if media is JPEG:
            file.seek(max(0, size_bytes - _TRAILER_BYTES))
            return b"\xff\xd9" in file.read()
        case _ if media is PNG:
            return any(c.name == b"IEND" and c.end <= size_bytes for c in _png_chunks(file, size_bytes))
        case _ if media is WEBP:
            return _riff_end(file) <= size_bytes
        case _ if media is GIF:
            file.seek(max(0, size_bytes - 1))
            return file.read() == b"\x3b"
        case _ if media is JXL:
            return _bare(file) or _codestream_ends_well(list(boxes(file, 0, size_bytes)), size_bytes)
        case _ if media in {MP4, MOV}:
            return examine(file, size_bytes) is not Flaw.CUT_OFF
        case _:
            return True


def has_content_credentials(file: BinaryIO, media: Media, size_bytes: int) -> bool:
    """Return whether *file* carries a C2PA manifest. It is looked for, not verified."""
    match media:
        case _ if media is JPEG:
            return any(c.name == _APP11 and b"jumb" in c.head for c in _segments(file, size_bytes))
        case _ if media is PNG:
            return any(c.name == b"caBX" for c in _png_chunks(file, size_bytes))
        case _ if media is WEBP:
            return any(c.name == b"C2PA" for c in _riff_chunks(file, size_bytes))
        case _ if media in {MP4, MOV, JXL}:
            return any(_holds_manifest(box) for box in boxes(file, 0, size_bytes))
        case _ if media is TIFF:
            return _C2PA_TIFF_TAG in _tiff_tags(file)
        case _:
            assert media is GIF, media
            return False


def _holds_manifest(box: Chunk) -> bool:
    return box.name == b"jumb" or (box.name == b"uuid" and box.head.startswith(_C2PA_UUID))


def _codestream_ends_well(found: list[Chunk], size_bytes: int) -> bool:
    """Return whether a JPEG XL container holds its pixels to their end (ISO/IEC 18181-2)."""
    parts = [box.head[:1] >= b"\x80" for box in found if box.name == b"jxlp"]  # the last one is marked
    return whole(found, size_bytes) and (any(parts) or any(box.name == b"jxlc" for box in found))


def _riff_end(file: BinaryIO) -> int:
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def _bare(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(2) == b"\xff\x0a"


def _png_chunks(file: BinaryIO, size_bytes: int) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file (W3C, Portable Network Graphics)."""
    at = 8
    while at + 12 <= size_bytes:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        yield chunk(file, name, at + 8, at + 12 + length)
        at += 12 + length


def _riff_chunks(file: BinaryIO, size_bytes: int) -> Iterator[Chunk]:
    """Yield the chunks of a WebP file (RFC 9649)."""
    at = 12
    while at + 8 <= size_bytes:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        yield chunk(file, name, at + 8, at + 8 + length)
        at += 8 + length + length % 2  # padded to even


def _segments(file: BinaryIO, size_bytes: int) -> Iterator[Chunk]:
    """Yield the segments of a JPEG file up to its pixels; each is named by its marker's second byte."""
    at = 2
    while at + 4 <= size_bytes:
        file.seek(at)
        lead, marker, length = struct.unpack(">BBH", file.read(4))
        if lead != 0xFF or marker == _SCAN:
            return
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        yield chunk(file, bytes((marker,)), at + 4, at + 2 + length)
        at += 2 + length


def _tiff_tags(file: BinaryIO) -> frozenset[int]:
    """Return the tags of a TIFF file's first directory (TIFF 6.0)."""
    file.seek(0)
    head = file.read(8)
    order = "<" if head[:2] == b"II" else ">"
    if len(head) < 8:
        return frozenset()
    (at,) = struct.unpack(f"{order}I", head[4:])
    file.seek(at)
    counted = file.read(2)
    if len(counted) < 2:
        return frozenset()
    (count,) = struct.unpack(f"{order}H", counted)
    entries = file.read(count * 12)
    starts = range(0, len(entries) - 11, 12)
    return frozenset(struct.unpack(f"{order}H", entries[start : start + 2])[0] for start in starts)
