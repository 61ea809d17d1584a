"""``dropglow demo``, as a newcomer starts it: the real program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import dropglow

pytestmark = pytest.mark.e2e


def demo(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in *cwd* to its end."""
    command = [sys.executable, "-m", "dropglow", "demo", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(Path(dropglow.__file__).parents[1])}  # from whatever folder
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=110)


def size_of(path: Path) -> tuple[int, int]:
    """Return width and height in pixels."""
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.slow
def test_the_whole_story_is_told(tmp_path: Path) -> None:
    """Everything that the demo drops is delivered, told with Adobe's job ids, and left to look at."""
    began_s = time.monotonic()

    done = demo(tmp_path)

    place = tmp_path / "dropglow-demo"
    results = [path for path in place.glob("outbox/*/*") if path.is_file()]
    assert 0 == done.returncode, done.stderr
    assert time.monotonic() - began_s < 100
    assert 13 == len(results)
    assert all(path.name in done.stdout for path in results)
    assert 9 == done.stdout.count("submitted as urn:ff:jobs:")
    assert {"lighthouse.txt", "fox.txt", "market.txt"} == {
        p.name for p in place.glob("inbox/prompts/_done/*")
    }
    assert {"morning-lake.jpg"} == {p.name for p in place.glob("inbox/social/_done/*")}
    assert {(2500, 2500), (2048, 3640), (3640, 2048)} == {
        size_of(path) for path in place.glob("outbox/social/*.jpg")
    }


@pytest.mark.slow
def test_a_second_demo_takes_the_next_name(tmp_path: Path) -> None:
    """A folder of an earlier demo stays as it is; the log is JSON lines beside the new one."""
    earlier = tmp_path / "here" / "dropglow.yaml"
    earlier.parent.mkdir()
    earlier.write_text("# Made by `dropglow demo`.\n")

    done = demo(tmp_path, "here")

    log = (tmp_path / "here-2" / "demo.log").read_text().splitlines()
    assert 0 == done.returncode, done.stderr
    assert ["dropglow.yaml"] == [path.name for path in earlier.parent.iterdir()]
    assert "service.started" in {json.loads(line)["event"] for line in log}


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    """A folder that no demo made is left alone, and the refusal says what to do."""
    (tmp_path / "dropglow-demo").mkdir()
    (tmp_path / "dropglow-demo" / "letter.txt").write_text("mine")

    done = demo(tmp_path)

    assert 2 == done.returncode
    assert "no demo made it" in done.stderr
    assert ["letter.txt"] == [path.name for path in (tmp_path / "dropglow-demo").iterdir()]
