"""The sandbox, held against plain ``curl`` in the order of calls that Adobe's guide shows.

The scripts in ``transcript/`` know nothing of this project: pointed at Adobe they would do the same.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

SCRIPTS = Path(__file__).parent / "transcript"
LIMIT_S = 60.0

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed on this machine"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox in a process of its own, and an empty folder to work in."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    def script(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one of the transcripts to its end."""
        environ = {
            "PATH": os.environ["PATH"],
            "BASE": self.url,
            "TOKEN_URL": f"{self.url}/ims/token/v3",
            "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
            "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
        }
        return subprocess.run(
            ["sh", str(SCRIPTS / name)],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )

    def books(self) -> dict[str, Any]:
        """Stop the sandbox and return what happened in it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=LIMIT_S)
        books: dict[str, Any] = json.loads((self.folder.parent / "books.json").read_text())
        return books


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Start a sandbox of which jobs take a moment, so that somebody has to ask twice."""
    (tmp_path / "work").mkdir()
    words = ("--port", "0", "--books", str(tmp_path / "books.json"), "--fault", "duration=0.5-1.5")
    command = [sys.executable, "-m", "dropglow", "sandbox", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        yield Running(process=process, url=url, folder=tmp_path / "work")
        process.kill()
    for answer in (tmp_path / "work").glob("answer_*.json"):
        answer.unlink()  # as the API gave it, with a signed link: nothing of ours was to keep it


def test_a_prompt_becomes_a_picture(running: Running) -> None:
    """Token, order, status until it has succeeded, download: by the addresses of the answers alone."""
    told = running.script("generate.sh")

    assert (0, "") == (told.returncode, told.stderr)
    (picture,) = running.folder.glob("*.jpg")
    books = running.books()
    assert (2048, 2048) == size_of(picture)
    assert [int(picture.stem)] == [seed for job in books["jobs"] for seed in job["seeds"]]
    assert (1, 1) == (books["tokens"], books["accepted"])


def test_a_photo_becomes_three_sizes_at_once(running: Running) -> None:
    """One upload serves three orders that are sent, awaited and fetched side by side."""
    Image.effect_noise((1200, 800), 60).convert("RGB").save(running.folder / "source.jpg")

    told = running.script("expand.sh")

    assert (0, "") == (told.returncode, told.stderr)
    sizes = {path.name: size_of(path) for path in running.folder.glob("source_*.jpg")}
    books = running.books()
    assert sizes == {
        "source_2500x2500.jpg": (2500, 2500),
        "source_3000x3000.jpg": (3000, 3000),
        "source_3500x3500.jpg": (3500, 3500),
    }
    assert (1, 1, 3) == (books["tokens"], len(books["uploads"]), books["accepted"])


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        picture.load()
        assert "JPEG" == picture.format
        return picture.size
