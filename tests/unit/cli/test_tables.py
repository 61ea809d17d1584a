"""What commands tell is readable in a pipe, on a terminal, and whatever the names."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from dropglow.cli import tables

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (12, "12s ago"), (119, "1m ago"), (7200, "2h ago"), (200_000, "2d ago"), (-300, "in 5m")],
)
def test_a_time_is_told_from_now(seconds: int, words: str) -> None:
    """The largest unit is enough to find one's way."""
    assert words == tables.relative_time(NOW - timedelta(seconds=seconds), NOW)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("café 日本", "café 日本"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("a\nb", "a\\nb"), ("a\udcffb", "a\\xffb")],
)
def test_odd_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    """Letters stay; control characters and odd bytes become escapes."""
    assert shown == tables.readable(text)


@pytest.mark.parametrize(("count", "words"), [(0, "0 inboxes"), (1, "1 inbox"), (1200, "1,200 inboxes")])
def test_a_count_agrees_with_its_noun(count: int, words: str) -> None:
    """One is singular, everything else is not."""
    assert words == tables.counted(count, "inbox", "inboxes")


@pytest.mark.parametrize("width", [30, 44, 60, 80, 200])
def test_a_table_breaks_no_word_on_a_narrow_terminal(width: int) -> None:
    """Where there is no room for columns, each row stands under its first cell, whatever the width."""
    columns = ["folder", "how", "waiting", "settling", "no rule", "open jobs"]
    rows = [["/srv/inbox/photos/of/the/whole/family", "watched", "1,200", "3", "0", "17"]]
    out = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)

    with out.capture() as captured:
        tables.table(columns, rows, console=out)

    written = captured.get()
    assert {"watched", "waiting", "settling", "1,200"} <= set(
        written.replace(",\n", "\n").replace(", ", " ").split()
    )
    assert all(len(line.rstrip()) <= max(width, len(rows[0][0])) for line in written.splitlines())


def test_a_table_in_a_pipe_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row is one line, however long, and columns stand below each other."""
    long = "x" * 200

    tables.table(["job", "state"], [["a", "failed"], [long, "done"]], console=tables.console())

    head, first, second = capsys.readouterr().out.splitlines()
    assert head.index("STATE") == first.index("failed") == second.index("done") == 202


def test_a_sentence_on_a_terminal_keeps_its_indent() -> None:
    """What goes on in the next line begins where the first one did."""
    out = io.StringIO()

    tables.line("    one two three four", console=Console(file=out, width=14, force_terminal=True))

    assert ["    one two", "    three four"] == [row.rstrip() for row in out.getvalue().splitlines()]


def test_a_path_on_a_terminal_stays_whole() -> None:
    """A path is not broken, so that it can be copied."""
    out = io.StringIO()

    tables.line("  /a/long/path/to/a/file.jpg", console=Console(file=out, width=14, force_terminal=True))

    assert "  /a/long/path/to/a/file.jpg\n" == out.getvalue()
