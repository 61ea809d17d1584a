"""Hold a state folder: its lock, its ledger open for writing, and the mark of the API that its jobs belong to.

The service holds it while it runs; a command that acts in its place holds it
for a moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dropglow.clock import Clock, RealClock
from dropglow.errors import ConfigError, LedgerUnavailable
from dropglow.ledger.belongings import make_state_folder, write_private
from dropglow.ledger.lifeboat import Landed, Lifeboat
from dropglow.ledger.lock import Busy, StateLock
from dropglow.ledger.place import LEDGER_FILE
from dropglow.ledger.sqlite import SqliteLedger
from dropglow.lifecycle import ENDED

PATIENCE_S: Final = 1.0  # a command has the state folder for a moment only
GLANCE_S: Final = 0.1
WORLD_FILE: Final = "world"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A state folder in our hands: its ledger, open for writing, and the lifeboat beside it."""

    ledger: SqliteLedger
    state: Path
    lifeboat: Lifeboat
    landed: Landed  # what had waited in the lifeboat


@contextlib.asynccontextmanager
async def own(state: Path, *, clock: Clock | None = None) -> AsyncIterator[Owned]:
    """Take the state folder, and give it back at the end. Waits about a second for a command that has it.

    Raises:
        Busy: A service has it.
        ConfigError: It cannot be made.
        LedgerError: Its ledger cannot be opened.
    """
    try:
        make_state_folder(state)
    except OSError as error:
        raise ConfigError(
            f"the state folder {state} cannot be made: {(error.strerror or 'no reason given').lower()}",
            hint="name another one with `state:`, or give the service's user the right to make it",
        ) from error
    lock = StateLock(state)
    if not await _acquired(lock, clock or RealClock()):
        raise Busy(
            f"another Dropglow (pid {lock.owner_pid() or 'unknown'}) runs on {state}",
            hint="stop that one first, or give this one a state folder of its own",
        )
    try:
        async with contextlib.AsyncExitStack() as stack:
            ledger = await SqliteLedger.open(state / LEDGER_FILE)
            stack.push_async_callback(ledger.close)
            lifeboat = Lifeboat(state)
            lifeboat.open()
            stack.callback(lifeboat.close)
            landed = await lifeboat.land(ledger)
            yield Owned(ledger=ledger, state=state, lifeboat=lifeboat, landed=landed)
    finally:
        lock.release()


async def _acquired(lock: StateLock, clock: Clock) -> bool:
    give_up_s = clock.monotonic() + PATIENCE_S
    while not lock.acquire():
        if clock.monotonic() >= give_up_s:
            return False
        await clock.sleep(GLANCE_S)
    return True


async def mark_world(owned: Owned, where: str) -> None:
    """Refuse a state folder whose open jobs belong to another API: their ids would mean nothing there.

    Raises:
        ConfigError: It holds unfinished jobs of the other one, or real ones where pretend ones are to come.
        LedgerUnavailable: It cannot be written to.
    """
    mark = owned.state / WORLD_FILE
    known = mark.read_text(encoding="utf-8").strip() if mark.exists() else ""
    if known == where:
        return
    if known:
        counts = await owned.ledger.counts()
        unfinished = sum(count for stage, count in counts.jobs.items() if stage not in ENDED)
        if unfinished:
            raise ConfigError(
                f"{owned.state} holds {unfinished} unfinished jobs of {known}, not of {where}",
                hint="finish and settle them there first, or give this one a state folder of its own",
            )
    try:
        # Never half: an empty mark would say that the jobs are somebody else's.
        write_private(mark, where + "\n")
    except OSError as error:
        raise LedgerUnavailable(
            f"cannot write {mark}: {(error.strerror or 'no reason given').lower()}",
            hint="is the disk full, or may the service's user not write there?",
        ) from error
