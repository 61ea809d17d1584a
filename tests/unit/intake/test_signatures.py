"""Files are told by their first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from dropglow.intake.signatures import HEAD_BYTES, foreign_format, signature
from dropglow.model import Format


@pytest.mark.parametrize("kind", [kind for kind in Format if kind is not Format.JXL])
def test_the_first_bytes_tell_the_format(kind: Format) -> None:
    """No name is needed."""
    stream = io.BytesIO()
    Image.new("RGB", (30, 20)).save(stream, kind.value)

    assert kind is signature(stream.getvalue()[:HEAD_BYTES])


@pytest.mark.parametrize("head", [b"\xff\x0a\x00\x00", b"\x00\x00\x00\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_told_by_its_signature(head: bytes) -> None:
    """Bare and boxed."""
    assert Format.JXL is signature(head)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"\x00\x00\x00\x18ftypisom", "video"),
        (b"\x00\x00\x00\x0cjP  \r\n", "JPEG 2000"),
        (b"8BPS", "Photoshop"),
        (b"hello", None),
    ],
)
def test_formats_that_cannot_be_used_have_names(head: bytes, name: str | None) -> None:
    """A message can say what the file is instead."""
    assert name == foreign_format(head)
    assert signature(head) is None


def test_a_text_that_begins_like_a_bitmap_is_none() -> None:
    """``BM`` also begins the name of a car."""
    assert signature(b"BMW on a mountain road, in the evening") is None
