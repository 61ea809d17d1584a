"""The operations that rules may order, in one table.

The next operation is one line here and one module with its parameters. What
is planned but not built stands in ``LATER``, so that it is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dropglow.rules.expand import Expand
from dropglow.rules.generate import DEFAULT_MODEL, V3_MODELS, Generate
from dropglow.rules.image5 import MODEL as IMAGE5
from dropglow.rules.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that Firefly can do."""

    key: str
    path: str  # of the POST, below the API's base URL
    paths_by_model: Mapping[str, str] = field(default_factory=dict)  # where a model has a path of its own
    models: tuple[str, ...] = ()  # values of x-model-version that Adobe documents
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
            models=(*V3_MODELS, IMAGE5),
            default_model=DEFAULT_MODEL,
            parameters=Generate,
        ),
        Operation(key="expand", path="/v3/images/expand-async", parameters=Expand),
    )
}

LATER: Final = (
    "similar",
    "fill",
    "composite",
    "precise_composite",
    "adaptive_composite",
    "upscale",
    "video",
)
