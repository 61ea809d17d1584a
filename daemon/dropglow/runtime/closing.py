"""Close drops: once all jobs of a drop rest, its files go to their last folder, with a report where one is due.

Level-triggered: the ledger is asked which drops are ripe, so a crash at any
point only means that the same drop is ripe again. What is ripe in one inbox at
the same time is put away in one turn of a thread, with one sync of each folder.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from dropglow import retry, vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import Conflict, DiskError
from dropglow.intake.work import WorkFolder
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import RESTING
from dropglow.model import Drop, DropKey, DropState, Job
from dropglow.runtime import places, reports
from dropglow.runtime.certain import for_certain, known_by_content, prove_presence
from dropglow.runtime.reporting import write_report
from dropglow.runtime.telling import log
from dropglow.runtime.turns import Turns
from dropglow.runtime.writers import growth
from dropglow.together import Together

BATCH = 32


@dataclass(slots=True)
class Tally:
    """How many drops this run closed, by how they ended."""

    closed: dict[DropState, int] = field(default_factory=dict)

    def count(self, state: DropState) -> None:
        """Count one more drop that ended as *state*."""
        self.closed[state] = self.closed.get(state, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ripe:
    """A drop whose jobs rest, at the time at which it is closed."""

    drop: Drop
    jobs: tuple[Job, ...]
    now: datetime

    @property
    def state(self) -> DropState:
        """Return how the drop ends."""
        return reports.outcome(self.drop, self.jobs)


async def _never_away(drop: Drop) -> DiskError | None:  # noqa: ARG001
    return None


class Closer:
    """Close ripe drops, one batch at a time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        disk: Disk,
        clock: Clock,
        tally: Tally,
        turns: Turns,
        away: Callable[[Drop], Awaitable[DiskError | None]] = _never_away,
    ) -> None:
        """Ask *ledger* what is ripe, move files on *disk*, count in *tally*; take *turns* with who re-opens.

        *away* says why a drop's last folder is not there: nothing is moved then, and no file taken for lost.
        """
        self._away = away
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._tally = tally
        self._turns = turns
        self._putting: defaultdict[str, Together[_Ripe, Drop]] = defaultdict(
            lambda: Together(self._put_away, most=BATCH, name="closing")
        )
        # One after the other: each is known as what no other one is.
        self._recognising: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        # One report after the other: each looks for a name that no other one has.
        self._reporting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._trips: dict[DropKey, int] = {}
        self._later: dict[DropKey, float] = {}
        self._troubles: dict[DropKey, str] = {}
        self._untold: dict[DropKey, str] = {}  # where drops lie by now, and the ledger does not know yet

    async def close_ripe(self) -> int:
        """Close what is ripe, at most a batch; return how many were closed."""
        now_s = self._clock.monotonic()
        ripe = await self._ledger.ripe(limit=BATCH + len(self._later))
        if len(ripe) < BATCH + len(self._later):
            self._forget_all_but({drop.key for drop in ripe})
        due = [drop.key for drop in ripe if self._later.get(drop.key, 0.0) <= now_s]
        closed = await asyncio.gather(*(self._take_turn(key) for key in due[:BATCH]))
        return sum(closed)

    def _forget_all_but(self, ripe: set[DropKey]) -> None:
        """Put off no longer what somebody re-opened: its time would never come, and wake us for ever."""
        self._later = {key: at_s for key, at_s in self._later.items() if key in ripe}
        self._trips = {key: trips for key, trips in self._trips.items() if key in ripe}
        self._troubles = {key: trouble for key, trouble in self._troubles.items() if key in ripe}

    def refused(self, times: int) -> tuple[int, str]:
        """Return of how many drops the file was refused by its last folder *times* times at least, and why."""
        keys = [key for key, trips in self._trips.items() if trips >= times]
        return len(keys), "\n".join(dict.fromkeys(self._troubles[key] for key in keys))

    def next_try_s(self) -> float | None:
        """Return in how many seconds a drop whose file could not be moved is tried again, or None."""
        if not self._later:
            return None
        return max(0.0, min(self._later.values()) - self._clock.monotonic())

    async def _take_turn(self, key: DropKey) -> bool:
        async with self._turns.of(key):
            drop, jobs = await self._ledger.drop(key), await self._ledger.jobs_of(key)
            if drop.state is not DropState.OPEN or any(job.stage not in RESTING for job in jobs):
                return False  # re-opened, or its jobs retried, since it was found ripe
            if (absence := await self._away(drop)) is not None:
                self._put_off(drop, absence)
                return False
            try:
                return await self._close(drop, jobs)
            finally:
                self._untold.pop(key, None)

    async def _close(self, drop: Drop, jobs: tuple[Job, ...]) -> bool:
        now, away = self._clock.now(), partial(self._away, drop)
        ripe = _Ripe(drop=drop, jobs=jobs, now=now)
        try:
            after = await for_certain(lambda: self._putting[drop.inbox].do(ripe), away)
            self._untold[drop.key] = after.place
            async with self._recognising[drop.inbox]:
                taken = self._untold.values()
                after = await known_by_content(drop, after, disk=self._disk, ledger=self._ledger, taken=taken)
                self._untold[drop.key] = after.place
            if after.state is not DropState.DONE or drop.folder:
                async with self._reporting[drop.inbox]:
                    await asyncio.to_thread(self._report, after, jobs, now)
                await prove_presence(away)
        except DiskError as trouble:
            self._put_off(drop, trouble)
            return False
        reason = reports.reason(after, jobs)
        try:
            await self._ledger.save_drop(drop, after, event="Closed", at=now, detail=reason)
        except Conflict:
            return False  # somebody re-opened it meanwhile: it is looked at again
        self._later.pop(drop.key, None)
        self._trips.pop(drop.key, None)
        self._troubles.pop(drop.key, None)
        self._tally.count(after.state)
        self._say(after, jobs, reason)
        return True

    def _put_away(self, ripe: Sequence[_Ripe]) -> list[Drop | DiskError]:
        """Move what belongs to each drop to its last folder; return the drops as they are then, or what the disk said."""
        known = [self._looked_at(each) for each in ripe]
        done = [each.drop for each in known if isinstance(each, _Ripe) and each.state is DropState.DONE]
        moved = places.put_away_plainly(self._disk, done)
        return [
            each if isinstance(each, DiskError) else self._closed(each, moved.get(each.drop.key))
            for each in known
        ]

    def _looked_at(self, ripe: _Ripe) -> _Ripe | DiskError:
        """Return *ripe* with its files where an interrupted try put them, and why, where a writer had not finished when they were taken."""
        try:
            standing = places.take_up(self._disk, ripe.drop)
            reason = ripe.drop.reason or growth(self._disk, standing)
        except DiskError as trouble:
            return trouble
        known = replace(standing, reason=reason)
        return replace(ripe, drop=known) if known != ripe.drop else ripe

    def _closed(self, ripe: _Ripe, placed: Drop | DiskError | None) -> Drop | DiskError:
        """Return the drop as it is closed, or what the disk said; *placed* where it was moved with others."""
        if isinstance(placed, DiskError):
            return placed
        drop = ripe.drop
        if placed is None:
            try:
                placed = places.put_away(self._disk, drop, ripe.state)
            except DiskError as trouble:
                return trouble
        work = WorkFolder(drop.inbox, disk=self._disk, workshop=drop.after.workshop)
        work.forget(drop.key, (drop.path, *(each.path for each in drop.companions)))
        return replace(placed, state=ripe.state, closed_at=ripe.now)

    def _report(self, drop: Drop, jobs: tuple[Job, ...], now: datetime) -> None:
        text = reports.report(drop, jobs, state=drop.state, at=now)
        write_report(self._disk, drop, drop.state, text)

    def _put_off(self, drop: Drop, trouble: DiskError) -> None:
        trips = self._trips.get(drop.key, 0)
        self._trips[drop.key] = trips + 1
        self._troubles[drop.key] = trouble.message
        self._later[drop.key] = self._clock.monotonic() + retry.STORING.delay_s(trips, chance=0.5)
        if trips == 0:
            log.error(
                vocabulary.INBOX_TROUBLE,
                inbox=drop.inbox,
                source=shown(drop.path),
                reason=trouble.message,
                hint=trouble.hint,
            )

    def _say(self, drop: Drop, jobs: tuple[Job, ...], reason: str) -> None:
        fields = {
            "drop": drop.key,
            "rule": drop.rule,
            "source": shown(drop.path),
            "place": shown(drop.whereabouts(drop)),
        }
        if drop.state is DropState.DONE:
            counts = {"files": len(drop.members), "jobs": len(jobs)} if drop.folder else {}
            results = sum(len(job.delivered) for job in jobs)
            log.info(vocabulary.DROP_DONE, results=results, **counts, **fields)
        elif drop.state is DropState.HELD:
            log.error(vocabulary.DROP_HELD, reason=reason, **fields)
        else:
            log.error(vocabulary.DROP_FAILED, reason=reason, hint=reports.hint(drop, jobs), **fields)
