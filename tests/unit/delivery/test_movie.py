"""Videos, proved whole by their container alone."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.delivery.movie import Flaw, Movie, examine


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box with these contents."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def header(*, width: int = 1920, height: int = 1080, version: int = 0) -> bytes:
    """Return a track's header; sizes are numbers with sixteen bits behind the point."""
    return box(
        b"tkhd",
        bytes([version]),
        bytes(75 if version == 0 else 87),
        struct.pack(">II", width << 16, height << 16),
    )


def sizes(*each: int, of_all: int = 0, count: int = 0) -> bytes:
    """Return the table of the sizes of a track's frames."""
    return box(
        b"stsz", struct.pack(">III", 0, of_all, count or len(each)), struct.pack(f">{len(each)}I", *each)
    )


def track(head: bytes | None = None, *, handler: bytes = b"vide", table: bytes = b"") -> bytes:
    """Return a track; its frames' table is where tables are."""
    media = box(b"hdlr", bytes(8), handler, bytes(12)) + box(b"minf", box(b"stbl", table))
    return box(b"trak", header() if head is None else head, box(b"mdia", media))


def video(*tracks: bytes, content: bytes = b"frames") -> bytes:
    """Return a video file whose index stands before its frames."""
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(100)), *tracks) + box(b"mdat", content)


def judged(data: bytes) -> Movie | Flaw:
    """Return what is said of this file."""
    return examine(io.BytesIO(data), len(data))


@pytest.mark.parametrize("version", [0, 1])
def test_the_size_is_the_tracks(version: int) -> None:
    """Width and height stand in the track's header, in either of its versions."""
    assert Movie(width=1080, height=1920) == judged(
        video(track(header(width=1080, height=1920, version=version)))
    )


def test_a_sound_beside_the_pictures_is_passed_over() -> None:
    """The first track with pictures counts."""
    sound = track(header(width=0, height=0), handler=b"soun")

    assert Movie(width=1920, height=1080) == judged(video(sound, track()))


@pytest.mark.parametrize(
    "data",
    [
        video(track(handler=b"soun")),
        video(),
        video(track(), content=b""),
        video(track(header(width=0))),
        video(track(box(b"tkhd", b"\x02", bytes(99)))),
        video(track(box(b"tkhd"))),
        video(track(b"")),
    ],
    ids=[
        "a sound",
        "no track",
        "no frames",
        "no size",
        "a header of the future",
        "an empty header",
        "no header",
    ],
)
def test_what_shows_nothing_is_no_video(data: bytes) -> None:
    """A container may be whole and hold no pictures."""
    assert Flaw.NO_PICTURES is judged(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        video(track())[:-1],
        video(track()) + b"\x00\x00",
        box(b"ftyp", b"isom") + box(b"mdat", b"frames"),
        box(b"ftyp") + box(b"moov", track(), b"\x00\x00\x00\xff") + box(b"mdat", b"frames"),
        box(b"ftyp") + box(b"moov") + box(b"mdat", b"frames"),
    ],
    ids=["nothing", "a byte less", "two bytes more", "no index", "a broken index", "an empty index"],
)
def test_what_lacks_a_piece_is_cut_off(data: bytes) -> None:
    """Boxes that do not fill the file exactly, and an index that never came."""
    assert Flaw.CUT_OFF is judged(data)


@pytest.mark.parametrize("table", [sizes(10, 20, 30), sizes(of_all=10, count=6)])
@pytest.mark.parametrize(("came", "expected"), [(60, Movie(width=1920, height=1080)), (59, Flaw.CUT_OFF)])
def test_frames_of_open_length_are_counted(table: bytes, came: int, expected: Movie | Flaw) -> None:
    """A last box that reaches to the end of the file looks whole wherever it is cut off; its frames tell."""
    index = box(b"ftyp", b"isom") + box(b"moov", track(table=table))

    assert expected == judged(index + struct.pack(">I4s", 0, b"mdat") + bytes(came))


def test_a_table_that_is_too_short_counts_for_nothing() -> None:
    """Nonsense in the table of frames is for players to judge."""
    assert isinstance(judged(video(track(table=box(b"stsz", b"\x00")))), Movie)


@given(st.data())
def test_damage_anywhere_is_survived(data: st.DataObject) -> None:
    """Whatever byte is changed and wherever the file ends, there is an answer."""
    good = bytearray(video(track(table=sizes(1, 2, 3))))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(good)))

    assert isinstance(judged(bytes(good[:end])), Movie | Flaw)
