"""Folders of a share whose server is gone: nothing is concluded from what they do not say."""

from __future__ import annotations

from pathlib import Path

from dropglow.rules.folders import after_faults, missing_folders, nesting_faults, silent_folders
from dropglow.rules.load import Harvest, load_rule_file, read_source
from dropglow.rules.places import Place, look, silence

RULES = """
rules:
  - name: masked
    inbox: nas/in
    outbox: nas/out
    done: ../elsewhere/done
    match: {kind: image}
    expand: {mask: {source: mask.png}, size: 300x200}
  - name: others
    inbox: nas/in
    outbox: out
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""


def test_silent_folders_are_told_once_and_nothing_else_is(tmp_path: Path) -> None:
    """They are not missing, and lie on no other file system than anything."""
    (tmp_path / "rules.yaml").write_text(
        RULES.replace("    expand: {mask: {source: mask.png}, size: 300x200}", "    expand: {}")
    )

    def seen(path: str) -> Place:
        return silence(path, real=path) if "/nas/" in path else look(path)

    harvest = Harvest(look=seen)
    load_rule_file(str(tmp_path / "rules.yaml"), environ={}, harvest=harvest)
    source = read_source(str(tmp_path / "rules.yaml"), environ={}, harvest=harvest)

    silent = [fault.message for fault in silent_folders(harvest.entries, look=seen)]
    assert [
        f"the inbox {tmp_path}/nas/in does not answer: is its server there?",
        f"the outbox {tmp_path}/nas/out does not answer: is its server there?",
    ] == silent
    assert [] == harvest.faults
    assert [] == list(after_faults(harvest.rules, harvest.entries, look=seen))
    assert [] == list(
        nesting_faults(harvest.entries, source=source, state=str(tmp_path / "state"), look=seen)
    )
    missing = [fault.message for fault in missing_folders(harvest.entries, base=str(tmp_path), look=seen)]
    assert [f"the outbox {tmp_path}/out does not exist yet; it will be made"] == missing


def test_a_mask_that_does_not_answer_cannot_be_used(tmp_path: Path) -> None:
    """Like one that is not there: the rule would be nothing without it."""
    (tmp_path / "rules.yaml").write_text(RULES)
    harvest = Harvest(look=lambda path: silence(path, real=path))

    load_rule_file(str(tmp_path / "rules.yaml"), environ={}, harvest=harvest)

    assert [f"the file {tmp_path}/mask.png cannot be used: it does not answer; is its server there?"] == [
        fault.message for fault in harvest.faults
    ]
