"""Turn what should be done into what happened: the only module that calls client, spool and outbox.

One method for each act; each returns an event, or how long nothing can be
learned. Faults become events here: the verdict of a ``FireflyError`` decides
between *Declined*, *Doubted* and *GaveUp*.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from dropglow import polling, retry
from dropglow.clock import Clock
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.errors import (
    AuthError,
    DeliveryError,
    DiskError,
    FileGone,
    FireflyError,
    RequestRefused,
    Verdict,
)
from dropglow.events import (
    Accepted,
    CancelConfirmed,
    CancelSent,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Fetched,
    GaveUp,
    LinksExpired,
    Postponed,
    Prepared,
    RanLate,
    SpoolLost,
)
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import Act, Cancel, Deliver, Fetch, Poll, Prepare, Submit, Wait
from dropglow.model import Artifact, Billed, Failure, Job, Output, Stage, Submission
from dropglow.pacing import Gate
from dropglow.runtime.insisting import insist
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.uploads import GateClosed, Uploads

GIVE_UP_WAITING: Final = timedelta(hours=24)
TIRED_OF_ASKING: Final = 6  # how often Adobe may deny a job before we believe it
ANEW: Final = "trying again is a new order, and is billed again"
FRESH_LINKS: Final = 3  # how often links may die under us before we wait
SHORTEST_PATIENCE: Final = timedelta(seconds=10)
LONGEST_PATIENCE: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to ask, and from when on a job is late. Seconds."""

    poll_s_min: float
    poll_s_max: float
    job_timeout_s: float


class Performer:
    """Carry acts out for every worker."""

    def __init__(
        self,
        *,
        client: FireflyClient,
        ledger: Ledger,
        uploads: Uploads,
        spool: Spool,
        outbox: Outbox,
        outboxes: Outboxes,
        clock: Clock,
        gate: Gate,
        durations: polling.Durations,
        patience: Patience,
        chance: Callable[[], float],
        downloads: int,
    ) -> None:
        """Keep the parts. *chance* returns numbers from 0 to 1; *downloads* bounds fetches at once."""
        self._client = client
        self._ledger = ledger
        self._uploads = uploads
        self._spool = spool
        self._outbox = outbox
        self._outboxes = outboxes
        self._clock = clock
        self._gate = gate
        self._durations = durations
        self._patience = patience
        self._chance = chance
        self._downloads = asyncio.Semaphore(downloads)

    async def __call__(self, act: Act, job: Job) -> Event | Wait:
        """Carry *act* out for *job* and return what happened."""
        match act:
            case Prepare():
                return await self._prepare(job)
            case Submit():
                return await self.submit(job)
            case Poll():
                outcome = await self._poll(job)
                if not isinstance(outcome, Wait):
                    self._durations.forget(job.key)
                return outcome
            case Cancel():
                return await self._cancel(job)
            case Fetch():
                async with self._downloads:
                    return await self._fetch(job)
            case Deliver():
                return await self._deliver(job)
            case _:
                assert_never(act)

    def held_until(self, act: Prepare | Submit) -> datetime | None:  # noqa: ARG002
        """Return until when the request limits forbid *act*, or None."""
        wait_s = self._gate.wait_s(self._clock.monotonic())
        return self._clock.now() + timedelta(seconds=wait_s) if wait_s > 0 else None

    async def obstacle(self, job: Job) -> Event | None:
        """Return *Postponed* where the results of *job* could not be stored: nothing is bought for them then."""
        trouble = await self._outboxes.trouble(job.order.delivery.outbox)
        return None if trouble is None else self._postponed(job, trouble, retry.STORING)

    def count_submission(self) -> None:
        """Count one submission against the request limits, now."""
        self._gate.take(self._clock.monotonic())

    async def submit(self, job: Job) -> Event:
        """Send the order, whose intent is stored, exactly once; return what became of it."""
        try:
            submission = await self._client.submit(job.order, job.uploads)
        except FireflyError as error:
            return self._unplaced(job, error)
        self._gate.answered()
        self._durations.began(job.key)
        return Accepted(submission=submission, at=self._clock.now())

    def _unplaced(self, job: Job, error: FireflyError) -> Event:
        counts = self._heed(job, error)
        now = self._clock.now()
        match error.verdict:
            case Verdict.NO:
                return GaveUp(failure=_failure("Firefly refused this order", error, Billed.NO), at=now)
            case Verdict.UNKNOWN:
                failure = _failure(
                    "nobody knows whether Adobe accepted this order",
                    error,
                    Billed.UNKNOWN,
                    hint="look for it at Adobe, then settle it with: dropglow resolve",
                )
                return Doubted(failure=failure)
            case Verdict.LATER:
                until = retry.again_at(
                    now, retry.ORDERING, job.trips, chance=self._chance(), not_before=error.retry_at
                )
                failure = _failure("the order was not accepted", error, Billed.NO)
                return Declined(failure=failure, until=until, counts=counts)
            case _:
                assert_never(error.verdict)

    async def _prepare(self, job: Job) -> Event | Wait:
        try:
            uploads = await self._uploads.of(job)
        except GateClosed as closed:
            return Wait(closed.until)
        except RequestRefused as error:
            return self._gave_up("Adobe refused the picture", error, Billed.NO)
        except FireflyError as error:
            self._heed(job, error)
            return self._postponed(job, error, retry.ORDERING)
        except FileGone as error:
            return self._gave_up("the picture is no longer there", error, Billed.NO)
        except DiskError as error:
            return self._postponed(job, error, retry.STORING)
        return Prepared(uploads=uploads)

    async def _poll(self, job: Job) -> Event | Wait:
        try:
            status = await self._client.status(_receipt(job))
        except FireflyError as error:
            if error.service_wide:
                self._heed(job, error)
            return self._unanswered(job, error)
        now = self._clock.now()
        match status:
            case StillRunning():
                self._durations.seen_running(job.key, _elapsed_s(job, now))
                return self._still_running(job, now)
            case Succeeded(outputs=outputs) if outputs:
                self._learn(job, now)
                return Completed(outputs=outputs, at=now)
            case Succeeded():
                failure = Failure(
                    code="no_results",
                    what="Firefly finished this job without a single picture",
                    why="its content filter may have removed them all",
                    hint="change the prompt or the picture, then use: dropglow retry",
                    billed=Billed.UNKNOWN,
                )
                return GaveUp(failure=failure, at=now)
            case EndedBadly():
                return self._ended_badly(job, status, now)
            case _:
                assert_never(status)

    def _still_running(self, job: Job, now: datetime) -> Event | Wait:
        elapsed_s = _elapsed_s(job, now)
        if elapsed_s >= GIVE_UP_WAITING.total_seconds():
            failure = Failure(
                code="never_ended",
                what="Firefly did not finish this job within a day",
                hint="ask Adobe about the job id; it may have been billed",
                billed=Billed.UNKNOWN,
            )
            return GaveUp(failure=failure, at=now)
        if elapsed_s >= self._patience.job_timeout_s:
            if not job.late:
                return RanLate(at=now)
            return Wait(now + timedelta(seconds=polling.late_look_s(self._patience.poll_s_max)))
        look_s = polling.next_look_s(
            self._durations.of(polling.kind_of(job.order)),
            elapsed_s=elapsed_s,
            minimum_s=self._patience.poll_s_min,
            maximum_s=self._patience.poll_s_max,
        )
        return Wait(now + timedelta(seconds=look_s))

    def first_look(self, job: Job) -> Wait | None:
        """Return until when a job that was accepted just now is not worth asking about."""
        now = self._clock.now()
        if job.stage is not Stage.RUNNING or job.accepted_at is None or job.late:
            return None
        wait = self._still_running(job, now)
        return wait if isinstance(wait, Wait) else None

    def _learn(self, job: Job, now: datetime) -> None:
        if job.stage is Stage.RUNNING and job.accepted_at is not None:
            self._durations.seen_ended(job.key, polling.kind_of(job.order), _elapsed_s(job, now))

    def _ended_badly(self, job: Job, status: EndedBadly, now: datetime) -> Event:
        if status.word == "cancelled" and job.stage is Stage.CANCELLING:
            return CancelConfirmed(at=now)
        failure = Failure(
            code=status.code or status.word,
            what=f"Firefly ended this job as {status.word}",
            why=status.message or status.code,
            hint=ANEW,
            billed=Billed.UNKNOWN,
        )
        return GaveUp(failure=failure, at=now)

    def _unanswered(self, job: Job, error: FireflyError) -> Event:
        denied_before = job.failure is not None and job.failure.code == error.code
        if isinstance(error, RequestRefused) and denied_before and job.trips + 1 >= TIRED_OF_ASKING:
            billed = Billed.YES if job.completed_at else Billed.UNKNOWN
            return self._gave_up("Adobe no longer knows this job", error, billed, hint=ANEW)
        return self._postponed(job, error, retry.ASKING)

    async def _cancel(self, job: Job) -> Event:
        try:
            await self._client.cancel(_receipt(job))
        except RequestRefused:
            return CancelSent()  # too late, or cancelled already: its status will tell
        except FireflyError as error:
            return self._postponed(job, error, retry.ASKING)
        return CancelSent()

    async def _fetch(self, job: Job) -> Event:
        fetched = False
        try:
            artifacts = [await self._fetch_one(job, output) for output in job.outputs]
            fetched = True
        except RequestRefused as error:
            return self._dead_link(job, error)
        except FireflyError as error:
            return self._postponed(job, error, retry.ASKING)
        except (DeliveryError, DiskError) as error:
            self._outboxes.doubt(job.order.delivery.outbox)
            return self._postponed(job, error, retry.STORING)
        finally:
            if not fetched:
                await asyncio.to_thread(self._forget, job)
        return Fetched(artifacts=tuple(artifacts))

    def _forget(self, job: Job) -> None:
        with contextlib.suppress(DeliveryError):  # the same trouble, told already
            self._spool.forget(job)

    async def _fetch_one(self, job: Job, output: Output) -> Artifact:
        file = await asyncio.to_thread(self._spool.open, job, output)
        try:
            downloaded = await self._client.download(output.url, file.write)
            return await asyncio.to_thread(file.finish, expected_bytes=downloaded.expected_bytes)
        finally:
            file.discard()  # does nothing once it is finished

    def _dead_link(self, job: Job, error: RequestRefused) -> Event:
        # While links die, and only then, the trips of this stage count them; see ``LinksExpired``.
        dead = job.trips if job.failure is None else 0
        if dead < FRESH_LINKS:
            return LinksExpired()
        now = self._clock.now()
        waited = now - (job.completed_at or now)
        if waited > GIVE_UP_WAITING:
            return self._gave_up("the results can no longer be fetched", error, Billed.YES, hint=ANEW)
        # Paid for: what is wrong with the links may mend, so ask at growing distances for a day.
        until = now + min(max(waited / 2, SHORTEST_PATIENCE), LONGEST_PATIENCE)
        return Postponed(until=until, failure=_failure(error.message, error, Billed.YES))

    async def _deliver(self, job: Job) -> Event:
        drop = await insist(lambda: self._ledger.drop(job.drop), self._clock)
        now = self._clock.now()
        try:
            paths = await asyncio.to_thread(self._outbox.deliver, job, drop, now=now)
        except FileGone:
            await asyncio.to_thread(self._forget, job)  # its other results are fetched again as well
            return SpoolLost()
        except (DeliveryError, DiskError) as error:
            self._outboxes.doubt(job.order.delivery.outbox)
            return self._postponed(job, error, retry.STORING)
        return Delivered(paths=paths, at=now)

    def _postponed(
        self, job: Job, error: FireflyError | DiskError | DeliveryError, backoff: retry.Backoff
    ) -> Event:
        asked = error.retry_at if isinstance(error, FireflyError) else None
        until = retry.again_at(self._clock.now(), backoff, job.trips, chance=self._chance(), not_before=asked)
        return Postponed(until=until, failure=_failure(error.message, error, _billed(job)))

    def _gave_up(
        self, what: str, error: FireflyError | DiskError, billed: Billed, *, hint: str = ""
    ) -> Event:
        return GaveUp(failure=_failure(what, error, billed, hint=hint), at=self._clock.now())

    def _heed(self, job: Job, error: FireflyError) -> bool:
        """Hold every order back where the service is the trouble; return whether it counts against this one."""
        if error.verdict is Verdict.NO:
            self._gate.answered()
            return True
        now = self._clock.now()
        until = retry.again_at(
            now, retry.SERVICE, self._gate.setbacks, chance=self._chance(), not_before=error.retry_at
        )
        needs_person = isinstance(error, AuthError)
        pause_s = (until - now).total_seconds()
        counts = self._gate.setback(
            self._clock.monotonic(),
            pause_s=max(pause_s, 60.0) if needs_person else pause_s,
            reason=_line(error),
            who=job.key,
            needs_person=needs_person,
        )
        return counts and not error.service_wide


def _elapsed_s(job: Job, now: datetime) -> float:
    return (now - (job.accepted_at or now)).total_seconds()


def _receipt(job: Job) -> Submission:
    assert job.submission is not None, f"{job.key} has no receipt at {job.stage}"
    return job.submission


def _billed(job: Job) -> Billed:
    return Billed.YES if job.completed_at else Billed.UNKNOWN if job.accepted_at else Billed.NO


def _failure(
    what: str, error: FireflyError | DiskError | DeliveryError, billed: Billed, *, hint: str = ""
) -> Failure:
    code = error.code if isinstance(error, FireflyError) else type(error).__name__
    why = "" if error.message == what else error.message
    return Failure(code=code, what=what, why=why, hint=hint or error.hint, billed=billed)


def _line(error: FireflyError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
