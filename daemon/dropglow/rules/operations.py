"""The operations that rules may order, in one table.

The next operation is one line here and one module with its parameters. What
is planned but not built stands in ``LATER``, so that it is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dropglow.model import Kind
from dropglow.rules.expand import Expand
from dropglow.rules.generate import DEFAULT_MODEL, MODELS, Generate
from dropglow.rules.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that Firefly can do."""

    key: str
    path: str  # of the POST, below the API's base URL
    takes: Kind
    drop_slot: str | None  # where the drop's upload stands in the body
    models: tuple[str, ...]  # values of x-model-version that Adobe documents
    default_model: str | None  # what Adobe uses without that header
    images_each: int  # price of one result
    parameters: type[Parameters]


# One operation is billed for each generated image (Adobe's definition of automation operations).
OPERATIONS: Final = {
    operation.key: operation
    for operation in (
        Operation(
            key="generate",
            path="/v3/images/generate-async",
            takes=Kind.PROMPT,
            drop_slot=None,
            models=MODELS,
            default_model=DEFAULT_MODEL,
            images_each=1,
            parameters=Generate,
        ),
        Operation(
            key="expand",
            path="/v3/images/expand-async",
            takes=Kind.IMAGE,
            drop_slot="image.source",
            models=(),
            default_model=None,
            images_each=1,
            parameters=Expand,
        ),
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
