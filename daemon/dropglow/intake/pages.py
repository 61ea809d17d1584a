"""Count the pictures in a TIFF: its pages, and not the thumbnails, masks and smaller copies beside them.

Reads the directories and not one pixel. Pillow would set up each page to count
it, and gives up at a thumbnail in a form that it does not know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MAX_DIRECTORIES: Final = 1000  # no scanner makes more; a loop of directories ends here at the latest

_NEW_SUBFILE_TYPE: Final = 254
_OLD_SUBFILE_TYPE: Final = 255
_REDUCED_OR_MASK: Final = 0b101  # bits of NewSubfileType (TIFF 6.0, section 8)
_OLD_REDUCED: Final = 2
_TIFF_SHORT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How the directories of a file are written: byte order, and the widths of classic or of big TIFF."""

    order: str
    count: str  # of a directory's entries
    offset: str
    entry_bytes: int
    value_at: int  # in an entry


def pages(stream: BinaryIO) -> int:
    """Return how many pages a TIFF has, from 1; a picture among them that only repeats another small is none.

    What is too damaged to be followed ends the count; the decoder will have its say about it.

    Raises:
        OSError: It cannot be read.
    """
    try:
        found = sum(not aside for aside in _directories(stream))
    except struct.error:
        return 1
    return max(1, found)


def _directories(stream: BinaryIO) -> Iterator[bool]:
    """Yield for each directory whether it is only a reduced copy or a mask."""
    stream.seek(0)
    head = stream.read(16)
    layout = _layout(head)
    at = int(struct.unpack_from(layout.order + layout.offset, head, 8 if layout.entry_bytes == 20 else 4)[0])
    seen: set[int] = set()
    while at and at not in seen and len(seen) < MAX_DIRECTORIES:
        seen.add(at)
        stream.seek(at)
        width = struct.calcsize(layout.order + layout.count)
        (count,) = struct.unpack(layout.order + layout.count, stream.read(width))
        if count * layout.entry_bytes > 1 << 20:
            return
        entries = stream.read(count * layout.entry_bytes)
        link = stream.read(struct.calcsize(layout.order + layout.offset))
        yield _aside(entries, layout)
        (at,) = struct.unpack(layout.order + layout.offset, link)


def _layout(head: bytes) -> _Layout:
    order = "<" if head.startswith(b"II") else ">"
    if head[2:4] in {b"+\x00", b"\x00+"}:
        return _Layout(order=order, count="Q", offset="Q", entry_bytes=20, value_at=12)
    return _Layout(order=order, count="H", offset="I", entry_bytes=12, value_at=8)


def _aside(entries: bytes, layout: _Layout) -> bool:
    for at in range(0, len(entries) - layout.entry_bytes + 1, layout.entry_bytes):
        tag, kind = struct.unpack_from(f"{layout.order}HH", entries, at)
        if tag in {_NEW_SUBFILE_TYPE, _OLD_SUBFILE_TYPE}:
            number = "H" if kind == _TIFF_SHORT else "I"
            (value,) = struct.unpack_from(layout.order + number, entries, at + layout.value_at)
            return value == _OLD_REDUCED if tag == _OLD_SUBFILE_TYPE else bool(value & _REDUCED_OR_MASK)
    return False
