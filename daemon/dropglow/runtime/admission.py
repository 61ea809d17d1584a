"""Attend one inbox: sweep, match, claim as much as the queue has room for, admit.

The queue is the inbox itself: a file that waits is a file that everybody can
see, and take back. Only what can soon be started is claimed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final, ParamSpec, TypeVar

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, DropglowError, SourceFault, UnknownKey
from dropglow.intake.inbox import Claimed, Inbox, Orphan, Sweep
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, DropKey, DropState, Job, Kind, Sighting
from dropglow.rules.match import Explanation, decide
from dropglow.rules.order import orders
from dropglow.rules.rule import Rule
from dropglow.runtime.bell import Bell
from dropglow.runtime.comeback import Comeback
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import KeyMaker, job_key
from dropglow.runtime.places import clear_report, put_away
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.telling import log
from dropglow.runtime.turns import Turns

BATCH: Final = 32
# Between two sweeps of the same inbox: long enough that a storm of arrivals costs a fifth of a core at most.
REST_S: Final = 0.02
REST_FACTOR: Final = 4.0
CLOSE_S: Final = 3.0

_UNADMITTED: Final = "it was claimed but not admitted when the service stopped"
_FOREIGN: Final = "it was in work under another ledger, and may have been bought"

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class InboxState:
    """What ``status`` shows of one inbox."""

    folder: str
    mode: str = ""
    mode_reason: str = ""
    ready: int = 0  # settled and waiting for room in the queue
    settling: int = 0
    unmatched: int = 0
    passed_over: int = 0  # links, pipes and what cannot be read
    offline: str = ""
    swept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claimed file with the rules that take it."""

    claimed: Claimed
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A settled file that no rule takes, with every rule's reason."""

    sighting: Sighting
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Whom an attendant tells: the dispatcher and the closer."""

    admitted: Bell
    ripe: Bell


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
    ) -> None:
        """Feed *ledger* from *inbox*, as long as fewer than *queue_limit* of its jobs are queued."""
        self.inbox = inbox
        self.state = InboxState(folder=inbox.plan.folder)
        self._rules = tuple(rules)
        self._rescan_s = inbox.plan.rescan_s
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._keys = keys
        self._comeback = Comeback(ledger=ledger, disk=disk, reopener=reopener, turns=turns, clock=clock)
        self._queue_limit = queue_limit
        self._doors = doors
        self._bell = Bell(clock)
        self._hinted = False
        self._ready: deque[Sighting] = deque()
        self._left: dict[str, Sighting] = {}
        self._snags: dict[str, str] = {}
        self._sweep_at_s = clock.monotonic()
        self._swept_at_s = clock.monotonic()
        self._rest_s = REST_S
        self._admitting = False
        self._opened = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"inbox {PurePath(inbox.plan.folder).name}")

    def hint(self) -> None:
        """Sweep soon: something may have changed in the folder."""
        self._hinted = True
        self._bell.ring()

    def room_came(self) -> None:
        """Look whether the queue has room for what is ready."""
        if self._ready:
            self._bell.ring()

    def idle(self) -> bool:
        """Return whether nothing in it is settling, ready or being admitted; an inbox that is away counts."""
        if self.state.offline:
            return True
        return self.state.swept and not (
            self._ready or self.state.settling or self._admitting or self._hinted
        )

    async def open(self) -> bool:
        """Take hold of the inbox, and give back what an earlier life had claimed but not admitted.

        Returns False while the folder is not there, or does not let us; ``run`` tries again.

        Raises:
            DropglowError: Another daemon attends this inbox.
        """
        try:
            await self.in_thread(self.inbox.open)
            await self._deal_with_orphans()
        except DiskError as trouble:
            self._say_offline(trouble.message)
            return False
        self._say_offline("")
        self._opened = True
        return True

    async def _deal_with_orphans(self) -> None:
        foreign = self.inbox.foreign_owner is not None
        for orphan in await self.in_thread(self.inbox.orphans):
            if (drop := await self._known(orphan.key)) is not None:
                await self._put_away_again(drop, orphan)
                continue
            await self.in_thread(self._put_orphan, orphan, foreign=foreign)
            name = vocabulary.DROP_HELD if foreign else vocabulary.DROP_RETURNED
            reason = _FOREIGN if foreign else _UNADMITTED
            log.warning(
                name,
                drop=orphan.key,
                rule=None,  # nobody knows it before the admission
                inbox=self.state.folder,
                source=shown(orphan.path),
                reason=reason,
            )
        if foreign:
            await self.in_thread(self.inbox.adopt)

    def _put_orphan(self, orphan: Orphan, *, foreign: bool) -> None:
        if not foreign:
            self.inbox.give_back(orphan.key, orphan.place, orphan.path)
            return
        self.inbox.hold_foreign(orphan.key, orphan.place, orphan.path, held=self._rules[0].after.held)

    def watched(self, *, every_s: float, mode: str, reason: str) -> None:
        """Sweep every *every_s* seconds at least; *mode* and *reason* are for ``status``."""
        self._rescan_s = every_s
        self.state.mode, self.state.mode_reason = mode, reason
        log.info(vocabulary.INBOX_WATCHED, inbox=self.state.folder, mode=mode, reason=reason)

    async def _known(self, key: DropKey) -> Drop | None:
        try:
            return await self._asked(lambda: self._ledger.drop(key))
        except UnknownKey:
            return None

    async def _put_away_again(self, drop: Drop, orphan: Orphan) -> None:
        """Return the file of a closed drop to its last folder: the service stopped while it was being re-opened."""
        if drop.state is DropState.OPEN:
            return
        lost = replace(drop, place=orphan.place)
        placed = await self.in_thread(put_away, self._disk, lost, drop.state)
        at, detail = self._clock.now(), "a re-opening was interrupted"
        await self._asked(lambda: self._ledger.save_drop(drop, placed, event="PutAway", at=at, detail=detail))

    async def run(self) -> None:
        """Attend until cancelled."""
        while not self._opened and not await self._opened_late():
            await self._clock.sleep(self._rescan_s)
        while True:
            now_s = self._clock.monotonic()
            if now_s >= self._sweep_due_s():
                await self._sweep()
            await self._admit_ready()
            await self._bell.wait(max(0.0, self._sweep_due_s() - self._clock.monotonic()))

    async def _opened_late(self) -> bool:
        """Open the inbox, with other inboxes in full swing: one that is not ours to attend is no reason to end."""
        try:
            return await self.open()
        except DropglowError as refusal:
            self._say_offline(refusal.message)
            return False

    def _sweep_due_s(self) -> float:
        if not self._hinted:
            return self._sweep_at_s
        return min(self._sweep_at_s, self._swept_at_s + self._rest_s)

    async def close(self) -> None:
        """Let go of the inbox; of one whose share hangs, without waiting for it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.in_thread(self.inbox.close), CLOSE_S)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run *function* in this inbox's own thread: a share that hangs blocks no other inbox."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def _sweep(self) -> None:
        started_s = self._clock.monotonic()
        self._hinted = False
        sweep = await self.in_thread(self.inbox.sweep)
        self._swept_at_s = self._clock.monotonic()
        self._rest_s = max(REST_S, REST_FACTOR * (self._swept_at_s - started_s))
        self._say_offline(sweep.offline or "")
        self._note_snags(sweep)
        self._sort_out(sweep)
        next_s = self._rescan_s if sweep.next_look_s is None else min(self._rescan_s, sweep.next_look_s)
        self._sweep_at_s = self._swept_at_s + max(next_s, self._rest_s if sweep.waiting else 0.0)
        self.state.swept = True

    def _say_offline(self, reason: str) -> None:
        if reason and not self.state.offline:
            log.error(vocabulary.INBOX_OFFLINE, inbox=self.state.folder, reason=reason)
        elif self.state.offline and not reason:
            log.info(vocabulary.INBOX_ONLINE, inbox=self.state.folder)
        self.state.offline = reason

    def _note_snags(self, sweep: Sweep) -> None:
        """Say each thing that was passed over once, for as long as it is passed over."""
        snags = {snag.path: snag.reason for snag in sweep.snags}
        for path, reason in snags.items():
            if self._snags.get(path) != reason:
                log.warning(
                    vocabulary.INBOX_TROUBLE, inbox=self.state.folder, source=shown(path), reason=reason
                )
        self._snags = snags
        self.state.passed_over = len(snags)

    def _sort_out(self, sweep: Sweep) -> None:
        """Split what is settled into what was left before, unchanged, and what is ready."""
        left: dict[str, Sighting] = {}
        ready: deque[Sighting] = deque()
        for sighting in sweep.settled:
            if self._left.get(sighting.path) == sighting:
                left[sighting.path] = sighting
            else:
                ready.append(sighting)
        self._left, self._ready = left, ready
        self.state.settling = sweep.waiting
        self._count()

    def _count(self) -> None:
        self.state.ready = len(self._ready)
        self.state.unmatched = len(self._left)

    async def _admit_ready(self) -> None:
        self._admitting = True
        try:
            while self._ready:
                queued = await self._asked(lambda: self._ledger.queued(self.state.folder))
                room = self._queue_limit - queued
                if room <= 0:
                    return
                count = min(room, BATCH, len(self._ready))
                await self._admit_batch([self._ready.popleft() for _ in range(count)])
                self._count()
        finally:
            self._admitting = False

    async def _admit_batch(self, batch: Sequence[Sighting]) -> None:
        taken, left = await self.in_thread(self._take, batch)
        if len(taken) + len(left) < len(batch):
            self._hinted = True  # the next sweep tells what could not be read, and sees what changed
        for file in left:
            self._left[file.sighting.path] = file.sighting
            self._say_left(file)
        await asyncio.gather(*(self._admit(file) for file in taken))

    def _take(self, batch: Sequence[Sighting]) -> tuple[list[Taken], list[Left]]:
        """Look into each file, let the rules decide, and claim what they take. In the inbox's thread."""
        left: list[Left] = []
        rules: dict[DropKey, tuple[Rule, ...]] = {}
        pairs: list[tuple[DropKey, Sighting]] = []
        for sighting in batch:
            facts = self.inbox.inspect(sighting)
            if facts is None:
                continue  # gone, or changed: the next sweep sees what it is now
            decision = decide(self._rules, path=sighting.path, size_bytes=sighting.size_bytes, facts=facts)
            if not decision.taken:
                left.append(Left(sighting=sighting, explanations=decision.explanations))
                continue
            key = self._keys.drop_key(self._clock.now())
            rules[key] = decision.taken
            pairs.append((key, sighting))
        claimed = self.inbox.claim(pairs)
        return [Taken(claimed=file, rules=rules[file.key]) for file in claimed], left

    def _say_left(self, file: Left) -> None:
        log.warning(
            vocabulary.DROP_UNMATCHED,
            inbox=self.state.folder,
            source=shown(file.sighting.path),
            reasons=[f"{each.rule}: {each.reason}" for each in file.explanations],
        )

    async def _admit(self, taken: Taken) -> None:
        drop = self._drop_of(taken)
        try:
            jobs = self._jobs_of(drop, taken)
        except SourceFault as fault:
            drop, jobs = replace(drop, reason=_reason(fault)), ()
        if jobs and await self._comeback.of(drop):
            self._doors.admitted.ring()
            return
        await self._asked(lambda: self._ledger.admit(drop, jobs))
        with contextlib.suppress(DiskError):  # only a note; the next failure writes its own
            await self.in_thread(clear_report, self._disk, drop)
        log.info(
            vocabulary.DROP_ADMITTED,
            drop=drop.key,
            rule=drop.rule,
            source=shown(drop.path),
            sha256=drop.sha256,
            jobs=len(jobs),
            images=sum(job.order.images for job in jobs),
        )
        (self._doors.admitted if jobs else self._doors.ripe).ring()

    def _drop_of(self, taken: Taken) -> Drop:
        file, rule = taken.claimed, taken.rules[0]
        return Drop(
            key=file.key,
            inbox=self.state.folder,
            path=file.sighting.path,
            place=file.place,
            rule=rule.name,
            rule_digest="+".join(each.digest for each in taken.rules),
            sha256=file.sha256,
            size_bytes=file.sighting.size_bytes,
            device=file.sighting.device,
            inode=file.sighting.inode,
            kind=file.facts.kind or Kind.IMAGE,
            after=rule.after,
            reason=file.facts.fault or "",
            admitted_at=self._clock.now(),
        )

    def _jobs_of(self, drop: Drop, taken: Taken) -> tuple[Job, ...]:
        """Return the jobs of a sound drop, none for one with a fault.

        Raises:
            SourceFault: A rule cannot make an order of this file.
        """
        if drop.reason:
            return ()
        jobs: list[Job] = []
        for rule in taken.rules:
            rendered = orders(
                rule,
                drop_key=drop.key,
                path=drop.path,
                facts=taken.claimed.facts,
                first_ordinal=len(jobs) + 1,
                now=drop.admitted_at.astimezone(),  # names of results are read by people
            )
            jobs += [
                Job(
                    key=job_key(drop.key, ordinal),
                    drop=drop.key,
                    rule=rule.name,
                    inbox=drop.inbox,
                    source=shown(drop.path),
                    order=order,
                    priority=rule.priority,
                    attempts=rule.attempts,
                    on_doubt=rule.on_doubt,
                    created_at=drop.admitted_at,
                )
                for ordinal, order in enumerate(rendered, start=len(jobs) + 1)
            ]
        return tuple(jobs)

    async def _asked(self, ask: Callable[[], Awaitable[R]]) -> R:
        """Ask the ledger until it answers: what was claimed has nobody else, and the service goes on."""
        return await insist(ask, self._clock)


def _reason(fault: SourceFault) -> str:
    return f"{fault.message} ({fault.hint})" if fault.hint else fault.message
