"""Completion of commands, options, rules and ids, as shells ask for it; and the scripts that make them ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from dropglow.cli.completion import VARIABLE
from dropglow.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

CHECKERS = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


def completed(desk: Desk, *words: str) -> list[str]:
    """Return what is offered for the last of *words*."""
    shell = BashComplete(main, {}, "dropglow", VARIABLE)
    found = shell.get_completions(["--config", str(desk.folder), *words[:-1]], words[-1])
    return [str(each.value) for each in found]


@pytest.fixture
def busy(desk: Desk) -> Any:
    """Return a desk with three drops at different stages."""
    desk.drop("aaaa000001", "delivered", "failed")
    desk.drop("aaaa000002", "running", "in doubt")
    desk.drop("bbbb000003", "held", rule="art")
    return desk


def test_commands_are_completed(desk: Desk) -> None:
    """Every command is offered by its beginning, and options of the whole where a dash was typed."""
    assert list(COMMANDS) == completed(desk, "")
    assert ["resolve", "resume"] == completed(desk, "res")
    assert "--version" in completed(desk, "--")


def test_options_and_their_words_are_completed(desk: Desk) -> None:
    """Options of a command, and what there is to choose from."""
    assert {"--state", "--rule", "--since", "--json"} <= set(completed(desk, "jobs", "--"))
    assert ["delivering", "delivered"] == completed(desk, "jobs", "--state", "deliver")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["show", ""], {"aaaa000001", "aaaa000002", "bbbb000003"}),
        (["show", "bb"], {"bbbb000003", "bbbb000003.1"}),
        (["show", "aaaa000002."], {"aaaa000002.1", "aaaa000002.2"}),
        (["retry", ""], {"aaaa000001", "aaaa000001.2"}),
        (["retry", "aaaa000001", ""], {"aaaa000001.2"}),
        (["cancel", ""], {"aaaa000002", "bbbb000003"}),
        (["resolve", ""], {"aaaa000002", "aaaa000002.2"}),
        (["approve", ""], {"sizes", "art", "bbbb000003", "bbbb000003.1"}),
        (["jobs", "--rule", ""], {"sizes", "art"}),
        (["costs", "--rule", "a"], {"art"}),
        (["show", "nothing"], set()),
    ],
)
def test_ids_and_rules_are_completed(busy: Any, words: list[str], offered: set[str]) -> None:
    """What a command can act on is offered, and nothing twice."""
    assert offered == set(completed(busy, *words))


def test_files_are_left_to_the_shell(desk: Desk) -> None:
    """A path is completed by the shell itself."""
    shell = BashComplete(main, {}, "dropglow", VARIABLE)

    assert ["file"] == [each.type for each in shell.get_completions(["explain"], "in")]
    assert ["file"] == [each.type for each in shell.get_completions(["--config"], str(desk.folder))]


@pytest.mark.parametrize("words", [["show", ""], ["approve", ""], ["nonsense", ""], ["jobs", "--rule", ""]])
def test_nothing_is_said_where_nothing_can_be_read(tmp_path: Path, words: list[str]) -> None:
    """Without a configuration, and for a command that there is not, nothing is offered and nothing is written."""
    (tmp_path / "dropglow.yaml").write_text("state: [\n")
    environ = {
        VARIABLE: "bash_complete",
        "COMP_WORDS": f"dropglow --config {tmp_path} {' '.join(words)}",
        "COMP_CWORD": str(len(words) + 2),
    }

    told = CliRunner().invoke(main, env=environ, prog_name="dropglow")

    assert "" == told.stderr
    assert "Error" not in told.stdout


@pytest.mark.parametrize("shell", CHECKERS)
def test_a_script_is_of_its_shell(shell: str, tmp_path: Path) -> None:
    """Each shell finds no fault in its script, where the shell is installed; each names the command."""
    script = CliRunner().invoke(main, ["completion", shell]).stdout

    assert VARIABLE in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed on this machine")
    (tmp_path / "script").write_text(script)
    checked = subprocess.run(
        [shell, *CHECKERS[shell], str(tmp_path / "script")], capture_output=True, text=True
    )
    assert (0, "") == (checked.returncode, checked.stderr)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed on this machine")
def test_bash_completes_an_id(busy: Any, tmp_path: Path) -> None:
    """A real bash that read the script completes the beginning of an id to the whole of it."""
    (tmp_path / "dropglow").write_text(f'#!/bin/sh\nexec {sys.executable} -m dropglow "$@"\n')
    (tmp_path / "dropglow").chmod(0o755)
    script = CliRunner().invoke(main, ["completion", "bash"]).stdout
    asking = 'COMP_WORDS=(dropglow show bbbb000003.); COMP_CWORD=2; _dropglow_completion dropglow; echo "${COMPREPLY[*]}"'

    told = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{asking}"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "DROPGLOW_CONFIG": str(busy.folder)},
        capture_output=True,
        text=True,
    )

    assert ("bbbb000003.1\n", "") == (told.stdout, told.stderr)
