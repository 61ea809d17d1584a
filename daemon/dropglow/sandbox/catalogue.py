"""List custom models: GET /v3/custom-models.

The answer and the errors' own form ``{reason, message}`` are those of Adobe's OpenAPI document (CustomModelsFF3pInfo,
ErrorResponse). The document calls x-request-id required and says that the server makes one where it is missing; so
nobody asks for it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.access import Access
from dropglow.sandbox.custom_models import MODELS, BadQuery, choose
from dropglow.sandbox.incoming import base_url
from dropglow.sandbox.replies import reply
from dropglow.sandbox.world import World

__all__ = ["Catalogue"]

REASONS: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    406: "not_acceptable",
    500: "internal_server_error",
    503: "service_unavailable",
}


class Catalogue:
    """Answer for the models of one world."""

    def __init__(self, world: World, access: Access) -> None:
        """Answer those whom *access* lets in."""
        self._world = world
        self._access = access

    async def list(self, request: Request) -> Response:
        """Answer with a page of the list, or in the form that errors have here."""
        objection = self._access.objection(request)
        if objection is not None:
            return _error(objection.status, objection.message)
        status = self._world.struck("models_error")
        if status:
            return _error(status, "The custom models cannot be listed.")
        if not _takes_json(request.headers.get("accept", "*/*")):
            return _error(406, "The answer is in application/json only.")
        models = () if self._world.strikes("no_models") else MODELS
        chosen = choose(models, request.query_params)
        if isinstance(chosen, BadQuery):
            return _error(400, chosen.message)
        here = f"{base_url(request)}{request.url.path}"
        links = {"page": {"href": str(request.url), "rel": "page", "templated": False}}
        if chosen.following is not None:
            query = urlencode({**request.query_params, "start": chosen.following})
            links["next"] = {"href": f"{here}?{query}", "rel": "next", "templated": False}
        entries = [model.told() for model in chosen.models]
        return reply({"custom_models": entries, "total_count": chosen.total, "_links": links})


def _takes_json(accept: str) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return bool(kinds & {"application/json", "application/*", "*/*"})


def _error(status: int, message: str) -> Response:
    return reply({"reason": REASONS[status], "message": message}, status=status)
