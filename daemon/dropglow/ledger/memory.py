"""The ledger in dictionaries: the same contract without durability. Pure.

For trying things out and for tests. It scans where a database has an index,
so it is not for long queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from dropglow.events import Began, Event
from dropglow.ledger.base import (
    PARKED_AT_MOST,
    Grant,
    Record,
)
from dropglow.ledger.codec import path_bytes
from dropglow.ledger.history import ADMITTED, detail, one_line
from dropglow.ledger.memory_reading import MemoryReader, age, drop_age
from dropglow.ledger.refusals import newer, no_arrow, refusal, taken_key
from dropglow.lifecycle import RESTING, allowed
from dropglow.model import Drop, DropKey, DropState, Job, JobKey, Original, Stage, Upload
from dropglow.money import parked


class MemoryLedger(MemoryReader):
    """The contract of ``base.Ledger``, for as long as the process lives."""

    def __init__(self, *, identity: str = "memory") -> None:
        """Begin empty, under the name *identity*."""
        super().__init__()
        self._identity: Final = identity
        self._hands: dict[JobKey, str] = {}
        self._leases: dict[str, datetime] = {}
        self._last_inbox = ""

    @property
    def identity(self) -> str:
        """Return the name that it was given."""
        return self._identity

    async def admit(self, drop: Drop, jobs: Sequence[Job], *, originals: Sequence[Original] = ()) -> None:
        """Store a drop and all of its jobs, and those of its files that stay in their inbox.

        Raises:
            Conflict: A key is taken.
        """
        keys = {job.key for job in jobs}
        if drop.key in self._drops or len(keys) < len(jobs) or keys & self._jobs.keys():
            raise taken_key(drop.key)
        self._drops[drop.key] = drop
        await self.remember_originals(originals)
        self._tell(drop.admitted_at, drop.key, event=ADMITTED, after=drop.state, text=drop.reason)
        for job in jobs:
            self._jobs[job.key] = _without_links(job)
            self._tell(job.created_at, drop.key, job=job, event=ADMITTED, after=job.stage)

    async def claim(self, owner: str, *, now: datetime, until: datetime, grant: Grant) -> tuple[Job, ...]:
        """Take due jobs that nobody has in hand, or whose owner's lease ran out."""
        self._free_lapsed(owner, now)
        due = sorted(
            (job for job in self._free() if job.not_before is None or job.not_before <= now), key=age
        )
        taken = [job for job in due if job.stage is not Stage.QUEUED][: max(0, grant.open_jobs)]
        taken += self._in_turns([job for job in due if job.stage is Stage.QUEUED], grant.fresh_jobs)
        self._hands.update((job.key, owner) for job in taken)
        # The same economy as where a renewal costs a commit.
        if taken or self._leases.get(owner, now) <= now + (until - now) / 2:
            self._leases[owner] = until
        return tuple(taken)

    async def next_due(self, *, now: datetime) -> datetime | None:
        """Return when the next job that nobody has in hand becomes due, or None."""
        lapsed = {owner for owner, until in self._leases.items() if until <= now}
        times = [job.not_before or now for job in self._free()]
        times += [now for owner in self._hands.values() if owner in lapsed]
        return min(times, default=None)

    async def renew(self, owner: str, *, until: datetime) -> None:
        """Extend the lease of everything that *owner* has in hand."""
        self._leases[owner] = until

    async def release(self, owner: str, keys: Sequence[JobKey]) -> None:
        """Hand jobs back, as far as *owner* holds them."""
        for key in keys:
            if self._hands.get(key) == owner:
                del self._hands[key]

    async def release_all(self, owner: str) -> None:
        """Hand everything back that *owner* holds."""
        self._hands = {key: holder for key, holder in self._hands.items() if holder != owner}

    async def save(self, before: Job, after: Job, event: Event, *, at: datetime, owner: str | None) -> Job:
        """Store *after* in place of *before* with its history row; return it with its new revision.

        Raises:
            Conflict: The stored job is newer than *before*.
            LeaseLost: Somebody else has it in hand.
            OverBudget: It is a *Began* whose booking does not fit.
            SpendingStopped: It is a *Began*, and spending is paused.
            UnknownKey: There is no such job.
            IllegalTransition: The lifecycle knows no such arrow.
        """
        stored = await self.job(before.key)
        holder = self._hands.get(before.key)
        if stored.revision != before.revision or owner not in {None, holder}:
            raise refusal(before, stored_revision=stored.revision, stored_owner=holder, owner=owner)
        if not allowed(stored.stage, after.stage):
            raise no_arrow(before, after)
        if isinstance(event, Began):
            await self.refuse_excess(before, event.booking)
        saved = replace(after, revision=before.revision + 1)
        self._jobs[before.key] = _without_links(saved)
        if after.stage in RESTING:
            self._hands.pop(before.key, None)
        self.keep_submission(before, after, event)
        self._tell(
            at,
            before.drop,
            job=after,
            event=type(event).__name__,
            before=before.stage,
            after=after.stage,
            text=detail(event),
        )
        return saved

    async def queued(self, inbox: str) -> int:
        """Return how many jobs of *inbox* are QUEUED, due or not."""
        queued = [job for job in self._jobs.values() if job.inbox == inbox and job.stage is Stage.QUEUED]
        return len(queued) - min(PARKED_AT_MOST, sum(parked(job) for job in queued))

    async def ripe(self, *, limit: int) -> tuple[Drop, ...]:
        """Return open drops all of whose jobs rest, oldest first."""
        busy = {job.drop for job in self._jobs.values() if job.stage not in RESTING}
        found = [
            drop for drop in self._drops.values() if drop.state is DropState.OPEN and drop.key not in busy
        ]
        return tuple(sorted(found, key=drop_age)[:limit])

    async def reopenable(
        self, *, inbox: str, path: str, place: str, sha256: str, companions: Sequence[str], rule_digest: str
    ) -> Drop | None:
        """Return the latest drop of this very file, content and rule that ended FAILED, if any."""
        wanted = (inbox, sha256, rule_digest)
        found = [
            drop
            for drop in self._drops.values()
            if drop.state is DropState.FAILED
            and (drop.inbox, drop.sha256, drop.rule_digest) == wanted
            and (drop.path == path or drop.place == place)
            and drop.contents == tuple(companions)
        ]
        return max(found, key=drop_age, default=None)

    async def held_content(self, *, inbox: str, sha256: str) -> tuple[Drop, ...]:
        """Return the HELD drops of this inbox and content, under whatever name and rule, latest first."""
        wanted = (DropState.HELD, inbox, sha256)
        found = [drop for drop in self._drops.values() if (drop.state, drop.inbox, drop.sha256) == wanted]
        return tuple(sorted(found, key=drop_age, reverse=True))

    async def has_place(self, *, place: str, sha256: str) -> bool:
        """Return whether a drop of this content lies at *place* (absolute), as far as it is written down."""
        return any((drop.place, drop.sha256) == (place, sha256) for drop in self._drops.values())

    async def save_drop(
        self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
    ) -> Drop:
        """Store *after* in place of *before* with a history row; return it with its new revision.

        Raises:
            Conflict: The stored drop is newer than *before*.
            UnknownKey: There is none.
        """
        stored = await self.drop(before.key)
        if stored.revision != before.revision:
            raise newer(f"drop {before.key}")
        saved = replace(after, revision=before.revision + 1)
        self._drops[before.key] = saved
        self._tell(at, before.key, event=event, before=before.state, after=after.state, text=detail)
        return saved

    async def remember_upload(self, upload: Upload, *, at: datetime) -> None:
        """Store that this content lies in Adobe's storage."""
        self._uploads.append((at, replace(upload, slot="")))

    async def remember_originals(self, originals: Sequence[Original]) -> None:
        """Store that these files, as they are now, belong to drops that the ledger knows already."""
        self._originals |= {(each.inbox, each.path): each for each in originals}

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def _free(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.stage not in RESTING and job.key not in self._hands]

    def _free_lapsed(self, owner: str, now: datetime) -> None:
        lapsed = {other for other, until in self._leases.items() if until <= now and other != owner}
        self._hands = {key: holder for key, holder in self._hands.items() if holder not in lapsed}
        self._leases = {other: until for other, until in self._leases.items() if other not in lapsed}

    def _in_turns(self, due: Sequence[Job], count: int) -> list[Job]:
        """Return *count* of the jobs: by priority, then one of each inbox in turn, then the oldest."""
        taken: list[Job] = []
        for priority in sorted({job.priority for job in due}, reverse=True):
            rest = [job for job in due if job.priority == priority]
            while rest and len(taken) < count:
                inboxes = sorted({job.inbox for job in rest}, key=path_bytes)
                later = (name for name in inboxes if path_bytes(name) > path_bytes(self._last_inbox))
                self._last_inbox = next(later, inboxes[0])
                job = next(job for job in rest if job.inbox == self._last_inbox)
                rest.remove(job)
                taken.append(job)
        return taken

    def _tell(
        self,
        at: datetime,
        drop: DropKey,
        *,
        job: Job | None = None,
        event: str,
        before: str = "",
        after: str,
        text: str = "",
    ) -> None:
        self._history.append(
            Record(
                at=at,
                drop=drop,
                job=None if job is None else job.key,
                event=event,
                before=str(before),
                after=str(after),
                attempt=0 if job is None else job.attempt,
                detail=one_line(text),
            )
        )


def _without_links(job: Job) -> Job:
    return replace(job, outputs=tuple(replace(output, url="") for output in job.outputs))
