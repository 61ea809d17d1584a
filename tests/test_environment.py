"""A start from a checkout makes its environment once, trusts it while it is whole, and says what is in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import environment
from environment import Environment, SetupError

DAEMON: Final = Path(__file__).resolve().parent.parent / "daemon"


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python daemon` as a user does."""
    command = [sys.executable, str(DAEMON), *arguments]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True)


def program(path: Path, *, printing: str) -> None:
    """Put a program at *path* that prints *printing*, its arguments and what it sees of PYTHONPATH."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{printing} $@ [$PYTHONPATH]"\nexit 7\n', encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    """Return an environment that looks completely installed, in a folder whose name has a space."""
    one = Environment(path=tmp_path / "a venv")
    program(one.command, printing="dropglow")
    program(one.python, printing="python")
    one.enter(environment.wanted(one, with_tests=True))
    return one


def test_a_whole_environment_is_used_at_once(made: Environment) -> None:
    """A command runs in the environment that is there: its arguments and exit code are passed on, and nothing is said."""
    done = start("status", "--json", DROPGLOW_VENV=str(made.path))

    assert (done.returncode, done.stdout, done.stderr) == (7, "dropglow status --json []\n", "")


def test_a_foreign_python_path_is_left_behind(made: Environment) -> None:
    """What PYTHONPATH names would otherwise be imported instead of what was installed."""
    done = start("demo", DROPGLOW_VENV=str(made.path), PYTHONPATH="/nowhere")

    assert done.stdout == "dropglow demo []\n"


def test_the_checks_run_in_the_environment(made: Environment) -> None:
    """`test` hands its arguments to the checks."""
    done = start("test", "-k", "name", DROPGLOW_VENV=str(made.path))

    assert done.stdout == f"python {DAEMON / 'checks.py'} -k name []\n"


@pytest.mark.parametrize("part", ["python", "place", "run", "test", "project"])
def test_any_change_is_noticed(made: Environment, part: str) -> None:
    """Another Python, a moved checkout, other releases or other settings: the environment is not complete."""
    stamp = environment.wanted(made, with_tests=True)

    made.enter({**stamp, part: "as it was before"})

    assert not environment.is_complete(made, stamp)


def test_a_demo_needs_no_test_tools(made: Environment) -> None:
    """What only the tests need is not asked for by any other command."""
    made.enter(environment.wanted(made, with_tests=False))

    assert environment.is_complete(made, environment.wanted(made, with_tests=False))
    assert not environment.is_complete(made, environment.wanted(made, with_tests=True))


def test_a_missing_interpreter_is_noticed(made: Environment) -> None:
    """An environment whose Python was removed by an upgrade is not trusted, whatever its stamp says."""
    made.python.unlink()

    assert made.installed() == {}


def test_a_torn_stamp_is_no_stamp(made: Environment) -> None:
    """Half a stamp says nothing."""
    made.stamp.write_text('{"python": "cpy', encoding="utf-8")

    assert made.installed() == {}


def test_a_folder_of_other_things_is_not_cleared(tmp_path: Path) -> None:
    """DROPGLOW_VENV may name the wrong folder; what is in it stays."""
    (tmp_path / "thesis.txt").write_text("the only copy", encoding="utf-8")

    with pytest.raises(SetupError, match="something else than a virtual environment"):
        environment.refuse_foreign_folder(tmp_path)

    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "the only copy"


def test_help_needs_no_installation() -> None:
    """Without a command the usage is shown and nothing is made."""
    done = start()

    assert done.returncode == 2
    assert "python3 daemon demo" in done.stdout


def test_the_lock_has_four_parts() -> None:
    """The parts are found, and the one behind a mark is readable without it."""
    parts = environment.sections(environment.LOCK_FILE.read_text(encoding="utf-8"))

    assert list(parts) == ["run", "notify", "test", "journal"]
    assert "watchdog==" in parts["run"]
    assert "apprise==" in parts["notify"]
    assert "pytest==" in parts["test"]
    assert parts["journal"].startswith("systemd-python==")


def test_a_failed_step_shows_the_end_of_its_output() -> None:
    """What pip said last is what a person needs to read."""
    with pytest.raises(SetupError, match="no route to the index"):
        environment.carry_out("sh", "-c", "echo no route to the index >&2; exit 1")
