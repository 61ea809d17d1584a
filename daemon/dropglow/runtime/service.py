"""The service: a fixed list of eternal tasks in one group, and an orderly end.

Any of these tasks that returns or raises ends the service; whoever supervises
it starts it again, and everything goes on from the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dropglow import retry, vocabulary
from dropglow.clock import Clock
from dropglow.errors import DropglowError, LedgerUnavailable
from dropglow.ledger.base import Ledger
from dropglow.ledger.mailbox import Mailbox, Wish
from dropglow.lifecycle import RESTING
from dropglow.model import DropState, Stage
from dropglow.notify.ear import listening
from dropglow.pacing import Gate
from dropglow.runtime.bell import Bell
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.dispatcher import Dispatcher
from dropglow.runtime.eternal import for_ever
from dropglow.runtime.health import Health, Phase
from dropglow.runtime.herald import Herald
from dropglow.runtime.lane import DaemonThreads
from dropglow.runtime.notifying import Notifier
from dropglow.runtime.probing import Probing
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.purse import Purse
from dropglow.runtime.silence import Silence
from dropglow.runtime.staff import Staff
from dropglow.runtime.standstill import TRIPS, Standstill
from dropglow.runtime.status import Snapshot, StatusFile
from dropglow.runtime.telling import log
from dropglow.runtime.wishes import Wishes

WISH_S: Final = 0.5
STATUS_S: Final = 1.0
THREADS: Final = 64  # shared by all that looks at folders for a moment; those that hang are lost
CLOSE_S: Final = 300.0  # between two looks for what can be closed, where no bell rings
TIDY_S: Final = 3600.0
BACKUP_S: Final = 3600.0
ANSWER_LIFE: Final = timedelta(days=1)
QUIET_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, for the exit code of ``run --once``."""

    troubled: bool  # something failed, is held or is in doubt
    gave_up: str = ""  # why ``--once`` stopped before everything rested
    needs_person: bool = False  # running it again will not be enough


@dataclass(slots=True, kw_only=True)
class Service:
    """Everything that runs, put together by ``app.py``."""

    ledger: Ledger
    staff: Staff
    dispatcher: Dispatcher
    closer: Closer
    wishes: Wishes
    purse: Purse
    probing: Probing
    silence: Silence
    mailbox: Mailbox
    back_up: Callable[[datetime], Path | None]
    gate: Gate
    clock: Clock
    tally: Tally
    ripe: Bell
    status: StatusFile
    snapshot: Callable[[], Snapshot]
    pulse: Pulse
    herald: Herald
    health: Health
    reload: Callable[[], Awaitable[None]]  # an eternal task
    notifier: Notifier
    granting: bool = field(default=True, init=False)  # until the wishes that waited for the start are granted

    async def run(self, stop: asyncio.Event, *, once: bool) -> Outcome:
        """Serve until *stop* is set, or, with *once*, until everything rests.

        Raises:
            DropglowError: The service cannot start, or one of its parts ended.
        """
        with listening(self.notifier.hear):
            try:
                await self._open()
                self.health.phase = Phase.SERVING
                self.herald.ready()
                gave_up = await self._serve(stop, once=once)
            except BaseExceptionGroup as parts:
                trouble = _told_by(parts)
                reason = f"a fault of Dropglow's own, {_first(parts)}" if trouble is None else trouble.message
                self.notifier.hear(vocabulary.SERVICE_FAILED, {"reason": reason})
                if trouble is None:
                    raise
                raise trouble from parts
            finally:
                self.health.phase = Phase.STOPPING
                self.herald.stopping()
                await self._close()
        return Outcome(
            troubled=await self._troubled(),
            gave_up=gave_up,
            needs_person=bool(gave_up) and (self.gate.needs_person or self.gate.stopped),
        )

    async def _serve(self, stop: asyncio.Event, *, once: bool) -> str:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(for_ever(body, name), name=name) for name, body in self._eternal().items()
            ]
            gave_up = await self._until_over(stop, once=once)
            for task in tasks:
                task.cancel()
        return gave_up

    def _eternal(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "dispatcher": self.dispatcher.run,
            "closing": self._close_drops,
            "wishes": self._grant_wishes,
            "status": self._publish,
            "money": self._mind_money,
            "probing": self.probing.run,
            "tidying": self._tidy,
            "backup": self._back_up,
            "inboxes": self.staff.run,
            "reload": self.reload,
            "watchdog": self.herald.watch,
            "notifications": self.notifier.run,
        }

    async def _open(self) -> None:
        asyncio.get_running_loop().set_default_executor(DaemonThreads(THREADS, "common"))
        await self.staff.open()

    async def _close(self) -> None:
        await self.staff.close()
        self.status.withdraw()
        await self.notifier.farewell()

    async def _until_over(self, stop: asyncio.Event, *, once: bool) -> str:
        if not once:
            await stop.wait()
            return ""
        quiet, standstill = False, Standstill(self.ledger)
        await standstill.begin()
        while not stop.is_set():
            if reason := await self._hopeless(standstill):
                return reason
            at_rest = await self._at_rest()
            if at_rest and quiet:
                return self._absent()
            # Seen twice: between a claim and its admission a file is nowhere for a moment.
            quiet = at_rest
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), QUIET_S)
        return ""

    async def _hopeless(self, standstill: Standstill) -> str:
        """Return why nothing more can happen soon, where waiting would only hide it."""
        now_s, now = self.clock.monotonic(), self.clock.now()
        if not self.granting and (silence := await self.silence.reason(now_s, now=now)):
            return silence  # also while somebody tries to connect once more: that fails as it did, and buys nothing
        if self.dispatcher.in_hand:
            return ""
        if self.gate.needs_person and (trouble := self.gate.trouble(self.clock.monotonic())):
            return trouble
        return await standstill.reason() or await self._unclosable() or await self._unpayable()

    async def _unpayable(self) -> str:
        """Return what keeps everything that is left from being bought before long, if that is so; else an empty text."""
        if self.granting or not self.staff.still():
            return ""
        counts = await self.ledger.counts()
        unrested = sum(count for stage, count in counts.jobs.items() if stage not in RESTING)
        if unrested and self.gate.stopped and unrested == counts.jobs.get(Stage.QUEUED, 0):
            return "spending is paused until somebody says `dropglow resume`, and all that is left would have to be bought"
        if unrested and unrested == counts.parked:
            await self.purse.wake(self.dispatcher.nudge)  # first: money may have come back
            now = self.clock.now()
            due = await self.ledger.next_due(now=now)
            waiting = await self.ledger.parked(limit=1) if due is not None and due > now else ()
            return "\n".join(dict.fromkeys(job.failure.what for job in waiting if job.failure is not None))
        return ""

    async def _unclosable(self) -> str:
        """Return why no drop can be closed, if there is nothing else to do; else an empty text."""
        refused, reason = self.closer.refused(TRIPS)
        if not refused or not self.staff.idle():
            return ""
        counts = await self.ledger.counts()
        resting = all(stage in RESTING for stage, count in counts.jobs.items() if count)
        return reason if resting and refused == counts.drops.get(DropState.OPEN) else ""

    def _absent(self) -> str:
        """Return which inboxes could not be drained because they are away."""
        return "\n".join(self.staff.offline())

    async def _at_rest(self) -> bool:
        counts = await self.ledger.counts()  # first: what cannot be reached ends a single run
        if self.granting or self.dispatcher.in_hand or not self.staff.idle():
            return False
        return all(
            stage in RESTING for stage, count in counts.jobs.items() if count
        ) and not counts.drops.get(DropState.OPEN)

    async def _troubled(self) -> bool:
        counts = await self.ledger.counts()
        return bool(
            self.tally.closed.get(DropState.FAILED)
            or counts.drops.get(DropState.HELD)
            or counts.jobs.get(Stage.IN_DOUBT)
        )

    async def _mind_money(self) -> None:
        await self.purse.watch(self.dispatcher.nudge)

    async def _close_drops(self) -> None:
        trips = 0
        while True:
            try:
                closed = await self.closer.close_ripe()
                trips = 0
            except LedgerUnavailable:
                closed = 0  # told by the dispatcher, which meets it too
                trips += 1
            if closed:
                self.staff.room_came()
                continue
            wait_s = self.closer.next_try_s()
            if trips:
                wait_s = retry.ASKING.delay_s(trips, chance=0.5)
            wait_s = CLOSE_S if wait_s is None else min(wait_s, CLOSE_S)
            await self.ripe.wait(self.pulse.back_within("closing", wait_s))

    async def _grant_wishes(self) -> None:
        trouble = ""
        while True:
            try:
                await self._grant_waiting()
                trouble = ""
            except LedgerUnavailable as refusal:  # of the mailbox: a full disk must not end the service
                if refusal.message != trouble:
                    log.error(vocabulary.WISH_UNANSWERED, reason=refusal.message, hint=refusal.hint)
                trouble = refusal.message
            await self.clock.sleep(self.pulse.back_within("wishes", WISH_S))

    async def _grant_waiting(self) -> None:
        self.granting = True
        try:
            await self._grant_taken()
        finally:
            self.granting = False

    async def _grant_taken(self) -> None:
        untold: LedgerUnavailable | None = None
        for wish in await asyncio.to_thread(self.mailbox.take):
            try:
                await self._grant(wish)
            except LedgerUnavailable as trouble:  # nobody hears of this one; the others are not kept waiting
                untold = trouble
        if untold is not None:
            raise untold

    async def _grant(self, wish: Wish) -> None:
        try:
            answer, granted = await self.wishes.fulfil(wish), True
        except DropglowError as refusal:
            answer = f"{refusal.message}\n{refusal.hint}" if refusal.hint else refusal.message
            granted = False
        fields = {"verb": wish.verb.value, "target": wish.target, "answer": answer}
        if granted:
            log.info(vocabulary.WISH_GRANTED, **fields)
        else:
            log.warning(vocabulary.WISH_REFUSED, **fields)
        self.ripe.ring()
        await asyncio.to_thread(self.mailbox.answer, wish, ok=granted, text=answer)

    async def _tidy(self) -> None:
        """Clear away the answers that nobody came for."""
        while True:
            with contextlib.suppress(LedgerUnavailable):  # told by the task that reads the wishes
                await asyncio.to_thread(self.mailbox.forget_old, self.clock.now() - ANSWER_LIFE)
            await self.clock.sleep(self.pulse.back_within("tidying", TIDY_S))

    async def _back_up(self) -> None:
        """Copy the ledger once a day."""
        trouble = ""
        while True:
            try:
                copy = await asyncio.to_thread(self.back_up, self.clock.now())
                trouble = ""
            except LedgerUnavailable as refusal:
                copy = None
                if refusal.message != trouble:
                    log.error(vocabulary.BACKUP_FAILED, reason=refusal.message, hint=refusal.hint)
                trouble = refusal.message
            if copy is not None:
                log.info(vocabulary.BACKUP_MADE, path=str(copy))
            await self.clock.sleep(self.pulse.back_within("backup", BACKUP_S))

    async def _publish(self) -> None:
        told: frozenset[str] = frozenset()
        while True:
            snapshot = self.snapshot()
            told = self._tell(snapshot.trouble, told)
            self.herald.show(snapshot)
            await asyncio.to_thread(self.status.publish, snapshot)
            await self.clock.sleep(self.pulse.back_within("status", STATUS_S))

    def _tell(self, trouble: str, told: frozenset[str]) -> frozenset[str]:
        """Say what is new of *trouble*; return which kinds of it are *told* now. Each is told once until all is well."""
        if trouble and self.gate.kind not in told:
            log.error(vocabulary.SERVICE_TROUBLE, reason=trouble)
        elif told and not trouble:
            log.info(vocabulary.SERVICE_RECOVERED)
        return told | {self.gate.kind} if trouble else frozenset()


def _told_by(parts: BaseExceptionGroup[BaseException]) -> DropglowError | None:
    """Return the first of our own errors among *parts*; None where anything else is among them: a bug."""
    ours: BaseException | None
    ours, others = parts.split(DropglowError)
    while isinstance(ours, BaseExceptionGroup):
        ours = ours.exceptions[0]
    return ours if others is None and isinstance(ours, DropglowError) else None


def _first(parts: BaseExceptionGroup[BaseException]) -> str:
    """Return the name of the first error in *parts*."""
    found: BaseException = parts
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return type(found).__name__
