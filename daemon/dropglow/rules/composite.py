"""The operation ``composite``: the dropped picture in a scene that a prompt describes.

Fields and limits: Adobe's OpenAPI document, GenerateObjectCompositeRequestV3.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dropglow.rules.documented import unlisted_presets
from dropglow.rules.of_picture import OfSizedPicture
from dropglow.rules.painting import Placement, placement_faults
from dropglow.rules.parameters import Different, Prompt, Variant, listed, pixels, without_absent
from dropglow.rules.problem import Problem
from dropglow.rules.source import Picture
from dropglow.rules.style import ContentClass, Style


class Composite(OfSizedPicture):
    """Paint a scene around the object in the dropped picture."""

    twins: ClassVar[Mapping[str, str]] = {**OfSizedPicture.twins, "content_classes": "content_class"}
    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        **OfSizedPicture.slots,
        ("mask",): "mask.source",
        ("style", "image_reference"): "style.imageReference.source",
    }

    prompt: Prompt | None = Field(default=None, description="The scene.")
    content_classes: Annotated[list[ContentClass], Field(min_length=1), Different] | None = Field(
        default=None, description="Several of photo and art. Each becomes a job."
    )
    content_class: ContentClass | None = Field(default=None, description="photo or art.")
    mask: Picture | None = Field(
        default=None, description="Which part of the picture is the object, where it has no transparency."
    )
    placement: Placement | None = Field(
        default=None, description="How the object lies in the result; not with a mask."
    )
    style: Style | None = Field(default=None, description="How the scene should look.")

    def prompt_needed(self, slots: Collection[str]) -> bool:  # noqa: ARG002
        """Return true: somebody must say what the scene is."""
        return True

    def variants(self) -> tuple[Variant, ...]:
        """Return sizes times content classes."""
        return tuple(
            Variant(size=size, content_class=content_class)
            for size, content_class in itertools.product(
                listed(self.sizes, self.size), listed(self.content_classes, self.content_class)
            )
        )

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return a GenerateObjectCompositeRequestV3 without slots and seeds."""
        return without_absent(
            prompt=prompt,
            contentClass=variant.content_class,
            size=pixels(variant.size),
            placement=self.placement and self.placement.body(),
            style=self.style and self.style.body(),
        )

    def faults(self) -> Iterator[Problem]:
        """Yield a placement beside a mask."""
        yield from super().faults()
        yield from placement_faults(self.mask, self.placement)

    def warnings(self) -> Iterator[Problem]:
        """Yield sizes and presets that Adobe's documents do not list."""
        yield from super().warnings()
        yield from unlisted_presets((self.style and self.style.presets) or ())
