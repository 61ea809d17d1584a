"""Name where each operation is ordered, and how the order is answered, as Adobe's OpenAPI document has it.

Three forms of acceptance are documented: A with ids and URLs (AsyncAcceptResponseV3), B with links and without an id
(AsyncTaskResponse, PreciseUpscaleAcceptResponseV3), C like A with a status (AsyncJobResponse).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dropglow.sandbox.orders import Operation

__all__ = ["ENDPOINTS", "Endpoint", "Form"]

Form: TypeAlias = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Hold the manners of one operation.

    ``linked`` says that the Link header is documented, ``types`` that 415 is; without it a wrong content type is a
    wrong header (422). ``bad_request`` is the error_code of a 400.
    """

    path: str
    form: Form = "A"
    status: int = 202
    linked: bool = True
    types: bool = True
    bad_request: str = "bad_request"


ENDPOINTS: Final[Mapping[Operation, Endpoint]] = {
    Operation.GENERATE: Endpoint(path="/v3/images/generate-async"),
    Operation.IMAGE5: Endpoint(path="/v4/images/generate-async", form="B", status=200, linked=False),
    Operation.SIMILAR: Endpoint(path="/v3/images/generate-similar-async"),
    Operation.EXPAND: Endpoint(path="/v3/images/expand-async"),
    Operation.FILL: Endpoint(path="/v3/images/fill-async"),
    Operation.COMPOSITE: Endpoint(path="/v3/images/generate-object-composite-async"),
    Operation.PRECISE_COMPOSITE: Endpoint(
        path="/v3/images/precise-composite", form="C", linked=False, types=False
    ),
    Operation.ADAPTIVE_COMPOSITE: Endpoint(
        path="/v3/images/adaptive-composite", form="C", linked=False, types=False
    ),
    Operation.UPSCALE: Endpoint(
        path="/v3/images/upscale", form="B", linked=False, types=False, bad_request="validation_error"
    ),
    Operation.VIDEO: Endpoint(path="/v3/videos/generate"),
}
