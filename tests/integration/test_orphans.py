"""What lies in a work folder when an inbox changes hands while the service runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dropglow.disk import RealDisk
from dropglow.intake.returning import Orphan
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import DropState
from dropglow.runtime.orphans import Orphans
from dropglow.runtime.turns import Turns
from tests.conftest import FakeClock
from tests.integration.conftest import Delivery


@pytest.mark.parametrize(
    ("put_away", "expected"), [(True, DropState.DONE), (False, DropState.OPEN)], ids=["gone", "there"]
)
async def test_a_closed_drop_is_opened_only_for_files_that_still_lie_there(
    clock: FakeClock, delivery: Delivery, tmp_path: Path, put_away: bool, expected: DropState
) -> None:
    """Its closer may have been faster than who looked into the work folder."""
    place = tmp_path / "beach.txt"
    if not put_away:
        place.write_text("a beach")
    ledger = MemoryLedger()
    await ledger.admit(delivery.drop, [])
    closed = replace(delivery.drop, state=DropState.DONE, closed_at=clock.now())
    await ledger.save_drop(delivery.drop, closed, event="Closed", at=clock.now())
    seen = Orphan(key=closed.key, place=str(place), path=closed.path)
    inbox: Any = SimpleNamespace(foreign_owner=None, returning=SimpleNamespace(orphans=lambda: (seen,)))
    orphans = Orphans(
        inbox=inbox,
        ledger=ledger,
        disk=RealDisk(),
        clock=clock,
        after=closed.after,
        turns=Turns(),
        in_thread=asyncio.to_thread,
    )

    await orphans.deal()

    assert expected is (await ledger.drop(closed.key)).state
