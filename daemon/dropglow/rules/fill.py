"""The operation ``fill``: paint over a part of the dropped picture.

Fields and limits: Adobe's OpenAPI document, FillImageRequestV3. A dropped picture
is the one that is painted over; where the rule names that one, it is the mask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from pydantic import Field

from dropglow.rules.of_picture import OfSizedPicture
from dropglow.rules.painting import Mask
from dropglow.rules.parameters import Prompt, Variant, listed, pixels, without_absent
from dropglow.rules.style import LocaleCode


class Fill(OfSizedPicture):
    """Paint what the prompt says where the mask is white."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        **OfSizedPicture.slots,
        ("mask", "source"): "mask.source",
    }
    drop_slots: ClassVar[tuple[str, ...]] = ("image.source", "mask.source")
    needed_slots: ClassVar[tuple[str, ...]] = ("image.source", "mask.source")

    prompt: Prompt | None = Field(
        default=None, description="What to paint. Without it, the surroundings are continued."
    )
    negative_prompt: str | None = Field(
        default=None, max_length=1024, description="What should not be painted."
    )
    mask: Mask | None = Field(
        default=None, description="Which part to paint: white is painted, black is kept."
    )
    prompt_biasing_locale_code: LocaleCode | None = Field(
        default=None, description="Language and region, like en-US, that results lean to."
    )

    def variants(self) -> tuple[Variant, ...]:
        """Return the sizes."""
        return tuple(Variant(size=size) for size in listed(self.sizes, self.size))

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return a FillImageRequestV3 without slots and seeds."""
        return without_absent(
            prompt=prompt or None,
            negativePrompt=self.negative_prompt,
            size=pixels(variant.size),
            mask=self.mask and self.mask.body(),
            promptBiasingLocaleCode=self.prompt_biasing_locale_code,
        )
