"""The real program on an inbox that it cannot write to: a read-only mount, and a folder without the permission."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

pytestmark = pytest.mark.e2e

CONFIGURATION: Final = """
state: ./state
limits: {requests_per_minute: off, requests_per_day: off, poll: {min: 50ms, max: 500ms}}
rules:
  - name: scans
    inbox: inbox
    outbox: outbox
    done: keep
    give_up: 200ms
    settle: 200ms
    rescan: 1s
    match: {kind: image}
    expand: {size: 320x200}
"""
PROGRAM_S: Final = 90.0

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def program(folder: Path, *arguments: str) -> list[str]:
    """Return the command line of the real program on the configuration in *folder*."""
    return [sys.executable, "-m", "dropglow", "--config", str(folder), *arguments]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_S, check=False)


def on_read_only_mount(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a namespace of its own, where the inbox is mounted read-only."""
    inbox = shlex.quote(str(folder / "inbox"))
    mounted = (
        f"mount --bind {inbox} {inbox} && mount -o remount,bind,ro {inbox} && ! touch {inbox}/x 2>/dev/null"
    )
    if shutil.which("unshare") is None or run(["unshare", "-rm", "sh", "-c", mounted]).returncode:
        pytest.skip("no read-only mount can be made here: unshare and mount are not allowed")
    return run(["unshare", "-rm", "sh", "-c", f'{mounted} && exec "$@"', "sh", *program(folder, *arguments)])


def without_permission(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with an inbox that it may only read."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    inbox = folder / "inbox"
    inbox.chmod(0o555)
    try:
        return run(program(folder, *arguments))
    finally:
        inbox.chmod(0o755)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with a configuration, and two pictures in an inbox."""
    (tmp_path / "dropglow.yaml").write_text(CONFIGURATION)
    for name in ("beach.jpg", "more/hills.jpg"):
        path = tmp_path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((240, 160), 90).convert("RGB").save(path)
    (tmp_path / "inbox" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return tmp_path


@pytest.mark.parametrize("on_it", [on_read_only_mount, without_permission])
def test_an_inbox_that_cannot_be_written_to_is_served(site: Path, on_it: Runner) -> None:
    """Results and reports appear, nothing in the inbox changes, and the next run has nothing to do."""
    before = {path: path.lstat() for path in (site / "inbox").rglob("*")}

    first = on_it(site, "run", "--sandbox", "--once")
    second = on_it(site, "run", "--sandbox", "--once")

    assert (1, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    results = [path.relative_to(site / "outbox") for path in (site / "outbox").rglob("*.jpg")]
    assert ["beach", "hills"] == sorted(path.name.partition("_")[0] for path in results)
    assert (site / "outbox" / "_failed" / "broken.png.error.txt").exists()
    after = {path: path.lstat() for path in (site / "inbox").rglob("*")}
    assert {path: found.st_mtime_ns for path, found in before.items()} == {
        path: found.st_mtime_ns for path, found in after.items()
    }
    assert "drop.admitted" not in second.stderr


@pytest.mark.parametrize("on_it", [on_read_only_mount, without_permission])
def test_check_knows_an_inbox_that_cannot_be_written_to(site: Path, on_it: Runner) -> None:
    """Without `done: keep` it is a warning, since nothing could be taken out of it; with it, all is well."""
    (site / "outbox").mkdir()
    well = on_it(site, "check", "--json")
    text = (site / "dropglow.yaml").read_text()
    (site / "dropglow.yaml").write_text(text.replace("done: keep", "done: _done"))
    warned = on_it(site, "check", "--json")

    told = [warning["message"] for warning in json.loads(warned.stdout)["warnings"]]
    assert [] == json.loads(well.stdout)["warnings"]
    assert any("cannot be written to" in each and "done: keep" in each for each in told), told
