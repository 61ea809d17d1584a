"""Decide whether a picture can be sent as it is, must be prepared, or is refused before anything is paid.

Pure. What an operation demands is given; what is to be done comes back, with
reasons in words. A copy is planned only where something demands one, and is no
larger than any result could be. The picture that was dropped is never changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from dropglow.fitness import MB, Demands, Refusal, unfit
from dropglow.model import Colours, Facts, Format

# Firefly takes far less, and a copy is sent then; beyond this, a file is not even opened.
LARGEST_FILE_BYTES: Final = 500 * MB
# Adobe's OpenAPI document, Size: no operation but upscale returns more, and that one
# takes no larger source; so a copy with more pixels would only be sent for nothing.
LARGEST_SIDE: Final = 4096

_READ_BY_FIREFLY: Final = frozenset({Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF, Format.JXL})
_SPELLED: Final = {
    Format.JPEG: "JPEG",
    Format.PNG: "PNG",
    Format.WEBP: "WebP",
    Format.TIFF: "TIFF",
    Format.JXL: "JPEG XL",
    Format.GIF: "GIF",
    Format.BMP: "BMP",
    Format.AVIF: "AVIF",
}
_LARGEST_WEBP_SIDE: Final = 16383
_SMALL_MB: Final = 1_000_000  # a copy is small enough whichever megabyte Adobe means
_RECIPES: Final = 1  # the edition of what copies.py makes of a plan; another one makes new copies
_BARE: Final = "without EXIF, GPS and other notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """One way to write a copy."""

    format: Format
    quality: int | None = None  # None: no pixel changes


@dataclass(frozen=True, slots=True, kw_only=True)
class AsIs:
    """Send the file itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripped:
    """Send the file without its notes; not one pixel is encoded again."""

    recipe: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Send a copy: upright, 8 bits a channel, in sRGB or with its profile, and without any other notes.

    ``recipe`` is a short name: the same file prepared by the same recipe gives the same copy.
    """

    width: int  # pixels of the copy, upright
    height: int
    to_srgb: bool  # its colours are those of print, and not of screens
    encodings: tuple[Encoding, ...]  # to try in this order until one is small enough
    largest_bytes: int
    recipe: str
    reasons: tuple[str, ...]


Plan = AsIs | Stripped | Copy | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """One thing that keeps a picture from being sent as it is."""

    found: str
    done: str


def plan(facts: Facts, demands: Demands, *, prepared: bool, stripped: bool) -> Plan:
    """Return what is to be sent of a picture.

    Args:
        facts: What a look inside told. What it did not tell is taken to be all right.
        demands: Of the operation.
        prepared: False: what cannot be sent as it is, is refused.
        stripped: Nothing but pixels and their colour profile may be sent.
    """
    if (hopeless := unfit(facts, demands)) is not None:
        return hopeless
    needs = tuple(_needs(facts, demands))
    if needs and not prepared:
        return _forbidden(needs)
    if facts.format is Format.JXL and needs:
        return Refusal(
            message=f"{_sentence(needs)}; and a JPEG XL cannot be made smaller here",
            hint=f"save it as JPEG or PNG of at most {_mb(demands.largest_bytes)} and drop that",
        )
    woven = facts.format is Format.TIFF  # its notes stand among its pixels
    if needs or (stripped and woven):
        return _copy(facts, replace(demands, takes_cmyk=False), stripped=stripped)
    if not stripped:
        return AsIs()
    return Stripped(recipe=f"+{_RECIPES}.stripped", reasons=(_BARE,))


def refusal(facts: Facts, demands: Demands, *, prepared: bool) -> Refusal | None:
    """Return why a picture can be sent in no way, if so; the earlier it is asked the better."""
    planned = plan(facts, demands, prepared=prepared, stripped=False)
    return planned if isinstance(planned, Refusal) else None


def foreseen(planned: Plan) -> str:
    """Return in words what would be sent instead of the file; nothing where it is sent itself."""
    match planned:
        case AsIs():
            return ""
        case Stripped(reasons=reasons):
            return ", ".join(reasons)
        case Copy(encodings=encodings, reasons=reasons, largest_bytes=largest_bytes):
            names = dict.fromkeys(_SPELLED[encoding.format] for encoding in encodings)
            return ", ".join((*reasons, f"{' or '.join(names)} of at most {largest_bytes // _SMALL_MB} MB"))
        case Refusal(message=message, hint=hint):
            return f"{message}; {hint}"
        case _:
            assert_never(planned)


def told(reasons: tuple[str, ...], *, form: Format | None, size_bytes: int) -> str:
    """Return in words what was done to a copy, for the log and the sidecar."""
    name = () if form is None else (_SPELLED[form],)
    return ", ".join((*reasons, *name, megabytes(size_bytes)))


def megabytes(size_bytes: int) -> str:
    """Return a size as people say it, ``8.1 MB``; a small one in kB."""
    if size_bytes < MB // 10:
        return f"{math.ceil(size_bytes / 1024)} kB"
    return f"{size_bytes / MB:.1f} MB"


def _forbidden(needs: tuple[_Need, ...]) -> Refusal:
    return Refusal(
        message=f"{_sentence(needs)}; and the rule says `prepare: never`",
        hint="change it and drop it again, or let the rule prepare pictures with `prepare: auto`",
    )


def _sentence(needs: tuple[_Need, ...]) -> str:
    return "the picture cannot be sent as it is: " + ", and ".join(need.found for need in needs)


def _needs(facts: Facts, demands: Demands) -> Iterator[_Need]:
    if facts.format is not None and facts.format not in _READ_BY_FIREFLY:
        name = _SPELLED[facts.format]
        found = f"Firefly does not read {name}, only JPEG, PNG, WebP, TIFF and JPEG XL"
        yield _Need(found=found, done=f"converted from {name}")
    if facts.orientation != 1:
        # Adobe says nothing about EXIF rotation; upright pixels mean the same to everybody.
        found = f"it is not stored upright (EXIF rotation {facts.orientation})"
        yield _Need(found=found, done="turned upright")
    if facts.colours is Colours.LAB or (facts.colours is Colours.CMYK and not demands.takes_cmyk):
        name = "CMYK" if facts.colours is Colours.CMYK else "Lab"
        yield _Need(found=f"its colours are {name}", done=f"converted from {name} to sRGB")
    if facts.bits > 8:
        yield _Need(
            found=f"it has {facts.bits} bits a channel", done=f"brought from {facts.bits} to 8 bits a channel"
        )
    if demands.largest_area and (facts.width or 0) * (facts.height or 0) > demands.largest_area:
        side = math.isqrt(demands.largest_area)
        found = f"it has {facts.width}x{facts.height} pixels, and Firefly takes at most as many as {side}x{side} has"
        yield _Need(found=found, done="made smaller")
    if (facts.size_bytes or 0) > demands.largest_bytes:
        has, most = megabytes(facts.size_bytes or 0), _mb(demands.largest_bytes)
        yield _Need(
            found=f"it has {has}, and Firefly takes at most {most} here",
            done=f"brought from {has} below {most}",
        )


def _copy(facts: Facts, demands: Demands, *, stripped: bool) -> Copy:
    before = facts.width or 0, facts.height or 0
    width, height = _fitting(*before, demands)
    resized = () if (width, height) == before else (f"{before[0]}x{before[1]} → {width}x{height}",)
    encodings = _encodings(facts, demands, longer=max(width, height))
    ways = "-".join(f"{each.format}{each.quality or ''}" for each in encodings)
    return Copy(
        width=width,
        height=height,
        to_srgb=facts.colours in {Colours.CMYK, Colours.LAB},
        encodings=encodings,
        largest_bytes=demands.largest_bytes // MB * _SMALL_MB,
        recipe=f"+{_RECIPES}.{width}x{height}.{ways}.{demands.largest_bytes}",
        reasons=(*(need.done for need in _needs(facts, demands)), *resized, *((_BARE,) if stripped else ())),
    )


def _fitting(width: int, height: int, demands: Demands) -> tuple[int, int]:
    if demands.keeps_size:
        return width, height
    scale = min(1.0, LARGEST_SIDE / max(width, height))
    if demands.largest_area:
        scale = min(scale, math.sqrt(demands.largest_area / (width * height)))
    if scale >= 1:
        return width, height
    if not demands.largest_area:
        return max(1, round(width * scale)), max(1, round(height * scale))
    # Limits are not to be passed by half a pixel.
    fitting = math.floor(width * scale + 1e-9), math.floor(height * scale + 1e-9)
    longest = demands.largest_ratio * min(fitting)
    return min(fitting[0], longest), min(fitting[1], longest)


def _encodings(facts: Facts, demands: Demands, *, longer: int) -> tuple[Encoding, ...]:
    """Return how a copy is written, the best way first.

    What may lose nothing stays exact. Transparency is kept, because composites live on it. Graphics stay exact if
    they are small enough so; photographs become JPEGs that nobody tells from their originals.
    """
    png = Encoding(format=Format.PNG)
    if demands.exact:
        return (png, *_webp(longer, None))
    if facts.transparent:
        return (png, *_webp(longer, 95, 85, 75))
    jpeg = tuple(Encoding(format=Format.JPEG, quality=quality) for quality in (95, 90, 85, 75, 65))
    too_heavy = (facts.size_bytes or 0) > demands.largest_bytes
    lossless = facts.format in {Format.PNG, Format.GIF, Format.BMP, Format.TIFF}
    printed = facts.colours is Colours.CMYK  # a photograph, in all likelihood
    return (png, *jpeg) if lossless and not printed and not too_heavy else jpeg


def _webp(longer: int, *qualities: int | None) -> tuple[Encoding, ...]:
    if longer > _LARGEST_WEBP_SIDE:
        return ()
    return tuple(Encoding(format=Format.WEBP, quality=quality) for quality in qualities)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes // MB} MB"
