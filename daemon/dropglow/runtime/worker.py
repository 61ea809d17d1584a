"""Carry one job forward until it must wait or rest: ask, act, tell, again.

The heart of the service. For an order the connection is made first, then the
intent (*Began*) is stored, then the order is sent; every answer is stored
before the next step. When somebody else changed the job meanwhile, it is read
again and told the same event: if a cancel won just before *Began*, the table
refuses and nothing is bought.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from weakref import WeakValueDictionary

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.errors import (
    Conflict,
    DropglowError,
    IllegalTransition,
    LeaseLost,
    LedgerUnavailable,
    OverBudget,
    SpendingStopped,
)
from dropglow.events import Accepted, Began, Doubted, Event, GaveUp
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import (
    REMOTE_OPEN,
    Act,
    Poll,
    Prepare,
    Rest,
    Submit,
    Wait,
    advance,
    next_step,
    on_takeover,
)
from dropglow.model import Drop, DropKey, Job, JobKey
from dropglow.runtime.bell import Bell
from dropglow.runtime.insisting import insist
from dropglow.runtime.perform import Performer
from dropglow.runtime.telling import about, log, told

# A wait longer than this is left to the ledger; a shorter one is sat out with the job in hand.
PATIENCE = timedelta(seconds=5)
# So often it is looked whether the wait is over: the clock may have been set right meanwhile.
LOOK_S: Final = 60.0
UNSAFE: Final = "keep this id: if the service ends before its ledger can be written, the order is in doubt, and it settles that"


class Withdrawn(DropglowError):
    """Report that an order is not to be begun any more: something changed while its connection was made."""


class Hand:
    """One job in hand: what its worker is at, and a way to reach it."""

    def __init__(self, job: Job, clock: Clock) -> None:
        """Hold *job* from now on."""
        self.key: JobKey = job.key
        self.inbox = job.inbox
        self.stage = job.stage
        self.late = job.late
        self.asked = False  # whether the status was asked for by this hand
        self.on_the_wire = False  # between the stored intent and the stored answer
        self.stopping = False
        self.nudged = False
        self.over = False  # nothing is done any more but handing back
        self.drop: Drop | None = None  # whose files stay as they are while a job of it is at work
        self.bell = Bell(clock)

    def nudge(self) -> None:
        """Have the worker read its job again: somebody else changed it."""
        self.nudged = True
        self.bell.ring()

    def stop(self) -> None:
        """Have the worker hand its job back at the next safe place."""
        self.stopping = True
        self.bell.ring()


class Worker:
    """Carry jobs; one instance serves them all."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        performer: Performer,
        clock: Clock,
        owner: str,
        stage_changed: Bell,
        board: Callable[[Job, Accepted], bool],
    ) -> None:
        """Tell *ledger* as *owner*, and ring *stage_changed* whenever a job moves on.

        *board* keeps a receipt that the ledger cannot take in at once, and returns whether it is safe.
        """
        self._ledger = ledger
        self._perform = performer
        self._clock = clock
        self._owner = owner
        self._stage_changed = stage_changed
        self._board = board
        # Of a folder with a thousand jobs each hand holds the same one, which is not small.
        self._drops: WeakValueDictionary[DropKey, Drop] = WeakValueDictionary()

    async def carry(self, job: Job, hand: Hand) -> None:
        """Move *job* forward until it must wait or rest, then hand it back."""
        rests = False
        try:
            rests = await self._carry(job, hand)
        except LeaseLost:
            pass  # it is another's, or nobody's, or ours again by now: to hand it back does no harm
        except IllegalTransition as refusal:
            log.info(vocabulary.SERVICE_NOTE, note=refusal.message, **about(job))
        hand.over = True
        if not rests:  # what came to rest left our hand by that
            await insist(lambda: self._ledger.release(self._owner, (job.key,)), self._clock)

    async def _carry(self, job: Job, hand: Hand) -> bool:
        """Return whether *job* rests now; otherwise it is to be handed back."""
        if (event := on_takeover(job)) is not None:
            job = await self.tell(job, event, hand)
        while not hand.stopping:
            if hand.nudged:
                hand.nudged = False
                self._forget_drop(job, hand)
                job = await self._read(job.key)
            step = next_step(job, now=self._clock.now())
            if isinstance(step, Rest):
                return True
            outcome = step if isinstance(step, Wait) else await self._do(step, job, hand)
            if isinstance(outcome, Job):
                job = outcome
            elif not await self._sit_out(outcome, job, hand):
                return False
        return False

    async def _do(self, act: Act, job: Job, hand: Hand) -> Job | Wait:
        """Carry *act* out; return the job as it is then, or until when nothing can be learned."""
        if isinstance(act, Submit | Prepare):
            drop = await self._drop(job, hand)
            if (reused := await self._perform.reuse.of(job, drop)) is not None:
                return await self.tell(job, reused, hand)
            if (hindrance := await self._hindrance(job, drop)) is not None:
                return hindrance if isinstance(hindrance, Wait) else await self.tell(job, hindrance, hand)
        if isinstance(act, Poll) and not hand.asked:
            hand.asked = True
            if (first := self._perform.awaiting.first_look(job)) is not None:
                return first
        if isinstance(act, Submit):
            return await self._order(job, hand)
        outcome = await self._perform(act, job, await self._drop(job, hand))
        return outcome if isinstance(outcome, Wait) else await self.tell(job, outcome, hand)

    async def _order(self, job: Job, hand: Hand) -> Job | Wait:
        """Place the order of *job*, and return it as it is then, or until when spending is not looked at again.

        What goes wrong before the intent is stored leaves the job as it was; also a ledger that cannot store it, for
        which no connection waits.
        """
        self._perform.ordering.count_submission()
        stored = job

        async def place() -> Event:
            began = Began(at=self._clock.now())

            async def store_intent() -> None:
                nonlocal stored
                stored = await self._begin(job, began, hand)

            return await self._perform.ordering.submit(advance(job, began), store_intent=store_intent)

        try:
            answer = await insist(place, self._clock)
            return await self.tell(stored, answer, hand)
        except OverBudget:  # others were faster since it was looked at; nothing was stored
            short = await self._perform.purse.shortfall(job)
            return job if short is None else await self.tell(job, short, hand)
        except Withdrawn:
            return job
        except SpendingStopped:  # somebody paused it since it was looked at; nothing was stored
            return Wait(self._clock.now() + PATIENCE)  # by then the gate has heard of it
        finally:
            hand.on_the_wire = False

    async def _begin(self, job: Job, began: Began, hand: Hand) -> Job:
        """Store the intent to send the order of *job*, whose connection waits for it; return the job as stored.

        Raises:
            Withdrawn: It is not to be sent now: we stop, or the same was bought meanwhile.
            LedgerUnavailable: It could not be stored.
            OverBudget: It does not fit its budget any more.
            SpendingStopped: Somebody paused spending.
            IllegalTransition: The job was cancelled meanwhile.
            LeaseLost: Another host owns it.
        """
        reused = await self._perform.reuse.of(job, await self._drop(job, hand))
        booking = await self._perform.purse.booking(job.rule)
        if hand.stopping or reused is not None:
            raise Withdrawn("the order was not begun")
        hand.on_the_wire = True
        try:
            return await self.tell(job, replace(began, booking=booking), hand)
        except LedgerUnavailable:  # it is tried again, and nothing is on the wire until then
            hand.on_the_wire = False
            raise

    async def _hindrance(self, job: Job, drop: Drop) -> Event | Wait | None:
        """Return what keeps *job* from being bought now, or None: then there is no wait until it is counted."""
        ordering = self._perform.ordering
        if (held_until := ordering.held_until()) is not None:
            return Wait(held_until)
        if (short := await self._perform.purse.shortfall(job)) is not None:
            return short
        if (obstacle := await ordering.obstacle(job, drop)) is not None:
            return obstacle
        # The look took a while, in which another order may have gone ahead to try whether Adobe is well.
        held_until = ordering.held_until()
        return None if held_until is None else Wait(held_until)

    async def _sit_out(self, wait: Wait, job: Job, hand: Hand) -> bool:
        """Wait with the job in hand, or return False where it is better handed back."""
        delay = wait.until - self._clock.now()
        # A remote job keeps its place, it is running anyway; any other one leaves it to the next.
        if delay > PATIENCE and job.stage not in REMOTE_OPEN:
            return False
        await hand.bell.wait(min(delay.total_seconds(), LOOK_S))
        return True

    async def tell(self, job: Job, event: Event, hand: Hand | None = None) -> Job:
        """Advance *job* by *event* and store it; return it as stored, with its links.

        Raises:
            IllegalTransition: The job, as it is now, cannot take this event.
            LeaseLost: Another host owns it.
            OverBudget: It is a *Began* that does not fit its budget any more.
            LedgerUnavailable: It is a *Began*; for any other event the ledger is asked again.
            SpendingStopped: It is a *Began*, and somebody paused spending.
        """
        while True:
            after = advance(job, event)
            try:
                stored = await self._save(job, after, event)
            except Conflict:
                job = await self._read(job.key)
                continue
            break
        told(stored, event)
        if hand is not None:
            self._note(hand, stored)
        self._perform.purse.put_off(stored)
        if isinstance(event, Doubted | GaveUp):
            await self._perform.purse.weigh()
        return stored

    def _note(self, hand: Hand, job: Job) -> None:
        changed = hand.stage is not job.stage or hand.late is not job.late
        hand.stage, hand.late = job.stage, job.late
        if changed:
            self._stage_changed.ring()

    async def _drop(self, job: Job, hand: Hand) -> Drop:
        if hand.drop is None:
            hand.drop = self._drops.get(job.drop)
        if hand.drop is None:
            hand.drop = await insist(lambda: self._ledger.drop(job.drop), self._clock)
            self._drops[job.drop] = hand.drop
        return hand.drop

    def _forget_drop(self, job: Job, hand: Hand) -> None:
        """Have the drop read again: who changed the job may have moved its files."""
        hand.drop = None
        self._drops.pop(job.drop, None)

    async def _read(self, key: JobKey) -> Job:
        return await insist(lambda: self._ledger.job(key), self._clock)

    async def _save(self, before: Job, after: Job, event: Event) -> Job:
        """Store, and keep trying while the ledger cannot: an answer of Adobe's must not be forgotten."""

        def save() -> Awaitable[Job]:
            return self._ledger.save(before, after, event, at=self._clock.now(), owner=self._owner)

        def rescue() -> None:
            if isinstance(event, Accepted) and not self._board(before, event):
                log.critical(vocabulary.RECEIPT_UNSAFE, hint=UNSAFE, **about(after))

        if isinstance(event, Began):  # a connection waits for it, and it can be made again
            return await save()
        return await insist(save, self._clock, at_first=rescue)
