"""Answer the reader's questions from dictionaries. Pure; it scans where a database has an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from dropglow.ledger.base import (
    Counts,
    Query,
    Record,
    RequestKind,
    Timing,
    fair_share,
)
from dropglow.ledger.books import MemoryBooks
from dropglow.ledger.codec import searchable
from dropglow.ledger.content import MOST_ALIKE, of_original, with_companions
from dropglow.ledger.receipts import uuid_of
from dropglow.ledger.refusals import CANDIDATES, ambiguous, unknown
from dropglow.lifecycle import ENDED, RESTING
from dropglow.model import Drop, DropKey, DropState, Job, JobKey, Original, RuleName, Stage, Upload
from dropglow.money import parked


class MemoryReader(MemoryBooks):
    """The questions of ``base.Reader``."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._drops: dict[DropKey, Drop] = {}
        self._jobs: dict[JobKey, Job] = {}
        self._history: list[Record] = []
        self._uploads: list[tuple[datetime, Upload]] = []
        self._originals: dict[tuple[str, str], Original] = {}

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
        return tuple(sorted(found, key=age, reverse=True)[: query.limit])

    async def drops(
        self, *, states: frozenset[DropState] | None = None, inbox: str | None = None, limit: int = 100
    ) -> tuple[Drop, ...]:
        """Return drops, newest first."""
        found = [
            drop
            for drop in self._drops.values()
            if (states is None or drop.state in states) and inbox in {None, drop.inbox}
        ]
        return tuple(sorted(found, key=drop_age, reverse=True)[:limit])

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
        waiting = sorted((job for job in self._jobs.values() if parked(job)), key=age)
        rules = {job.rule for job in waiting}
        share = fair_share(limit, rules=len(rules))
        told = [[job for job in waiting if job.rule == rule][:share] for rule in rules]
        return tuple(sorted((job for jobs in told for job in jobs), key=age))

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
        return tuple(sorted((job for job in found if job.stage not in RESTING), key=age)[:limit])

    async def upload_of(self, sha256: str, *, now: datetime) -> Upload | None:
        """Return an upload of this content that is valid after *now*; its slot is empty."""
        usable = [
            upload for _, upload in self._uploads if upload.sha256 == sha256 and upload.valid_until > now
        ]
        return max(usable, key=lambda upload: upload.valid_until, default=None)


def age(job: Job) -> tuple[datetime, JobKey]:
    """Return what jobs are put in order by."""
    return job.created_at, job.key


def drop_age(drop: Drop) -> tuple[datetime, DropKey]:
    """Return what drops are put in order by."""
    return drop.admitted_at, drop.key


def _fits(query: Query, job: Job) -> bool:
    return (
        (query.stages is None or job.stage in query.stages)
        and query.rule in {None, job.rule}
        and (query.source is None or searchable(query.source) in searchable(job.source))
        and query.drop in {None, job.drop}
        and (query.since is None or job.created_at >= query.since)
        and (query.until is None or job.created_at < query.until)
    )
