"""Prove a video whole as far as its container goes, without any codec (ISO/IEC 14496-12).

A container tells how large the pictures are, and which bytes of the file they
are made of. That its frames can be played is for players to judge.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from dropglow.delivery.boxes import Chunk, boxes, whole

# The place of width and height in a track's header follows from the version of its times (14496-12, 8.3.2).
_SIZE_AT: Final = {0: 76, 1: 88}
_FIXED_POINT: Final = 16  # bits behind the point
_TABLE_BYTES_MAX: Final = 16 * 1024 * 1024  # sizes of four million frames


class Flaw(enum.Enum):
    """What is wrong with a video."""

    CUT_OFF = enum.auto()
    NO_PICTURES = enum.auto()  # a sound, or nothing at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Movie:
    """What the container of a video tells. Pixels."""

    width: int
    height: int


def examine(file: BinaryIO, size_bytes: int) -> Movie | Flaw:
    """Return what the video in *file* is, or what is wrong with it. Costs a few reads, whatever its size."""
    top = list(boxes(file, 0, size_bytes))
    if not whole(top, size_bytes):
        return Flaw.CUT_OFF
    index = next((box for box in top if box.name == b"moov"), None)
    if index is None:
        return Flaw.CUT_OFF  # it often stands behind the pictures
    parts = list(boxes(file, index.start, index.end))
    if not whole(parts, index.end):
        return Flaw.CUT_OFF
    tracks = [box for box in parts if box.name == b"trak"]
    movie = next((found for track in tracks if (found := _movie(file, track))), None)
    content_bytes = sum(box.end - box.start for box in top if box.name == b"mdat")
    if movie is None or content_bytes == 0:
        return Flaw.NO_PICTURES
    # A last box of open length ends wherever the file ends, so the frames themselves are counted.
    promised_bytes = sum(_frames_bytes(file, track) for track in tracks)
    return Flaw.CUT_OFF if promised_bytes > content_bytes else movie


def _movie(file: BinaryIO, track: Chunk) -> Movie | None:
    """Return what *track* shows; None when it is a sound, or has no size."""
    if not any(box.head[8:12] == b"vide" for box in _at(file, track, b"mdia", b"hdlr")):
        return None
    for header in _at(file, track, b"tkhd"):
        file.seek(header.start)
        content = file.read(min(header.end - header.start, 128))
        at = _SIZE_AT.get(content[0] if content else -1, len(content))
        if len(content) >= at + 8:
            width, height = struct.unpack(">II", content[at : at + 8])
            movie = Movie(width=width >> _FIXED_POINT, height=height >> _FIXED_POINT)
            return movie if movie.width and movie.height else None
    return None


def _frames_bytes(file: BinaryIO, track: Chunk) -> int:
    """Return how many bytes the frames of *track* have together; a fragmented video tells of none here."""
    total = 0
    for table in _at(file, track, b"mdia", b"minf", b"stbl", b"stsz"):
        if len(table.head) < 12:
            continue
        each_bytes, count = struct.unpack(">II", table.head[4:12])
        if each_bytes:
            total += each_bytes * count
            continue
        file.seek(table.start + 12)
        listed = file.read(min(4 * count, max(0, table.end - table.start - 12), _TABLE_BYTES_MAX))
        total += sum(size for (size,) in struct.iter_unpack(">I", listed[: len(listed) // 4 * 4]))
    return total


def _at(file: BinaryIO, holder: Chunk, *path: bytes) -> Iterator[Chunk]:
    """Yield the boxes under *path* inside *holder*."""
    name, *rest = path
    for box in boxes(file, holder.start, holder.end):
        if box.name != name:
            continue
        if rest:
            yield from _at(file, box, *rest)
        else:
            yield box
