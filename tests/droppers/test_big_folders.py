"""An inbox with very many files in very many sub-folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.droppers import equipment
from tests.droppers.bed import Site

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
RESCAN_S = 30.0
FILES_A_FOLDER = 4
MEGABYTE = 1024 * 1024


def plant(inbox: Path, folders: int) -> int:
    """Make so many *folders*, a hundred in each of their parents, with four prompts each; return how many prompts."""
    for number in range(folders):
        folder = inbox / f"{number // 100:03}" / f"{number % 100:02}"
        folder.mkdir(parents=True)
        for file in range(FILES_A_FOLDER):
            (folder / f"{file}.txt").write_text(f"lighthouse {file} of coast {number}", encoding="utf-8")
    return folders * FILES_A_FOLDER


def test_a_new_file_is_found_among_very_many(make_site: Callable[..., Site]) -> None:
    """Among 200,000 files in 50,000 sub-folders a new one is found within a rescan, and memory has a bound."""
    site = make_site(settle="2s", rescan=f"{RESCAN_S:g}s")
    inbox = site.inbox("many")
    count = plant(inbox, 50_000 if equipment.thorough() else 500)
    site.start()
    began_s = site.until(lambda: site.found("many", settling=False) == count, limit_s=240)

    (inbox / "000" / "00" / "late.txt").write_text("a late lighthouse", encoding="utf-8")
    (inbox / "new").mkdir()
    (inbox / "new" / "later.txt").write_text("a later lighthouse", encoding="utf-8")
    # A look takes its time, more on a busy machine; the next one begins a rescan after it began.
    limit_s = RESCAN_S + 2 * site.inboxes()[0]["look_s"] + 2
    took_s = site.until(lambda: site.found("many") == count + 2, limit_s=limit_s)

    memory = site.memory_bytes() / MEGABYTE
    mode, look_s = site.inboxes()[0]["mode"], site.inboxes()[0]["look_s"]
    print(
        f"{count} files ready after {began_s:.1f} s, new ones found after {took_s:.1f} s; {memory:.0f} MB, {mode}, {look_s:.1f} s a look"
    )
    assert memory < 400
