"""Walk the boxes of ISO base media files, which are MP4, QuickTime and JPEG XL containers (ISO/IEC 14496-12).

Only heads are read, so that a file of any size costs a few reads. A walk that
meets nonsense ends early; it raises nothing but what reading the file raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

HEAD_BYTES: Final = 64
_MOST: Final = 20_000  # boxes beside each other; a fragmented video has a few hundred


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of a file's outer structure."""

    name: bytes
    start: int  # of its content, in bytes from the file's beginning
    end: int  # of the whole piece; beyond the end of what holds it when it is cut off
    head: bytes  # the first bytes of the content


def chunk(file: BinaryIO, name: bytes, start: int, end: int) -> Chunk:
    """Return the piece between two places, with the beginning of its content."""
    file.seek(start)
    return Chunk(name=name, start=start, end=end, head=file.read(max(0, min(HEAD_BYTES, end - start))))


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Chunk]:
    """Yield the boxes that lie between two places of *file*; one whose head makes no sense is the last.

    Such a one ends where none can end: behind *end*, or at 0.
    """
    at = start
    for _ in range(_MOST):
        if at >= end:
            return
        file.seek(at)
        head = file.read(min(16, end - at))
        if len(head) < 8:
            yield Chunk(name=b"", start=at, end=end + 8, head=head)
            return
        length, name = struct.unpack(">I4s", head[:8])
        content = at + 8
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
            content = at + 16
        after = end if length == 0 else at + length
        if after < content:
            yield Chunk(name=name, start=content, end=0, head=b"")
            return
        yield chunk(file, name, content, after)
        at = after


def whole(found: list[Chunk], end: int) -> bool:
    """Return whether these boxes, as ``boxes`` yields them, fill what holds them up to *end*."""
    return bool(found) and found[-1].end == end
