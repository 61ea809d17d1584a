"""The sketch of a configuration that a service keeps for commands: true, or not used at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dropglow.config import Config, load_config, survey_config
from dropglow.sketch import SKETCH_FILE, Sketch, find_sketch, recall, remember, sketched

TEXT = """
state: ./state
limits: {in_flight: 3, requests_per_minute: off}
budget: {per_day: 5, hold_over: 9, brake: off}
rules: rules/*.yaml
"""
RULE = (
    "rules:\n"
    "  - {name: art, inbox: ../in, outbox: ../out, generate: {size: 2048x2048, style: {image_reference: style.png}}, budget: {per_month: 7 operations}}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a sound configuration and a state folder."""
    for name in ("rules", "in", "out", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "dropglow.yaml").write_text(TEXT)
    (tmp_path / "rules" / "art.yaml").write_text(RULE)
    (tmp_path / "rules" / "style.png").write_bytes(b"a picture")
    return tmp_path


def loaded(folder: Path) -> Config:
    return load_config(str(folder), environ={}, cwd="/")


def recalled(folder: Path) -> Sketch | None:
    return recall(str(folder / "dropglow.yaml"), environ={}, cwd="/")


def test_it_says_what_a_full_reading_says(folder: Path) -> None:
    """What was kept is equal to what is read from the files, budgets and all."""
    remember(loaded(folder))

    read = sketched(survey_config(str(folder), environ={}, cwd="/"))

    assert read == recalled(folder)
    assert (3, None, (str(folder / "in"),)) == (read.in_flight, read.requests_per_minute, read.inboxes)


def test_it_is_for_its_owner_only(folder: Path) -> None:
    """Nobody else reads what a configuration says."""
    remember(loaded(folder))

    assert 0o600 == (folder / "state" / SKETCH_FILE).stat().st_mode & 0o777


def edit_rule(folder: Path) -> None:
    (folder / "rules" / "art.yaml").write_text(RULE.replace("art", "other"))


def add_rules(folder: Path) -> None:
    (folder / "rules" / "more.yaml").write_text(RULE.replace("art", "more"))


def break_settings(folder: Path) -> None:
    (folder / "dropglow.yaml").write_text(TEXT + "nonsense: 1\n")


def move_state(folder: Path) -> None:
    (folder / "dropglow.yaml").write_text(TEXT.replace("./state", "./other"))


def another_version(folder: Path) -> None:
    kept = json.loads((folder / "state" / SKETCH_FILE).read_text())
    (folder / "state" / SKETCH_FILE).write_text(json.dumps({**kept, "version": "0.0"}))


def lacking(folder: Path) -> None:
    kept = json.loads((folder / "state" / SKETCH_FILE).read_text())
    (folder / "state" / SKETCH_FILE).write_text(json.dumps({**kept, "budgets": {}}))


def cut_off(folder: Path) -> None:
    (folder / "state" / SKETCH_FILE).write_text('{"version": ')


def lose_picture(folder: Path) -> None:
    (folder / "rules" / "style.png").unlink()


def by_hand(folder: Path) -> None:
    kept = json.loads((folder / "state" / SKETCH_FILE).read_text())
    (folder / "state" / SKETCH_FILE).write_text(json.dumps({**kept, "in_flight": "many"}))


def somebody_elses(folder: Path) -> None:
    (folder / "state" / SKETCH_FILE).write_text("[" * 100_000)


@pytest.mark.parametrize(
    "change",
    [
        edit_rule,
        add_rules,
        break_settings,
        move_state,
        another_version,
        lacking,
        cut_off,
        lose_picture,
        by_hand,
        somebody_elses,
    ],
)
def test_it_is_not_used_once_anything_is_different(folder: Path, change: Callable[[Path], None]) -> None:
    """An edit, a new file, a new version, a damaged sketch: the files are read, and their faults are told."""
    remember(loaded(folder))
    change(folder)

    assert recalled(folder) is None
    assert sketched(survey_config(str(folder), environ={}, cwd="/")) == find_sketch(
        str(folder), environ={}, cwd="/"
    )


def test_none_is_kept_of_what_depends_on_the_environment(folder: Path) -> None:
    """Who asks may have another environment than the service: an older sketch goes, too."""
    remember(loaded(folder))
    (folder / "rules" / "art.yaml").write_text(RULE.replace("../out", '"${PLACE}"'))

    remember(load_config(str(folder), environ={"PLACE": "../out"}, cwd="/"))

    assert not (folder / "state" / SKETCH_FILE).exists()


def test_no_room_for_it_is_no_trouble(folder: Path) -> None:
    """Where it cannot be written, everything else goes on."""
    (folder / "state").rmdir()

    remember(loaded(folder))

    assert recalled(folder) is None
