"""``--watch``: told again when something changed, painted in place on a terminal, which is given back as it was."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from dropglow.cli.watching import Telling, _frame, _screen, tell

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l\x1b[?7l", b"\x1b[?7h\x1b[?25h\x1b[?1049l"


def looks(*documents: Any) -> Callable[[], Telling]:
    """Return what finds each of *documents* in turn, and has enough at the last."""
    left = list(documents)

    def look() -> Telling:
        found = left.pop(0)
        if not left:
            signal.raise_signal(signal.SIGTERM)
        return Telling(document=lambda: found, show=lambda out: out.print(str(found)))

    return look


def test_each_change_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """What stays the same but for its time is not told again."""
    tell(
        looks({"at": 1, "x": 1}, {"at": 2, "x": 1}, {"at": 3, "x": 2}), as_json=True, watch=True, every_s=0.01
    )

    assert [{"at": 1, "x": 1}, {"at": 3, "x": 2}] == [
        json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]
    ]


def test_in_a_pipe_each_change_stands_below_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    """No control character goes where there is no terminal."""
    tell(looks(["a"], ["a"], ["b"]), as_json=False, watch=True, every_s=0.01)

    assert "['a']\n\n['b']\n" == capsys.readouterr().out


def test_signals_mean_what_they_meant_afterwards() -> None:
    """Only while somebody watches do signals end the watching."""
    before = signal.getsignal(signal.SIGTERM)

    tell(looks(["a"]), as_json=True, watch=True)

    assert before is signal.getsignal(signal.SIGTERM)


def test_a_frame_has_no_more_lines_than_the_screen() -> None:
    """What has no room is counted in the last line."""
    out = Console(file=io.StringIO(), force_terminal=True, width=40, height=5)
    text = "\n".join(f"row {'abcdefghi'[number]}" for number in range(9))
    found = Telling(document=list, show=lambda out: out.print(text))

    frame = _frame(found, out)

    assert 5 == len(frame.split("\r\n"))
    assert "row d\x1b[K" in frame
    assert "… 5 more lines" in frame


def test_another_size_is_painted_anew() -> None:
    """Though nothing else changed: what a smaller terminal cut off does not come back by itself."""
    out = Console(file=io.StringIO(), force_terminal=True, width=40, height=5)
    ended = threading.Event()
    widths = iter([40, 20, 40])

    def look() -> Telling:
        if (width := next(widths, None)) is None:
            ended.set()
        else:
            out.width = width
        return Telling(document=list, show=lambda out: out.print("row a"))

    _screen(look, ended, out, 0.01)

    assert 3 == str(out.file.getvalue()).count("row a")  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_terminal_is_given_back(desk: Desk, number: signal.Signals) -> None:
    """On a real terminal the status is painted on the other screen, and whatever ends it brings the first one back."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dropglow", "--config", str(desk.folder), "status", "--watch"]
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
    ) as process:
        os.close(theirs)
        painted = read_until(ours, b"drops")
        process.send_signal(number)
        rest = read_until(ours, LEAVE)

    os.close(ours)
    assert 0 == process.returncode
    assert painted.startswith(ENTER)
    assert b"No service runs." in painted
    assert rest.endswith(LEAVE)


STORM = """
import os, signal, threading
from dropglow.cli.watching import _ending

with _ending() as ended:
    storm = threading.Thread(target=lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(20_000)])
    storm.start()
    while storm.is_alive():
        ended.wait(0.0)
    assert ended.is_set()
"""


def test_no_signal_meets_it_at_a_bad_moment() -> None:
    """Ctrl-C comes in the middle of anything, also of looking whether it came."""
    subprocess.run([sys.executable, "-c", STORM], check=True, timeout=60)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Return what the terminal got, up to where *wanted* is in it."""
    got = b""
    while wanted not in got:
        got += os.read(descriptor, 4096)
    return got


def test_a_configuration_that_is_being_edited_does_not_end_it(desk: Desk) -> None:
    """While nobody can read the configuration, what it said last holds."""
    from dropglow.cli.ledger_access import Surveyor

    surveyor = Surveyor(str(desk.folder))
    first = surveyor.sketch()
    Path(desk.folder / "dropglow.yaml").write_text("state: [")

    assert first is surveyor.sketch()
