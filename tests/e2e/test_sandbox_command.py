"""``dropglow sandbox`` as a process: it says where it is, answers, and leaves its books."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.e2e


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the sandbox; its output can be read."""
    command = [sys.executable, "-m", "dropglow", "sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """The first line ends with the address; a token can be had there; the books tell of it at the end."""
    with start("--port", "0", "--books", str(tmp_path / "books.json")) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        form = {
            "grant_type": "client_credentials",
            "client_id": "any",
            "client_secret": "any",
            "scope": "ff_apis",
        }
        token = httpx.post(f"{url}/ims/token/v3", data=form).json()["access_token"]
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)

    books = json.loads((tmp_path / "books.json").read_text())
    assert token
    assert (0, "") == (process.returncode, errors)
    assert "The books: 0 orders" in output
    assert 1 == books["tokens"]


def test_a_taken_port_is_said_in_words() -> None:
    """A port that somebody has is named, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start("--port", str(port)) as process:
            _, errors = process.communicate(timeout=60)

    assert 1 == process.returncode
    assert re.search(rf"cannot listen at 127\.0\.0\.1, port {port}: address already in use", errors)
    assert "--port 0" in errors


def test_an_unknown_fault_is_wrong_usage() -> None:
    """A misspelled fault is refused with the nearest name."""
    with start("--fault", "submit_los=1") as process:
        _, errors = process.communicate(timeout=60)

    assert 2 == process.returncode
    assert "did you mean 'submit_lost'?" in errors
