"""What the live view of ``run`` looks for, and what it leaves on the terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from dropglow.cli.live import View, _scene
from dropglow.config import Config, Limits
from dropglow.firefly.settings import ApiSettings
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import JobKey, Stage
from dropglow.money import Budgets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Delivery


async def test_what_moves_has_room_before_what_ended(delivery: Delivery) -> None:
    """On a small terminal the jobs under way are shown, and of those that ended only what has room besides."""
    stages = [Stage.RUNNING, Stage.FETCHING, *[Stage.DELIVERED] * 5]
    jobs = [
        replace(delivery.job, key=JobKey(f"{delivery.drop.key}.{number}"), stage=stage)
        for number, stage in enumerate(stages, start=1)
    ]
    ledger = MemoryLedger()
    await ledger.admit(delivery.drop, jobs)

    scene = await _scene(ledger, told=None, rows=3, budgets=Budgets(), now=delivery.now)

    assert [Stage.DELIVERED, Stage.RUNNING, Stage.FETCHING] == [job.stage for job in scene.jobs]


async def test_a_service_that_never_served_leaves_no_picture(tmp_path: Path) -> None:
    """Where another one has the state folder, its jobs are not what this one shows last."""
    config = Config(
        path=f"{tmp_path}/dropglow.yaml",
        state=str(tmp_path),
        api=ApiSettings(),
        limits=Limits(),
        rules=(),
        inboxes=(),
    )
    live = Live(console=Console(file=io.StringIO(), force_terminal=True), auto_refresh=False)
    view = View(config, live)
    await view.draw()

    await view.close()

    assert "" == live.renderable
