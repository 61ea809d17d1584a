"""Budgets and prices as people write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dropglow.model import Facts, Kind
from dropglow.money import Limit, Unit
from dropglow.rules.budget import BudgetShape, CommonBudgetShape, budget_of
from dropglow.rules.configuration import ConfigurationShape
from dropglow.rules.order import price
from dropglow.rules.pricing import USUAL, PricesShape, price_of, priced
from dropglow.rules.review import review
from dropglow.rules.rule import Rule


def faults(shape: Any, raw: Any) -> list[str]:
    return [problem.message for problem in review(shape, raw).problems]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (100, Limit(most=100)),
        ("100", Limit(most=100)),
        ("100 images", Limit(most=100)),
        ("1 image", Limit(most=1)),
        ("40 operations", Limit(most=40, unit=Unit.OPERATIONS)),
        ("1 operation", Limit(most=1, unit=Unit.OPERATIONS)),
        (0, Limit(most=0)),
        ("off", None),
        (False, None),
        (None, None),
    ],
)
def test_an_amount_is_a_number_or_says_its_unit(written: Any, meant: Limit | None) -> None:
    """A plain number means images; off, or nothing, means no limit."""
    assert meant == BudgetShape.model_validate({"per_day": written}).per_day


@pytest.mark.parametrize("written", [-1, 1.5, True, "many", "5 euros", [], 10**12])
def test_anything_else_is_no_amount(written: Any) -> None:
    """It is told in one sentence what it should be."""
    (fault,) = faults(BudgetShape, {"per_month": written})

    assert "per_month should be a number of images like 100, or 100 operations, or off" in fault


def test_a_budget_remembers_what_was_said() -> None:
    """That a rule says `hold_over: off` is not the same as saying nothing."""
    said = budget_of(BudgetShape.model_validate({"hold_over": "off"}))

    assert (None, True) == (said.hold_over, said.says_hold_over)
    assert not budget_of(None).says_hold_over
    assert 7 == budget_of(BudgetShape.model_validate({"hold_over": 7})).hold_over


@pytest.mark.parametrize(("written", "meant"), [("on", True), ("off", False), (True, True), (False, False)])
def test_the_brake_is_on_or_off(written: Any, meant: bool) -> None:
    """Both ways of writing it are read; it is on where nothing is said."""
    assert meant is CommonBudgetShape.model_validate({"brake": written}).brake
    assert CommonBudgetShape().brake


def test_a_brake_is_nothing_else() -> None:
    """A number is no brake, and no rule has one of its own."""
    assert ["brake should be on or off, not 5"] == faults(CommonBudgetShape, {"brake": 5})
    assert 1 == len(faults(BudgetShape, {"brake": "on"}))


def test_the_table_has_every_operation_and_adobes_prices() -> None:
    """One for a picture, 2, 5 or 10 for a clip."""
    assert 1 == price_of(USUAL, "generate", "image4_standard")
    assert [2, 5, 10] == [price_of(USUAL, "video", lines) for lines in ("540", "720", "1080")]


def test_a_number_corrects_all_prices_of_an_operation() -> None:
    """A number replaces every line, a line replaces itself."""
    prices = priced(PricesShape.model_validate({"generate": {"image5": 3}, "video": 4, "upscale": {540: 1}}))

    assert (1, 3) == (price_of(prices, "generate", "image4_ultra"), price_of(prices, "generate", "image5"))
    assert 4 == price_of(prices, "video", "1080")
    assert USUAL == priced(None)


def test_clips_are_priced_by_lines() -> None:
    """What is no number of lines that clips have is refused; so are prices that are none."""
    assert ["video should name the lines of a clip, 540, 720 or 1080, not '4k'"] == faults(
        PricesShape, {"video": {"4k": 3}}
    )
    assert [] == faults(PricesShape, {"video": {540: 3}})
    assert 1 == len(faults(PricesShape, {"fill": -1}))
    assert 1 == len(faults(PricesShape, {"fil": 1}))


def test_a_corrected_price_holds_for_what_is_rendered(make_rule: Callable[[str], Rule]) -> None:
    """The price of a drop follows the table that its rule was given."""
    rule = make_rule("generate: {size: 1024x1024, variations: 3}")
    facts = Facts(kind=Kind.PROMPT, text="a fox")

    assert 3 == price(rule, facts)
    assert 6 == price(replace(rule, prices=priced(PricesShape.model_validate({"generate": 2}))), facts)


def test_the_configuration_knows_both() -> None:
    """Both blocks stand at the top of the configuration file."""
    raw = {"budget": {"per_day": 5, "brake": "off"}, "prices": {"generate": 2}}

    assert [] == faults(ConfigurationShape, raw)
    assert [] == faults(ConfigurationShape, {"budget": "off"})
