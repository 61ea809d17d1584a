"""The nouns: frozen, slotted, and shy about secrets."""

from __future__ import annotations

import dataclasses
from enum import Enum

import pytest

from dropglow import model
from dropglow.model import Output

OURS = [
    value for value in vars(model).values() if isinstance(value, type) and value.__module__ == model.__name__
]
NOUNS = [value for value in OURS if dataclasses.is_dataclass(value)]
WORDS = [value for value in OURS if issubclass(value, Enum)]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_noun_is_plain_frozen_data(noun: type) -> None:
    """A noun cannot be changed in place, grows no attributes, and is built by names only."""
    parameters = noun.__dataclass_params__  # type: ignore[attr-defined]

    assert parameters.frozen
    assert "__slots__" in vars(noun)
    assert all(item.kw_only for item in dataclasses.fields(noun))


def test_a_link_is_not_printed() -> None:
    """A result's link is signed, so it does not show where an output is printed."""
    output = Output(index=0, seed=1, url="https://results.test/0?X-Amz-Signature=secret")

    assert "secret" not in repr(output)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_stored_words_are_the_names_in_small(words: type[Enum]) -> None:
    """What is stored for a word is its name in small letters, so that files and code agree."""
    assert [word.name.lower() for word in words] == [word.value for word in words]
