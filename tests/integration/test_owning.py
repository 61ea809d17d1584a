"""Who has the state folder, and what others may see of it."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dropglow.holding import own
from dropglow.ledger.lock import Busy, StateLock
from dropglow.runtime.status import Snapshot, StatusFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import FakeClock


async def test_a_command_that_is_at_work_is_waited_for(tmp_path: Path, clock: FakeClock) -> None:
    """A lock that is let go of within a second is ours then."""
    lock = StateLock(tmp_path)
    lock.acquire()

    async def enter() -> None:
        async with own(tmp_path, clock=clock):
            pass

    owning = asyncio.create_task(enter())
    while not clock.sleepers:  # noqa: ASYNC110 - the lock tells nobody
        await asyncio.sleep(0)
    lock.release()
    await clock.advance(0.2)

    await asyncio.wait_for(owning, 60)


async def test_a_service_is_not_waited_for(tmp_path: Path, clock: FakeClock) -> None:
    """A lock that is held for longer than a second is somebody's for good."""
    lock = StateLock(tmp_path)
    lock.acquire()

    async def enter() -> None:
        async with own(tmp_path, clock=clock):
            pass

    owning = asyncio.create_task(enter())
    while not owning.done():
        await asyncio.sleep(0)
        await clock.advance(0.1)
    lock.release()

    assert isinstance(owning.exception(), Busy)


def test_what_the_service_says_is_its_owners(tmp_path: Path) -> None:
    """Nobody else reads the status document, not even where a crash left a readable half of one."""
    (tmp_path / "status.part").write_text("{")
    (tmp_path / "status.part").chmod(0o644)

    StatusFile(tmp_path).publish(_snapshot())

    assert 0o600 == stat.S_IMODE((tmp_path / "status.json").stat().st_mode)


def _snapshot() -> Snapshot:
    return Snapshot(
        pid=1,
        version="1",
        started_at=datetime(2026, 11, 2, tzinfo=UTC),
        config="/c",
        sandbox=False,
        in_flight=0,
        in_flight_limit=1,
        in_hand=0,
        trouble="",
        requests_last_minute=0,
        requests_last_day=0,
        inboxes=(),
    )
