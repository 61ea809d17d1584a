"""What a result is, told from its first bytes."""

from __future__ import annotations

import pytest

from dropglow.delivery.media import HEAD_BYTES, media_of


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", ".jpg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ".png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", ".webp"),
        (b"II*\x00\x08\x00\x00\x00", ".tiff"),
        (b"MM\x00*\x00\x00\x00\x08", ".tiff"),
        (b"GIF89a", ".gif"),
        (b"GIF87a", ".gif"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", ".jxl"),
        (b"\xff\x0a\x00", ".jxl"),
        (b"\x00\x00\x00\x18ftypisom", ".mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", ".mov"),
    ],
)
def test_a_signature_tells_the_extension(head: bytes, extension: str) -> None:
    """Every kind of result that Firefly makes is known by its bytes."""
    media = media_of(head)

    assert media is not None
    assert extension == media.extension
    assert len(head) <= HEAD_BYTES


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<!DOCTYPE html>",
        b'{"error_code":',
        b"RIFF\x10\x00\x00\x00WAVE",
        b"%!PS-Adobe",
        b"\x00\x00\x00\x18ftypavif",
    ],
)
def test_anything_else_is_no_result(head: bytes) -> None:
    """Error pages, JSON, sound and formats that nobody ordered are not delivered."""
    assert media_of(head) is None
