"""Buy nothing twice for the same content: let a job have what another job bought under the same rule.

Asked before anything is uploaded or ordered. Of two drops with the same content the ledger stored one first, and
only the later one looks at the other: they never wait for each other, and never both buy. What is under way is
awaited; results that stand in the outbox are kept; those that are gone are fetched once more by their receipt.
A file of a folder is known by its own content, in whatever folder it came.
Where that is impossible the job is kept back, and a person decides. Nothing is concluded from an outbox that is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dropglow import retry
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError
from dropglow.events import Borrowed, Event, GaveUp, Held, Kept, Postponed
from dropglow.ledger.base import Ledger, Query
from dropglow.lifecycle import RESTING, TWIN_IN_DOUBT, TWIN_UNDER_WAY
from dropglow.model import Billed, Drop, DropKey, Duplicates, Failure, Job, Member, Stage, Submission
from dropglow.money import WAITS_FOR_APPROVAL, parked
from dropglow.rules.order import MOST_JOBS, chosen_seeds
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import job_key
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.outcomes import Outcomes
from dropglow.runtime.sources import File, files_of

_BOUGHT_NOTHING: Final = frozenset({Stage.FAILED, Stage.CANCELLED})
_AWAITED: Final = retry.Backoff(floor_s=1.0, base_s=2.0, cap_s=30.0)
_FIRSTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Find for a job what was bought already."""

    ledger: Ledger
    disk: Disk
    clock: Clock
    outboxes: Outboxes
    outcomes: Outcomes
    chance: Callable[[], float]  # returns numbers from 0 to 1
    # Drops that no other came before: none will, whatever comes later, so nobody has to ask again.
    _firsts: dict[DropKey, None] = field(default_factory=dict, init=False)

    async def of(self, job: Job, drop: Drop) -> Event | None:
        """Return what another job's order means for *job* of *drop*; None: it has to buy for itself."""
        if job.duplicates is not Duplicates.REUSE or job.drop in self._firsts:
            return None
        async for twin in self._twins_in_folders(job, drop) if drop.folder else self._twins(job, drop):
            if await self._same_pictures(job, twin):
                return await self._answer(job, twin)
        return None

    async def _twins(self, job: Job, drop: Drop) -> AsyncIterator[Job]:
        drops = await insist(lambda: same_content(self.ledger, drop), self.clock)
        if not drops:
            self._remember_first(drop.key)
        for earlier in drops:
            twin = await self._twin(job, earlier.key)
            if twin is not None:
                yield twin

    def _remember_first(self, drop: DropKey) -> None:
        self._firsts[drop] = None
        if len(self._firsts) > _FIRSTS_MAX:
            del self._firsts[next(iter(self._firsts))]  # the one that is known longest

    async def _twins_in_folders(self, job: Job, drop: Drop) -> AsyncIterator[Job]:
        """Yield the jobs that bought the same for the same file in a folder: earlier in this one, or in an earlier one."""
        mine = files_of(drop, job)
        before = [each.path for each in drop.members].index(mine[0].path)
        for path in _alike(drop.members[:before], mine[0].sha256):
            async for twin in self._bought_for(path, drop, job, mine):
                yield twin
        found = await insist(
            lambda: self.ledger.same_member(inbox=drop.inbox, sha256=mine[0].sha256, before=drop.key),
            self.clock,
        )
        for earlier in found:
            for path in _alike(earlier.members, mine[0].sha256):
                async for twin in self._bought_for(path, earlier, job, mine):
                    yield twin

    async def _bought_for(
        self, path: str, earlier: Drop, job: Job, mine: Sequence[File]
    ) -> AsyncIterator[Job]:
        # Not all jobs of the folder: there may be thousands.
        wanted = Query(drop=earlier.key, source=shown(path), limit=MOST_JOBS)
        for twin in await insist(lambda: self.ledger.find(wanted), self.clock):
            if twin.members[:1] != (path,) or twin.stage in _BOUGHT_NOTHING:
                continue
            if same_purchase(job, mine, twin, files_of(earlier, twin)):
                yield twin

    async def _twin(self, job: Job, earlier: DropKey) -> Job | None:
        """Return the job of an *earlier* drop that stands for *job*; None where it bought nothing that lasts."""
        jobs = await insist(lambda: self.ledger.jobs_of(earlier), self.clock)
        key = job_key(earlier, int(job.key.rpartition(".")[2]))
        twin = next((each for each in jobs if each.key == key), None)
        if twin is None or twin.stage in _BOUGHT_NOTHING:
            return None
        return twin

    async def _same_pictures(self, job: Job, twin: Job) -> bool:
        """Return whether the pictures that the rule names are still those that *twin* was bought with."""
        known = {upload.slot: upload.sha256 for upload in twin.uploads}
        for reference in job.order.references:
            if reference.path is None or twin.stage is Stage.QUEUED:
                continue
            try:
                digest = await asyncio.to_thread(self.disk.digest, reference.path)
            except DiskError:
                return False  # to be told in the words of an upload
            if not known.get(reference.slot, "").startswith(digest):
                return False
        return True

    async def _answer(self, job: Job, twin: Job) -> Event:
        if twin.stage is Stage.IN_DOUBT:
            return GaveUp(failure=_in_doubt(twin), at=self.clock.now())
        if twin.stage is Stage.HELD:
            return Held(failure=_held(twin))
        if (waits := _without_money(twin, now=self.clock.now())) is not None:
            return waits
        if twin.stage not in RESTING or twin.submission is None:
            until = retry.again_at(self.clock.now(), _AWAITED, job.trips, chance=self.chance())
            return Postponed(until=until, failure=_under_way(twin))
        # The results may be anybody's to take away, but not while their folder is away itself.
        trouble = await self.outboxes.trouble(job.order.delivery.outbox, needed_bytes=0)
        if trouble is not None:
            return self.outcomes.postponed(job, trouble, retry.STORING)
        try:
            standing = await asyncio.to_thread(self._stand, twin)
        except DiskError as error:
            return self.outcomes.postponed(job, error, retry.STORING)
        return self._kept(twin, twin.submission) if standing else _borrowed(twin, twin.submission)

    def _stand(self, twin: Job) -> bool:
        """Return whether every result of *twin* stands where it was delivered, as it was delivered."""
        bought = {artifact.sha256: artifact.size_bytes for artifact in twin.artifacts}
        if not twin.delivered or len(twin.delivered) < len(twin.artifacts):
            return False
        for path in twin.delivered:
            found = self.disk.look(path)
            if found is None or not found.regular or found.size_bytes not in bought.values():
                return False
            if self.disk.digest(path) not in bought:
                return False
        return True

    def _kept(self, twin: Job, receipt: Submission) -> Event:
        return Kept(
            twin=twin.key,
            submission=receipt,
            uploads=twin.uploads,
            artifacts=twin.artifacts,
            paths=twin.delivered,
            at=self.clock.now(),
        )


def same_purchase(one: Job, files: Sequence[File], other: Job, others: Sequence[File]) -> bool:
    """Return whether two jobs about files of folders order the same of the same content by the same rule."""
    if one.rule != other.rule or [each.sha256 for each in files] != [each.sha256 for each in others]:
        return False
    return _purchase(one) == _purchase(other)


def _purchase(job: Job) -> tuple[object, ...]:
    """Return everything that an order asks for; a seed that nobody chose asks for nothing."""
    order = job.order
    chosen = order.seeds != chosen_seeds(job.key, count=len(order.seeds))
    return (
        order.operation,
        order.model,
        {key: value for key, value in order.body.items() if key != "seeds"},
        order.seeds if chosen else len(order.seeds),
        [(each.slot, each.path, each.linked) for each in order.references],
        (order.prepared, order.stripped, order.size, order.tokens.get("part", "")),
    )


def _alike(members: Iterable[Member], sha256: str) -> tuple[str, ...]:
    return tuple(each.path for each in members if each.sha256 == sha256)


async def same_content(ledger: Ledger, drop: Drop) -> tuple[Drop, ...]:
    """Return the earlier drops of the same content under the same rule as *drop*, the latest first.

    Raises:
        LedgerUnavailable: Ask again.
    """
    return await ledger.same_content(
        inbox=drop.inbox,
        sha256=drop.sha256,
        companions=drop.contents,
        rule=drop.rule,
        rule_digest=drop.rule_digest,
        before=drop.key,
    )


def _borrowed(twin: Job, receipt: Submission) -> Event:
    return Borrowed(twin=twin.key, submission=receipt, uploads=twin.uploads, completed_at=twin.completed_at)


def _without_money(twin: Job, *, now: datetime) -> Postponed | None:
    """Return how long *twin* waits for money, and what for; None: it does not, or has just been woken.

    Of a copy's copy the twin is the one that has to pay: that one is woken when there is money, and who waits for it with it.
    """
    if not parked(twin) or twin.failure is None or twin.not_before is None or twin.not_before <= now:
        return None
    payer = twin.failure.twin or twin.key
    failure = Failure(
        code=twin.failure.code,
        what=f"the same content was dropped before, as {shown(twin.source)}, and job {payer} waits for its budget",
        why=twin.failure.what if twin.failure.twin is None else twin.failure.why,
        hint="it is not bought twice: what that job gets stands for this one",
        twin=payer,
    )
    return Postponed(until=twin.not_before, failure=failure)


def _under_way(twin: Job) -> Failure:
    return Failure(
        code=TWIN_UNDER_WAY,
        what=f"the same content was dropped before, as {shown(twin.source)}, and job {twin.key} is at it",
        hint="it is not bought twice: what that job gets stands for this one",
    )


def _held(twin: Job) -> Failure:
    return Failure(
        code=WAITS_FOR_APPROVAL,
        what=f"the same content was dropped before, as {shown(twin.source)}, and is held until a person approves of it",
        hint=f"approve of that first, then of this; it is bought once: dropglow approve {twin.key}",
    )


def _in_doubt(twin: Job) -> Failure:
    return Failure(
        code=TWIN_IN_DOUBT,
        what=f"the same content was dropped before, as {shown(twin.source)}, and its order is in doubt",
        why=f"nobody knows whether job {twin.key} bought it",
        hint=f"settle that first: dropglow resolve {twin.key}",
        billed=Billed.UNKNOWN,
    )
