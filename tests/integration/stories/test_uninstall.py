"""Nobody forgets by mistake what was bought and did not come yet."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from dropglow.cli.main import main
from dropglow.installation.record import RECORD, Record
from dropglow.installation.wanted import STATE

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


def said(root: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["uninstall", "--dry-run", "--root", str(root), *options])
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
    assert "the ledger holds jobs that are bought and not delivered, or in doubt: 1" in refused[1]
    assert (0, True) == (kept[0], "the ledger stays" in kept[1])
    assert gone[0] == 0


async def _in_thread(root: Path, *options: str) -> tuple[int, str]:
    return await asyncio.to_thread(said, root, *options)  # a command has a loop of its own
