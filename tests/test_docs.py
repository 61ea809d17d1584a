"""The documents agree with the code."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from dropglow.lifecycle import JOINT_TRANSITIONS
from dropglow.naming import TOKENS

ROOT = Path(__file__).parents[1]
DECISIONS = sorted((ROOT / "daemon" / "adr").glob("*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives"]


def test_the_picture_of_the_lifecycle_is_not_stale() -> None:
    """``daemon/lifecycle.md`` is what its script makes of the table today."""
    maker = runpy.run_path(str(ROOT / "tests" / "lifecycle_page.py"))

    assert maker["page"]() == (ROOT / "daemon" / "lifecycle.md").read_text(encoding="utf-8"), (
        "make it again: PYTHONPATH=daemon python tests/lifecycle_page.py"
    )


def test_the_picture_has_words_for_no_move_that_is_gone() -> None:
    """Every move that is described in words still happens."""
    maker = runpy.run_path(str(ROOT / "tests" / "lifecycle_page.py"))

    assert set(maker["JOINT"]) == JOINT_TRANSITIONS


@pytest.mark.parametrize("page", ["README.md", "rules/README.md"])
def test_every_token_of_a_name_is_listed(page: str) -> None:
    """Both pages list the tokens that there are, in the words of the code."""
    rows = re.findall(r"^\| `\{(\w+)\}` \| (.*) \|$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)

    assert list(TOKENS.items()) == rows


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_the_one_form(path: Path) -> None:
    """A decision is one page: its number, four sections in order, at most sixty lines."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith(f"# {path.stem[:4]} ")
    assert SECTIONS == [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert len(lines) <= 60


def test_decisions_are_numbered_without_gaps() -> None:
    """No number is missing and none is used twice."""
    numbers = [int(path.stem[:4]) for path in DECISIONS]

    assert list(range(1, len(numbers) + 1)) == numbers


@pytest.mark.parametrize("path", [*DECISIONS, ROOT / "daemon" / "lifecycle.md"], ids=lambda path: path.stem)
def test_what_a_document_names_exists(path: Path) -> None:
    """A path to code that stands in a document leads to a file or a folder."""
    named = re.findall(r"`((?:daemon/dropglow|tests)/[\w./-]*)`", path.read_text(encoding="utf-8"))

    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_the_map_shows_the_layers_that_are_enforced() -> None:
    """Each layer has a line, in the order in which imports may point down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    enforced = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    page = (ROOT / "daemon" / "README.md").read_text(encoding="utf-8")
    drawn = page.split("```")[1].strip().splitlines()

    assert enforced == [re.split(r"  +", line)[0] for line in drawn]
