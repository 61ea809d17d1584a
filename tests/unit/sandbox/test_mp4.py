"""The container of the sandbox's films, read box by box."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from dropglow.sandbox.mp4 import write_film

FOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf"}


def jpeg(level: int) -> bytes:
    """Return a small grey JPEG."""
    buffer = io.BytesIO()
    Image.new("L", (16, 8), level).save(buffer, "JPEG")
    return buffer.getvalue()


FRAMES = [jpeg(level) for level in (10, 120, 240)]
FILM = write_film(FRAMES, size=(16, 8), frames_per_second=8)


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kinds and contents of all boxes, each before what it holds."""
    start = 0
    while start < len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        assert 8 <= size <= len(content) - start
        inside = content[start + 8 : start + size]
        yield kind, inside
        if kind in FOLDERS:
            yield from boxes(inside)
        start += size


def test_the_boxes_fill_the_file() -> None:
    """Brand, index and frames follow one another without a gap, the index first."""
    top, start = [], 0
    while start < len(FILM):
        size, kind = struct.unpack_from(">I4s", FILM, start)
        top.append(kind)
        start += size

    assert (len(FILM), [b"ftyp", b"moov", b"mdat"]) == (start, top)


def test_all_that_a_player_needs_is_there() -> None:
    """The boxes that the format demands are in their places."""
    kinds = [kind for kind, _ in boxes(FILM)]

    assert kinds == [
        *(b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"hdlr", b"minf", b"vmhd", b"dinf"),
        *(b"dref", b"stbl", b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"mdat"),
    ]


def test_the_index_finds_the_frames() -> None:
    """The place and the sizes that the index names are those of the frames."""
    found = dict(boxes(FILM))
    start = struct.unpack(">I", found[b"stco"][8:])[0]
    sizes = struct.unpack(">3I", found[b"stsz"][12:])
    shown = []
    for size in sizes:
        shown.append(FILM[start : start + size])
        start += size

    assert shown == FRAMES


def test_the_size_is_told() -> None:
    """The track says how many pixels it has, in sixteenths of bits."""
    header = dict(boxes(FILM))[b"tkhd"]

    assert (16 << 16, 8 << 16) == struct.unpack(">II", header[-8:])


def test_the_frames_are_declared_as_jpeg() -> None:
    """The sample entry names the object type of JPEG."""
    entry = dict(boxes(FILM))[b"stsd"]
    name = entry.index(b"esds")

    assert entry[12:16] == b"mp4v"
    assert 0x6C == entry[name + 4 + 4 + 5 + 2]


def test_every_rate_has_its_duration() -> None:
    """Three frames at ten a second last three tenths of a second."""
    header = dict(boxes(write_film(FRAMES, size=(16, 8), frames_per_second=10)))[b"mdhd"]
    scale, duration = struct.unpack(">II", header[12:20])

    assert 0.3 == duration / scale
