"""The operation ``expand``: a dropped picture with more around it.

Fields and limits: Adobe's OpenAPI document, ExpandImageRequestV3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dropglow.rules.of_picture import DEFAULT_SIZE, OfPicture
from dropglow.rules.painting import Mask, Placement, placement_faults
from dropglow.rules.parameters import (
    Different,
    ExpandedSize,
    Prompt,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.problem import Problem
from dropglow.rules.units import Size


class Expand(OfPicture):
    """Paint around the dropped picture until it has the size that was asked for."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        **OfPicture.slots,
        ("mask", "source"): "mask.source",
    }

    prompt: Prompt | None = Field(default=None, description="What to paint around the picture.")
    sizes: Annotated[list[ExpandedSize], Field(min_length=1), Different] | None = Field(
        default=None, description="Sizes in pixels, like 3000x2000, at most 3999x3999. Each becomes a job."
    )
    size: ExpandedSize | None = Field(default=None, description="One size. Adobe's default is 2048x2048.")
    mask: Mask | None = Field(default=None, description="Which part to paint.")
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
        return without_absent(
            size=pixels(variant.size),
            prompt=prompt or None,
            mask=self.mask and self.mask.body(),
            placement=self.placement and self.placement.body(),
        )

    def faults(self) -> Iterator[Problem]:
        """Yield a mask without a picture, or with a placement."""
        yield from super().faults()
        if self.mask is not None and self.mask.source is None:
            yield Problem(path=("mask",), message="mask needs a source: the path of a picture", of_key=True)
        yield from placement_faults(self.mask, self.placement)
