"""The operation ``precise_composite``: an object in a background, as it is.

Fields and limits: Adobe's OpenAPI document, PreciseCompositeRequest.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import Field

from dropglow.rules.parameters import Share, Variant, without_absent
from dropglow.rules.scene import Scene, SceneObject


class PreciseComposite(Scene):
    """Put the dropped object into the background, and keep its shape and details."""

    object: SceneObject | None = Field(default=None, description="What is put into the background.")
    blend: Share | None = Field(
        default=None,
        description="0 suits the object to the background's light, 1 leaves it as it is; Adobe's default is 0.5.",
    )

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return a PreciseCompositeRequest without slots and seeds."""
        return without_absent(blend=self.blend, output=self.output_body())
