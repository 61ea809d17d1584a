"""Turn what should be done into what happened: one method of one part for each act.

Each returns an event, or how long nothing can be learned. Faults become events
in the parts; nothing here decides. *Submit* alone is the worker's own: in its
middle it stores the intent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from dropglow.events import Event
from dropglow.lifecycle import Cancel, Deliver, Fetch, Poll, Prepare, Wait
from dropglow.model import Drop, Job
from dropglow.runtime.awaiting import Awaiting
from dropglow.runtime.fetching import Fetching
from dropglow.runtime.ordering import Ordering
from dropglow.runtime.purse import Purse
from dropglow.runtime.reusing import Reuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Carry acts out for every worker."""

    reuse: Reuse
    purse: Purse
    ordering: Ordering
    awaiting: Awaiting
    fetching: Fetching

    async def __call__(
        self, act: Prepare | Poll | Cancel | Fetch | Deliver, job: Job, drop: Drop
    ) -> Event | Wait:
        """Carry *act* out for *job* of *drop* and return what happened."""
        match act:
            case Prepare():
                return await self.ordering.prepare(job)
            case Poll():
                return await self.awaiting.poll(job)
            case Cancel():
                return await self.awaiting.cancel(job)
            case Fetch():
                return await self.fetching.fetch(job)
            case Deliver():
                return await self.fetching.deliver(job, drop)
            case _:
                assert_never(act)
