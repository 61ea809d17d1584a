"""Names of log events: one form, and each once."""

from __future__ import annotations

import re

import pytest

from dropglow import vocabulary

NAMES = {name: value for name, value in vars(vocabulary).items() if isinstance(value, str) and name.isupper()}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_area_and_happened(name: str) -> None:
    """A name is two words of small letters with a dot, and its constant is called the same."""
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", NAMES[name])
    assert NAMES[name].replace(".", "_").upper() == name


def test_no_name_stands_twice() -> None:
    """Two things that happen have two names."""
    assert len(NAMES) == len(set(NAMES.values()))


@pytest.mark.parametrize(
    "promised",
    [
        "drop.admitted",
        "job.submitted",
        "job.succeeded",
        "job.failed",
        "job.in_doubt",
        "result.delivered",
        "drop.done",
        "drop.failed",
    ],
)
def test_promised_names_exist(promised: str) -> None:
    """Other people's scripts rely on these."""
    assert promised in NAMES.values()
