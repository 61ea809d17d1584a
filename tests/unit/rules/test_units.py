"""Durations, byte sizes and picture sizes as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.rules.units import Size, permission_bits, picture_size, seconds, shown, size_bytes, spelled


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0.5, "0.5 seconds"),
        (1, "1 second"),
        (20, "20 seconds"),
        (90, "90 seconds"),
        (600, "10 minutes"),
        (3600, "1 hour"),
    ],
)
def test_a_duration_is_said_in_its_largest_whole_unit(duration_s: float, expected: str) -> None:
    """Nobody says a third of a minute."""
    assert expected == spelled(duration_s)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2s", 2.0), ("500ms", 0.5), ("10m", 600.0), ("1h", 3600.0), ("1d", 86400.0), (" 1.5 s ", 1.5)],
)
def test_a_duration_is_read_with_its_unit(text: Any, expected: Any) -> None:
    """Durations are numbers with a unit."""
    assert expected == seconds(text)


@pytest.mark.parametrize("value", ["2", "s", "2 weeks", "-1s", None, [], True, "1e9s"])
def test_what_is_no_duration_is_refused(value: Any) -> None:
    """Whatever is not a number with a unit is refused with an example."""
    with pytest.raises(ValueError, match="should be a duration like 2s"):
        seconds(value)


@pytest.mark.parametrize("value", [2, 0.5])
def test_a_bare_number_is_asked_for_its_unit(value: Any) -> None:
    """A number without a unit could be anything."""
    with pytest.raises(ValueError, match="should say its unit"):
        seconds(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5MB", 5_000_000), ("300 KiB", 307_200), ("1.5gb", 1_500_000_000), ("7", 7), (4096, 4096), ("3b", 3)],
)
def test_an_amount_of_data_is_read(value: Any, expected: Any) -> None:
    """Amounts take decimal and binary units, and bare bytes."""
    assert expected == size_bytes(value)


@pytest.mark.parametrize("value", ["5 apples", "-5MB", -5, True, None, "5TB"])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    """Whatever is not an amount is refused with an example."""
    with pytest.raises(ValueError, match="should be an amount of data like 5MB"):
        size_bytes(value)


@pytest.mark.parametrize(
    "value", ["20x10", " 20 x 10 ", "20X10", {"width": 20, "height": 10}, Size(width=20, height=10)]
)
def test_a_size_is_read_in_both_spellings(value: Any) -> None:
    """The short form and Adobe's own form mean the same."""
    assert Size(width=20, height=10) == picture_size(value, largest=4096)


@pytest.mark.parametrize("value", ["big", 20, None, {"width": 20}, {"width": 1, "height": 1, "depth": 1}])
def test_what_is_no_size_is_refused(value: Any) -> None:
    """Whatever is not a size is refused with an example."""
    with pytest.raises(ValueError, match="should be a size like 2048x2048"):
        picture_size(value, largest=4096)


@pytest.mark.parametrize("value", ["0x10", "10x0", "4000x10", "10x4000"])
def test_a_size_out_of_bounds_is_refused(value: Any) -> None:
    """Both sides have bounds, and the message names them."""
    with pytest.raises(ValueError, match="between 1x1 and 3999x3999"):
        picture_size(value, largest=3999)


@pytest.mark.parametrize(("text", "expected"), [("0664", 0o664), ("640", 0o640)])
def test_permissions_are_octal_text(text: Any, expected: Any) -> None:
    """Permissions are read as octal digits."""
    assert expected == permission_bits(text)


def test_permissions_without_quotes_are_refused() -> None:
    """YAML reads an unquoted 0664 as a decimal number, so quotes are asked for."""
    with pytest.raises(ValueError, match="should stand in quotes"):
        permission_bits(664)


@pytest.mark.parametrize("value", ["0888", "rw-r--r--", "12345", None, True])
def test_what_are_no_permissions_is_refused(value: Any) -> None:
    """Whatever is not octal text is refused with an example."""
    with pytest.raises(ValueError, match="should be octal permissions"):
        permission_bits(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "empty"),
        (True, "true"),
        (False, "false"),
        ({}, "a block of keys"),
        ([], "a list"),
        ("x", "'x'"),
        ("x" * 50, "'" + "x" * 37 + "…'"),
        (3, "3"),
    ],
)
def test_values_are_shown_as_they_were_written(value: Any, expected: Any) -> None:
    """Messages show a value as its writer knows it, and never at length."""
    assert expected == shown(value)
