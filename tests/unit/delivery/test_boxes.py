"""The boxes of a container, walked by their heads."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.delivery.boxes import boxes, whole

FREE = struct.pack(">I4s", 12, b"free") + b"abcd"
LONG = struct.pack(">I4sQ", 1, b"wide", 20) + b"abcd"
OPEN = struct.pack(">I4s", 0, b"mdat") + b"frames"


def walked(data: bytes) -> list[tuple[bytes, int, int]]:
    """Return name, start and end of each box."""
    return [(box.name, box.start, box.end) for box in boxes(io.BytesIO(data), 0, len(data))]


def test_every_kind_of_length_is_understood() -> None:
    """A length is 32 bits, or 64 behind a one, or open up to the end."""
    assert [(b"free", 8, 12), (b"wide", 28, 32), (b"mdat", 40, 46)] == walked(FREE + LONG + OPEN)


def test_boxes_are_walked_inside_their_holder_only() -> None:
    """What follows the holder is none of its boxes; an open length ends with the holder."""
    file = io.BytesIO(FREE + OPEN + FREE)

    assert [b"mdat"] == [box.name for box in boxes(file, len(FREE), len(FREE + OPEN))]


@pytest.mark.parametrize(
    "data", [b"", FREE[:-1], FREE[:5], FREE + b"\x00", struct.pack(">I4s", 7, b"free"), LONG[:12]]
)
def test_what_does_not_fill_its_holder_is_not_whole(data: bytes) -> None:
    """Cut off, followed by less than a box, or of a length that none can have."""
    assert not whole(list(boxes(io.BytesIO(data), 0, len(data))), len(data))


def test_a_flood_of_boxes_ends() -> None:
    """A file of nothing but heads is not walked for ever, and is not whole."""
    data = struct.pack(">I4s", 8, b"free") * 20_001

    assert not whole(list(boxes(io.BytesIO(data), 0, len(data))), len(data))


@given(st.binary(max_size=200))
def test_nonsense_ends(data: bytes) -> None:
    """Whatever the bytes, the walk comes to an end within them."""
    assert len(walked(data)) <= len(data) // 8 + 1
