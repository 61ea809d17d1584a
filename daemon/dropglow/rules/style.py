"""How pictures should look: class, style and region, for the operations that paint from a prompt.

Fields: Adobe's OpenAPI document, StylesV3, ContentClassV3 and ``promptBiasingLocaleCode``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dropglow.rules.parameters import Different, without_absent
from dropglow.rules.shape import Shape, Whole
from dropglow.rules.source import Picture

ContentClass = Literal["photo", "art"]
LocaleCode = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}-[A-Za-z]{2}$")]


class Style(Shape):
    """How the pictures should look."""

    presets: Annotated[list[str], Different] | None = Field(
        default=None, description="Names of Adobe's styles, for example `watercolor`."
    )
    image_reference: Picture | None = Field(
        default=None, description="A picture whose style is taken, relative to the rule file."
    )
    strength: Whole | None = Field(
        default=None, gt=0, le=100, description="How closely to follow the style, 1 to 100."
    )

    def body(self) -> dict[str, Any] | None:
        """Return a StylesV3 without its slot."""
        return without_absent(presets=self.presets, strength=self.strength) or None
