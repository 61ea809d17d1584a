"""Commands that need the state folder only, while the configuration has faults and the service runs well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

GOOD = """
state: ./state
rules:
  - {name: sizes, inbox: inbox/photos, outbox: outbox, expand: {sizes: [800x600]}}
"""
UNKNOWN_KEY = GOOD + "limitz: 3\n"
BROKEN_RULE = GOOD.replace("expand", "expnad")
NO_YAML = GOOD + "  - {name: art, inbox: [\n"
WARNING = "Warning: the configuration has "


def broken(desk: Desk, text: Any) -> Any:
    (desk.folder / "dropglow.yaml").write_text(text)
    return desk


@pytest.mark.parametrize("text", [UNKNOWN_KEY, BROKEN_RULE, NO_YAML])
@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["jobs"],
        ["show", "aaaa000001"],
        ["retry", "aaaa000001.1"],
        ["cancel", "aaaa000001.2"],
        ["resolve", "aaaa000001.3", "--abandon"],
    ],
)
def test_a_broken_edit_does_not_stop_whoever_looks_after_the_service(
    desk: Desk, text: Any, arguments: Any
) -> None:
    """They go on, with one line of warning on standard error that leads to ``check``."""
    desk.drop("aaaa000001", "failed", "queued", "in doubt")

    result = broken(desk, text).run(*arguments)

    (line,) = result.stderr.splitlines()
    assert 0 == result.exit_code
    assert line.startswith(WARNING)
    assert line.endswith(": dropglow check")


def test_the_faults_stand_in_the_document(desk: Desk) -> None:
    """A program that asks for the status learns of every fault, and of none where there is none."""
    before = json.loads(desk.run("status", "--json").stdout)["config_faults"]

    after = json.loads(broken(desk, UNKNOWN_KEY).run("status", "--json").stdout)["config_faults"]

    assert [] == before
    assert ["unknown key limitz" in fault for fault in after] == [True]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("state:", "stat:"),
        GOOD.replace("./state", "${NOT_SET_ANYWHERE}"),
        GOOD.replace("./state", "[a, b]"),
        "rules: [\n",
        "state: a\nstate: [\nstate: b\n",
        "- state: a\n",
    ],
)
def test_where_nobody_can_tell_the_state_folder_it_is_refused(desk: Desk, text: Any) -> None:
    """To show the jobs of another folder would be worse than to show none; exit 78, with the faults."""
    result = broken(desk, text).run("jobs")

    assert 78 == result.exit_code
    assert "dropglow.yaml:" in result.stderr
