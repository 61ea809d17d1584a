"""The base of everything that is read from YAML: strict, frozen, described.

A shape only says what single values may be. Every field of every shape may
be absent, so that a reading with faults still gives an object on which the
rest can be checked; what must be there is asked for where the shapes meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from dropglow.rules.units import shown

NOT_YET: Final = "is not available yet"


class Shape(BaseModel):
    """One block of keys: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # What to say about keys that are refused although they make sense.
    advice: ClassVar[Mapping[str, str]] = {}


def whole(value: Any) -> Any:
    """Return *value* unless it is true or false, which pydantic would count as 1 or 0.

    Raises:
        ValueError: It is.
    """
    if isinstance(value, bool):
        raise ValueError(f"should be a whole number, not {shown(value)}")  # noqa: TRY004  # what pydantic collects
    return value


def truth(value: Any) -> Any:
    """Return *value* if it is true or false; pydantic would read ``on`` and ``yes``, which are words.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, bool):
        message = f"should be true or false, not {shown(value)}: write true or false, without quotes"
        raise ValueError(message)  # noqa: TRY004  # what pydantic collects
    return value


def several(value: Any) -> Any:
    """Return *value* as a list where it is a single value."""
    return value if isinstance(value, (list, tuple)) else [value]


Whole = Annotated[int, BeforeValidator(whole)]
Truth = Annotated[bool, BeforeValidator(truth)]
