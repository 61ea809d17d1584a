"""Write a film of JPEG frames as an MP4 file (ISO/IEC 14496-12, -14): Motion JPEG, no sound, every frame a key frame.

The index stands before the frames, so that playing can begin with the first bytes. The same frames give the same bytes:
no time of making is written.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

__all__ = ["write_film"]

# Units of time in a second; any whole rate of frames divides it.
TIMESCALE: Final = 48_000
# The object type of JPEG among the systems' codecs (ISO/IEC 14496-1, object type indications).
JPEG_OBJECT: Final = 0x6C
VISUAL_STREAM: Final = 4
IDENTITY: Final = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
# "und": the language is not told.
LANGUAGE: Final = 0x55C4


def write_film(frames: Sequence[bytes], *, size: tuple[int, int], frames_per_second: int) -> bytes:
    """Return an MP4 of JPEG frames, each of a size (width, height) in pixels, shown one after the other."""
    ticks = TIMESCALE // frames_per_second
    brand = _box(b"ftyp", b"isom", _u32(0x200), b"isomiso2mp41")
    # The index tells where the frames begin, which depends on the index's own length.
    blank = _movie(frames, size=size, ticks=ticks, start=0)
    start = len(brand) + len(blank) + 8
    index = _movie(frames, size=size, ticks=ticks, start=start)
    return b"".join((brand, index, _u32(8 + sum(map(len, frames))), b"mdat", *frames))


def _movie(frames: Sequence[bytes], *, size: tuple[int, int], ticks: int, start: int) -> bytes:
    duration = ticks * len(frames)
    header = _full(
        b"mvhd",
        struct.pack(">IIIIIHxxxxxxxxxx", 0, 0, TIMESCALE, duration, 0x10000, 0x100),
        IDENTITY,
        bytes(24),
        _u32(2),
    )
    return _box(b"moov", header, _track(frames, size=size, ticks=ticks, start=start))


def _track(frames: Sequence[bytes], *, size: tuple[int, int], ticks: int, start: int) -> bytes:
    duration = ticks * len(frames)
    header = _full(
        b"tkhd",
        struct.pack(">IIIxxxxI", 0, 0, 1, duration),
        bytes(16),
        IDENTITY,
        struct.pack(">II", size[0] << 16, size[1] << 16),
        flags=3,  # enabled, and part of the presentation
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, TIMESCALE, duration, LANGUAGE, 0)),
        _full(b"hdlr", _u32(0), b"vide", bytes(12), b"pictures\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", _u32(1), _full(b"url ", flags=1))),
            _samples(frames, size=size, ticks=ticks, start=start),
        ),
    )
    return _box(b"trak", header, media)


def _samples(frames: Sequence[bytes], *, size: tuple[int, int], ticks: int, start: int) -> bytes:
    sizes = [len(frame) for frame in frames]
    return _box(
        b"stbl",
        _full(b"stsd", _u32(1), _entry(sizes, size=size, ticks=ticks)),
        _full(b"stts", struct.pack(">III", 1, len(frames), ticks)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, len(frames), 1)),
        _full(b"stsz", struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)),
        _full(b"stco", struct.pack(">II", 1, start)),
    )


def _entry(sizes: Sequence[int], *, size: tuple[int, int], ticks: int) -> bytes:
    """Return the sample entry: what the frames are, and how large."""
    rate = TIMESCALE // ticks * 8
    average, most = sum(sizes) // max(1, len(sizes)) * rate, max(sizes, default=0) * rate
    decoder = struct.pack(">BBBHII", JPEG_OBJECT, VISUAL_STREAM << 2 | 1, 0, 0xFFFF, most, average)
    stream = struct.pack(">HB", 1, 0) + _descriptor(4, decoder) + _descriptor(6, b"\x02")
    picture = struct.pack(">6xH16xHHIIIH32sHh", 1, *size, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    return _box(b"mp4v", picture, _full(b"esds", _descriptor(3, stream)))


def _descriptor(tag: int, content: bytes) -> bytes:
    assert len(content) < 0x80, "a length of more than seven bits is written differently"
    return bytes((tag, len(content))) + content


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return _u32(8 + len(content)) + kind + content


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, _u32(flags), *parts)


def _u32(value: int) -> bytes:
    return struct.pack(">I", value)
