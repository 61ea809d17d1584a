"""Tell when a single run (``--once``) waits for nothing but good answers of Adobe's.

Whoever runs it from a timer wants to hear of that, and has it run again: what is bought is known by its job id, and the
rest is where it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dropglow.ledger.base import Ledger, Query
from dropglow.model import Job, Stage
from dropglow.pacing import TRIES, Gate
from dropglow.retry import Repeats

# Shorter ones are common, and end by themselves.
LONG_S: Final = 300.0
_MANY: Final = 1000
_BEGUN: Final = frozenset({Stage.RUNNING, Stage.CANCELLING, Stage.FETCHING})


class Silence:
    """Know for how long nothing was answered well that everything left waits for."""

    def __init__(self, *, ledger: Ledger, gate: Gate, repeats: Repeats) -> None:
        """Ask *ledger* what is left, *gate* how orders fare, and *repeats* how questions and downloads do."""
        self._ledger = ledger
        self._gate = gate
        self._repeats = repeats

    async def reason(self, now_s: float, *, now: datetime) -> str:
        """Return what keeps all that is left from going on, if that is Adobe, and for long; else an empty text.

        Raises:
            LedgerUnavailable: Ask again.
        """
        orders_s, questions_s = self._gate.unwell_s(now_s), self._repeats.failing_s(now_s)
        if max(orders_s, questions_s) < LONG_S:
            return ""
        counts = await self._ledger.counts()
        begun = await self._ledger.find(Query(stages=_BEGUN, limit=_MANY))
        to_order = 0
        if not self._gate.stopped:
            to_order = counts.jobs.get(Stage.QUEUED, 0) - await self._ledger.unfunded(now=now)
        if counts.jobs.get(Stage.SUBMITTING) or (to_order > 0 and orders_s < LONG_S):
            return ""
        # A job that was accepted just now was hardly asked about yet, and what failed before may have ended with others.
        if begun and (questions_s < LONG_S or not all(_asked_enough(job, now) for job in begun)):
            return ""
        reasons = [self._gate.reason] if to_order > 0 else []
        reasons += [job.failure.what for job in begun if job.failure is not None]
        if not reasons:
            return ""
        return f"Adobe has not given a good answer for {LONG_S / 60:.0f} minutes: {'; '.join(dict.fromkeys(reasons))}"


def _asked_enough(job: Job, now: datetime) -> bool:
    """Return whether *job* was asked about in vain often enough to say so, or is not for long, as Adobe wished."""
    put_off_s = 0.0 if job.not_before is None else (job.not_before - now).total_seconds()
    return job.trips >= TRIES or (job.trips > 0 and put_off_s > LONG_S)
