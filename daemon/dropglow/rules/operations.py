"""The operations that rules may order, in one table.

The next operation is one line here, one module with its parameters, and one
field of ``schema.RuleShape``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dropglow.rules.adaptive_composite import AdaptiveComposite
from dropglow.rules.composite import Composite
from dropglow.rules.expand import Expand
from dropglow.rules.fill import Fill
from dropglow.rules.generate import DEFAULT_MODEL, Generate
from dropglow.rules.image5 import MODEL as IMAGE5
from dropglow.rules.parameters import Parameters
from dropglow.rules.precise_composite import PreciseComposite
from dropglow.rules.similar import SIMILAR_MODELS, Similar
from dropglow.rules.upscale import UPSCALE_MODEL, Upscale
from dropglow.rules.video import VIDEO_MODEL, Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that Firefly can do."""

    key: str
    path: str  # of the POST, below the API's base URL
    paths_by_model: Mapping[str, str] = field(default_factory=dict)  # where a model has a path of its own
    default_model: str | None = None  # what Adobe uses without that header
    model_needed: bool = False  # Adobe refuses a request without that header
    parameters: type[Parameters]

    def path_of(self, model: str | None) -> str:
        """Return the path for an order with this model."""
        return self.paths_by_model.get(model or "", self.path)


# Paths and models: Adobe's OpenAPI document.
OPERATIONS: Final = {
    operation.key: operation
    for operation in (
        Operation(
            key="generate",
            path="/v3/images/generate-async",
            paths_by_model={IMAGE5: "/v4/images/generate-async"},
            default_model=DEFAULT_MODEL,
            parameters=Generate,
        ),
        Operation(
            key="similar",
            path="/v3/images/generate-similar-async",
            default_model=SIMILAR_MODELS[0],
            parameters=Similar,
        ),
        Operation(key="expand", path="/v3/images/expand-async", parameters=Expand),
        Operation(key="fill", path="/v3/images/fill-async", parameters=Fill),
        Operation(key="composite", path="/v3/images/generate-object-composite-async", parameters=Composite),
        Operation(key="precise_composite", path="/v3/images/precise-composite", parameters=PreciseComposite),
        Operation(
            key="adaptive_composite", path="/v3/images/adaptive-composite", parameters=AdaptiveComposite
        ),
        Operation(
            key="upscale",
            path="/v3/images/upscale",
            default_model=UPSCALE_MODEL,
            parameters=Upscale,
        ),
        Operation(
            key="video",
            path="/v3/videos/generate",
            default_model=VIDEO_MODEL,
            model_needed=True,
            parameters=Video,
        ),
    )
}
