"""Stand in for the service while none runs: carry wishes out, and put away what they finish.

Holds the lock of the state folder meanwhile, so that no service starts in
between. Nothing here talks to Adobe: what needs that waits for the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from dropglow.cli.exits import Exit
from dropglow.cli.wishing import Outcome
from dropglow.clock import Clock
from dropglow.disk import RealDisk
from dropglow.errors import DropglowError
from dropglow.holding import Owned, own
from dropglow.intake.atlas import ATLAS_FILE, Atlas
from dropglow.ledger.base import Ledger
from dropglow.ledger.mailbox import WISHES_FOLDER, Mailbox, Verb, Wish
from dropglow.model import DropState
from dropglow.ops.logging import set_up
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.ground import Ground
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.turns import Turns
from dropglow.runtime.wishes import OF_SPENDING, Wishes

LATER: Final = "no service runs: the rest happens at the next `dropglow run`"


async def stand_in(state: Path, wishes: Sequence[Wish], *, clock: Clock) -> dict[str, Outcome]:
    """Carry *wishes* out on *state* and return what became of each, by its key.

    Raises:
        Busy: A service, or another command, has the state folder.
        LedgerUnavailable: The ledger cannot be used.
        LedgerError: It is damaged, or of another version.
    """
    # The outcome says what happened, and the history keeps it: a log would say it a third time.
    set_up(level=logging.CRITICAL)
    async with own(state) as owned:
        turns = Turns()
        ground = Ground(Atlas(str(owned.state / ATLAS_FILE), RealDisk()))
        reopener = Reopener(ledger=owned.ledger, disk=RealDisk(), clock=clock, ground=ground)
        fulfilling = Wishes(ledger=owned.ledger, reopener=reopener, clock=clock, turns=turns)
        outcomes = {wish.key: await _fulfilled(owned, wish, fulfilling) for wish in wishes}
        closer = Closer(
            ledger=owned.ledger,
            disk=RealDisk(),
            clock=clock,
            tally=Tally(),
            turns=turns,
            away=ground.last_folder_away,
        )
        while await closer.close_ripe():
            pass
        lasting = {wish.key for wish in wishes if wish.verb in OF_SPENDING}
        return {
            key: outcome if key in lasting else await _with_note(owned.ledger, outcome)
            for key, outcome in outcomes.items()
        }


async def _fulfilled(owned: Owned, wish: Wish, wishes: Wishes) -> Outcome:
    if wish.verb is Verb.ATTACH:
        return await _left_waiting(owned, wish, wishes)
    try:
        text = await wishes.fulfil(wish)
    except DropglowError as refusal:
        return Outcome(
            target=wish.target, text=refusal.message, hint=refusal.hint, by="command", code=Exit.TROUBLED
        )
    return Outcome(target=wish.target, text=text, by="command")


async def _left_waiting(owned: Owned, wish: Wish, wishes: Wishes) -> Outcome:
    """Leave a job id to the next service: only that can ask Adobe whether there is such a job."""
    try:
        await wishes.check(wish)
    except DropglowError as refusal:
        return Outcome(
            target=wish.target, text=refusal.message, hint=refusal.hint, by="command", code=Exit.TROUBLED
        )
    Mailbox(owned.state / WISHES_FOLDER).post(wish)
    return Outcome(
        target=wish.target,
        text=f"{wish.target}: no service runs, and only one that runs can ask Adobe about this job id",
        hint="it is asked, and the results are taken, at the next `dropglow run`; then see: dropglow status",
        by="nobody",
    )


async def _with_note(ledger: Ledger, outcome: Outcome) -> Outcome:
    if outcome.code is not Exit.DONE or outcome.by == "nobody":
        return outcome
    key, _ = await ledger.resolve_key(outcome.target)
    drop = await ledger.drop(key)
    return replace(outcome, hint=LATER) if drop.state is DropState.OPEN else outcome
