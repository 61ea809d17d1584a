"""Read the units that people write: durations, byte sizes, picture sizes; and say durations.

Pure text to numbers. The error texts continue a sentence that begins with the
key: ``settle`` *should be a duration …*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

OFF: Final = "off"

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPELLED: Final = ((3600, "hour"), (60, "minute"), (1, "second"))
_BYTES: Final = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
DURATION_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,6})? ?(ms|s|m|h|d)$"
AMOUNT_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})? ?([KkMmGg]?[iI]?[Bb])?$"
SIZE_PATTERN: Final = r"^[0-9]{1,5}x[0-9]{1,5}$"
MODE_PATTERN: Final = r"^0?[0-7]{3}$"

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|m|h|d)")
_AMOUNT: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([a-z]*)")
_SIZE: Final = re.compile(r"([0-9]{1,5}) ?[xX*] ?([0-9]{1,5})")
_MODE: Final = re.compile(r"0?[0-7]{3}")
_BEFORE_AT: Final = re.compile(r"(\w+://)?\S+@")  # of an address it may be a password


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Size:
    """Say how large a picture is to be, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def shown(value: Any) -> str:
    """Return *value* as a person wrote it, short and without passwords, for an error message."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a block of keys"
        case list():
            return "a list"
        case str():
            text = _BEFORE_AT.sub(r"\1…@", value)
            return repr(text if len(text) <= 40 else text[:37] + "…")
        case _:
            return str(value)


def seconds(value: Any) -> float:
    """Return the seconds of a duration such as ``2s``, ``500ms``, ``10m``, ``1h`` or ``1d``.

    Raises:
        ValueError: It is none; a bare number says no unit.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"should say its unit: {value}s or {value}ms")  # noqa: TRY004  # what pydantic collects
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"should be a duration like 2s, 500ms, 10m or 1h, not {shown(value)}")
    return float(found[1]) * _SECONDS[found[2]]


def spelled(duration_s: float) -> str:
    """Return a duration as people say it: ``10 minutes``, ``90 seconds``."""
    length_s, unit = next(
        (
            (length_s, unit)
            for length_s, unit in _SPELLED
            if duration_s >= length_s and not duration_s % length_s
        ),
        (1, "second"),
    )
    count = duration_s / length_s
    return f"{count:g} {unit}" if count == 1 else f"{count:g} {unit}s"


def size_bytes(value: Any) -> int:
    """Return the bytes of an amount such as ``5MB``, ``300 KiB`` or ``4096``.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _AMOUNT.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None or found[2] not in _BYTES:
        raise ValueError(f"should be an amount of data like 5MB or 300KB, not {shown(value)}")
    return int(float(found[1]) * _BYTES[found[2]])


def picture_size(value: Any, *, largest: int) -> Size:
    """Return the size that ``2048x2048`` or ``{width: 2048, height: 2048}`` means.

    Args:
        value: What was written.
        largest: Pixels that either side may have.

    Raises:
        ValueError: It is no size, or a side is out of bounds.
    """
    size = value if isinstance(value, Size) else _size_of(value)
    if size is None:
        raise ValueError(f"should be a size like 2048x2048, not {shown(value)}")
    if not 1 <= min(size.width, size.height) <= max(size.width, size.height) <= largest:
        raise ValueError(f"should be between 1x1 and {largest}x{largest}, not {size}")
    return size


def _size_of(value: Any) -> Size | None:
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        return Size(width=int(found[1]), height=int(found[2]))
    match value:
        case {"width": int(width), "height": int(height), **others} if not others:
            return Size(width=width, height=height)
        case _:
            return None


def permission_bits(value: Any) -> int:
    """Return the permission bits that octal text such as ``"0664"`` means.

    Raises:
        ValueError: It is no such text; without quotes YAML reads it as a decimal number.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        message = f'should stand in quotes, like "0664": YAML reads {value} as a decimal number'
        raise ValueError(message)  # noqa: TRY004  # what pydantic collects
    if not isinstance(value, str) or not _MODE.fullmatch(value):
        raise ValueError(f'should be octal permissions in quotes, like "0664", not {shown(value)}')
    return int(value, 8)
