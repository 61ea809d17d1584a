"""Hold the custom models of a pretend organisation, and find those that a query asks for.

Pure. The query parameters and the entries are those of Adobe's OpenAPI document (/v3/custom-models,
CustomModelFF3pInfo); the models are made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["MODELS", "BadQuery", "CustomModel", "Page", "choose"]

SORTINGS: Final = ("assetName", "createdDate", "modifiedDate")
STATES: Final = ("all", "ready", "published", "unpublished", "queued", "training", "failed", "cancelled")
LIMIT: Final = 50


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hold a part of the models a query asks for; ``total`` counts all, ``following`` begins the next page."""

    models: Sequence[CustomModel]
    total: int
    following: int | None


def choose(models: Sequence[CustomModel], query: Mapping[str, str]) -> Page | BadQuery:
    """Return one page of the models a query asks for, or what is wrong with the query."""
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
    return Page(models=found[begin:end], total=len(found), following=end if end < len(found) else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
