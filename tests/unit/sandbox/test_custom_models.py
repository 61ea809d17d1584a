"""Which custom models a query finds."""

from __future__ import annotations

import pytest

from dropglow.sandbox.custom_models import MODELS, BadQuery, choose


def names(**query: str) -> list[str]:
    """Return the names of the models on the page that a query asks for."""
    chosen = choose(MODELS, query)
    assert not isinstance(chosen, BadQuery)
    return [model.name for model in chosen[0]]


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
    second = choose(MODELS, {"publishedState": "all", "start": str(first[2]), "limit": "3"})
    assert not isinstance(second, BadQuery)

    assert (3, 4, 3) == (len(first[0]), first[1], first[2])
    assert (1, 4, 0) == (len(second[0]), second[1], second[2])


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
