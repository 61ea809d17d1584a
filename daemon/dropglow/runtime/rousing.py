"""Have a job go on now that was put off to a later time."""

from __future__ import annotations

import contextlib
from datetime import datetime

from dropglow.errors import Conflict, IllegalTransition
from dropglow.events import Postponed
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import advance
from dropglow.model import Failure, Job
from dropglow.runtime.telling import told


async def rouse(job: Job, *, ledger: Ledger, now: datetime, failure: Failure | None = None) -> None:
    """Have *job* go on at *now*; nothing where somebody else moved it on meanwhile.

    Until its turn comes it gives *failure* as the reason for which it waits; None: the one that it has.

    Raises:
        LedgerUnavailable: Nothing was stored.
    """
    reason = failure or job.failure
    if reason is None:
        return
    event = Postponed(until=now, failure=reason)
    with contextlib.suppress(Conflict, IllegalTransition):
        told(await ledger.save(job, advance(job, event), event, at=now, owner=None), event)
