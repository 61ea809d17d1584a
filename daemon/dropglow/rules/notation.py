"""How single values of rules and configuration are written: durations, amounts, patterns, words.

Types for the shapes: each reads what a person writes, refuses the rest in words that
follow the key's name, and knows its JSON Schema.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from dropglow.model import Format
from dropglow.rules.globs import glob_fault
from dropglow.rules.prompts import Split
from dropglow.rules.shape import Whole, several
from dropglow.rules.source import template
from dropglow.rules.units import (
    AMOUNT_PATTERN,
    DURATION_PATTERN,
    MODE_PATTERN,
    OFF,
    permission_bits,
    seconds,
    shown,
    size_bytes,
)

SHORTEST_PERIOD_S: Final = 0.01  # what is done again and again without a pause would keep a processor busy
_MARKER: Final = '"{name}.done"'
_FORMAT_SPELLINGS: Final = {"jpg": "jpeg", "tif": "tiff"}


def _spelled(value: Any) -> Any:
    word = value.lower() if isinstance(value, str) else value
    return _FORMAT_SPELLINGS.get(word, word) if isinstance(word, str) else word


def _globs(values: list[str]) -> list[str]:
    for value in values:
        if fault := glob_fault(value):
            raise ValueError(fault)
    return values


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _off(value: Any) -> Any:
    return None if is_off(value) else value


def is_off(value: Any) -> bool:
    """Return whether *value* is `off`, or the false that YAML 1.1 made of it."""
    return value is False or value == OFF  # and not 0, which equals False


def _split(value: Any) -> Any:
    if value is None or value in {Split.LINES.value, Split.BLOCKS.value}:
        return None if value is None else Split(value)
    raise ValueError(f"should be lines or blocks, not {shown(value)}")


def _marker(value: Any) -> str:
    return template(value, shown_as=_MARKER, what="marker")


def _period(value: float) -> float:
    if value < SHORTEST_PERIOD_S:
        raise ValueError(f"should be at least {SHORTEST_PERIOD_S * 1000:g}ms")
    return value


def _rule_name(value: str) -> str:
    if not value.isprintable() or not value.strip() or "/" in value:
        raise ValueError(f"should be a short plain name, not {shown(value)}")
    return value


def _one_or_more_of(*words: str) -> dict[str, Any]:
    word = {"enum": list(words)}
    return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


_ONE_OR_MORE: Final = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}

Duration = Annotated[
    float,
    PlainValidator(seconds),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["2s", "500ms", "10m", "1h"]}),
]
Period = Annotated[Duration, AfterValidator(_period)]
Amount = Annotated[
    int,
    PlainValidator(size_bytes),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": AMOUNT_PATTERN}, {"type": "integer"}],
            "examples": ["5MB", "300KB"],
        }
    ),
]
Mode = Annotated[
    int,
    PlainValidator(permission_bits),
    WithJsonSchema({"type": "string", "pattern": MODE_PATTERN, "examples": ["0664"]}),
]
Limit = Annotated[
    Annotated[Whole, Field(ge=1)] | None,
    BeforeValidator(_off),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": OFF}]}),
]
Text = Annotated[str, Field(min_length=1)]
Globs = Annotated[
    list[Text],
    BeforeValidator(several),
    Field(min_length=1),
    AfterValidator(_globs),
    WithJsonSchema(_ONE_OR_MORE),
]
Texts = Annotated[list[Text], BeforeValidator(several), Field(min_length=1), WithJsonSchema(_ONE_OR_MORE)]
FormatName = Annotated[
    Literal["jpeg", "png", "webp", "tiff", "jxl", "gif", "bmp", "avif"], BeforeValidator(_spelled)
]
Formats = Annotated[
    list[FormatName],
    BeforeValidator(several),
    Field(min_length=1),
    WithJsonSchema(_one_or_more_of(*Format, *_FORMAT_SPELLINGS)),
]
Orientations = Annotated[
    list[Literal["landscape", "portrait", "square"]],
    BeforeValidator(several),
    Field(min_length=1),
    WithJsonSchema(_one_or_more_of("landscape", "portrait", "square")),
]
SplitWord = Annotated[Split | None, BeforeValidator(_split), WithJsonSchema({"enum": ["lines", "blocks"]})]
Marker = Annotated[
    str,
    PlainValidator(_marker),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["{name}.done"]}),
]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_rule_name)]
Expression = Annotated[Text, AfterValidator(_expression)]
