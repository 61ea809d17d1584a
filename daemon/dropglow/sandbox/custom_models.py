"""List the custom models of a pretend organisation: GET /v3/custom-models.

The query parameters, the answer and the errors' own form ``{reason, message}`` are those of Adobe's OpenAPI document
(CustomModelsFF3pInfo, ErrorResponse). The document calls x-request-id required and says that the server makes one
where it is missing; so nobody asks for it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.access import Access
from dropglow.sandbox.incoming import base_url
from dropglow.sandbox.replies import reply
from dropglow.sandbox.world import World

__all__ = ["MODELS", "BadQuery", "CustomModel", "CustomModels", "choose"]

SORTINGS: Final = ("assetName", "createdDate", "modifiedDate")
STATES: Final = ("all", "ready", "published", "unpublished", "queued", "training", "failed", "cancelled")
LIMIT: Final = 50
REASONS: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    406: "not_acceptable",
    500: "internal_server_error",
    503: "service_unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomModel:
    """Hold one model; ``state`` is what ``publishedState`` asks for in a query."""

    id: str
    name: str
    subject: str
    base: tuple[str, str]
    state: str
    created: str
    modified: str

    def told(self) -> dict[str, Any]:
        """Return the entry of the list (CustomModelFF3pInfo)."""
        entry: dict[str, Any] = {
            "version": "1",
            "assetName": self.name.casefold().replace(" ", "-"),
            "displayName": self.name,
            "assetId": self.id,
            "size": 23_592_960,
            "etag": self.id[-8:],
            "mediaType": "application/vnd.adobe.firefly.custom-model+dcx",
            "trainingMode": "subject" if self.subject else "style",
            "samplePrompt": f"{self.subject or 'a harbour at dawn'} on a wooden table",
            "baseModel": {"name": self.base[0], "version": self.base[1]},
            "createdDate": self.created,
            "modifiedDate": self.modified,
            "publishedState": self.state if self.state in {"published", "unpublished"} else "never",
        }
        return entry | ({"conceptId": self.subject} if self.subject else {})


IMAGE3: Final = ("Firefly Image 3", "3.0")
IMAGE4: Final = ("Firefly Image 4", "4.0")
MODELS: Final = (
    CustomModel(
        id="urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a01",
        name="Northwind Mug",
        subject="northwind mug",
        base=IMAGE4,
        state="published",
        created="2026-02-03T09:15:00Z",
        modified="2026-09-14T16:02:11Z",
    ),
    CustomModel(
        id="urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a02",
        name="Ink and Wash",
        subject="",
        base=IMAGE3,
        state="published",
        created="2025-11-20T12:00:00Z",
        modified="2026-01-07T08:30:45Z",
    ),
    CustomModel(
        id="urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a03",
        name="Winter Campaign",
        subject="",
        base=IMAGE4,
        state="unpublished",
        created="2025-10-01T07:45:00Z",
        modified="2026-03-01T10:10:10Z",
    ),
    CustomModel(
        id="urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a04",
        name="Harbour Ferry",
        subject="harbour ferry",
        base=IMAGE4,
        state="training",
        created="2026-10-30T14:20:00Z",
        modified="2026-10-30T14:20:00Z",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadQuery:
    """Say what is wrong with a query."""

    message: str


def choose(
    models: Sequence[CustomModel], query: Mapping[str, str]
) -> tuple[Sequence[CustomModel], int, int] | BadQuery:
    """Return one page of the models a query asks for, how many there are in all, and where the next page begins.

    The next page begins at 0 if there is none.
    """
    sorting, state = query.get("sortBy", "modifiedDate"), query.get("publishedState", "published")
    start, limit = query.get("start", "0"), query.get("limit", str(LIMIT))
    if sorting.removeprefix("-") not in SORTINGS:
        return BadQuery(message=f"sortBy must be one of {', '.join(SORTINGS)}, or one of them after a minus")
    if state not in STATES:
        return BadQuery(message=f"publishedState must be one of {', '.join(STATES)}")
    if not _is_number(start):
        return BadQuery(message="start must be a number from 0 up")
    if not _is_number(limit) or not 1 <= int(limit) <= LIMIT:
        return BadQuery(message=f"limit must be a number from 1 to {LIMIT}")
    if "limit" in query and "start" not in query:
        return BadQuery(message="start is required if a limit is specified")
    found = sorted(
        (model for model in models if state in {"all", model.state}),
        key=lambda model: str(model.told()[sorting.removeprefix("-")]),
        reverse=sorting.startswith("-"),
    )
    begin, end = int(start), int(start) + int(limit)
    return found[begin:end], len(found), end if end < len(found) else 0


class CustomModels:
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
        page, total, following = chosen
        here = f"{base_url(request)}{request.url.path}"
        links = {"page": {"href": str(request.url), "rel": "page", "templated": False}}
        if following:
            query = urlencode({**request.query_params, "start": following})
            links["next"] = {"href": f"{here}?{query}", "rel": "next", "templated": False}
        entries = [model.told() for model in page]
        return reply({"custom_models": entries, "total_count": total, "_links": links})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _takes_json(accept: str) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return bool(kinds & {"application/json", "application/*", "*/*"})


def _error(status: int, message: str) -> Response:
    return reply({"reason": REASONS[status], "message": message}, status=status)
