"""Word the errors that a fault asks for by their HTTP status.

The codes are those of Adobe's OpenAPI documents, the present one and the former ones of single operations; where the
status comes from a gateway, the answer is HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from dropglow.sandbox.checks import complaint
from dropglow.sandbox.replies import html, reply

__all__ = ["POLICY_MESSAGE", "mishap"]

POLICY_MESSAGE: Final = "The prompt did not pass content policy checks."
CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "The request cannot be understood."),
    403: ("access_error", "Access is not authorized."),
    408: ("timeout_error", "The request took too long."),
    409: ("job_cancel_failed", "The request conflicts with another one."),
    410: ("job_timeout", "The job timed out."),
    415: ("invalid_content_type", "Unsupported content type."),
    422: ("validation_error", "The request body is not valid."),
    451: ("prompt_unsafe", POLICY_MESSAGE),
    499: ("cancelled_error", "The request was cancelled."),
    500: ("runtime_error", "The service had an internal error."),
    501: ("not_implemented", "This is not implemented."),
    503: ("model_not_loaded", "The model is not loaded."),
}
TITLES: Final[Mapping[int, str]] = {
    413: "413 Request Entity Too Large",
    502: "502 Bad Gateway",
    504: "504 Gateway Time-out",
    529: "529 Site is overloaded",
}


def mishap(status: int, *, bad_request: str = "bad_request") -> Response:
    """Return the answer of that HTTP status; JSON where Adobe documents a code for it, else HTML.

    ``bad_request`` is the code of a 400, which is not the same for all operations.
    """
    if status in TITLES:
        return html(status, TITLES[status])
    code, message = CODES[status]
    body: dict[str, object] = {"error_code": bad_request if status == 400 else code, "message": message}
    if status == 422:
        body["validation_errors"] = [complaint(("body", "prompt"), "field required", "value_error.missing")]
    return reply(body, status=status)
