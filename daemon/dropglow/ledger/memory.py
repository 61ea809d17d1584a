"""The ledger in dictionaries: the same contract without durability. Pure.

For trying things out and for tests. It scans where a database has an index,
so it is not for long queues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Final

from dropglow.events import Began, Event
from dropglow.ledger.base import (
    PARKED_AT_MOST,
    Counts,
    Grant,
    Query,
    Record,
    RequestKind,
    Timing,
    fair_share,
)
from dropglow.ledger.books import MemoryBooks
from dropglow.ledger.codec import path_bytes, searchable
from dropglow.ledger.content import MOST_ALIKE, of_original, with_companions
from dropglow.ledger.history import ADMITTED, detail, one_line
from dropglow.ledger.receipts import uuid_of
from dropglow.ledger.refusals import CANDIDATES, ambiguous, newer, no_arrow, refusal, taken_key, unknown
from dropglow.lifecycle import ENDED, RESTING, allowed
from dropglow.model import Drop, DropKey, DropState, Job, JobKey, Original, RuleName, Stage, Upload
from dropglow.money import parked


class MemoryLedger(MemoryBooks):
    """The contract of ``base.Ledger``, for as long as the process lives."""

    def __init__(self, *, identity: str = "memory") -> None:
        """Begin empty, under the name *identity*."""
        super().__init__()
        self._identity: Final = identity
        self._drops: dict[DropKey, Drop] = {}
        self._jobs: dict[JobKey, Job] = {}
        self._hands: dict[JobKey, str] = {}
        self._leases: dict[str, datetime] = {}
        self._history: list[Record] = []
        self._uploads: list[tuple[datetime, Upload]] = []
        self._originals: dict[tuple[str, str], Original] = {}
        self._last_inbox = ""

    @property
    def identity(self) -> str:
        """Return the name that it was given."""
        return self._identity

    async def job(self, key: JobKey) -> Job:
        """Return one job.

        Raises:
            UnknownKey: There is none.
        """
        if key not in self._jobs:
            raise unknown("job", key)
        return self._jobs[key]

    async def drop(self, key: DropKey) -> Drop:
        """Return one drop.

        Raises:
            UnknownKey: There is none.
        """
        if key not in self._drops:
            raise unknown("drop", key)
        return self._drops[key]

    async def jobs_of(self, drop: DropKey) -> tuple[Job, ...]:
        """Return every job of *drop*, in order of their keys."""
        found = (job for job in self._jobs.values() if job.drop == drop)
        return tuple(sorted(found, key=lambda job: (len(job.key), job.key)))

    async def resolve_key(self, text: str) -> tuple[DropKey, JobKey | None]:
        """Return the drop, or the job, that *text* names or begins to name; or Adobe's job id, whole.

        Raises:
            UnknownKey: Nothing, or more than one, fits.
        """
        if DropKey(text) in self._drops:
            return DropKey(text), None
        jobs = self._jobs.values()
        remote = {bought.job for bought in self.bought if bought.remote_id == text}
        uuid = uuid_of(text)
        spelled = {bought.job for bought in self.bought if uuid and uuid_of(bought.remote_id) == uuid}
        meanings: tuple[set[tuple[DropKey, JobKey | None]], ...] = (
            {(job.drop, job.key) for job in jobs if job.key == text},
            {(job.drop, job.key) for job in jobs if job.key in remote},
            {(key, None) for key in self._drops if key.startswith(text)},
            {(job.drop, job.key) for job in jobs if job.key.startswith(text)},
            {(job.drop, job.key) for job in jobs if job.key in spelled},
        )
        found = next((meaning for meaning in meanings if meaning), None)
        if not text or found is None:
            raise unknown("drop or job", text)
        if len(found) > 1:
            keys = sorted(job or drop for drop, job in found)
            raise ambiguous(text, keys[: CANDIDATES + 1])
        return found.pop()

    async def find(self, query: Query) -> tuple[Job, ...]:
        """Return the jobs that fit, newest first."""
        found = [job for job in self._jobs.values() if _fits(query, job)]
        return tuple(sorted(found, key=_age, reverse=True)[: query.limit])

    async def drops(
        self, *, states: frozenset[DropState] | None = None, inbox: str | None = None, limit: int = 100
    ) -> tuple[Drop, ...]:
        """Return drops, newest first."""
        found = [
            drop
            for drop in self._drops.values()
            if (states is None or drop.state in states) and inbox in {None, drop.inbox}
        ]
        return tuple(sorted(found, key=_drop_age, reverse=True)[:limit])

    async def same_content(
        self,
        *,
        inbox: str,
        sha256: str,
        companions: Sequence[str],
        rule: RuleName,
        rule_digest: str,
        before: DropKey | None = None,
    ) -> tuple[Drop, ...]:
        """Return the drops of this content under this very rule, the latest admission first."""
        wanted = (inbox, sha256, rule, rule_digest)
        keys = list(self._drops)
        earlier = keys if before is None else keys[: keys.index(before)]
        found = (self._drops[key] for key in reversed(earlier))
        same = (each for each in found if (each.inbox, each.sha256, each.rule, each.rule_digest) == wanted)
        return with_companions(same, companions)

    async def originals(self, inbox: str, paths: Sequence[str]) -> dict[str, Original]:
        """Return what is known of those *paths* below *inbox* that were taken and stay there, by path."""
        found = {path: self._originals.get((inbox, path)) for path in paths}
        return {path: original for path, original in found.items() if original is not None}

    async def same_original(
        self, *, inbox: str, path: str, sha256: str, companions: Sequence[str]
    ) -> Drop | None:
        """Return the latest drop, under whatever rule, of this very path and content whose original stays, if any."""
        wanted = (inbox, path, sha256)
        found = (self._drops[key] for key in reversed(list(self._drops)))
        same = (each for each in found if (each.inbox, each.path, each.sha256) == wanted)
        return of_original(same, companions)

    async def same_member(self, *, inbox: str, sha256: str, before: DropKey) -> tuple[Drop, ...]:
        """Return the folders of *inbox* that hold a file of this content, the latest admission first."""
        keys = list(self._drops)
        found = (self._drops[key] for key in reversed(keys[: keys.index(before)]))
        alike = (
            drop
            for drop in found
            if drop.inbox == inbox and any(each.sha256 == sha256 for each in drop.members)
        )
        return tuple(islice(alike, MOST_ALIKE))

    async def history(self, drop: DropKey, job: JobKey | None = None) -> tuple[Record, ...]:
        """Return what happened to a drop with its jobs, or to one job, oldest first."""
        return tuple(record for record in self._history if record.drop == drop and job in {None, record.job})

    async def counts(self) -> Counts:
        """Return how many of everything there are."""
        return Counts(
            jobs=dict(Counter(job.stage for job in self._jobs.values())),
            drops=dict(Counter(drop.state for drop in self._drops.values())),
            open_jobs_by_inbox=dict(
                Counter(job.inbox for job in self._jobs.values() if job.stage not in RESTING)
            ),
            parked=sum(parked(job) for job in self._jobs.values()),
        )

    async def unfinished(self) -> dict[tuple[RuleName, Stage], int]:
        """Return how many jobs that are not over stand where, by rule."""
        return dict(Counter((job.rule, job.stage) for job in self._jobs.values() if job.stage not in ENDED))

    async def requests_since(self, at: datetime) -> tuple[tuple[datetime, RequestKind], ...]:
        """Return every submission begun and every upload made at or after *at*, oldest first."""
        every = [(bought.begun_at, RequestKind.SUBMISSION) for bought in self.bought]
        every += [(made_at, RequestKind.UPLOAD) for made_at, _ in self._uploads]
        return tuple(sorted((request for request in every if request[0] >= at), key=lambda found: found[0]))

    async def timings(self, *, limit: int = 200) -> tuple[Timing, ...]:
        """Return how long the latest completed remote jobs took, newest first."""
        found = [
            (bought.completed_at, bought.completed_at - bought.accepted_at, bought.order)
            for bought in self.bought
            if bought.completed_at is not None and bought.accepted_at is not None
        ]
        return tuple(
            Timing(
                operation=order.operation,
                model=order.model,
                size=order.size,
                images=order.images,
                took_s=took.total_seconds(),
            )
            for _, took, order in sorted(found, key=lambda timing: timing[0], reverse=True)[:limit]
        )

    async def unpaid(self, rule: RuleName) -> int:
        """Return how many images of *rule* wait unpaid: queued, or held for a person."""
        waiting = {Stage.QUEUED, Stage.HELD}
        return sum(
            job.order.results for job in self._jobs.values() if job.rule == rule and job.stage in waiting
        )

    async def parked(self, *, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait for nothing but their budget, oldest first; each rule gets the same share."""
        waiting = sorted((job for job in self._jobs.values() if parked(job)), key=_age)
        rules = {job.rule for job in waiting}
        share = fair_share(limit, rules=len(rules))
        told = [[job for job in waiting if job.rule == rule][:share] for rule in rules]
        return tuple(sorted((job for jobs in told for job in jobs), key=_age))

    async def unfunded(self, *, now: datetime) -> int:
        """Return how many jobs wait for their budget beyond *now*."""
        waiting = [job.not_before for job in self._jobs.values() if parked(job)]
        return sum(until is not None and until > now for until in waiting)

    async def waiting(self, *, beyond: datetime, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait until after *beyond*, and not for their budget, oldest first."""
        found = (
            job
            for job in self._jobs.values()
            if job.not_before is not None and job.not_before > beyond and not parked(job)
        )
        return tuple(sorted((job for job in found if job.stage not in RESTING), key=_age)[:limit])

    async def upload_of(self, sha256: str, *, now: datetime) -> Upload | None:
        """Return an upload of this content that is valid after *now*; its slot is empty."""
        usable = [
            upload for _, upload in self._uploads if upload.sha256 == sha256 and upload.valid_until > now
        ]
        return max(usable, key=lambda upload: upload.valid_until, default=None)

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
            (job for job in self._free() if job.not_before is None or job.not_before <= now), key=_age
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
        return tuple(sorted(found, key=_drop_age)[:limit])

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
        return max(found, key=_drop_age, default=None)

    async def held_content(self, *, inbox: str, sha256: str) -> tuple[Drop, ...]:
        """Return the HELD drops of this inbox and content, under whatever name and rule, latest first."""
        wanted = (DropState.HELD, inbox, sha256)
        found = [drop for drop in self._drops.values() if (drop.state, drop.inbox, drop.sha256) == wanted]
        return tuple(sorted(found, key=_drop_age, reverse=True))

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


def _fits(query: Query, job: Job) -> bool:
    return (
        (query.stages is None or job.stage in query.stages)
        and query.rule in {None, job.rule}
        and (query.source is None or searchable(query.source) in searchable(job.source))
        and query.drop in {None, job.drop}
        and (query.since is None or job.created_at >= query.since)
        and (query.until is None or job.created_at < query.until)
    )


def _without_links(job: Job) -> Job:
    return replace(job, outputs=tuple(replace(output, url="") for output in job.outputs))


def _age(job: Job) -> tuple[datetime, JobKey]:
    return job.created_at, job.key


def _drop_age(drop: Drop) -> tuple[datetime, DropKey]:
    return drop.admitted_at, drop.key
