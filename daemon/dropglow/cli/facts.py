"""Write named facts under each other; on a terminal a long one goes on under its own beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dropglow.cli.tables import line, readable

if TYPE_CHECKING:
    from rich.console import Console

NAME_WIDTH: Final = 16


def heading(text: str, *, console: Console, style: str = "") -> None:
    """Write *text* above what follows, with an empty line before it."""
    line("", console=console)
    line(readable(text), console=console, style=f"bold {style}".strip())


def fact(name: str, text: str, *, console: Console, indent: int = 2, style: str = "") -> None:
    """Write *text* beside *name*. Control characters in it show as escapes."""
    text = readable(text)
    if console.is_terminal:
        hang(f"{name:<{NAME_WIDTH}}", text, console=console, indent=indent, style=style)
    else:
        line(f"{' ' * indent}{name:<{NAME_WIDTH}}{text}", console=console)


def hang(lead: str, text: str, *, console: Console, indent: int, style: str = "") -> None:
    """Write *text* after *lead*, on a terminal, with its further lines under its first one."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid()
    grid.add_column(width=len(lead), no_wrap=True)
    grid.add_column(width=console.width - indent - len(lead), overflow="fold")
    grid.add_row(Text(lead), Text(text, style=style))
    console.print(Padding(grid, (0, 0, 0, indent)))


def paragraph(text: str, *, console: Console, indent: int, style: str = "") -> None:
    """Write *text* indented, on a terminal, all of its lines alike. Control characters show as escapes."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(readable(text), style=style, overflow="fold"), (0, 0, 0, indent)))
