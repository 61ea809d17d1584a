"""A picture's own end is found without reading it into memory."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from dropglow.intake.endings import ends, seems_cut
from dropglow.model import Format

KINDS = [Format.JPEG, Format.PNG, Format.WEBP]


def noise(kind: Format, *, side: int = 500) -> bytes:
    """Return a picture of several blocks of reading."""
    stream = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(stream, kind.value, quality=95)
    return stream.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_ends(kind: Format) -> None:
    """With or without something behind it."""
    data = noise(kind)

    assert ends(io.BytesIO(data), kind)
    assert ends(io.BytesIO(data + b"\x00trailer"), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2, 12, 70_000])
def test_a_cut_picture_does_not_end(kind: Format, missing: int) -> None:
    """Be it the last byte."""
    assert not ends(io.BytesIO(noise(kind)[:-missing]), kind)


@pytest.mark.parametrize("padding", [65_520, 65_530, 65_534, 65_535, 131_060])
def test_markers_are_found_across_blocks_of_reading(padding: int) -> None:
    """Wherever a block ends: within a marker, its length, or behind it."""
    for shift in range(8):
        length = min(padding - shift, 65_533)
        segment = b"\xff\xfe" + (length + 2).to_bytes(2, "big") + bytes(length)
        data = b"\xff\xd8" + segment + b"\xff\xda\x00\x02" + bytes(65_533) + b"\xff\x00\xff\xd9"

        assert ends(io.BytesIO(data), Format.JPEG)
        assert not ends(io.BytesIO(data[:-1]), Format.JPEG)


def test_bytes_that_are_no_chunks_end_the_search() -> None:
    """A copy that was never finished is zeros from somewhere on."""
    data = noise(Format.PNG)

    assert not ends(io.BytesIO(data[:100_000] + bytes(len(data) - 100_000)), Format.PNG)


@pytest.mark.parametrize("kind", [Format.TIFF, Format.JXL, Format.GIF, Format.BMP, Format.AVIF])
def test_other_formats_are_left_to_their_decoders(kind: Format) -> None:
    """Their parts may stand in any order."""
    assert ends(io.BytesIO(b""), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_was_cut_is_seen_from_its_end(kind: Format) -> None:
    """The last bytes tell, and where others stand behind the end, the whole file does."""
    data = noise(kind)

    assert not seems_cut(io.BytesIO(data), kind)
    assert not seems_cut(io.BytesIO(data + b"\x00trailer"), kind)
    assert seems_cut(io.BytesIO(data[:-1]), kind)
    assert seems_cut(io.BytesIO(data[:1]), kind)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_webp_with_room_for_the_rest_does_not_end(lossless: bool, share: float) -> None:
    """Its decoder paints something of the zeros, and says nothing."""
    stream = io.BytesIO()
    Image.effect_noise((300, 300), 90).convert("RGB").save(stream, "webp", lossless=lossless)
    data = stream.getvalue()
    written = int(len(data) * share)

    assert not ends(io.BytesIO(data[:written] + bytes(len(data) - written)), Format.WEBP)


def test_a_webp_with_metadata_behind_its_pixels_ends() -> None:
    """Zeros in there are nobody's pixels; a chunk that is all zeros was not written."""
    stream = io.BytesIO()
    Image.effect_noise((90, 91), 90).convert("RGB").save(stream, "webp", exif=b"Exif\x00\x00" + bytes(301))
    data = stream.getvalue()
    pixels = data.index(b"VP8 ")
    behind = pixels + 8 + int.from_bytes(data[pixels + 4 : pixels + 8], "little")
    behind += behind % 2

    assert ends(io.BytesIO(data), Format.WEBP)
    assert not ends(io.BytesIO(data[:behind] + bytes(len(data) - behind)), Format.WEBP)


def test_a_webp_of_countless_chunks_is_left_to_its_decoder() -> None:
    """The search has an end."""
    endless = b"RIFF" + (8 * 1_100_000).to_bytes(4, "little") + b"WEBP" + b"JUNK\x00\x00\x00\x00" * 1_100_000

    assert ends(io.BytesIO(endless), Format.WEBP)
