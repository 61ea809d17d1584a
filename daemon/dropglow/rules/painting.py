"""Where in a picture something is painted: a mask, or the place that the picture takes in the result.

Fields: Adobe's OpenAPI document, InputMaskV3 and Placement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dropglow.rules.parameters import without_absent
from dropglow.rules.problem import Problem
from dropglow.rules.shape import Shape, Truth, Whole
from dropglow.rules.source import OrPicture, Picture, PictureSource, short_picture


class MaskShape(Shape):
    """Which part to paint: white is painted, black is kept."""

    source: Picture | None = Field(
        default=None, description="A black and white picture, relative to the rule file, or beside the drop."
    )
    invert: Truth | None = Field(default=None, description="True where black is to be painted instead.")

    def body(self) -> dict[str, Any] | None:
        """Return an InputMaskV3 without its slot."""
        return without_absent(invert=self.invert) or None


class Alignment(Shape):
    """Where the source lies in the result."""

    horizontal: Literal["center", "left", "right"] | None = Field(
        default=None, description="center, left or right."
    )
    vertical: Literal["center", "top", "bottom"] | None = Field(
        default=None, description="center, top or bottom."
    )


class Inset(Shape):
    """How much is painted at each edge, in pixels of the result."""

    left: Whole | None = Field(default=None, description="Pixels at the left edge.")
    top: Whole | None = Field(default=None, description="Pixels at the top edge.")
    right: Whole | None = Field(default=None, description="Pixels at the right edge.")
    bottom: Whole | None = Field(default=None, description="Pixels at the bottom edge.")


class Placement(Shape):
    """How the source lies in the result."""

    alignment: Alignment | None = Field(default=None, description="Towards which edges it lies.")
    inset: Inset | None = Field(
        default=None, description="How far from each edge it lies, in pixels of the result."
    )

    def body(self) -> dict[str, Any] | None:
        """Return a Placement as Adobe's document has it; its keys are the same."""
        return self.model_dump(exclude_none=True) or None


def _mask(value: Any) -> Any:
    return {"source": value} if short_picture(value) else value


Mask = Annotated[MaskShape, BeforeValidator(_mask), OrPicture()]


def placement_faults(
    mask: MaskShape | PictureSource | None, placement: Placement | None
) -> Iterator[Problem]:
    """Yield a placement beside a mask (Adobe's OpenAPI document, the description of ``placement``)."""
    if mask is not None and placement is not None:
        message = "placement cannot be used together with a mask: the mask says where to paint"
        yield Problem(path=("placement",), message=message, of_key=True)
