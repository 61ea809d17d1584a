"""How custom models look on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from dropglow.cli.models import COLUMNS, _list

ID = "urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a01"
ROW = ("Northwind \x1b[31mMug", ID, "Firefly Image 4", "subject", "", "published", "mugs", "a mug")


def drawn(*, width: int) -> list[str]:
    """Return the lines that a terminal of *width* columns shows, without colours."""
    stream = StringIO()
    _list([ROW], console=Console(file=stream, force_terminal=True, color_system=None, width=width))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_a_wide_terminal_gets_a_table() -> None:
    """One line for each model, below the names of the columns."""
    head, row = drawn(width=200)

    assert list(COLUMNS) == [name.strip() for name in head.split("  ") if name.strip()]
    assert ID in row


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_gets_blocks(width: int) -> None:
    """An id stays whole, to be copied; what is not known is left out."""
    lines = drawn(width=width)

    assert any(line.endswith(f" {ID}") for line in lines)
    assert not any("say in prompt" in line for line in lines)


@pytest.mark.parametrize("width", [80, 200])
def test_a_name_cannot_paint_the_terminal(width: int) -> None:
    """Control characters in Adobe's texts show as escapes."""
    assert r"Northwind \x1b[31mMug" in "\n".join(drawn(width=width))
