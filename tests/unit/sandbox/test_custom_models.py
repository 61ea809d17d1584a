"""Which custom models a query finds."""

from __future__ import annotations

import pytest

from dropglow.sandbox.custom_models import MODELS, BadQuery, choose


def names(**query: str) -> list[str]:
    """Return the names of the models on the page that a query asks for."""
    chosen = choose(MODELS, query)
    assert not isinstance(chosen, BadQuery)
    return [model.name for model in chosen.models]


def test_the_published_ones_come_by_themselves() -> None:
    """Oldest change first, as documented."""
    assert ["Ink and Wash", "Northwind Mug"] == names()


@pytest.mark.parametrize(
    ("state", "found"), [("all", 4), ("unpublished", 1), ("training", 1), ("ready", 0), ("failed", 0)]
)
def test_a_state_can_be_asked_for(state: str, found: int) -> None:
    """Also those that nobody is in."""
    assert found == len(names(publishedState=state))


@pytest.mark.parametrize(
    ("sorting", "first"),
    [
        ("assetName", "Harbour Ferry"),
        ("-assetName", "Winter Campaign"),
        ("createdDate", "Winter Campaign"),
        ("-modifiedDate", "Harbour Ferry"),
    ],
)
def test_the_order_can_be_asked_for(sorting: str, first: str) -> None:
    """A minus turns it round."""
    assert first == names(publishedState="all", sortBy=sorting)[0]


def test_pages_follow_each_other() -> None:
    """Together they are the list."""
    first = choose(MODELS, {"publishedState": "all", "start": "0", "limit": "3"})
    assert not isinstance(first, BadQuery)
    second = choose(MODELS, {"publishedState": "all", "start": str(first.following), "limit": "3"})
    assert not isinstance(second, BadQuery)

    assert (3, 4, 3) == (len(first.models), first.total, first.following)
    assert (1, 4, None) == (len(second.models), second.total, second.following)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"sortBy": "size"}, "sortBy must be one of"),
        ({"sortBy": "--assetName"}, "sortBy must be one of"),
        ({"publishedState": "new"}, "publishedState must be one of"),
        ({"start": "-1"}, "start must be a number"),
        ({"start": "²"}, "start must be a number"),
        ({"start": "0", "limit": "51"}, "limit must be a number"),
        ({"start": "0", "limit": "0"}, "limit must be a number"),
        ({"start": "0", "limit": "many"}, "limit must be a number"),
        ({"limit": "5"}, "start is required"),
    ],
)
def test_a_wrong_query_is_told(query: dict[str, str], message: str) -> None:
    """With what would be right."""
    answer = choose(MODELS, query)

    assert isinstance(answer, BadQuery)
    assert answer.message.startswith(message)


def test_a_subject_names_its_concept() -> None:
    """What stands for the subject is told, and only of subjects."""
    told = {model.name: model.told() for model in MODELS}

    assert ("subject", "northwind mug") == (
        told["Northwind Mug"]["trainingMode"],
        told["Northwind Mug"]["conceptId"],
    )
    assert "style" == told["Ink and Wash"]["trainingMode"]
    assert "conceptId" not in told["Ink and Wash"]
    assert "never" == told["Harbour Ferry"]["publishedState"]
