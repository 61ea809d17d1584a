"""Start what pacing grants, keep it in hand, and hand everything back at a stop.

Begun work comes first (downloads before new submissions); fresh jobs start
only into free places and only when the request limits let them through.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from dropglow import retry, vocabulary
from dropglow.clock import Clock
from dropglow.errors import IllegalTransition, LeaseLost, LedgerUnavailable
from dropglow.events import Doubted, Postponed
from dropglow.ledger.base import Grant, Ledger
from dropglow.lifecycle import REMOTE_OPEN, RESTING
from dropglow.model import Billed, Failure, Job, JobKey, Stage
from dropglow.pacing import Gate
from dropglow.runtime.bell import Bell
from dropglow.runtime.insisting import insist
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.setback import Setback
from dropglow.runtime.telling import log
from dropglow.runtime.worker import Hand, Worker

LEASE: Final = timedelta(seconds=60)
RENEW_S: Final = 20.0
IDLE_S: Final = 60.0
BACKLOG_S: Final = 5.0
OPEN_FACTOR: Final = 4
# A job between its intent and its answer gets this long at a stop; without it the job is merely in doubt.
GRACE_S: Final = 10.0
BUG_PAUSE_S: Final = 60.0
SET_ASIDE: Final = timedelta(minutes=10)
TAKES_A_PLACE: Final = REMOTE_OPEN | {Stage.QUEUED}


class Dispatcher:
    """Give due jobs to workers, bounded."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        worker: Worker,
        clock: Clock,
        gate: Gate,
        owner: str,
        in_flight: int,
        bell: Bell,
        pulse: Pulse,
        stage_changed: Bell,
        ripe: Bell,
        room_came: Callable[[], None],
    ) -> None:
        """Run at most *in_flight* remote jobs at once; wake whenever *bell* rings."""
        self._ledger = ledger
        self._worker = worker
        self._clock = clock
        self._gate = gate
        self._owner = owner
        self.limit = in_flight  # may be changed at any time
        self._bell = bell
        self._pulse = pulse
        self._stage_changed = stage_changed
        self._ripe = ripe
        self._room_came = room_came
        self._setback = Setback(ledger=ledger, clock=clock)
        self._hands: dict[JobKey, Hand] = {}
        self._tasks: dict[JobKey, asyncio.Task[None]] = {}
        self._next: dict[JobKey, Job] = {}  # in our hand again, and to be started when their worker has ended
        self._closing = False
        self._renewed_s = clock.monotonic()

    @property
    def in_hand(self) -> int:
        """Return how many jobs are being carried."""
        return len(self._hands)

    def places_taken(self) -> int:
        """Return how many remote jobs run or are about to; late ones no longer take a place."""
        return sum(1 for hand in self._hands.values() if hand.stage in TAKES_A_PLACE and not hand.late)

    def _busy(self) -> int:
        # Late jobs may be many, and only ask now and then: they must not keep results from being fetched.
        return sum(not hand.late for hand in self._hands.values())

    def nudge(self, key: JobKey) -> None:
        """Have the worker of *key* read its job again, if it is in hand; otherwise look for it in the ledger."""
        hand = self._hands.get(key)
        if hand is not None:
            hand.nudge()
        self._bell.ring()

    def wake(self) -> None:
        """Look at once what may start: something changed for every job."""
        self._bell.ring()

    async def run(self) -> None:
        """Dispatch until cancelled; then hand everything back."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_stages(), name="stages")
                group.create_task(self._keep_leases(), name="leases")
                try:
                    while True:
                        await self._bell.wait(self._pulse.back_within("dispatcher", await self._round(group)))
                finally:
                    self._closing = True
        finally:
            await self._hand_back()

    async def _round(self, group: asyncio.TaskGroup) -> float:
        """Start what may start; return after how many seconds to look again."""
        try:
            return await self._start_due(group)
        except LedgerUnavailable as trouble:
            log.critical(vocabulary.LEDGER_UNAVAILABLE, reason=trouble.message, hint=trouble.hint)
            return retry.ASKING.cap_s / 4

    async def _start_due(self, group: asyncio.TaskGroup) -> float:
        await self._setback.heed(self.nudge)
        now_s, now = self._clock.monotonic(), self._clock.now()
        free = max(0, self.limit - self.places_taken())
        grant = Grant(
            open_jobs=max(0, OPEN_FACTOR * self.limit - self._busy()),
            fresh_jobs=self._gate.free(now_s, wanted=free),
        )
        jobs = await self._ledger.claim(self._owner, now=now, until=now + LEASE, grant=grant)
        for job in jobs:
            if (hand := self._hands.get(job.key)) is None:
                self._start(job, group)
            elif hand.over:
                self._next[job.key] = job  # given back, and given to us again before its worker has ended
            else:
                hand.nudge()  # a wish ended it and another began it anew, faster than its worker noticed
        due = await self._ledger.next_due(now=now)
        if due is None:
            return IDLE_S
        if due > now:
            return min((due - now).total_seconds(), IDLE_S)
        # What is due now waits for a free place, which rings, or for the gate. Behind it the ledger does not
        # tell when begun work is due: look now and then, so that no result waits for a new order's turn.
        return min(self._gate.wait_s(now_s) or BACKLOG_S, BACKLOG_S)

    def _start(self, job: Job, group: asyncio.TaskGroup) -> None:
        hand = Hand(job, self._clock)
        self._hands[job.key] = hand
        # Not a child of the group's cancellation: a stop lets the step on the wire finish first.
        task = asyncio.get_running_loop().create_task(self._worker.carry(job, hand), name=f"job {job.key}")
        self._tasks[job.key] = task
        task.add_done_callback(lambda done: self._put_down(job.key, done, group))

    def _put_down(self, key: JobKey, task: asyncio.Task[None], group: asyncio.TaskGroup) -> None:
        del self._hands[key]
        del self._tasks[key]
        if (job := self._next.pop(key, None)) is not None and not self._closing:
            self._start(job, group)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical(vocabulary.SERVICE_BUG, job=key, exc_info=error)
            # The next order may meet the same fault: go on with one at a time.
            self._gate.setback(
                self._clock.monotonic(),
                pause_s=BUG_PAUSE_S,
                reason="Dropglow met a fault of its own",
                who=key,
                kind="bug",
            )
            if not self._closing:
                start_if_open(group, self._set_aside(key, error), name=f"set aside {key}")
        self._bell.ring()
        self._ripe.ring()

    async def _set_aside(self, key: JobKey, error: BaseException) -> None:
        """Keep a fault of ours to the job that met it, and let the others go on."""
        job = await insist(lambda: self._ledger.job(key), self._clock)
        if job.stage not in RESTING:
            event = _after_bug(job, error, until=self._clock.now() + SET_ASIDE)
            with contextlib.suppress(IllegalTransition, LeaseLost):  # somebody else moved it on meanwhile
                await self._worker.tell(job, event)
        await insist(lambda: self._ledger.release(self._owner, (key,)), self._clock)

    async def _watch_stages(self) -> None:
        while True:
            await self._stage_changed.wait(None)
            self._bell.ring()
            self._room_came()

    async def _keep_leases(self) -> None:
        while True:
            await self._clock.sleep(RENEW_S)
            if self._hands:
                with contextlib.suppress(LedgerUnavailable):
                    await self._ledger.renew(self._owner, until=self._clock.now() + LEASE)

    async def _hand_back(self) -> None:
        """Let what is on the wire finish, stop the rest, and release everything."""
        for hand in self._hands.values():
            hand.stop()
        waiting = [task for key, task in self._tasks.items() if self._hands[key].on_the_wire]
        for key, task in self._tasks.items():
            if not self._hands[key].on_the_wire:
                task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=GRACE_S)
        rest = list(self._tasks.values())
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        with contextlib.suppress(LedgerUnavailable):
            await self._ledger.release_all(self._owner)


def _after_bug(job: Job, error: BaseException, *, until: datetime) -> Doubted | Postponed:
    """Return what a fault of ours means for *job*: nobody knows of an order on the wire, the rest waits."""
    failure = Failure(
        code="bug",
        what="Dropglow met a fault of its own with this job",
        why=type(error).__name__,
        hint="see the log; it is tried again by itself",
    )
    if job.stage is not Stage.SUBMITTING:
        return Postponed(until=until, failure=failure)
    hint = "see the log; look for the order at Adobe, then settle it with: dropglow resolve"
    return Doubted(failure=replace(failure, hint=hint, billed=Billed.UNKNOWN))


def start_if_open(group: asyncio.TaskGroup, work: Coroutine[None, None, None], *, name: str) -> None:
    """Start *work* in *group*, unless that is closing: the next start of the service looks at the job anyway."""
    try:
        group.create_task(work, name=name)
    except RuntimeError:  # another of its tasks failed, and nobody was told yet
        work.close()
