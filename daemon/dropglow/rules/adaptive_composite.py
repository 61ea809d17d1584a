"""The operation ``adaptive_composite``: an object in a background, fitted into it.

Fields and limits: Adobe's OpenAPI document, AdaptiveCompositeRequest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from pydantic import Field

from dropglow.rules.parameters import Share, Variant, without_absent
from dropglow.rules.scene import Scene, SceneObject
from dropglow.rules.shape import Truth
from dropglow.rules.source import Picture


class MaskedObject(SceneObject):
    """What is put into the background, and which part of its picture it is."""

    mask: Picture | None = Field(
        default=None, description="A black and white picture, white where the object is."
    )


class AdaptiveComposite(Scene):
    """Put the dropped object into the background, with light and shadow of the place."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {**Scene.slots, ("object", "mask"): "object.mask.source"}

    object: MaskedObject | None = Field(default=None, description="What is put into the background.")
    harmonization: Share | None = Field(
        default=None,
        description="How much the object takes on the light and colours of the background, 0 to 1; Adobe's default is 0.6.",
    )
    shadow_intensity: Share | None = Field(
        default=None, description="How strong the object's shadow is, 0 to 1; Adobe's default is 1."
    )
    preserve_background: Truth | None = Field(
        default=None, description="True where details of the background show within the mask."
    )

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return an AdaptiveCompositeRequest without slots and seeds."""
        return without_absent(
            harmonization=self.harmonization,
            shadowIntensity=self.shadow_intensity,
            preserveBackground=self.preserve_background,
            output=self.output_body(),
        )
