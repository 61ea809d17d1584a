"""Tell when a single run (``--once``) waits for nothing but room for its results."""

from __future__ import annotations

from typing import Final

from dropglow.errors import DeliveryError, DiskError, DiskFull
from dropglow.ledger.base import Ledger, Query
from dropglow.lifecycle import RESTING
from dropglow.model import Job, JobKey, Stage

# Three refusals in a row are ten to forty seconds: a share that is being mounted gets its chance.
TRIPS: Final = 3
_MANY: Final = 1000
_STORING: Final = frozenset(each.__name__ for each in (DeliveryError, DiskError, DiskFull))


class Standstill:
    """Compare the jobs with what they were when the run began: an earlier run's refusals prove nothing."""

    def __init__(self, ledger: Ledger) -> None:
        """Ask *ledger*."""
        self._ledger = ledger
        self._before: dict[JobKey, int] = {}

    async def begin(self) -> None:
        """Remember how often each job was refused before this run."""
        self._before = {job.key: job.trips for job in await self._open()}

    async def reason(self) -> str:
        """Return why no job goes on, if every one that does not rest is refused by its outbox; else an empty text."""
        jobs = await self._open()
        if not jobs or not all(self._refused(job) for job in jobs):
            return ""
        return "\n".join(dict.fromkeys(job.failure.what for job in jobs if job.failure is not None))

    async def _open(self) -> tuple[Job, ...]:
        return await self._ledger.find(Query(stages=frozenset(Stage) - RESTING, limit=_MANY))

    def _refused(self, job: Job) -> bool:
        tried = job.trips >= TRIPS and job.trips > self._before.get(job.key, 0)
        return tried and job.failure is not None and job.failure.code in _STORING
