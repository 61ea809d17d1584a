"""``run`` on a real terminal: a live view on standard error, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"
CONFIGURATION = """
state: ./state
rules:
  - {name: art, inbox: inbox, outbox: outbox, settle: 200ms, generate: {size: 2048x2048}}
"""


def started(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the service with a terminal for its standard error, and a pipe for its output; return it and our end."""
    (folder / "dropglow.yaml").write_text(CONFIGURATION)
    (folder / "inbox").mkdir()
    (folder / "inbox" / "sea.txt").write_text("a calm sea")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dropglow", "--config", str(folder), "run", "--sandbox", *options],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    return process, ours


def read_until(descriptor: int, wanted: bytes | None) -> bytes:
    """Return what the terminal got, up to where *wanted* is in it; without it, all that comes."""
    got = b""
    while wanted is None or wanted not in got:
        try:
            got += os.read(descriptor, 4096)
        except OSError:  # the last process that had the terminal ended
            break
    return got


def test_a_live_view_gives_the_terminal_back(tmp_path: Path) -> None:
    """The job's bar ends at delivered; SIGTERM stops the service well, the cursor comes back, and a pipe got nothing."""
    process, ours = started(tmp_path)
    with process:
        shown = read_until(ours, b"1 delivered")
        process.send_signal(signal.SIGTERM)
        rest = read_until(ours, None)
        assert process.stdout is not None
        piped = process.stdout.read()

    os.close(ours)
    assert (0, b"") == (process.returncode, piped)
    assert HIDE_CURSOR in shown
    assert b"sea.txt 2048x2048" in shown
    assert b"stopped" in rest
    assert rest.rindex(SHOW_CURSOR) > rest.rfind(HIDE_CURSOR)


def test_a_terminal_gets_the_log_on_wish(tmp_path: Path) -> None:
    """With --plain a terminal gets the log for reading, line by line, and its cursor stays where it is."""
    process, ours = started(tmp_path, "--once", "--plain")
    with process:
        logged = read_until(ours, None)

    os.close(ours)
    assert 0 == process.returncode
    assert b"job.submitted" in logged
    assert HIDE_CURSOR not in logged


def test_it_ends_with_its_terminal(tmp_path: Path) -> None:
    """Whoever closes the window stops the service, as well as by Ctrl-C: nothing is said of a terminal that is gone."""
    process, ours = started(tmp_path)
    with process:
        read_until(ours, b"1 delivered")
        os.close(ours)
        process.send_signal(signal.SIGHUP)  # as the kernel does
        code = process.wait(timeout=60)

    assert 0 == code


def test_a_terminal_that_is_there_is_no_reason_to_end(tmp_path: Path) -> None:
    """SIGHUP has the configuration read again on a terminal as everywhere."""
    process, ours = started(tmp_path, "--plain")
    with process:
        read_until(ours, b"drop.done")
        process.send_signal(signal.SIGHUP)
        logged = read_until(ours, b"config.reloaded")
        process.send_signal(signal.SIGTERM)
        read_until(ours, None)

    os.close(ours)
    assert b"config.reloaded" in logged
    assert 0 == process.returncode
