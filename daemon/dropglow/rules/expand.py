"""The operation ``expand``: a dropped picture with more around it.

Fields and limits: Adobe's OpenAPI document, ExpandImageRequestV3.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field

from dropglow.rules.parameters import (
    Different,
    ExpandedSize,
    FileName,
    NamedFile,
    Parameters,
    Prompt,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.shape import Problem, Shape, Truth, Whole


class Mask(Shape):
    """Which part to paint: white is painted, black is kept."""

    source: FileName | None = Field(
        default=None, description="A black and white picture, relative to the rule file."
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
    return {"source": value} if isinstance(value, str) else value


class Expand(Parameters):
    """Paint around the dropped picture until it has the size that was asked for."""

    advice: ClassVar[Mapping[str, str]] = {"image": "image is the dropped file itself; leave it out"}

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

    def files(self) -> tuple[NamedFile, ...]:
        """Return the mask, if any."""
        if self.mask is None or self.mask.source is None:
            return ()
        return (NamedFile(slot="mask.source", path=self.mask.source, at=("mask", "source")),)

    def body(self, variant: Variant, *, prompt: str) -> dict[str, Any]:
        """Return an ExpandImageRequestV3 without slots and seeds."""
        placement = self.placement and self.placement.model_dump(exclude_none=True)
        return without_absent(
            size=pixels(variant.size),
            prompt=prompt or None,
            mask=self.mask and (without_absent(invert=self.mask.invert) or None),
            placement=placement or None,
        )

    def located(self, folder: str) -> Self:
        """Return the same with an absolute mask."""
        if self.mask is None or self.mask.source is None:
            return self
        source = os.path.normpath(os.path.join(folder, self.mask.source))  # noqa: PTH118  # a path is text here
        return self.model_copy(update={"mask": self.mask.model_copy(update={"source": source})})

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
