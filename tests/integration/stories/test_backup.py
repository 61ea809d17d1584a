"""A copy of the ledger, and what happens when it has to take its place."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.holding import own
from dropglow.ledger.backup import KEPT, back_up
from dropglow.ledger.base import Grant
from dropglow.ledger.health import damage
from dropglow.model import Stage
from dropglow.money import Switch

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

DAY = datetime(2026, 11, 3, 2, tzinfo=UTC)


def restore(daemon: Daemon, copy: Path) -> None:
    """Put *copy* in the place of the ledger, as an operator does."""
    state = daemon.folder / "state"
    for name in ("ledger.sqlite3-wal", "ledger.sqlite3-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "ledger.sqlite3").write_bytes(copy.read_bytes())


async def test_a_service_copies_its_ledger_once_a_day(make_daemon: DaemonMaker) -> None:
    """A sound file for its owner alone; the second time of a day there is nothing to do."""
    daemon = make_daemon()
    daemon.prompt()
    await daemon.run_once()
    state = daemon.folder / "state"

    copy = back_up(state, DAY)

    assert copy is not None
    assert () == damage(copy)
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert back_up(state, DAY + timedelta(hours=3)) is None
    assert [copy.name] == sorted(path.name for path in copy.parent.iterdir())


async def test_the_copies_of_a_week_are_kept(make_daemon: DaemonMaker) -> None:
    """The eighth day takes the place of the first."""
    daemon = make_daemon()
    await daemon.run_once()
    made = [back_up(daemon.folder / "state", DAY + timedelta(days=day)) for day in range(KEPT + 1)]

    assert made[1:] == sorted((daemon.folder / "state" / "backups").iterdir())


async def test_copies_of_a_clock_that_was_ahead_take_no_place(make_daemon: DaemonMaker) -> None:
    """A week of copies with names of days to come does not push out the one of today."""
    daemon = make_daemon()
    await daemon.run_once()
    for day in range(KEPT):
        back_up(daemon.folder / "state", DAY + timedelta(days=365 + day))

    made = back_up(daemon.folder / "state", DAY)

    assert made is not None
    assert made.exists()


async def test_a_copy_in_the_ledger_s_place_buys_nothing_by_itself(make_daemon: DaemonMaker) -> None:
    """What was ordered after the copy was made is not ordered again: spending is paused, and strange files are held."""
    daemon = make_daemon("duration=30")
    state = daemon.folder / "state"
    await daemon.run_once()
    copy = back_up(state, DAY)
    assert copy is not None
    daemon.prompt()
    await daemon.run_until(lambda: daemon.books()["accepted"] == 1)
    restore(daemon, copy)
    daemon.prompt("second.txt", "a second fox")

    await daemon.run_until((daemon.prompts / "_held/fox.txt").exists)

    assert 1 == daemon.books()["accepted"]
    assert {Stage.QUEUED} >= {job.stage for job in await daemon.jobs()}
    async with own(state) as owned:
        switch = await owned.ledger.switch()
    assert switch is not None
    assert switch.stopped
    assert "2026-11-03 02:00" in switch.reason


async def test_nobody_has_the_jobs_of_a_copy_in_hand(make_daemon: DaemonMaker) -> None:
    """What ran at Adobe when the copy was made is asked about at once: whoever had it in hand is another ledger's."""
    daemon = make_daemon("duration=30")
    state = daemon.folder / "state"
    daemon.prompt()
    await daemon.run_until(lambda: daemon.books()["polls"] > 0 and back_up(state, DAY) is not None)
    restore(daemon, state / "backups" / "ledger-2026-11-03.sqlite3")

    async with own(state) as owned:
        grant = Grant(open_jobs=8, fresh_jobs=0)
        claimed = await owned.ledger.claim("another", now=DAY, until=DAY + timedelta(minutes=1), grant=grant)

    assert [Stage.RUNNING] == [job.stage for job in claimed]


async def test_after_a_look_it_goes_on(make_daemon: DaemonMaker) -> None:
    """A person says resume, and the restored ledger is a ledger like any other."""
    daemon = make_daemon()
    await daemon.run_once()
    copy = back_up(daemon.folder / "state", DAY)
    assert copy is not None
    restore(daemon, copy)
    daemon.prompt()
    async with own(daemon.folder / "state") as owned:
        await owned.ledger.set_switch(Switch(stopped=False, at=DAY))

    await daemon.run_once()

    assert 1 == len(daemon.results())


async def test_a_copy_that_cannot_be_made_is_told(make_daemon: DaemonMaker) -> None:
    """Nothing half is left; the service says so and goes on."""
    daemon = make_daemon()
    await daemon.run_once()
    (daemon.folder / "state" / "backups").write_text("no folder")

    with pytest.raises(LedgerUnavailable, match="could not be copied"):
        back_up(daemon.folder / "state", DAY)
