"""What each result costs, in Adobe's operations: one table, and how a person corrects it.

Adobe's rate card names one operation for a generated picture, and 0.4, 1 or 2 operations for a second of video, which
makes 2, 5 or 10 for a clip of five seconds with 540, 720 or 1080 lines. What it does not name is assumed to be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from dropglow.rules.shape import Shape, Whole
from dropglow.rules.units import shown

Prices = Mapping[
    str, Mapping[str, int]
]  # by operation, then by model or, of videos, by lines; "" is any other

ANY: Final = ""
USUAL: Final[Prices] = {
    "generate": {ANY: 1, "image5": 1},
    "similar": {ANY: 1},
    "expand": {ANY: 1},
    "fill": {ANY: 1},
    "composite": {ANY: 1},
    "precise_composite": {ANY: 1},
    "adaptive_composite": {ANY: 1},
    "upscale": {ANY: 1},
    "video": {"540": 2, "720": 5, "1080": 10},
}
_MOST: Final = 10_000


def _prices(value: Any) -> Any:
    """Return a price for all, or one for each model or number of lines, as a mapping."""
    if isinstance(value, dict):
        return {str(key): price for key, price in value.items()}
    return {ANY: value}


def _of_video(value: Any) -> Any:
    prices = _prices(value)
    if strange := [key for key in prices if key not in {ANY, *USUAL["video"]}]:
        raise ValueError(f"should name the lines of a clip, 540, 720 or 1080, not {shown(strange[0])}")
    return prices


_Whole = Annotated[Whole, Field(ge=0, le=_MOST)]
_SCHEMA: Final = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": _MOST},
            {
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 0, "maximum": _MOST},
            },
        ]
    }
)
Price = Annotated[dict[str, _Whole] | None, BeforeValidator(_prices), _SCHEMA]
VideoPrice = Annotated[dict[str, _Whole] | None, BeforeValidator(_of_video), _SCHEMA]
_SAID: Final = "Operations for each result: a number for all, or one for each model."


class PricesShape(Shape):
    """What a result costs where your contract differs from the table."""

    generate: Price = Field(default=None, description=_SAID)
    similar: Price = Field(default=None, description=_SAID)
    expand: Price = Field(default=None, description=_SAID)
    fill: Price = Field(default=None, description=_SAID)
    composite: Price = Field(default=None, description=_SAID)
    precise_composite: Price = Field(default=None, description=_SAID)
    adaptive_composite: Price = Field(default=None, description=_SAID)
    upscale: Price = Field(default=None, description=_SAID)
    video: VideoPrice = Field(
        default=None, description="Operations for each clip: a number for all, or by lines: {540: 2, 720: 5}."
    )


def priced(shape: PricesShape | None) -> Prices:
    """Return the table with a person's corrections. A number for all of an operation replaces all of its lines."""
    said = {} if shape is None else shape.model_dump(exclude_none=True)
    return {operation: _corrected(usual, said.get(operation, {})) for operation, usual in USUAL.items()}


def _corrected(usual: Mapping[str, int], said: Mapping[str, int]) -> Mapping[str, int]:
    return {**said} if ANY in said else {**usual, **said}


def price_of(prices: Prices, operation: str, variety: str) -> int:
    """Return the price of one result of *operation*; *variety* is its model, or the lines of a clip."""
    table = prices[operation]
    return table[variety] if variety in table else table[ANY]
