"""Bring results home: download them to temporary names in the outbox, then give them their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from dropglow import retry
from dropglow.clock import Clock
from dropglow.delivery.keep import Keep
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool, SpoolFile
from dropglow.errors import DeliveryError, DiskError, FileGone, FireflyError, RequestRefused
from dropglow.events import Delivered, Event, Fetched, LinksExpired, Postponed, SpoolLost
from dropglow.firefly.client import FireflyClient
from dropglow.ledger.base import Ledger
from dropglow.model import Artifact, Billed, Drop, Job, Output
from dropglow.runtime.insisting import insist
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.outcomes import ANEW, Outcomes, failure_of

PLACING: Final = 4  # how many jobs give results their names in one outbox at once: each takes a thread
FRESH_LINKS: Final = 3  # how often links may die under us before we wait
SHORTEST_PATIENCE: Final = timedelta(seconds=10)
LONGEST_PATIENCE: Final = timedelta(minutes=30)
GIVE_UP_FETCHING: Final = timedelta(hours=24)


class Fetching:
    """Fetch and deliver for every worker."""

    def __init__(
        self,
        *,
        client: FireflyClient,
        ledger: Ledger,
        spool: Spool,
        outbox: Outbox,
        outboxes: Outboxes,
        keep: Keep,
        clock: Clock,
        outcomes: Outcomes,
        downloads: int,
    ) -> None:
        """Keep the parts; *downloads* bounds how many jobs fetch at once, of one outbox half as many."""
        self._client = client
        self._ledger = ledger
        self._spool = spool
        self._outbox = outbox
        self._outboxes = outboxes
        self._clock = clock
        self._outcomes = outcomes
        self._keep = keep
        self._downloads = asyncio.Semaphore(downloads)
        # A share that hangs takes what is under way with it, and leaves the others their part.
        self._each = _one_each(max(1, downloads // 2))
        self._placing = _one_each(PLACING)

    async def fetch(self, job: Job) -> Event:
        """Download every result of *job*, complete and verified, or none.

        While its outbox is away they are kept in the state folder: links expire, and what they lead to is paid for.
        """
        async with self._each[job.order.delivery.outbox], self._downloads:
            return await self._fetch(job)

    async def deliver(self, job: Job, drop: Drop) -> Event:
        """Give every result of *job* of *drop* its final name; idempotent after a crash."""
        if (away := await self._absence(job)) is not None:
            return away
        now = self._clock.now()
        bought = await self._as_bought(job)
        try:
            async with self._placing[job.order.delivery.outbox]:
                paths = await asyncio.to_thread(self._delivered, bought, drop, now)
        except FileGone:
            return await self._lost(job)
        except (DeliveryError, DiskError) as error:
            self._outboxes.doubt(job.order.delivery.outbox)
            return self._outcomes.postponed(job, error, retry.STORING)
        return Delivered(paths=paths, at=now)

    async def _lost(self, job: Job) -> Event:
        """Return what is left of *job*, whose results do not all exist any more: those that have their final names."""
        try:
            standing = await asyncio.to_thread(self._outbox.standing, job)
        except (DeliveryError, DiskError) as error:
            return self._outcomes.postponed(job, error, retry.STORING)
        if (away := await self._absence(job)) is not None:
            return away  # what was not found may stand there all the same
        await asyncio.to_thread(self._forget, job)  # its other results are fetched again as well
        return SpoolLost(standing=standing)

    def _delivered(self, job: Job, drop: Drop, now: datetime) -> tuple[str, ...]:
        paths = self._outbox.deliver(job, drop, now=now)
        self._keep.forget(job.key, len(job.outputs))
        if job.trips:  # what an outbox that went in the middle of it kept of a sidecar
            self._forget(job)
        return paths

    async def _absence(self, job: Job) -> Event | None:
        """Return *Postponed* where the outbox is not there; a full one may take what is in it already."""
        absence = await self._outboxes.absence(job.order.delivery.outbox)
        return None if absence is None else self._outcomes.postponed(job, absence, retry.STORING)

    async def _trouble(self, job: Job) -> Event | None:
        """Return *Postponed* where the outbox is not there, or takes nothing."""
        trouble = await self._outboxes.trouble(job.order.delivery.outbox, needed_bytes=0)
        return None if trouble is None else self._outcomes.postponed(job, trouble, retry.STORING)

    async def _as_bought(self, job: Job) -> Job:
        """Return *job* with the very order that was placed, where another job placed it: its sidecars tell of that."""
        if (twin_key := job.reuses) is None:
            return job
        twin = await insist(lambda: self._ledger.job(twin_key), self._clock)
        placed = (await self._as_bought(twin)).order
        return replace(job, order=replace(job.order, body=placed.body, seeds=placed.seeds))

    async def _fetch(self, job: Job) -> Event:
        away = await self._trouble(job)
        if away is not None or self._outboxes.is_remote(job.order.delivery.outbox):
            # Not into a share: writing is done piece by piece in the loop, and would hang with it.
            unkept = await self._keep_all(job)
            if (obstacle := away if unkept is None else unkept) is not None:
                return obstacle
        fetched = False
        if job.trips:  # what was begun in an outbox that went in the middle of it
            await asyncio.to_thread(self._forget, job)
        try:
            # Without any, nothing of it can stand: the usual case needs no thread.
            standing = await asyncio.to_thread(self._outbox.standing, job) if job.artifacts else ()
            artifacts = [
                _known(standing, output) or await self._fetch_one(job, output) for output in job.outputs
            ]
            fetched = True
        except RequestRefused as error:
            return self._dead_link(job, error)
        except FireflyError as error:
            return self._outcomes.postponed(job, error, retry.ASKING)
        except (DeliveryError, DiskError) as error:
            self._outboxes.doubt(job.order.delivery.outbox)
            return self._outcomes.postponed(job, error, retry.STORING)
        finally:
            if not fetched:
                await asyncio.to_thread(self._forget, job)
        return Fetched(artifacts=tuple(artifacts))

    def _forget(self, job: Job) -> None:
        with contextlib.suppress(DeliveryError):  # the same trouble, told already
            self._spool.forget(job)

    async def _keep_all(self, job: Job) -> Event | None:
        """Download into the state folder what is not there yet; return what went wrong."""
        try:
            for output in job.outputs:
                await self._keep_one(job, output)
        except RequestRefused as error:
            return self._dead_link(job, error)
        except FireflyError as error:
            return self._outcomes.postponed(job, error, retry.ASKING)
        except (DeliveryError, DiskError) as error:
            return self._outcomes.postponed(job, error, retry.STORING)
        return None

    async def _keep_one(self, job: Job, output: Output) -> None:
        if await asyncio.to_thread(self._keep.has, job, output):
            return
        file = await asyncio.to_thread(self._keep.open, job, output)
        artifact = await self._downloaded(file, output)
        await asyncio.to_thread(self._keep.keep, job, artifact)

    async def _fetch_one(self, job: Job, output: Output) -> Artifact:
        file = await asyncio.to_thread(self._brought_or_opened, job, output)
        return file if isinstance(file, Artifact) else await self._downloaded(file, output)

    def _brought_or_opened(self, job: Job, output: Output) -> Artifact | SpoolFile:
        """Return the result where it is kept, and a file to download it into where it is not."""
        if self._keep.has(job, output):
            return self._keep.bring(job, output)
        return self._spool.open(job, output)

    async def _downloaded(self, file: SpoolFile, output: Output) -> Artifact:
        try:
            downloaded = await self._client.download(output.url, file.write)
            self._outcomes.answered()
            return await asyncio.to_thread(file.finish, expected_bytes=downloaded.expected_bytes)
        finally:
            file.discard()  # does nothing once it is finished

    def _dead_link(self, job: Job, error: RequestRefused) -> Event:
        # While links die, and only then, the trips of this stage count them; see ``LinksExpired``.
        dead = job.trips if job.failure is None else 0
        dead_before = job.failure is not None and job.failure.code == error.code
        if dead < FRESH_LINKS and not dead_before:
            return LinksExpired()
        now = self._clock.now()
        waited = now - (job.completed_at or now)
        if waited > GIVE_UP_FETCHING:
            return self._outcomes.gave_up(
                "the results can no longer be fetched", error, Billed.YES, hint=ANEW
            )
        # Paid for: what is wrong with the links may mend, so ask at growing distances for a day.
        until = now + min(max(waited / 2, SHORTEST_PATIENCE), LONGEST_PATIENCE)
        return Postponed(until=until, failure=failure_of(error.message, error, Billed.YES))


def _known(standing: Iterable[Artifact], output: Output) -> Artifact | None:
    """Return which of the results that have their final names is *output*; Adobe may number them anew, with their seeds."""
    for artifact in standing:
        if artifact.index == output.index and output.seed in {None, artifact.seed}:
            return artifact
    return None


def _one_each(places: int) -> defaultdict[str, asyncio.Semaphore]:
    return defaultdict(lambda: asyncio.Semaphore(places))
