"""The image's first command in a root like the image's, made of namespaces where no engine is at hand.

Skipped by name where that is impossible: it needs root, and a kernel that lets root make namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = ROOT / "tests" / "e2e" / "container"
USER, GROUP = 1234, 2345


def obstacle() -> str:
    """Return why no such root can be made here, or nothing."""
    if os.geteuid() != 0:
        return "only root may make a root of its own"
    if missing := [name for name in ("unshare", "chroot", "setpriv") if shutil.which(name) is None]:
        return f"{', '.join(missing)} is not installed"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "t", "/mnt"],
        capture_output=True,
        text=True,
    )
    return f"this machine allows no namespaces: {done.stderr.strip()}" if done.returncode else ""


def test_the_image_s_command_serves_in_a_root_that_is_only_read(tmp_path: Path) -> None:
    """As the user that was asked for, with the umask that was asked for, from an empty folder to a first picture, and well."""
    if reason := obstacle():
        pytest.skip(reason)
    for name in ("root", "config", "data", "secrets"):
        (tmp_path / name).mkdir()
    inbox = tmp_path / "data" / "inbox" / "prompts"
    inbox.mkdir(parents=True)
    (inbox / "fox.txt").write_text("a fox in the snow")
    for path in (tmp_path / "data", *(tmp_path / "data").rglob("*")):
        os.chown(path, USER, GROUP)
    for name in ("firefly_client_id", "firefly_client_secret"):
        (tmp_path / "secrets" / name).write_text("any\n")

    program = Path(sys.executable).resolve().relative_to(sys.base_prefix)
    done = subprocess.run(
        [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", SCRIPTS / "root.sh", tmp_path, ROOT,
            sys.base_prefix, program, Path(pytest.__file__).parents[1], "sh", "-c", (SCRIPTS / "story.sh").read_text(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    said = [line.partition(": pid")[0] for line in done.stdout.splitlines()]
    assert [
        "the root is read-only",
        "well",
        "The service runs, with the sandbox in place of Adobe",
        "ended with 0",
        "not well after the stop",
    ] == said, done.stderr
    (result,) = (tmp_path / "data" / "outbox" / "prompts").glob("*.jpg")
    for path in (
        result,
        tmp_path / "config" / "dropglow.yaml",
        tmp_path / "config" / "state" / "ledger.sqlite3",
    ):
        assert (USER, GROUP) == (path.stat().st_uid, path.stat().st_gid)
    assert 0o640 == result.stat().st_mode & 0o777
    first, *records = done.stderr.splitlines()
    assert "dropglow: wrote a first configuration to /config" == first
    assert {"service.started", "drop.done", "service.stopped"} <= {
        json.loads(line)["event"] for line in records
    }
