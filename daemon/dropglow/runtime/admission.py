"""Attend one inbox: sweep, match, claim as much as the queue has room for, admit.

The queue is the inbox itself: a file that waits is a file that everybody can
see, and take back. Only what can soon be started is claimed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Final, ParamSpec, TypeVar

from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, DropglowError
from dropglow.intake.inbox import Inbox
from dropglow.intake.sweep import Sweep
from dropglow.ledger.base import Ledger
from dropglow.model import Sighting
from dropglow.rules.rule import Rule
from dropglow.runtime.admitting import Admitter, Doors
from dropglow.runtime.bell import Bell
from dropglow.runtime.comeback import Comeback
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.lane import Lane
from dropglow.runtime.listening import Listening
from dropglow.runtime.orphans import Orphans
from dropglow.runtime.purse import Purse
from dropglow.runtime.recalling import Recalling
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.saying import InboxState, Saying
from dropglow.runtime.taking import Look, Taker
from dropglow.runtime.tidying import EVERY_S, Tidier
from dropglow.runtime.turns import Turns

BATCH: Final = 32
# Between two sweeps of the same inbox: long enough that a storm of arrivals costs a fifth of a core at most.
REST_S: Final = 0.02
REST_FACTOR: Final = 4.0
CLOSE_S: Final = 3.0
# A look that saw no further file for so long hangs.
STALLED_S: Final = 20.0

P = ParamSpec("P")
R = TypeVar("R")


class Attendant:
    """Attend one inbox for as long as the service runs."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        rules: Sequence[Rule],
        ledger: Ledger,
        disk: Disk,
        clock: Clock,
        keys: KeyMaker,
        reopener: Reopener,
        turns: Turns,
        queue_limit: int,
        doors: Doors,
        purse: Purse,
    ) -> None:
        """Feed *ledger* from *inbox*, as long as fewer than *queue_limit* of its jobs are queued."""
        self.inbox = inbox
        self.state = InboxState(folder=inbox.plan.folder)
        self._saying = Saying(self.state)
        self.listening = Listening(inbox.plan, shown=self.state, clock=clock)
        self._ledger = ledger
        self._clock = clock
        self._taker = Taker(inbox=inbox, rules=rules, disk=disk, clock=clock, keys=keys)
        self._admitter = Admitter(
            plan=inbox.plan,
            ledger=ledger,
            disk=disk,
            clock=clock,
            comeback=Comeback(ledger=ledger, disk=disk, reopener=reopener, turns=turns, clock=clock),
            doors=doors,
            purse=purse,
            in_thread=self.in_thread,
        )
        self._orphans = Orphans(
            inbox=inbox,
            ledger=ledger,
            disk=disk,
            clock=clock,
            after=rules[0].after,
            turns=turns,
            in_thread=self.in_thread,
        )
        self._recalling = Recalling(inbox=inbox, ledger=ledger, clock=clock, in_thread=self.in_thread)
        self._tidier = Tidier(
            inbox.plan.folder, ledger=ledger, disk=disk, clock=clock, in_thread=self.in_thread
        )
        self._queue_limit = queue_limit
        self._bell = Bell(clock)
        self._hinted = False
        self._ready: deque[Sighting] = deque()
        self._beyond = 0  # ready too, but told by a later sweep
        self._sweep_at_s = clock.monotonic()
        self._swept_at_s = clock.monotonic()
        self._rest_s = REST_S
        self._admitting = False
        self._unsettled = False  # kept here: the sorter belongs to the inbox's thread
        self._opened = False
        self.retiring = False  # it was asked to end
        self._opening: asyncio.Task[bool] | None = None  # one that did not end in time
        self._lane = Lane(f"inbox {PurePath(inbox.plan.folder).name}")

    async def tidy(self) -> None:
        """Keep the folder tidy until cancelled."""
        while True:
            if self.inbox.plan.keeps:
                pass  # nothing in it is ours to tidy
            elif self._opened and not self.state.offline:
                await self._tidier.tidy()
            else:
                self._tidier.forget()
            await self._clock.sleep(EVERY_S)

    def hint(self) -> None:
        """Sweep soon: something may have changed in the folder."""
        self._hinted = True
        self._bell.ring()

    def announced(self) -> None:
        """Sweep soon: an event says that something came."""
        self.listening.rang()
        self.hint()

    def room_came(self) -> None:
        """Look whether the queue has room for what is ready."""
        if self._ready:
            self._bell.ring()

    def idle(self) -> bool:
        """Return whether nothing in it is settling, waiting, ready or being admitted; an inbox that is away counts.

        A drop that waits for its partner is no rest: its patience ends, and it ends in ``_failed``. Nor is a file that is
        not whole.
        """
        if self.state.offline:
            return True
        waiting = self.state.settling or self.state.unready or self._unsettled
        return self.state.swept and not (self._ready or waiting or self._admitting or self._hinted)

    def still(self) -> bool:
        """Return whether nothing in it changes by itself: it is idle, or what is ready waits for room in the queue."""
        waiting = self.state.settling or self._unsettled
        return self.idle() or not (not self.state.swept or waiting or self._admitting or self._hinted)

    async def open(self) -> bool:
        """Take hold of the inbox, and give back what an earlier life had claimed but not admitted.

        Returns False while the folder is not there, or does not let us; ``run`` tries again.

        Raises:
            DropglowError: Another daemon attends this inbox.
        """
        try:
            await self.in_thread(self.inbox.open)
            await self._orphans.deal()
        except DiskError as trouble:
            self._note_offline(trouble.message)
            return False
        self._note_offline("")
        self._opened = True
        return True

    async def open_within(self, limit_s: float) -> None:
        """Open the inbox; return after *limit_s* seconds at the latest, and let ``run`` go on with one that hangs.

        Raises:
            DropglowError: Another daemon attends this inbox.
        """
        self._opening = asyncio.create_task(self.open())
        await asyncio.wait((self._opening,), timeout=limit_s)
        if self._opening.done():
            opened, self._opening = self._opening, None
            opened.result()
            return
        self._note_offline(self._silent())

    async def join_within(self, limit_s: float) -> None:
        """Open the inbox as ``open_within`` does; one that is not ours to attend is offline, and tried again."""
        try:
            await self.open_within(limit_s)
        except DropglowError as refusal:
            self._note_offline(refusal.message)

    def retire(self) -> bool:
        """Have ``run`` return once what is in hand is admitted; return False if it never had the inbox."""
        self.retiring = True
        self._bell.ring()
        return self._opened

    def late_s(self) -> float:
        """Return for how many seconds the next look is overdue, although neither share nor ledger keeps it waiting."""
        if not self._opened or self.retiring or self.busy or self._admitting:
            return 0.0
        return max(0.0, self._clock.monotonic() - self._sweep_due_s())

    async def run(self) -> None:
        """Attend until cancelled, or until it has retired."""
        while not self._opened and not await self._opened_late():
            await self._clock.sleep(self.listening.every_s)
        while not self.retiring:
            now_s = self._clock.monotonic()
            if now_s >= self._sweep_due_s():
                await self._sweep()
            await self._admit_ready()
            if not self.retiring:  # the bell may have rung for something else
                await self._bell.wait(max(0.0, self._sweep_due_s() - self._clock.monotonic()))

    async def _opened_late(self) -> bool:
        """Open the inbox, with other inboxes in full swing: one that is not ours to attend is no reason to end."""
        opening, self._opening = self._opening or asyncio.ensure_future(self.open()), None
        try:
            return await opening
        except DropglowError as refusal:
            self._note_offline(refusal.message)
            return False

    def _sweep_due_s(self) -> float:
        due_s = [self._sweep_at_s]
        if self._hinted:
            due_s.append(self._swept_at_s + self._rest_s)
        if (patience_ends_s := self._taker.sorter.due_at_s) is not None:
            due_s.append(patience_ends_s)
        return min(due_s)

    async def close(self) -> None:
        """Let go of the inbox; of one whose share hangs, without waiting for it."""
        if self._opening is not None:
            self._opening.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.in_thread(self.inbox.close), CLOSE_S)
        self._lane.close()

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run *function* in this inbox's own thread: a share that hangs blocks no other inbox."""
        return await self._lane(function, *args, **kwargs)

    @property
    def busy(self) -> bool:
        """Return whether this inbox's thread is at something, which may be a share that hangs."""
        return self._lane.busy > 0

    async def _sweep(self) -> None:
        started_s = self._clock.monotonic()
        self._hinted = False
        sweep: Sweep = await self._looked(self._taker.sweep)
        sweep = await self._recalling.recall(sweep)
        look: Look = await self._looked(partial(self._taker.sort, sweep))
        self._swept_at_s = self._clock.monotonic()
        took_s = self._swept_at_s - started_s
        # From the start of a look to that of the next: a big inbox takes part of the time to be looked over.
        every_s = max(self.listening.every_s - took_s, took_s)
        self._rest_s = max(REST_S, min(REST_FACTOR * took_s, every_s))
        self._note_offline(sweep.offline or "")
        if sweep.offline is None:
            self.listening.weigh(sweep)
        self._saying.passed_over(sweep)
        self._ready, self._beyond = deque(look.ready), look.beyond
        self.state.settling, self.state.unready = sweep.waiting, len(sweep.unready)
        self.state.files, self.state.look_s = len(sweep.seen), round(took_s, 1)
        self.state.known = sweep.known
        self._count()
        for stuck in sweep.stuck:
            self._saying.not_ready(stuck)
        for waiting in look.to_say:
            self._saying.waiting(waiting)
        for left in look.left:
            self._saying.left(left)
        next_s = every_s if sweep.next_look_s is None else min(every_s, sweep.next_look_s)
        self._sweep_at_s = self._swept_at_s + max(next_s, self._rest_s if sweep.waiting else 0.0)
        self.state.swept = True

    async def _looked(self, look: Callable[[], R]) -> R:
        """Return what *look* finds in the folder, and say so when that does not answer."""
        looking = asyncio.ensure_future(self.in_thread(look))
        try:
            while not looking.done():
                before = self.inbox.progress
                await asyncio.wait((looking,), timeout=STALLED_S)
                if not looking.done() and self.inbox.progress == before:
                    self._note_offline(self._silent())
        finally:
            looking.cancel()
        return looking.result()

    def _silent(self) -> str:
        return f"{shown(self.state.folder)} does not answer: is its server there?"

    def _note_offline(self, reason: str) -> None:
        if self.state.offline and not reason:
            self.listening.stale = True
        self._saying.offline(reason)

    def _count(self) -> None:
        sorter = self._taker.sorter
        self.state.ready = len(self._ready) + self._beyond
        self.state.unmatched = sorter.left
        self.state.incomplete, self.state.lonely = sorter.incomplete, sorter.lonely
        self.state.unmarked = sorter.unmarked
        self._unsettled = sorter.unsettled

    async def _admit_ready(self) -> None:
        self._admitting = True
        try:
            while self._ready and not self.retiring:
                queued = await insist(lambda: self._ledger.queued(self.state.folder), self._clock)
                room = self._queue_limit - queued
                if room <= 0:
                    return
                count = min(room, BATCH, len(self._ready))
                await self._admit_batch([self._ready.popleft() for _ in range(count)])
                self._count()
            if self._beyond:
                self._hinted = True
            else:
                self._admitter.wave.clear()
        finally:
            self._admitting = False

    async def _admit_batch(self, batch: Sequence[Sighting]) -> None:
        haul = await self.in_thread(self._taker.take, batch)
        if not haul.complete:
            self._hinted = True  # the next sweep tells what could not be read, and sees what changed
        if self.inbox.unsafe:
            self._ready.clear()  # the sweep tells why, and finds them again
        for file in haul.left:
            self._saying.left(file)
        await asyncio.gather(*(self._admitter.admit(file) for file in haul.taken))
