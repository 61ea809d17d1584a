"""The documents name every command and every option, and no other; and every example in them runs.

A block of ``sh`` runs; where words after ``sh`` say what it needs, a root or much time, it is only parsed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import pytest

from dropglow.cli.main import COMMANDS, main

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (
    "README.md",
    "rules/README.md",
    "systemd/README.md",
    "CHANGELOG.md",
    "daemon/README.md",
    "daemon/json.md",
)
EVERYWHERE: Final = {"--help", "--config", "--version", "--json"}
CHECKOUT_ONLY: Final = {"test", "lock"}  # commands of ``python3 daemon`` that the program itself has not
OPTION: Final = re.compile(r"`(--[a-z-]+)")
SPAN: Final = re.compile(r"`dropglow ([^`]*)`")
BLOCK: Final = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w+) ?(?P<needs>[^\n]*)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL
)
BARE: Final = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A block of a page."""

    page: str
    line: int
    kind: str
    needs: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """Yield the words of every line that starts this program."""
        for line in self.text.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for start in (["sudo", "-u", "dropglow", "dropglow"], ["python3", "daemon"], ["dropglow"]):
                if words[: len(start)] == start:
                    rest = words[len(start) :]
                    yield rest[: next((at for at, word in enumerate(rest) if word in {">", "|"}), len(rest))]
                    break


def examples(page: str) -> Iterator[Example]:
    """Yield every block of *page*, without the indentation of the list that it stands in."""
    whole = (ROOT / page).read_text(encoding="utf-8")
    for found in BLOCK.finditer(whole):
        line = whole.count("\n", 0, found.start()) + 1
        text = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Example(page=page, line=line, kind=found["kind"], needs=found["needs"], text=text)


EXAMPLES: Final = [example for page in PAGES for example in examples(page)]


def options(command: click.Command) -> set[str]:
    """Return the long names of what *command* takes."""
    found = (parameter for parameter in command.params if isinstance(parameter, click.Option))
    return {name for option in found for name in option.opts if name.startswith("--")} - EVERYWHERE


def loaded(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def documented() -> dict[str, set[str]]:
    """Return the options of each command, as the README's table has them."""
    told: dict[str, set[str]] = {}
    for row in re.findall(
        r"^\| ((?:`[a-z]+`(?:, )?)+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    ):
        for name in re.findall(r"`([a-z]+)`", row[0]):
            told.setdefault(name, set()).update(OPTION.findall(row[1]))
    return told


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_names_every_option(name: str) -> None:
    """Each option of each command stands in its row of the table, and no other; in that of two, one of them has it."""
    told = documented().get(name, set())
    sharing = {"check", "doctor"}
    had = (
        set().union(*(options(loaded(each)) for each in sharing))
        if name in sharing
        else options(loaded(name))
    )

    assert had == told


def test_the_readme_names_every_command() -> None:
    """The table of commands has each of them, and what it names exists."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("\n## Commands") : text.index("\n## What it stands on")]
    rows = [row for row in section.splitlines() if row.startswith("| `dropglow ")]
    named = {name for row in rows for name in re.findall(r"`(?:dropglow )?([a-z]+)\b", row.split(" | ")[0])}

    assert set(COMMANDS) == named


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_is_understood(page: str) -> None:
    """Every `dropglow …` between backticks is a command with options that it has."""
    for words in SPAN.findall((ROOT / page).read_text(encoding="utf-8")):
        understood(shlex.split(re.sub(r"[\[\]]| >.*", "", words)))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_understood(example: Example) -> None:
    """Every line of a block that starts this program is a command with options that it has."""
    for words in example.commands():
        understood(words)


def understood(words: list[str]) -> None:
    """Fail unless the command line can be parsed; a command by itself only has to exist."""
    name, *rest = words
    if name in CHECKOUT_ONLY:
        return
    if not BARE.fullmatch(name):
        assert "…" in name or name in EVERYWHERE
        return
    command = loaded(name)
    rest = [{"SHELL": "bash", "DAY": "today"}.get(word, word) for word in rest]
    if rest and "…" not in rest:
        command.make_context(name, rest, parent=click.Context(main))


def test_the_configuration_of_the_readme_is_sound(tmp_path: Path) -> None:
    """All that the README says of `dropglow.yaml` holds together, and its rules too."""
    world(tmp_path)

    told = shell(tmp_path, "dropglow check")

    assert (0, "1 rule, 1 inbox: all is well\n") == (
        told.returncode,
        told.stdout.splitlines(keepends=True)[-1],
    ), told


def test_its_prompt_file_is_understood(tmp_path: Path) -> None:
    """A prompt file with front matter, as the README has it, would be ordered by a rule for prompts."""
    text = re.search(r"^```\n(---\n.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert text is not None
    (tmp_path / "sea.txt").write_text(text[1].replace("…", "5f1e"))
    (tmp_path / "dropglow.yaml").write_text(
        "state: ./state\nrules:\n  - {name: wide, inbox: in, outbox: out, match: {kind: prompt}, expand: {size: 2000x2000}}\n"
    )

    told = shell(tmp_path, "dropglow explain sea.txt")

    assert 0 == told.returncode, told
    assert '"width": 3000' in told.stdout


@pytest.mark.parametrize(
    "example",
    [each for each in EXAMPLES if each.kind == "sh" and not each.needs],
    ids=str,
)
def test_an_example_runs(example: Example, tmp_path: Path) -> None:
    """A block of shell that needs nothing special ends well, in a folder with the README's configuration."""
    world(tmp_path)

    told = shell(tmp_path, example.text)

    assert 0 == told.returncode, told


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.kind == "sh"], ids=str)
def test_an_example_is_shell(example: Example) -> None:
    """A block of shell that only somebody else can run is shell all the same."""
    told = subprocess.run(["sh", "-n"], input=example.text, capture_output=True, text=True)

    assert (0, "") == (told.returncode, told.stderr)


def world(folder: Path) -> None:
    """Make a folder with the configuration and the rule of the README."""
    blocks = [each.text for each in examples("README.md") if each.kind == "yaml"]
    rules = [text for text in blocks if text.startswith("rules:\n")]
    settings = [text for text in blocks if text not in rules]
    (folder / "rules").mkdir()
    (folder / "rules" / "social.yaml").write_text("".join(rules))
    (folder / "dropglow.yaml").write_text("".join(settings))


def shell(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run *text* as somebody would who has the program in the PATH."""
    (folder / "bin").mkdir()
    (folder / "bin" / "dropglow").write_text(f'#!/bin/sh\nexec {sys.executable} -m dropglow "$@"\n')
    (folder / "bin" / "dropglow").chmod(0o755)
    return subprocess.run(
        ["sh", "-euc", text],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
