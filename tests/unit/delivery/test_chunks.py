"""The outer structure of media files: where they end, and where Content Credentials are."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dropglow.delivery.chunks import ends_well, has_content_credentials
from dropglow.delivery.media import GIF, JPEG, JXL, MOV, MP4, PNG, TIFF, WEBP, Media

ALL = [JPEG, PNG, WEBP, TIFF, GIF, JXL, MP4, MOV]
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(stream, kind)
    return stream.getvalue()


def box(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def jpeg_with_manifest() -> bytes:
    body = b"JP\x00\x01\x00\x00\x00\x01" + box(b"jumb", box(b"jumd", b"c2pa"))
    plain = picture("JPEG")
    return plain[:2] + b"\xff" + b"\xff\xeb" + struct.pack(">H", 2 + len(body)) + body + plain[2:]


def png_with_manifest() -> bytes:
    plain = picture("PNG")
    return plain[:33] + struct.pack(">I4s", 4, b"caBX") + b"jumb" + b"\x00" * 4 + plain[33:]


def webp_with_manifest() -> bytes:
    return picture("WEBP") + b"C2PA" + struct.pack("<I", 4) + b"jumb"


def tiff_with_manifest() -> bytes:
    entry = struct.pack("<HHII", 0xCD41, 7, 4, 0)
    return b"II*\x00" + struct.pack("<IH", 8, 1) + entry + b"\x00" * 4


def video(*, handler: bytes = b"vide", width: int = 8) -> bytes:
    size = struct.pack(">II", width << 16, 8 << 16)
    track = box(b"tkhd", bytes(76) + size) + box(b"mdia", box(b"hdlr", bytes(8) + handler))
    return box(b"ftyp", b"isom") + box(b"moov", box(b"trak", track)) + box(b"mdat", b"frames")


VIDEO = video()
JXL_HEAD = box(b"JXL ", b"\r\n\x87\n")
JXL_BOXES = JXL_HEAD + box(b"jxlc", b"x")


@pytest.mark.parametrize(
    ("media", "data"),
    [
        (JPEG, jpeg_with_manifest()),
        (PNG, png_with_manifest()),
        (WEBP, webp_with_manifest()),
        (TIFF, tiff_with_manifest()),
        (MP4, VIDEO + box(b"uuid", C2PA_UUID)),
        (JXL, JXL_BOXES + box(b"jumb", b"c2pa")),
    ],
)
def test_content_credentials_are_found(media: Media, data: bytes) -> None:
    """Each format keeps its manifest in a place of its own."""
    assert has_content_credentials(io.BytesIO(data), media, len(data))


@pytest.mark.parametrize(
    ("media", "data"),
    [
        (JPEG, picture("JPEG")),
        (PNG, picture("PNG")),
        (WEBP, picture("WEBP")),
        (TIFF, picture("TIFF")),
        (GIF, picture("GIF")),
        (MP4, VIDEO),
        (JXL, JXL_BOXES),
        (JXL, JXL_HEAD + box(b"jxlp", bytes(5)) + box(b"jxlp", b"\x80\x00\x00\x01x")),
    ],
)
def test_a_plain_file_is_whole_and_has_no_credentials(media: Media, data: bytes) -> None:
    """What has no manifest is not said to have one, and a whole file ends well."""
    assert not has_content_credentials(io.BytesIO(data), media, len(data))
    assert ends_well(io.BytesIO(data), media, len(data))


@pytest.mark.parametrize(
    ("media", "data"),
    [
        (MP4, VIDEO[:-1]),
        (MP4, box(b"ftyp", b"isom") + box(b"mdat")),
        (MP4, VIDEO + b"\x00\x00"),
        (MP4, VIDEO + struct.pack(">I4s", 4, b"free")),
        (JXL, JXL_BOXES[:-1]),
        (JXL, JXL_HEAD),
        (JXL, JXL_HEAD + box(b"jxlp", bytes(5))),
        (MP4, b""),
    ],
)
def test_a_file_that_lacks_its_end_is_noticed(media: Media, data: bytes) -> None:
    """Boxes that lead beyond the end, or nowhere, are no whole file."""
    assert not ends_well(io.BytesIO(data), media, len(data))


def test_long_boxes_and_the_last_box_of_open_length_are_understood() -> None:
    """A length of one means that 64 bits follow; zero means up to the end."""
    data = VIDEO + struct.pack(">I4sQ", 1, b"free", 20) + b"abcd"
    data += struct.pack(">I4s", 0, b"mdat") + b"v" * 99

    assert ends_well(io.BytesIO(data), MP4, len(data))


def test_a_bare_codestream_has_no_boxes() -> None:
    """A JPEG XL file without a container is for its length to judge."""
    assert ends_well(io.BytesIO(b"\xff\x0aabc"), JXL, 5)


@given(st.sampled_from(ALL), st.binary(max_size=300))
def test_nonsense_is_walked_without_failing(media: Media, data: bytes) -> None:
    """Whatever the bytes, the walk comes to an end."""
    file = io.BytesIO(data)

    assert ends_well(file, media, len(data)) in {True, False}
    assert has_content_credentials(file, media, len(data)) in {True, False}
