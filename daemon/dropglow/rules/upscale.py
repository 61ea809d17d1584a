"""The operation ``upscale``: the dropped picture with more pixels.

Fields, limits and models: Adobe's OpenAPI document, PreciseUpsamplerRequestV3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, Literal

from pydantic import Field

from dropglow.rules.documented import unlisted_models
from dropglow.rules.of_picture import OfPicture
from dropglow.rules.parameters import Model, Variant, without_absent
from dropglow.rules.problem import Problem

UPSCALE_MODEL: Final = "precise_upsampler_v1"


class Upscale(OfPicture):
    """Make the dropped picture two to six times as wide and high. There is no prompt."""

    upscale_factor: Literal[2, 3, 4, 6] | None = Field(
        default=None, description="2, 3, 4 or 6 times as wide and high; Adobe's default is 2."
    )
    model: Model | None = Field(default=None, description=f"The model version; Adobe's is {UPSCALE_MODEL}.")

    @property
    def longest_prompt(self) -> int:
        """Return 0: nothing new is painted."""
        return 0

    def variants(self) -> tuple[Variant, ...]:
        """Return the one: nothing multiplies, and the picture gives the size."""
        return (Variant(model=self.model),)

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return a PreciseUpsamplerRequestV3 without slots and seeds."""
        return without_absent(upscaleFactor=self.upscale_factor)

    def seeding(self, seeds: tuple[int, ...]) -> dict[str, Any]:
        """Return one seed for each result; Adobe counts them."""
        return {"seeds": list(seeds)}

    def warnings(self) -> Iterator[Problem]:
        """Yield a model that Adobe's documents do not list."""
        yield from super().warnings()
        yield from unlisted_models(None, self.model, known=(UPSCALE_MODEL,))
