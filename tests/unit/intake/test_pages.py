"""Pages of a TIFF are counted without its thumbnails, masks and smaller copies."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dropglow.intake.pages import MAX_DIRECTORIES, pages

SHORT, LONG = 3, 4


def tiff(
    *kinds: int | None, order: str = "<", old: bool = False, big: bool = False, loop: bool = False
) -> bytes:
    """Return a TIFF of directories alone; each says of which kind its picture is, or nothing."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(
        f"{order}HHHQ" if big else f"{order}HI", *((43, 8, 0, 16) if big else (42, 8))
    )
    data = head
    for number, kind in enumerate(kinds):
        last = number == len(kinds) - 1
        entries = [] if kind is None else [(255, SHORT, kind) if old else (254, LONG, kind)]
        size = (8 + 20 * len(entries) + 8) if big else (2 + 12 * len(entries) + 4)
        link = (len(head) if loop else 0) if last else len(data) + size
        data += struct.pack(f"{order}{'Q' if big else 'H'}", len(entries))
        for tag, form, value in entries:
            packed = struct.pack(f"{order}{'H' if form == SHORT else 'I'}", value)
            data += struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, form, 1) + packed.ljust(
                8 if big else 4, b"\0"
            )
        data += struct.pack(f"{order}{'Q' if big else 'I'}", link)
    return data


def counted(data: bytes) -> int:
    return pages(io.BytesIO(data))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("kinds", "count"),
    [
        ((None,), 1),
        ((0, 0, 0), 3),
        ((2, 2), 2),  # pages of a document
        ((0, 1, 1, 1), 1),  # a pyramid
        ((0, 4), 1),  # a mask
        ((1, 0), 1),  # a thumbnail comes first
        ((1,), 1),
    ],
)
def test_only_pages_are_counted(kinds: tuple[int | None, ...], count: int, order: str, big: bool) -> None:
    """In either byte order, classic or big."""
    assert count == counted(tiff(*kinds, order=order, big=big))


def test_the_old_word_for_a_thumbnail_is_known() -> None:
    """Scanners still write it."""
    assert 1 == counted(tiff(1, 2, old=True))
    assert 2 == counted(tiff(1, 1, old=True))


def test_a_ring_of_directories_ends() -> None:
    """Each is counted once."""
    assert 2 == counted(tiff(0, 0, loop=True))


def test_a_count_ends_somewhere() -> None:
    """No scanner makes more pages."""
    assert MAX_DIRECTORIES == counted(tiff(*[0] * (MAX_DIRECTORIES + 5)))


def test_pillow_agrees() -> None:
    """A real file of three pages."""
    stream = io.BytesIO()
    pictures = [Image.new("L", (8, 8), shade) for shade in (1, 2, 3)]
    pictures[0].save(stream, "TIFF", save_all=True, append_images=pictures[1:])

    assert 3 == pages(stream)


@given(st.binary(max_size=200), st.integers(0, 100))
def test_damage_counts_as_one_page(noise: bytes, at: int) -> None:
    """The decoder will have its say."""
    whole = tiff(0, 0)

    assert 1 <= counted(whole[:at] + noise)
