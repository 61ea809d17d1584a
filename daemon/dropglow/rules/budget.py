"""How budgets are written: amounts in images or in Adobe's operations, and the block of keys around them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from dropglow.money import Budget, Limit, Unit
from dropglow.rules.notation import is_off
from dropglow.rules.shape import Shape, Whole
from dropglow.rules.units import OFF, shown

AMOUNT_PATTERN: Final = r"^[0-9]{1,9} (image|images|operation|operations)$"
_AMOUNT: Final = re.compile(r"([0-9]{1,9})(?: +(image|operation)s?)?")
_MOST: Final = 999_999_999


def _limit(value: Any) -> Limit | None:
    if value is None or is_off(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return Limit(most=value)
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"should be a number of images like 100, or 100 operations, or off, not {shown(value)}"
        )
    return Limit(most=int(found[1]), unit=Unit.OPERATIONS if found[2] == "operation" else Unit.IMAGES)


def _off(value: Any) -> Any:
    return None if is_off(value) else value


def _brake(value: Any) -> bool:
    if value in {"on", OFF} or isinstance(value, bool):
        return value is True or value == "on"
    raise ValueError(f"should be on or off, not {shown(value)}")


Ration = Annotated[
    Limit | None,
    PlainValidator(_limit),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST},
                {"type": "string", "pattern": AMOUNT_PATTERN},
                {"const": OFF},
            ],
            "examples": [100, "100 operations", OFF],
        }
    ),
]
HoldOver = Annotated[
    Annotated[Whole, Field(ge=0, le=_MOST)] | None,
    BeforeValidator(_off),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": _MOST}, {"const": OFF}]}),
]
Brake = Annotated[bool, PlainValidator(_brake), WithJsonSchema({"enum": ["on", OFF]})]


class BudgetShape(Shape):
    """How much may be bought."""

    per_day: Ration = Field(
        default=None, description="Images a day, or Adobe's operations: 100, `100 operations`, off."
    )
    per_month: Ration = Field(default=None, description="As per_day, for a month of the calendar.")
    hold_over: HoldOver = Field(
        default=None,
        description="More than this many unpaid images waiting under one rule: hold the rest for `approve`.",
    )


class CommonBudgetShape(BudgetShape):
    """How much all rules together may buy."""

    brake: Brake = Field(
        default=True,
        description="Stop spending when most of the last 20 orders failed at Adobe or are in doubt.",
    )


def _no_budget(value: Any) -> Any:
    return {} if is_off(value) else value


BudgetBlock = Annotated[BudgetShape | None, BeforeValidator(_no_budget)]
CommonBudgetBlock = Annotated[CommonBudgetShape | None, BeforeValidator(_no_budget)]


def budget_of(shape: BudgetShape | None) -> Budget:
    """Return the budget that a block of keys says."""
    if shape is None:
        return Budget()
    return Budget(
        per_day=shape.per_day,
        per_month=shape.per_month,
        hold_over=shape.hold_over,
        says_hold_over="hold_over" in shape.model_fields_set,
    )
