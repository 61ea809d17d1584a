"""Tell what a file is from its first bytes, never from its name."""

from __future__ import annotations

from typing import Final

from dropglow.model import Format

HEAD_BYTES: Final = 64  # enough for every signature below
SIGNATURE_BYTES: Final = 12  # a shorter file may be the beginning of any picture but a bitmap

READABLE: Final = "Firefly reads JPEG, PNG, WebP, TIFF and JPEG XL"

_STARTS: Final = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"II+\x00", Format.TIFF),  # big TIFF
    (b"MM\x00+", Format.TIFF),
    (b"\xff\x0a", Format.JXL),  # a bare codestream
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", Format.JXL),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
# A text may begin with BM; the size of a bitmap's second header tells them apart.
_BMP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_ISO_BRANDS: Final = {
    b"crx ": "Canon raw",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}
_FOREIGN: Final = (
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%PDF", "PDF"),
    (b"GIF8", "GIF"),
    (b"8BPS", "Photoshop"),
    (b"BM", "BMP"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE html", "HTML"),
    (b"<html", "HTML"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
)


def signature(head: bytes) -> Format | None:
    """Return which format the first bytes announce, of those that can be sent or converted.

    HEIC, raw, EPS, SVG, PDF, JPEG 2000 and their like are not among them: their readers are
    missing, run programs, or are not kept as well as those that every browser brings.
    """
    for start, picture in _STARTS:
        if head.startswith(start):
            return picture
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS:
        return Format.AVIF
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return Format.BMP
    return None


def foreign_format(head: bytes) -> str | None:
    """Return the name of a format that cannot be used, if the first bytes are known to be one."""
    if head[4:8] == b"ftyp":
        return _ISO_BRANDS.get(head[8:12], "video")
    return next((name for start, name in _FOREIGN if head.startswith(start)), None)
