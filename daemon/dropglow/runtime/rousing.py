"""Have a job go on now that was put off to a later time."""

from __future__ import annotations

import contextlib
from datetime import datetime

from dropglow.errors import Conflict, IllegalTransition
from dropglow.events import Postponed
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import advance
from dropglow.model import Job
from dropglow.runtime.telling import told


async def rouse(job: Job, *, ledger: Ledger, now: datetime) -> None:
    """Have *job* go on at *now*, for the reason for which it waits; nothing where somebody else moved it on meanwhile.

    Raises:
        LedgerUnavailable: Nothing was stored.
    """
    if job.failure is None:
        return
    event = Postponed(until=now, failure=job.failure)
    with contextlib.suppress(Conflict, IllegalTransition):
        told(await ledger.save(job, advance(job, event), event, at=now, owner=None), event)
