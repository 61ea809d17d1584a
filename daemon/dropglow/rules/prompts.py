"""Take the text of a prompt file apart into its prompts, each with its line.

Pure. A file is one prompt, unless its rule splits it: into lines, or into
blocks with blank lines between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Split(StrEnum):
    """Say what of a prompt file is one prompt."""

    WHOLE = "none"
    LINES = "lines"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One prompt of a file, trimmed, and the line that it begins at."""

    line: int
    text: str


def pieces(text: str, split: Split, *, first_line: int) -> tuple[Piece, ...]:
    """Return the prompts of *text*, which begins at *first_line* of its file. Blank ones are none."""
    match split:
        case Split.WHOLE:
            found = iter([Piece(line=first_line, text=text)] if text else [])
        case Split.LINES:
            found = _groups(text, first_line, every_line=True)
        case Split.BLOCKS:
            found = _groups(text, first_line, every_line=False)
        case _:
            assert_never(split)
    return tuple(found)


def _groups(text: str, first_line: int, *, every_line: bool) -> Iterator[Piece]:
    block: list[str] = []
    start = first_line
    for number, line in enumerate([*text.split("\n"), ""], start=first_line):
        if line.strip():
            start = start if block else number
            block.append(line.strip())
        if block and (every_line or not line.strip()):
            yield Piece(line=start, text="\n".join(block))
            block = []
