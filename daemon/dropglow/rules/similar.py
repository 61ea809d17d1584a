"""The operation ``similar``: more pictures like the dropped one.

Fields, limits and models: Adobe's OpenAPI document, GenerateSimilarImagesRequestV3.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from dropglow.rules.documented import unlisted_models
from dropglow.rules.of_picture import OfSizedPicture
from dropglow.rules.parameters import Different, Model, Variant, listed, pixels, without_absent
from dropglow.rules.problem import Problem

SIMILAR_MODELS: Final = ("image3", "image4_standard", "image4_ultra")


class Similar(OfSizedPicture):
    """Make variations of the dropped picture. There is no prompt."""

    twins: ClassVar[Mapping[str, str]] = {**OfSizedPicture.twins, "models": "model"}

    models: Annotated[list[Model], Field(min_length=1), Different] | None = Field(
        default=None, description="Several model versions. Each becomes a job."
    )
    model: Model | None = Field(default=None, description="The model version; Adobe's default is image3.")

    @property
    def longest_prompt(self) -> int:
        """Return 0: the picture says it all."""
        return 0

    def variants(self) -> tuple[Variant, ...]:
        """Return sizes times models."""
        return tuple(
            Variant(size=size, model=model)
            for size, model in itertools.product(
                listed(self.sizes, self.size), listed(self.models, self.model)
            )
        )

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return a GenerateSimilarImagesRequestV3 without slots and seeds."""
        return without_absent(size=pixels(variant.size))

    def warnings(self) -> Iterator[Problem]:
        """Yield sizes and models that Adobe's documents do not list."""
        yield from super().warnings()
        yield from unlisted_models(self.models, self.model, known=SIMILAR_MODELS)
