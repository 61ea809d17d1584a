"""Notes go, pixels and profiles stay, and not one pixel is encoded again."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from dropglow.errors import SourceFault
from dropglow.intake.stripping import strip
from dropglow.model import Format

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SECRET = b"Rosa-Luxemburg-Platz"
KINDS = [Format.JPEG, Format.PNG, Format.WEBP]


def photo(kind: Format, *, mode: str = "RGB", **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 36.0)}
    stream = io.BytesIO()
    picture = Image.effect_noise((60, 40), 60).convert(mode)
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    if kind is not Format.PNG:
        options = {"xmp": xmp, **options}
    picture.save(stream, kind.value, exif=exif, icc_profile=PROFILE, **options)
    return stream.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_notes_go_and_pixels_stay(kind: Format, mode: str) -> None:
    """Neither EXIF nor GPS nor XMP is left; the colour profile is."""
    data = photo(kind, mode="RGB" if kind is Format.JPEG else mode)
    assert SECRET in data

    bare = strip(data, kind)

    assert SECRET not in bare
    assert b"GPS" not in bare
    assert not opened(bare).getexif()
    assert opened(data).tobytes() == opened(bare).tobytes()
    assert PROFILE == opened(bare).info["icc_profile"]


def test_comments_previews_and_trailers_of_a_jpeg_go() -> None:
    """What phones append behind the end has notes of its own."""
    data = photo(Format.JPEG, comment=SECRET, progressive=True)
    iptc = b"\xff\xed" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    padded = data[:2] + iptc + b"\xff" + data[2:] + photo(Format.JPEG)

    bare = strip(padded, Format.JPEG)

    assert SECRET not in bare
    assert bare.endswith(b"\xff\xd9")
    assert opened(data).tobytes() == opened(bare).tobytes()


def test_print_colours_of_a_jpeg_keep_their_meaning() -> None:
    """Adobe's segment says that they are inverted."""
    stream = io.BytesIO()
    Image.new("CMYK", (16, 16), (255, 0, 0, 10)).save(stream, "JPEG", comment=SECRET)

    bare = strip(stream.getvalue(), Format.JPEG)

    assert opened(stream.getvalue()).tobytes() == opened(bare).tobytes()


def test_a_jpeg_with_restarts_is_followed_to_its_end() -> None:
    """Restart markers and filled bytes belong to the data."""
    data = photo(Format.JPEG, restart_marker_rows=1)

    assert opened(data).tobytes() == opened(strip(data, Format.JPEG)).tobytes()


def test_texts_of_a_png_go() -> None:
    """Wherever they stand."""
    texts = PngInfo()
    texts.add_itxt("Author", SECRET.decode())
    texts.add_text("Comment", SECRET.decode())
    texts.add(b"tEXt", b"Comment\0" + SECRET, after_idat=True)
    stream = io.BytesIO()
    Image.new("P", (8, 8)).save(stream, "PNG", pnginfo=texts, transparency=0)

    bare = strip(stream.getvalue(), Format.PNG)

    assert SECRET not in bare
    assert 0 == opened(bare).info["transparency"]


def box(name: bytes, content: bytes, *, long: bool = False, endless: bool = False) -> bytes:
    if long:
        return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content
    return struct.pack(">I4s", 0 if endless else 8 + len(content), name) + content


def test_notes_of_a_jpeg_xl_stand_in_boxes_of_their_own() -> None:
    """The codestream stays; a bare one has no notes."""
    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    stream = box(b"jxlc", b"\xff\x0a pixels", endless=True)

    bare = strip(head + box(b"Exif", SECRET) + box(b"xml ", SECRET, long=True) + stream, Format.JXL)

    assert head + stream == bare
    assert b"\xff\x0a pixels" == strip(b"\xff\x0a pixels", Format.JXL)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe1\x00", Format.JPEG),
        (b"\xff\xd8\xff\xda\x00\x02 no end", Format.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00\x00", Format.PNG),
        (b"RIFF\xff\x00\x00\x00WEBPVP", Format.WEBP),
        (struct.pack(">I4sQ", 1, b"JXL ", 0), Format.JXL),
    ],
)
def test_a_broken_file_is_told_as_damaged(data: bytes, kind: Format) -> None:
    """Rather than sent half."""
    with pytest.raises(SourceFault, match="damaged"):
        strip(data, kind)


SMALL = {kind: photo(kind) for kind in KINDS}


@settings(max_examples=200)
@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6))
def test_damage_raises_nothing_but_a_fault_of_the_file(kind: Format, damage: list[tuple[int, int]]) -> None:
    """Whatever the bytes, it ends."""
    data = bytearray(SMALL[kind])
    for at, value in damage:
        data[at % len(data)] = value

    with suppress(SourceFault):
        strip(bytes(data), kind)


@pytest.mark.parametrize("kind", [Format.TIFF, Format.GIF, Format.BMP, Format.AVIF])
def test_what_is_converted_is_not_stripped(kind: Format) -> None:
    """A plan that asks for it is a mistake of ours."""
    with pytest.raises(ValueError, match="converted"):
        strip(b"", kind)
