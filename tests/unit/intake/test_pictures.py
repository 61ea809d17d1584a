"""Pictures are told by their bytes, measured by their header, and decoded to the end."""

from __future__ import annotations

import io
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dropglow.errors import SourceFault
from dropglow.intake.pictures import decode, look
from dropglow.model import Colours, Facts, Format, Kind

READ_BY_PILLOW = [Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF]
ONLY_CONVERTED = [Format.GIF, Format.BMP, Format.AVIF]


def picture(
    kind: Format, *, width: int = 300, height: int = 200, orientation: int = 1, **options: object
) -> bytes:
    image = Image.effect_noise((width, height), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    image.save(stream, kind.value, exif=exif, **options)
    return stream.getvalue()


def seen(data: bytes, kind: Format) -> Facts:
    return look(io.BytesIO(data), kind)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("head", [b"\xff\x0a\x00\x00", b"\x00\x00\x00\x0cJXL \r\n\x87\n"])
def test_of_jpeg_xl_nothing_more_is_known(head: bytes) -> None:
    """Pillow does not read it; Firefly does."""
    assert Facts(kind=Kind.IMAGE, format=Format.JXL) == seen(head, Format.JXL)
    decode(io.BytesIO(head), Format.JXL)


@pytest.mark.parametrize("kind", READ_BY_PILLOW)
@pytest.mark.parametrize(("orientation", "size"), [(1, (300, 200)), (3, (300, 200)), (6, (200, 300))])
def test_a_picture_is_measured_as_it_is_seen(kind: Format, orientation: int, size: tuple[int, int]) -> None:
    """A camera held upright stores its picture lying, with a note."""
    facts = seen(picture(kind, orientation=orientation), kind)

    assert size == (facts.width, facts.height)
    assert orientation == facts.orientation


@pytest.mark.parametrize("kind", [*READ_BY_PILLOW, *ONLY_CONVERTED])
def test_a_whole_picture_decodes(kind: Format) -> None:
    """Nothing is raised, nothing is returned."""
    decode(io.BytesIO(picture(kind)), kind)


def test_a_progressive_jpeg_decodes() -> None:
    """Several scans, one end."""
    decode(io.BytesIO(picture(Format.JPEG, progressive=True)), Format.JPEG)


def test_bytes_behind_the_end_do_no_harm() -> None:
    """Phones append previews and films."""
    decode(io.BytesIO(picture(Format.JPEG) + b"trailer" * 100), Format.JPEG)


@pytest.mark.parametrize("kind", [Format.JPEG, Format.PNG, Format.WEBP])
@pytest.mark.parametrize("part", [0.5, 0.9, 0.999])
def test_a_cut_picture_is_told_as_cut_off(kind: Format, part: float) -> None:
    """Half a copy is the commonest damage, and has a plain remedy."""
    data = picture(kind)

    with pytest.raises(SourceFault, match="cut off"):
        decode(io.BytesIO(data[: int(len(data) * part)]), kind)


def test_a_cut_tiff_is_told_as_cut_off() -> None:
    """It has no end of its own, so that only decoding finds out."""
    data = picture(Format.TIFF)

    with pytest.raises(SourceFault, match="cut off"):
        decode(io.BytesIO(data[: len(data) // 2]), Format.TIFF)


@pytest.mark.parametrize("kind", [Format.JPEG, Format.PNG, Format.WEBP])
def test_a_picture_whose_second_half_is_zeros_is_refused(kind: Format) -> None:
    """Some programs reserve the whole size first; the size alone proves nothing."""
    data = picture(kind)
    half = data[: len(data) // 2]

    with pytest.raises(SourceFault):
        decode(io.BytesIO(half + bytes(len(data) - len(half))), kind)


def test_a_bomb_is_refused_by_its_header() -> None:
    """A few kilobytes may claim more pixels than there is memory."""
    stream = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(stream, "png")

    with pytest.raises(SourceFault, match="20000 x 10000 pixels"):
        look(stream, Format.PNG)


def test_a_bomb_in_a_frame_is_refused() -> None:
    """The header of a GIF tells of a small screen, and its only frame of four billion pixels."""
    data = saved(Image.new("P", (10, 10)), "gif")
    small, large = bytes(4) + b"\n\x00\n\x00", bytes(4) + b"\xff\xff\xff\xff"
    assert 1 == data.count(b"," + small)

    with pytest.raises(SourceFault, match="claims more pixels than are ever opened"):
        seen(data.replace(b"," + small, b"," + large), Format.GIF)


def test_a_palette_picture_without_its_palette_is_damaged() -> None:
    """What Pillow only asserts is no fault of ours."""
    data = saved(Image.effect_noise((10, 10), 60).convert("P"), "png")
    at = data.index(b"PLTE") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")

    with pytest.raises(SourceFault, match="is damaged"):
        seen(data[:at] + data[end:], Format.PNG)


def test_a_picture_that_points_before_its_own_beginning_is_damaged() -> None:
    """It is the file's fault and not the disk's, which would be asked again and again."""
    data = saved(Image.new("RGB", (10, 10)), "tiff", compression="raw")
    at = data.index(b"\x11\x01\x04\x00\x01\x00\x00\x00")  # StripOffsets, a number without a sign
    pointing = data[: at + 2] + b"\x09\x00\x01\x00\x00\x00\x00\xff\xff\xff" + data[at + 12 :]

    with pytest.raises(SourceFault, match="is damaged"):
        decode(io.BytesIO(pointing), Format.TIFF)


@pytest.mark.parametrize("kind", [*READ_BY_PILLOW, *ONLY_CONVERTED])
def test_a_head_without_a_body_is_damaged(kind: Format) -> None:
    """The signature alone is no picture."""
    with pytest.raises(SourceFault, match="damaged"):
        look(io.BytesIO(picture(kind)[:14]), kind)


@pytest.mark.parametrize(
    ("mode", "kind", "colours"),
    [
        ("L", "JPEG", Colours.GREY),
        ("RGB", "PNG", Colours.RGB),
        ("P", "PNG", Colours.PALETTE),
        ("CMYK", "JPEG", Colours.CMYK),
        ("CMYK", "TIFF", Colours.CMYK),
        ("LAB", "TIFF", Colours.LAB),
        ("F", "TIFF", Colours.NUMBERS),
    ],
)
def test_the_header_tells_the_colours(mode: str, kind: str, colours: Colours) -> None:
    """What screens do not show as it is has to be converted."""
    data = saved(Image.new(mode, (8, 8)), kind)

    assert colours is seen(data, Format(kind.lower())).colours


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_told(kind: str) -> None:
    """Pillow hides them for colours, but not for grey."""
    facts = seen(saved(Image.new("I;16", (8, 8)), kind), Format(kind.lower()))

    assert (16, Colours.GREY) == (facts.bits, facts.colours)


def test_sixteen_bits_of_colour_are_told() -> None:
    """They are in the header alone: Pillow reads such a PNG as one of eight bits."""
    data = bytearray(saved(Image.new("RGB", (8, 8)), "PNG"))
    data[24] = 16
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")

    assert 16 == seen(bytes(data), Format.PNG).bits


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF", "AVIF", "TIFF"])
def test_more_than_one_picture_is_told(kind: str) -> None:
    """Frames or pages: nobody can know which one is meant."""
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in (10, 200)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])

    assert 2 == seen(data, Format(kind.lower())).frames


def test_transparency_is_told() -> None:
    """An alpha channel, or a colour that is none."""
    key = saved(Image.new("P", (8, 8)), "PNG", transparency=0)

    assert seen(saved(Image.new("RGBA", (8, 8)), "WEBP"), Format.WEBP).transparent
    assert seen(key, Format.PNG).transparent
    assert not seen(picture(Format.PNG), Format.PNG).transparent


def test_the_place_where_it_was_taken_is_told() -> None:
    """So that somebody may think of leaving it out."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}

    assert seen(saved(Image.new("RGB", (8, 8)), "JPEG", exif=exif), Format.JPEG).located
    assert not seen(picture(Format.JPEG), Format.JPEG).located


def test_a_broken_exif_block_does_not_make_a_broken_picture() -> None:
    """Many a camera wrote one."""
    data = saved(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\x00\x00nothing like it")

    assert 1 == seen(data, Format.JPEG).orientation


SMALL = {kind: picture(kind, width=24, height=16) for kind in (*READ_BY_PILLOW, *ONLY_CONVERTED)}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(SMALL)),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
)
def test_damage_raises_nothing_but_a_fault_of_the_file(kind: Format, damage: list[tuple[int, int]]) -> None:
    """Whatever the bytes, either they decode or their owner is told."""
    data = bytearray(SMALL[kind])
    for at, value in damage:
        data[at % len(data)] = value

    with suppress(SourceFault):
        look(io.BytesIO(data), kind)
        decode(io.BytesIO(data), kind)
