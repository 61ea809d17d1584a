"""What the two composites have in common that put one picture into another.

Fields and limits: Adobe's OpenAPI document, PreciseCompositeRequest and AdaptiveCompositeRequest.
A dropped picture is the object; where the rule names the object, it is the background.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from dropglow.rules.parameters import Parameters, Variant, without_absent
from dropglow.rules.shape import Shape
from dropglow.rules.source import DOMAINS, Picture

SCENE_DOMAINS: Final = (*DOMAINS, "assets.frame.io", "adobe.io")  # Adobe's usage notes


class Background(Shape):
    """The picture that the object is put into."""

    image: Picture | None = Field(
        default=None, description="The picture; it is the drop, where the rule names the object."
    )
    fill_area_mask: Picture | None = Field(
        default=None, description="A black and white picture, white where the object is to stand."
    )


class SceneObject(Shape):
    """What is put into the background."""

    image: Picture | None = Field(default=None, description="The object; the drop itself if absent.")


class SceneOutput(Shape):
    """What kind of files the results are."""

    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/jxl"] | None = Field(
        default=None, description="image/png, image/jpeg, image/webp or image/jxl."
    )


class Scene(Parameters, ABC):
    """The parameters of putting an object into a background."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        ("background", "image"): "background.image.source",
        ("background", "fill_area_mask"): "background.fillAreaMask.source",
        ("object", "image"): "object.image.source",
    }
    drop_slots: ClassVar[tuple[str, ...]] = ("object.image.source", "background.image.source")
    needed_slots: ClassVar[tuple[str, ...]] = (
        "background.image.source",
        "background.fillAreaMask.source",
        "object.image.source",
    )
    domains: ClassVar[tuple[str, ...]] = SCENE_DOMAINS
    most_variations: ClassVar[int] = 3

    background: Background | None = Field(
        default=None, description="The picture that the object is put into."
    )
    output: SceneOutput | None = Field(default=None, description="What kind of files the results are.")

    @property
    def longest_prompt(self) -> int:
        """Return 0: the pictures say it all."""
        return 0

    def variants(self) -> tuple[Variant, ...]:
        """Return the one: nothing multiplies, and the background gives the size."""
        return (Variant(),)

    def output_body(self) -> dict[str, Any] | None:
        """Return an OutputSpec."""
        return without_absent(mediaType=self.output and self.output.media_type) or None
