"""Read Adobe's list of custom models.

Pure: ``client.py`` asks, page by page. Names of fields are those of Adobe's OpenAPI document, CustomModelsFF3pInfo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PAGE_SIZE: Final = 50  # Adobe's OpenAPI document, ``limit`` of /v3/custom-models
PAGES_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomModel:
    """One model that somebody of the organisation trained. Texts are empty where Adobe says nothing."""

    id: str  # what a rule names as ``custom_model_id``
    name: str  # for people
    asset_name: str = ""
    version: str = ""
    training_mode: str = ""  # subject or style
    concept_id: str = ""  # of a subject: must stand in each prompt
    sample_prompt: str = ""
    base_name: str = ""
    base_version: str = ""
    state: str = ""  # published, unpublished, never; or where its training stands
    created_at: str = ""  # as Adobe writes it
    modified_at: str = ""

    @property
    def base(self) -> str:
        """Return the model that it was trained upon, in Adobe's words."""
        return self.base_name or self.base_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the list, and how many entries Adobe says there are; None where it does not say."""

    models: tuple[CustomModel, ...]
    entries: int  # on this page, also those that could not be read
    total: int | None

    def ends_at(self, start: int) -> bool:
        """Return whether no page comes after this one, which began with entry *start*."""
        if self.total is None:
            return self.entries < PAGE_SIZE
        return self.entries == 0 or start + self.entries >= self.total


def page_path(start: int) -> str:
    """Return what to GET, below the API's base URL, for the models from *start* on.

    The oldest come first, so that no page shifts while somebody works on a model.
    """
    return f"/v3/custom-models?sortBy=createdDate&start={start}&limit={PAGE_SIZE}&publishedState=all"


def page(body: bytes) -> Page | None:
    """Return what one answer lists, or None if it makes no sense. An entry without an id is left out."""
    found = _object(body)
    listed = found.get("custom_models") if found is not None else None
    if found is None or not isinstance(listed, list):
        return None
    models = tuple(model for entry in listed if isinstance(entry, dict) and (model := _model(entry)))
    total = found.get("total_count")
    return Page(
        models=models,
        entries=len(listed),
        total=total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None,
    )


def reason(body: bytes) -> str:
    """Return the short reason in an error of this one endpoint, ``{"reason", "message"}``; or nothing."""
    found = _object(body)
    return "" if found is None or "message" not in found else _text(found, "reason")


def _model(entry: Mapping[str, Any]) -> CustomModel | None:
    base = entry.get("baseModel")
    base = base if isinstance(base, dict) else {"name": _text(entry, "baseModel")}
    model_id = _text(entry, "assetId")
    if not model_id:
        return None
    return CustomModel(
        id=model_id,
        name=_text(entry, "displayName") or _text(entry, "assetName") or model_id,
        asset_name=_text(entry, "assetName"),
        version=_text(entry, "version"),
        training_mode=_text(entry, "trainingMode").lower(),
        concept_id=_text(entry, "conceptId"),
        sample_prompt=_text(entry, "samplePrompt"),
        base_name=_text(base, "name"),
        base_version=_text(base, "version"),
        state=_text(entry, "publishedState").lower(),
        created_at=_text(entry, "createdDate"),
        modified_at=_text(entry, "modifiedDate"),
    )


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
