"""The wheel, installed as people install it: the command works, away from the checkout, with all that it ships."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

import dropglow
import packed
from environment import Environment

ROOT: Final = Path(__file__).parents[2]
CONFIGURATION: Final = """
state: ./state
limits: {poll: {min: 50ms, max: 200ms}}
rules:
  - {name: art, inbox: in, outbox: out, settle: 50ms, rescan: 100ms, generate: {size: 1024x1024}}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with the wheel of this checkout, and nothing of the checkout itself."""
    folder = tmp_path_factory.mktemp("wheel")
    return packed.install(packed.build(folder), folder / "venv")


def said(installed: Environment, folder: Path, *words: str) -> str:
    """Return what the installed command prints, started as from a shell."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [installed.command, *words], cwd=folder, env=variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
@pytest.mark.slow
def test_the_installed_command_serves(installed: Environment, tmp_path: Path) -> None:
    """It knows its version, checks a configuration, and turns a prompt into a picture with its own sandbox."""
    (tmp_path / "dropglow.yaml").write_text(CONFIGURATION)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "fox.txt").write_text("a fox in the snow")

    assert f"dropglow, version {dropglow.__version__}\n" == said(installed, tmp_path, "--version")
    assert "all is well" in said(installed, tmp_path, "check")
    said(installed, tmp_path, "run", "--once", "--sandbox")

    assert 1 == len([*(tmp_path / "out").glob("fox_1024x1024_*.jpg")])
    assert (tmp_path / "in" / "_done" / "fox.txt").exists()


@pytest.mark.e2e
def test_the_installed_examples_are_sound(installed: Environment, tmp_path: Path) -> None:
    """Rules and units lie under `share/dropglow`; a configuration that names the rules there has no fault."""
    share = installed.path / "share" / "dropglow"
    examples = sorted(path.name for path in (share / "rules").glob("*.yaml"))
    assert sorted(path.name for path in (ROOT / "rules").glob("*.yaml")) == examples
    assert (share / "systemd" / "dropglow.service").exists()
    (tmp_path / "dropglow.yaml").write_text(f"state: ./state\nrules: {share}/rules/*.yaml\n")

    assert "all is well" in said(installed, tmp_path, "check")
