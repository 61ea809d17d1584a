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
from dropglow.model import Drop, DropState
from dropglow.runtime.orphans import Orphans
from dropglow.runtime.turns import Turns
from tests.conftest import FakeClock
from tests.integration.conftest import Delivery


def orphans_of(ledger: MemoryLedger, seen: Orphan, drop: Drop, clock: FakeClock) -> Orphans:
    """Return who clears a work folder in which *seen* lies, a file of *drop*."""
    inbox: Any = SimpleNamespace(foreign_owner=None, returning=SimpleNamespace(orphans=lambda: (seen,)))
    return Orphans(
        inbox=inbox,
        ledger=ledger,
        disk=RealDisk(),
        clock=clock,
        after=drop.after,
        turns=Turns(),
        in_thread=asyncio.to_thread,
    )


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

    await orphans_of(ledger, seen, closed, clock).deal()

    assert expected is (await ledger.drop(closed.key)).state


async def test_an_open_drop_has_the_file_that_came_back_to_it(
    clock: FakeClock, delivery: Delivery, tmp_path: Path
) -> None:
    """The service died before its ledger knew: the file is not left in work when the drop is closed."""
    place = tmp_path / "beach.txt"
    place.write_text("a beach")
    ledger = MemoryLedger()
    lacking = replace(delivery.drop, place="")
    await ledger.admit(lacking, [])
    seen = Orphan(key=lacking.key, place=str(place), path=lacking.path)

    await orphans_of(ledger, seen, lacking, clock).deal()

    found = await ledger.drop(lacking.key)
    assert (DropState.OPEN, str(place)) == (found.state, found.place)
