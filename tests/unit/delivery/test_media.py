"""What a result is, told from its first bytes."""

from __future__ import annotations

import pytest

from dropglow.delivery.media import HEAD_BYTES, described, media_of


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
        b"\x00\x00\x00\x18ftyphevc",
    ],
)
def test_anything_else_is_no_result(head: bytes) -> None:
    """Error pages, JSON, sound and formats that nobody ordered are not delivered."""
    assert media_of(head) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"<!DOCTYPE html><html>", "a web page (HTML), perhaps an error page"),
        (b"\r\n<html><body>Bad", "a web page (HTML), perhaps an error page"),
        (b"\xef\xbb\xbf<?xml version='1.0'", "a text in XML, perhaps an error message"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "a drawing (SVG)"),
        (b'<?xml version="1.0"?>\n<svg xmlns=', "a drawing (SVG)"),
        (b'{"error_code": "x"}', "a text in JSON, perhaps an error message"),
        (b"\x00\x00\x00\x18ftypavif", "a picture of a kind that was not ordered (HEIC or AVIF)"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04\x14", "an archive"),
        (bytes(32), "nothing but zeros"),
        ("Wartung läuft".encode(), "a text"),
        (b"\x01\x02\x03", "data of an unknown kind"),
    ],
)
def test_what_is_no_result_is_said_in_words(head: bytes, words: str) -> None:
    """A person reads what came instead of a picture, and no bytes."""
    assert words == described(head)
