"""Adobe's list of custom models, read tolerantly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropglow.firefly.custom_models import CustomModel, Page, page, page_path, reason

ENTRY = {
    "version": "2",
    "assetName": "northwind-mug",
    "size": 7,
    "trainingMode": "Subject",
    "assetId": "urn:aaid:1",
    "publishedState": "published",
    "baseModel": {"name": "Firefly Image 4", "version": "4.0"},
    "samplePrompt": "a mug on a table",
    "displayName": "Northwind Mug",
    "conceptId": "mug",
    "createdDate": "2026-02-03T09:15:00Z",
    "modifiedDate": "2026-09-14T16:02:11Z",
}


def listed(*entries: Any, **more: Any) -> bytes:
    return json.dumps({"custom_models": entries, **more}).encode()


def test_an_entry_is_read_whole() -> None:
    """Every documented field that says something has a place."""
    found = page(listed(ENTRY, total_count=9))

    assert found is not None
    assert (1, 9) == (found.entries, found.total)
    assert found.models[0] == CustomModel(
        id="urn:aaid:1",
        name="Northwind Mug",
        asset_name="northwind-mug",
        version="2",
        training_mode="subject",
        concept_id="mug",
        sample_prompt="a mug on a table",
        base_name="Firefly Image 4",
        base_version="4.0",
        state="published",
        created_at="2026-02-03T09:15:00Z",
        modified_at="2026-09-14T16:02:11Z",
    )


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"assetId": "a"}, "a"),
        ({"assetId": "a", "assetName": "mug"}, "mug"),
        ({"assetId": "a", "assetName": "mug", "displayName": "Mug"}, "Mug"),
        ({"assetId": "a", "displayName": 7}, "7"),
        ({"assetId": "a", "displayName": True}, "a"),
    ],
)
def test_a_model_always_has_a_name(entry: dict[str, Any], name: str) -> None:
    """What people call it, or else what there is."""
    found = page(listed(entry))

    assert found is not None
    assert name == found.models[0].name


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ({"name": "Firefly Image 4", "version": "4.0"}, "Firefly Image 4"),
        ({"version": "4.0"}, "4.0"),
        ("image4", "image4"),
        (None, ""),
        ([], ""),
    ],
)
def test_a_base_model_is_told_as_far_as_it_is_known(base: Any, told: str) -> None:
    """An object, a word, or nothing."""
    found = page(listed({"assetId": "a", "baseModel": base}))

    assert found is not None
    assert told == found.models[0].base


def test_entries_that_say_nothing_are_counted_and_left_out() -> None:
    """The next page begins after them all the same."""
    assert Page(models=(), entries=4, total=None) == page(
        listed({}, None, 7, {"assetId": ""}, total_count=True)
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"custom_models": {}}', b"[" * 100_000])
def test_what_is_no_list_is_none(body: bytes) -> None:
    """Neither a page of HTML nor an empty object is an empty list."""
    assert page(body) is None


@pytest.mark.parametrize(
    ("entries", "total", "start", "ends"),
    [
        (50, 120, 0, False),
        (50, 120, 50, False),
        (20, 120, 100, True),
        (0, 120, 50, True),
        (50, 50, 0, True),
        (10, 120, 0, False),
        (50, None, 0, False),
        (49, None, 0, True),
        (0, 0, 0, True),
    ],
)
def test_the_last_page_is_known(entries: int, total: int | None, start: int, ends: bool) -> None:
    """By the number that Adobe tells, or else by a page that is not full."""
    assert ends == Page(models=(), entries=entries, total=total).ends_at(start)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"reason": "forbidden", "message": "No."}', "forbidden"),
        (b'{"reason": "forbidden"}', ""),
        (b'{"message": "No."}', ""),
        (b"<html>", ""),
    ],
)
def test_errors_of_this_endpoint_have_a_reason(body: bytes, told: str) -> None:
    """Their form is their own: reason and message, both."""
    assert told == reason(body)


def test_a_page_is_asked_for_by_its_beginning() -> None:
    """Models in every state, the oldest first, as many as Adobe gives at once."""
    assert "/v3/custom-models?sortBy=createdDate&start=50&limit=50&publishedState=all" == page_path(50)
