"""Pictures are told by their bytes, measured by their header, and decoded to the end."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dropglow.errors import SourceFault
from dropglow.intake.pictures import HEAD_BYTES, decode, foreign_format, measure, signature
from dropglow.model import Format

READ_BY_PILLOW = [Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF]


def picture(
    kind: Format, *, width: int = 300, height: int = 200, orientation: int = 1, **options: object
) -> bytes:
    image = Image.effect_noise((width, height), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    image.save(stream, kind.value, exif=exif, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", READ_BY_PILLOW)
def test_the_first_bytes_tell_the_format(kind: Format) -> None:
    """No name is needed."""
    assert kind is signature(picture(kind)[:HEAD_BYTES])


@pytest.mark.parametrize("head", [b"\xff\x0a\x00\x00", b"\x00\x00\x00\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_told_by_its_signature(head: bytes) -> None:
    """Bare and boxed; more is not known of it here."""
    assert Format.JXL is signature(head)
    assert measure(io.BytesIO(head), Format.JXL) is None
    decode(head, Format.JXL)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS"),
        (b"GIF89a", "GIF"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"\x00\x00\x00\x18ftypavif", "AVIF"),
        (b"\x00\x00\x00\x18ftypisom", "video"),
        (b"8BPS", "Photoshop"),
        (b"hello", None),
    ],
)
def test_formats_that_firefly_does_not_read_have_names(head: bytes, name: str | None) -> None:
    """A message can say what the file is instead."""
    assert name == foreign_format(head)
    assert signature(head) is None


@pytest.mark.parametrize("kind", READ_BY_PILLOW)
@pytest.mark.parametrize(("orientation", "size"), [(1, (300, 200)), (3, (300, 200)), (6, (200, 300))])
def test_a_picture_is_measured_as_it_is_seen(kind: Format, orientation: int, size: tuple[int, int]) -> None:
    """A camera held upright stores its picture lying, with a note."""
    assert size == measure(io.BytesIO(picture(kind, orientation=orientation)), kind)


@pytest.mark.parametrize("kind", READ_BY_PILLOW)
def test_a_whole_picture_decodes(kind: Format) -> None:
    """Nothing is raised, nothing is returned."""
    decode(picture(kind), kind)


def test_a_progressive_jpeg_decodes() -> None:
    """Several scans, one end."""
    decode(picture(Format.JPEG, progressive=True), Format.JPEG)


def test_bytes_behind_the_end_do_no_harm() -> None:
    """Phones append previews and films."""
    decode(picture(Format.JPEG) + b"trailer" * 100, Format.JPEG)


@pytest.mark.parametrize("kind", [Format.JPEG, Format.PNG, Format.WEBP])
@pytest.mark.parametrize("part", [0.5, 0.9, 0.999])
def test_a_cut_picture_is_told_as_cut_off(kind: Format, part: float) -> None:
    """Half a copy is the commonest damage, and has a plain remedy."""
    data = picture(kind)

    with pytest.raises(SourceFault, match="cut off"):
        decode(data[: int(len(data) * part)], kind)


def test_a_cut_tiff_is_told_as_cut_off() -> None:
    """It has no end of its own, so that only decoding finds out."""
    data = picture(Format.TIFF)

    with pytest.raises(SourceFault, match="cut off"):
        decode(data[: len(data) // 2], Format.TIFF)


@pytest.mark.parametrize("kind", [Format.JPEG, Format.PNG, Format.WEBP])
def test_a_picture_whose_second_half_is_zeros_is_refused(kind: Format) -> None:
    """Some programs reserve the whole size first; the size alone proves nothing."""
    data = picture(kind)
    half = data[: len(data) // 2]

    with pytest.raises(SourceFault):
        decode(half + bytes(len(data) - len(half)), kind)


def test_a_bomb_is_refused_by_its_header() -> None:
    """A few kilobytes may claim more pixels than there is memory."""
    stream = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(stream, "png")

    with pytest.raises(SourceFault, match="20000 x 10000 pixels"):
        measure(stream, Format.PNG)


@pytest.mark.parametrize("kind", READ_BY_PILLOW)
def test_a_head_without_a_body_is_damaged(kind: Format) -> None:
    """The signature alone is no picture."""
    with pytest.raises(SourceFault, match="damaged"):
        measure(io.BytesIO(picture(kind)[:14]), kind)


SMALL = {kind: picture(kind, width=24, height=16) for kind in READ_BY_PILLOW}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(READ_BY_PILLOW),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
)
def test_damage_raises_nothing_but_a_fault_of_the_file(kind: Format, damage: list[tuple[int, int]]) -> None:
    """Whatever the bytes, either they decode or their owner is told."""
    data = bytearray(SMALL[kind])
    for at, value in damage:
        data[at % len(data)] = value

    with suppress(SourceFault):
        measure(io.BytesIO(data), kind)
        decode(bytes(data), kind)
