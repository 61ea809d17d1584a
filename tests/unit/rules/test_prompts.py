"""Prompts of one file: the whole of it, its lines, or its blocks."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.rules.prompts import Split, pieces


@pytest.mark.parametrize(
    ("split", "text", "expected"),
    [
        (Split.WHOLE, "a\n\nb", [(5, "a\n\nb")]),
        (Split.WHOLE, "", []),
        (Split.LINES, "a\n  b  \n\n\nc", [(5, "a"), (6, "b"), (9, "c")]),
        (Split.LINES, "", []),
        (Split.LINES, "\n \n", []),
        (Split.BLOCKS, "a\n b\n\n \nc\nd", [(5, "a\nb"), (9, "c\nd")]),
        (Split.BLOCKS, "\n\na", [(7, "a")]),
        (Split.BLOCKS, "", []),
    ],
)
def test_a_file_is_parted_and_each_part_knows_its_line(split: Any, text: Any, expected: Any) -> None:
    """Blank lines are no prompts, and lines are counted from where the text begins in its file."""
    assert expected == [(piece.line, piece.text) for piece in pieces(text, split, first_line=5)]
