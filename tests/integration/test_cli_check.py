"""``dropglow check`` as a person and as a script see it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dropglow.cli.main import main

GOOD = """
state: ./state
rules:
  - {name: sizes, inbox: in/photos, outbox: out, expand: {sizes: [800x600]}}
  - {name: art, inbox: in/prompts, outbox: out, generate: {size: 2048x2048}}
"""
BAD = """
state: ./state
limts: {in_flight: 3}
rules:
  - name: sizes
    inbox: in/photos
    outbox: out
    expand: {sizes: [800x600x3]}
"""


def check(folder: Path, text: str, *options: str) -> Result:
    """Return what ``check`` says about a configuration of this text."""
    (folder / "dropglow.yaml").write_text(text)
    return CliRunner().invoke(main, ["--config", str(folder), "check", *options])


def test_a_sound_configuration_is_counted(tmp_path: Path) -> None:
    """One line says how much was checked, and that all is well."""
    for folder in ("in/photos", "in/prompts", "out"):
        (tmp_path / folder).mkdir(parents=True)

    result = check(tmp_path, GOOD)

    assert (0, "2 rules, 2 inboxes: all is well\n") == (result.exit_code, result.stdout)


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    """All may be well with a path that leads nowhere, or nothing; a warning lets a person see it."""
    result = check(tmp_path, GOOD)

    assert 0 == result.exit_code
    assert f"4:26: the inbox {tmp_path}/in/photos does not exist yet; it will be made" in result.stdout
    assert 1 == result.stdout.count("the outbox")


def test_every_fault_is_a_line_with_its_place(tmp_path: Path) -> None:
    """Faults go to the standard output, one a line, all at once; the exit code is that of a configuration."""
    result = check(tmp_path, BAD)

    lines = result.stdout.splitlines()
    assert 78 == result.exit_code
    assert 2 == len(lines)
    assert all(re.match(rf"{tmp_path}/dropglow\.yaml:\d+:\d+: \S", line) for line in lines)
    assert "did you mean limits?" in lines[0]


def test_the_summary_of_faults_goes_elsewhere(tmp_path: Path) -> None:
    """Standard error says how many there are and what to do, so that the lines stay clean."""
    result = check(tmp_path, BAD)

    assert "has 2 faults" in result.stderr
    assert "dropglow check" in result.stderr


def test_a_program_reads_faults_as_json(tmp_path: Path) -> None:
    """With --json each fault is an object with its place as numbers."""
    result = check(tmp_path, BAD, "--json")

    document = json.loads(result.stdout)
    assert (78, False) == (result.exit_code, document["ok"])
    assert {"file", "line", "column", "message"} == set(document["faults"][0])
    assert 3 == document["faults"][0]["line"]


def test_a_program_reads_rules_and_inboxes_as_json(tmp_path: Path) -> None:
    """With --json a sound configuration lists its rules and inboxes."""
    result = check(tmp_path, GOOD, "--json")

    document = json.loads(result.stdout)
    assert (0, True, []) == (result.exit_code, document["ok"], document["faults"])
    assert ["sizes", "art"] == [rule["name"] for rule in document["rules"]]
    assert [f"{tmp_path}/in/photos", f"{tmp_path}/in/prompts"] == [i["folder"] for i in document["inboxes"]]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_missing_configuration_is_said_in_words(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Without a file there is a sentence and an exit code, and no traceback."""
    result = CliRunner().invoke(main, ["--config", str(tmp_path / "no.yaml"), "check", *options])

    assert 78 == result.exit_code
    assert "there is no configuration file" in result.output
    assert "Traceback" not in result.output
