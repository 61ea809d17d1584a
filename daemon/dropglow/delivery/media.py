"""Tell what a result is from its bytes, never from a name or a header.

A server's error page saved under a picture's name is the fault this module
exists for: what has no known signature is no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 32  # enough of a file's beginning for every signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A kind of file that can be a result."""

    media_type: str
    extension: str  # with its dot
    decoder: str | None = None  # Pillow's name of the format; None: it has no reader for it


JPEG: Final = Media(media_type="image/jpeg", extension=".jpg", decoder="JPEG")
PNG: Final = Media(media_type="image/png", extension=".png", decoder="PNG")
WEBP: Final = Media(media_type="image/webp", extension=".webp", decoder="WEBP")
TIFF: Final = Media(media_type="image/tiff", extension=".tiff", decoder="TIFF")
GIF: Final = Media(media_type="image/gif", extension=".gif", decoder="GIF")
JXL: Final = Media(media_type="image/jxl", extension=".jxl")
MP4: Final = Media(media_type="video/mp4", extension=".mp4")
MOV: Final = Media(media_type="video/quicktime", extension=".mov")
VIDEOS: Final = frozenset({MP4, MOV})

_JXL_BOX: Final = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_SIGNATURES: Final[tuple[tuple[bytes, Media], ...]] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (_JXL_BOX, JXL),
    (b"\xff\x0a", JXL),  # a bare codestream
)
# Brands of still pictures in the same container: they are no videos, and nobody asked for them.
_STILL_BRANDS: Final = frozenset(
    (
        b"avif",
        b"avis",
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"heif",
        b"mif1",
        b"msf1",
        b"miaf",
    )
)


def media_of(head: bytes) -> Media | None:
    """Return what a file is that begins with *head* (32 bytes suffice); None when it is nothing known."""
    for signature, media in _SIGNATURES:
        if head.startswith(signature):
            return media
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _video(head[8:12])
    return None


def described(head: bytes) -> str:
    """Return in words what a file seems to be that begins with *head* and is no result."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page (HTML), perhaps an error page"
    if b"<svg" in text:
        return "a drawing (SVG)"
    if text.startswith(b"<"):
        return "a text in XML, perhaps an error message"
    if text.startswith((b"{", b"[")):
        return "a text in JSON, perhaps an error message"
    if head[4:8] == b"ftyp":
        return "a picture of a kind that was not ordered (HEIC or AVIF)"
    if head.startswith(b"%PDF"):
        return "a PDF document"
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        return "an archive"
    if not any(head):
        return "nothing but zeros"
    if all(byte >= 0x20 or byte in b"\t\r\n" for byte in head):
        return "a text"
    return "data of an unknown kind"


def _video(brand: bytes) -> Media | None:
    if brand in _STILL_BRANDS:
        return None
    return MOV if brand == b"qt  " else MP4
