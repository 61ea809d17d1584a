"""Nobody forgets by mistake what was bought and did not come yet."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from dropglow.cli.main import main
from dropglow.holding import own
from dropglow.installation.record import RECORD, Record
from dropglow.installation.wanted import STATE

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


def said(root: Path, *options: str, dry: bool = True) -> tuple[int, str]:
    dry_run = ["--dry-run"] if dry else []
    result = CliRunner().invoke(main, ["uninstall", *dry_run, "--root", str(root), *options])
    return result.exit_code, result.output


async def test_a_ledger_with_open_orders_is_not_removed(make_daemon: DaemonMaker, tmp_path: Path) -> None:
    """Bought and not delivered, or in doubt: it is refused, with what to do. Once all is over, it may go."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    root = tmp_path / "root"
    state = root / STATE.lstrip("/")
    shutil.copytree(daemon.folder / "state", state)
    record = root / RECORD.lstrip("/")
    record.parent.mkdir(parents=True)
    record.write_text(Record().with_folder(STATE).text())

    refused = await _in_thread(root, "--with-ledger")
    kept = await _in_thread(root)
    shutil.rmtree(state)
    gone = await _in_thread(root, "--with-ledger")

    assert refused[0] == 1
    assert "the ledger holds jobs that wait, are bought and not delivered, or in doubt: 1" in refused[1]
    assert (0, True) == (kept[0], "the ledger stays" in kept[1])
    assert gone[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may uninstall")
async def test_a_ledger_that_a_service_uses_is_not_removed(make_daemon: DaemonMaker, tmp_path: Path) -> None:
    """One that systemd did not start was not stopped by it, and may be buying at that moment."""
    daemon = make_daemon()
    await daemon.run_once()
    root = tmp_path / "root"
    state = root / STATE.lstrip("/")
    shutil.copytree(daemon.folder / "state", state)
    record = root / RECORD.lstrip("/")
    record.parent.mkdir(parents=True)
    record.write_text(Record().text())

    async with own(state):
        refused = await _in_thread(root, "--with-ledger", "--yes", dry=False)
    kept = state.exists()
    gone = await _in_thread(root, "--with-ledger", "--yes", dry=False)

    assert (1, True) == (refused[0], kept)
    assert f"runs on {state}" in refused[1]
    assert (0, False) == (gone[0], state.exists())


async def _in_thread(root: Path, *options: str, dry: bool = True) -> tuple[int, str]:
    return await asyncio.to_thread(said, root, *options, dry=dry)  # a command has a loop of its own
