"""The operation ``expand``: a dropped picture with more around it.

Fields and limits: Adobe's OpenAPI document, ExpandImageRequestV3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from dropglow.rules.parameters import (
    Different,
    ExpandedSize,
    Parameters,
    Prompt,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.shape import Problem, Shape, Truth, Whole
from dropglow.rules.source import Picture
from dropglow.rules.units import Size


class Mask(Shape):
    """Which part to paint: white is painted, black is kept."""

    source: Picture | None = Field(
        default=None, description="A black and white picture, relative to the rule file, or beside the drop."
    )
    invert: Truth | None = Field(default=None, description="True where black is to be painted instead.")


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


def _mask(value: Any) -> Any:
    short = isinstance(value, str) or (isinstance(value, dict) and "sidecar" in value)
    return {"source": value} if short else value


DEFAULT_SIZE: Final = Size(width=2048, height=2048)  # Adobe's OpenAPI document, ExpandImageRequestV3


class Expand(Parameters):
    """Paint around the dropped picture until it has the size that was asked for."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        ("image",): "image.source",
        ("mask", "source"): "mask.source",
    }
    drop_slots: ClassVar[tuple[str, ...]] = ("image.source",)
    needed_slots: ClassVar[tuple[str, ...]] = ("image.source",)

    image: Picture | None = Field(
        default=None, description="The picture, where the dropped file is a prompt; else it is the drop."
    )
    prompt: Prompt | None = Field(default=None, description="What to paint around the picture.")
    sizes: Annotated[list[ExpandedSize], Field(min_length=1), Different] | None = Field(
        default=None, description="Sizes in pixels, like 3000x2000, at most 3999x3999. Each becomes a job."
    )
    size: ExpandedSize | None = Field(default=None, description="One size. Adobe's default is 2048x2048.")
    mask: Annotated[Mask, BeforeValidator(_mask)] | None = Field(
        default=None, description="Which part to paint."
    )
    placement: Placement | None = Field(
        default=None, description="How the source lies in the result; not with a mask."
    )

    def variants(self) -> tuple[Variant, ...]:
        """Return the sizes."""
        return tuple(Variant(size=size) for size in listed(self.sizes, self.size))

    def expected_size(self, variant: Variant) -> Size | None:
        """Return the size asked for, or Adobe's default; a mask brings its own."""
        return variant.size or (None if self.mask else DEFAULT_SIZE)

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return an ExpandImageRequestV3 without slots and seeds."""
        placement = self.placement and self.placement.model_dump(exclude_none=True)
        return without_absent(
            size=pixels(variant.size),
            prompt=prompt or None,
            mask=self.mask and (without_absent(invert=self.mask.invert) or None),
            placement=placement or None,
        )

    def faults(self) -> Iterator[Problem]:
        """Yield a mask without a picture, or with a placement."""
        yield from super().faults()
        if self.mask is None:
            return
        if self.mask.source is None:
            yield Problem(path=("mask",), message="mask needs a source: the path of a picture", of_key=True)
        if self.placement is not None:
            message = "placement cannot be used together with a mask: the mask says where to paint"
            yield Problem(path=("placement",), message=message, of_key=True)
