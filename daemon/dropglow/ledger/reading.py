"""Answer the reader's questions from SQL, whichever way a connection is come by."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from dropglow.ledger import accounts, queries
from dropglow.ledger.base import Counts, Entry, Query, Record, RequestKind, Timing
from dropglow.ledger.codec import Row, drop_from, from_us, job_from, order_of, path_bytes, to_us
from dropglow.ledger.content import of_original, with_companions
from dropglow.ledger.group import Work
from dropglow.lifecycle import RESTING
from dropglow.model import Drop, DropKey, DropState, Job, JobKey, Original, RuleName, Stage, Upload
from dropglow.money import Amount, Fate, Period, Switch, Turn

T = TypeVar("T")


class SqlReader:
    """The questions of ``base.Reader``; a subclass says in ``_ask`` how work meets the connection."""

    async def _ask(self, work: Work[T]) -> T:
        raise NotImplementedError

    async def job(self, key: JobKey) -> Job:
        """Return one job.

        Raises:
            UnknownKey: There is none.
            LedgerUnavailable: The ledger cannot be read now.
        """
        return job_from(await self._ask(lambda connection: queries.job(connection, key)))

    async def drop(self, key: DropKey) -> Drop:
        """Return one drop.

        Raises:
            UnknownKey: There is none.
            LedgerUnavailable: The ledger cannot be read now.
        """
        return drop_from(await self._ask(lambda connection: queries.drop(connection, key)))

    async def jobs_of(self, drop: DropKey) -> tuple[Job, ...]:
        """Return every job of *drop*, in order of their keys."""
        rows = await self._ask(lambda connection: queries.jobs_of(connection, drop))
        return tuple(job_from(row) for row in rows)

    async def resolve_key(self, text: str) -> tuple[DropKey, JobKey | None]:
        """Return the drop, or the job, that *text* names or begins to name; or Adobe's job id, whole.

        Raises:
            UnknownKey: Nothing, or more than one, fits.
            LedgerUnavailable: The ledger cannot be read now.
        """
        drop, job = await self._ask(lambda connection: queries.named(connection, text))
        return DropKey(drop), None if job is None else JobKey(job)

    async def find(self, query: Query) -> tuple[Job, ...]:
        """Return the jobs that fit, newest first."""
        rows = await self._ask(lambda connection: queries.find(connection, query))
        return tuple(job_from(row) for row in rows)

    async def drops(
        self, *, states: frozenset[DropState] | None = None, inbox: str | None = None, limit: int = 100
    ) -> tuple[Drop, ...]:
        """Return drops, newest first."""
        rows = await self._ask(
            lambda connection: queries.drops(connection, states=states, inbox=inbox, limit=limit)
        )
        return tuple(drop_from(row) for row in rows)

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
        rows = await self._ask(
            lambda connection: queries.same_content(
                connection,
                inbox=path_bytes(inbox),
                sha256=sha256,
                rule=rule,
                rule_digest=rule_digest,
                before=before,
            )
        )
        found = (drop_from(row) for row in rows)
        return with_companions(found, companions)

    async def originals(self, inbox: str, paths: Sequence[str]) -> dict[str, Original]:
        """Return what is known of those *paths* below *inbox* that were taken and stay there, by path."""
        wanted = {path_bytes(path): path for path in paths}
        rows = await self._ask(
            lambda connection: queries.originals(connection, path_bytes(inbox), tuple(wanted))
        )
        return {
            wanted[path]: Original(
                inbox=inbox,
                path=wanted[path],
                size_bytes=size_bytes,
                mtime_ns=int(mtime_ns),
                drop=DropKey(drop_key),
            )
            for path, size_bytes, mtime_ns, drop_key in rows
        }

    async def same_original(
        self, *, inbox: str, path: str, sha256: str, companions: Sequence[str]
    ) -> Drop | None:
        """Return the latest drop, under whatever rule, of this very path and content whose original stays, if any."""
        rows = await self._ask(
            lambda connection: queries.same_original(
                connection, inbox=path_bytes(inbox), path=path_bytes(path), sha256=sha256
            )
        )
        return of_original((drop_from(row) for row in rows), companions)

    async def same_member(self, *, inbox: str, sha256: str, before: DropKey) -> tuple[Drop, ...]:
        """Return the folders of *inbox* that hold a file of this content, the latest admission first."""
        rows = await self._ask(
            lambda connection: queries.same_member(
                connection, inbox=path_bytes(inbox), sha256=sha256, before=before
            )
        )
        return tuple(drop_from(row) for row in rows)

    async def history(self, drop: DropKey, job: JobKey | None = None) -> tuple[Record, ...]:
        """Return what happened to a drop with its jobs, or to one job, oldest first."""
        rows = await self._ask(lambda connection: queries.history(connection, drop, job))
        return tuple(
            Record(
                at=from_us(at),
                drop=DropKey(drop_key),
                job=None if job_key is None else JobKey(job_key),
                event=event,
                before=before,
                after=after,
                attempt=attempt,
                detail=detail,
            )
            for at, drop_key, job_key, event, before, after, attempt, detail in rows
        )

    async def counts(self) -> Counts:
        """Return how many of everything there are, from counters that the ledger keeps."""
        by_inbox, by_state = await self._ask(queries.tally)
        parked = await self._ask(queries.parked_count)
        jobs: Counter[Stage] = Counter()
        open_jobs: Counter[str] = Counter()
        for inbox, name, count in by_inbox:
            stage = Stage(name)
            jobs[stage] += count
            if stage not in RESTING:
                open_jobs[inbox.decode("utf-8", "surrogateescape")] += count
        return Counts(
            jobs=dict(jobs),
            drops={DropState(state): count for state, count in by_state if count},
            open_jobs_by_inbox=dict(open_jobs),
            parked=parked,
        )

    async def unfinished(self) -> dict[tuple[RuleName, Stage], int]:
        """Return how many jobs that are not over stand where, by rule."""
        rows = await self._ask(queries.unfinished)
        return {(RuleName(rule), Stage(stage)): count for rule, stage, count in rows}

    async def requests_since(self, at: datetime) -> tuple[tuple[datetime, RequestKind], ...]:
        """Return every submission begun and every upload made at or after *at*, oldest first."""
        rows = await self._ask(lambda connection: queries.requests_since(connection, to_us(at)))
        return tuple((from_us(at_us), RequestKind(kind)) for at_us, kind in rows)

    async def timings(self, *, limit: int = 200) -> tuple[Timing, ...]:
        """Return how long the latest completed remote jobs took, newest first."""
        rows = await self._ask(lambda connection: queries.timings(connection, limit))
        return tuple(_timing(fixed, took_us) for fixed, took_us in rows)

    async def spending(self, period: Period, label: str, rule: RuleName | None) -> Amount:
        """Return what was spent on a day or in a month, by one rule or by all."""
        return await self._ask(lambda connection: accounts.spending(connection, period, label, rule))

    async def costs(self, *, since: str = "", until: str = "") -> tuple[Entry, ...]:
        """Return the books from day *since* to day *until*, both included."""
        rows = await self._ask(lambda connection: accounts.costs(connection, since, until))
        return tuple(_entry(row) for row in rows)

    async def fates(self, *, since: datetime, limit: int) -> tuple[Fate, ...]:
        """Return what became of the latest orders begun at or after *since*, newest first."""
        found = await self._ask(lambda connection: accounts.fates(connection, to_us(since), limit))
        return tuple(Fate(fate) for fate in found)

    async def unpaid(self, rule: RuleName) -> int:
        """Return how many images of *rule* wait unpaid: queued, or held for a person."""
        return await self._ask(lambda connection: accounts.unpaid(connection, rule))

    async def parked(self, *, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait for nothing but their budget, oldest first; each rule gets the same share."""
        rows = await self._ask(lambda connection: accounts.parked(connection, limit))
        return tuple(sorted((job_from(row) for row in rows), key=lambda job: (job.created_at, job.key)))

    async def unfunded(self, *, now: datetime) -> int:
        """Return how many jobs wait for their budget beyond *now*."""
        return await self._ask(lambda connection: accounts.unfunded(connection, to_us(now)))

    async def waiting(self, *, beyond: datetime, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait until after *beyond*, and not for their budget, oldest first."""
        rows = await self._ask(lambda connection: queries.waiting(connection, to_us(beyond), limit))
        return tuple(job_from(row) for row in rows)

    async def turn_of(self, period: Period) -> Turn | None:
        """Return which day or month is being spent from, as far as anybody asked."""
        return await self._ask(lambda connection: accounts.turn_of(connection, period))

    async def switch(self) -> Switch | None:
        """Return whether spending is stopped; None: nobody ever stopped it."""
        return await self._ask(accounts.switch)

    async def upload_of(self, sha256: str, *, now: datetime) -> Upload | None:
        """Return an upload of this content that is valid after *now*; its slot is empty."""
        row = await self._ask(lambda connection: queries.upload_of(connection, sha256, to_us(now)))
        if row is None:
            return None
        upload_id, valid_until_us, prepared = row
        return Upload(
            slot="",
            sha256=sha256,
            upload_id=upload_id,
            valid_until=from_us(valid_until_us),
            prepared=prepared,
        )


def _entry(row: Row) -> Entry:
    day, rule, inbox, folder, operation, model, fate, orders, images, operations = row
    place = inbox.decode("utf-8", "surrogateescape")
    return Entry(
        day=day,
        rule=RuleName(rule),
        folder=posixpath.join(place, folder).rstrip("/") or "/",
        operation=operation,
        model=model,
        fate=Fate(fate),
        orders=orders,
        amount=Amount(images=images, operations=operations),
    )


def _timing(fixed: str, took_us: int) -> Timing:
    order = order_of(fixed)
    return Timing(
        operation=order["operation"],
        model=order["model"],
        size=order["size"],
        images=order["images"],
        took_s=took_us / 1_000_000,
    )
