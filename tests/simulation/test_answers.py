"""The page of what the service does after each answer is what it does; ``TEST_ANSWERS=all`` runs every cell of it."""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.simulation.answers import CALLS, PAGE, TABLES, column, columns_of

ALL: Final = os.environ.get("TEST_ANSWERS") == "all"
ONCE, LASTING = TABLES


@pytest.mark.parametrize("call", CALLS)
def test_the_page_tells_what_follows_an_answer(call: str) -> None:
    """Each cell of the first table is what a run comes to."""
    title, _, times = ONCE

    assert columns_of(PAGE.read_text(encoding="utf-8"), title)[call] == column(call, times=times)


@pytest.mark.parametrize("call", CALLS if ALL else ("order",))
def test_the_page_tells_what_follows_an_answer_that_lasts(call: str) -> None:
    """Each cell of the second table is what a run comes to within its hour."""
    title, _, times = LASTING

    assert columns_of(PAGE.read_text(encoding="utf-8"), title)[call] == column(call, times=times)


def test_nothing_on_the_page_is_bought_or_ordered_twice() -> None:
    """Neither an order that may stand nor one that stands is sent again."""
    text = PAGE.read_text(encoding="utf-8")

    assert "**" not in text
