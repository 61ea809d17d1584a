"""Render what commands tell: tables and colour on a terminal, plain aligned text and JSON elsewhere.

Nothing here decides what to tell. Text from file names and from Adobe is
made harmless here: it is never read as markup, and control characters show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from dropglow.naming import shown

if TYPE_CHECKING:
    from rich.console import Console

_GAP: Final = "  "
_FOLDED: Final = 24  # columns in which a long path is folded and can still be read
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def console(*, stderr: bool = False) -> Console:
    """Return where to write: the standard output, or standard error on wish."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def line(text: str, *, console: Console, style: str = "") -> None:
    """Write *text* as one line; its colour shows on a terminal only.

    A sentence too long for the terminal goes on in the next line, indented alike. A path or an address stays
    whole, so that it can be copied.
    """
    from rich.padding import Padding
    from rich.text import Text

    words = text.lstrip(" ")
    if not console.is_terminal or " " not in words:
        console.print(Text(text, style=style), soft_wrap=True)
        return
    console.print(Padding(Text(words, style=style), (0, 0, 0, len(text) - len(words)), expand=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, console: Console) -> None:
    """Write *rows* under *columns*: on a terminal they fit its width, elsewhere a row is one line.

    Where a terminal is so narrow that words would be broken, each row becomes a few lines under its first cell.
    """
    cells = [[readable(cell) for cell in row] for row in rows]
    if console.is_terminal and _needed([columns, *cells]) > console.width:
        _listed(columns, cells, console)
    elif console.is_terminal:
        _drawn(columns, cells, console)
    else:
        for row in _aligned([[name.upper() for name in columns], *cells]):
            click.echo(row, err=console.stderr)


def print_json(document: Any) -> None:
    """Write *document* to the standard output, times in ISO 8601, in ASCII so that any locale can."""
    click.echo(json.dumps(document, indent=2, default=_plain))


def relative_time(at: datetime, now: datetime) -> str:
    """Return *at* as seen from *now*: ``12s ago``, ``3h ago``, ``in 5m``, ``now``."""
    distance_s = int((now - at).total_seconds())
    text = duration(abs(distance_s))
    if distance_s == 0:
        return "now"
    return f"{text} ago" if distance_s > 0 else f"in {text}"


def duration(seconds: float) -> str:
    """Return *seconds* in their largest unit, rounded down: ``45s``, ``3h``."""
    whole = int(seconds)
    for length_s, unit in _UNITS:
        if whole >= length_s:
            return f"{whole // length_s}{unit}"
    return "0s"


def readable(text: str) -> str:
    r"""Return *text* fit for a terminal: odd bytes and control characters as escapes like ``\x1b``."""
    return shown(text)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return *count* with its noun: ``1 rule``, ``3 rules``, ``2 inboxes``."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


def _needed(rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns of a terminal a table takes without a broken word, but for a long first cell."""
    from rich.cells import cell_len

    longest = [
        max(cell_len(word) for cell in column for word in cell.split() or [""])
        for column in zip(*rows, strict=True)
    ]
    return min(longest[0], _FOLDED) + sum(longest[1:]) + len(_GAP) * len(longest)


def _listed(columns: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    for first, *others in rows:
        line(first, console=console, style="bold")
        told = ", ".join(
            f"{name} {cell}" for name, cell in zip(columns[1:], others, strict=True) if cell not in {"", "-"}
        )
        line(f"  {told}", console=console)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    from rich.cells import cell_len

    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(padded).rstrip()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
