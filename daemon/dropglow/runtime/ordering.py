"""Place an order: bring its pictures to Adobe, look whether it may go, send it once.

The verdict of a ``FireflyError`` decides between *Declined*, *Doubted* and
*GaveUp*; before the intent is stored there is only *Postponed*, since nothing can
have left. The worker stores the intent, when the connection for the order stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, assert_never

from dropglow import polling, retry
from dropglow.clock import Clock
from dropglow.errors import (
    DeliveryError,
    DiskError,
    FileGone,
    FireflyError,
    RequestRefused,
    SourceFault,
    Verdict,
)
from dropglow.events import Accepted, Declined, Doubted, Event, GaveUp, Postponed, Prepared
from dropglow.firefly.client import FireflyClient
from dropglow.landmarks import Role
from dropglow.lifecycle import Wait
from dropglow.model import Billed, Drop, Job
from dropglow.pacing import Gate
from dropglow.runtime.ground import Ground
from dropglow.runtime.links import Links
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.outcomes import Outcomes, failure_of
from dropglow.runtime.room import needed_bytes
from dropglow.runtime.setbacks import Setbacks
from dropglow.runtime.uploads import GateClosed, Uploads
from dropglow.runtime.writers import Writers

_ANEW: Final = "it is uploaded again by itself"
_UNBOUGHT: Final = "nothing was ordered"
_UNUSABLE: Final = "a picture of this order cannot be used"


class Ordering:
    """Place orders for every worker."""

    def __init__(
        self,
        *,
        client: FireflyClient,
        uploads: Uploads,
        links: Links,
        writers: Writers,
        outboxes: Outboxes,
        ground: Ground,
        clock: Clock,
        gate: Gate,
        setbacks: Setbacks,
        durations: polling.Durations,
        outcomes: Outcomes,
        chance: Callable[[], float],
    ) -> None:
        """Keep the parts. *chance* returns numbers from 0 to 1."""
        self._client = client
        self._uploads = uploads
        self._links = links
        self._writers = writers
        self._outboxes = outboxes
        self._ground = ground
        self._clock = clock
        self._gate = gate
        self._setbacks = setbacks
        self._durations = durations
        self._outcomes = outcomes
        self._chance = chance

    def held_until(self) -> datetime | None:
        """Return until when the request limits forbid a request, or None."""
        wait_s = self._gate.wait_s(self._clock.monotonic())
        return self._clock.now() + timedelta(seconds=wait_s) if wait_s > 0 else None

    async def obstacle(self, job: Job, drop: Drop) -> Event | None:
        """Return *Postponed* where nothing should be bought for *job* now: its results could not be stored, or Adobe is unwell.

        *GaveUp* where its files are not what was taken any more.

        After trouble at Adobe's side a question that buys nothing goes ahead of the next order: an order is a
        bad probe, since nobody can know what became of one that found the service unwell.
        """
        if self._gate.setbacks and (unwell := await self._unwell(job)) is not None:
            return unwell
        plan, room_bytes = job.order.delivery, needed_bytes(job.order)
        trouble: DeliveryError | DiskError | None
        trouble = await self._outboxes.trouble(plan.outbox, needed_bytes=room_bytes)
        if trouble is None and job.order.references:
            # What it needs is in its inbox. A file that is missing while the share is away is not missed.
            trouble = await self._ground.away(Role.INBOX, job.inbox)
        if trouble is not None:
            return self._outcomes.postponed(job, trouble, retry.STORING)
        rewritten = await self._writers.fault(job, drop)
        return None if rewritten is None else self._outcomes.gave_up(_UNBOUGHT, rewritten, Billed.NO)

    async def _unwell(self, job: Job) -> Event | None:
        try:
            await self._client.check_entitlement()
        except RequestRefused:
            return None  # an answer all the same
        except FireflyError as error:
            self._setbacks.heed(job.key, error)
            return self._outcomes.postponed(job, error, retry.ORDERING)
        return None

    def count_submission(self) -> None:
        """Count one submission against the request limits, now."""
        self._gate.take(self._clock.monotonic())

    async def prepare(self, job: Job) -> Event | Wait:
        """Bring every picture of the order to Adobe; return what happened, or until when the limits forbid it."""
        try:
            uploads = await self._uploads.of(job)
            await self._links.of(job)
        except GateClosed as closed:
            return Wait(closed.until)
        except RequestRefused as error:
            return self._outcomes.gave_up("Adobe refused the picture", error, Billed.NO)
        except FireflyError as error:
            self._setbacks.heed(job.key, error)
            return self._outcomes.postponed(job, error, retry.ORDERING)
        except FileGone as error:
            absence = await self._ground.away(Role.INBOX, job.inbox)
            if absence is not None:  # it went while we looked
                return self._outcomes.postponed(job, absence, retry.STORING)
            return self._outcomes.gave_up(_UNUSABLE, error, Billed.NO)
        except SourceFault as error:
            return self._outcomes.gave_up(_UNUSABLE, error, Billed.NO)
        except DiskError as error:
            return self._outcomes.postponed(job, error, retry.STORING)
        return Prepared(uploads=uploads)

    async def submit(self, job: Job, *, store_intent: Callable[[], Awaitable[None]]) -> Event:
        """Connect, have the intent stored, and send the order exactly once; return what became of it.

        Args:
            job: As it is with its intent.
            store_intent: Called once, when the connection stands.

        Raises:
            DropglowError: What *store_intent* raised; nothing was sent.
        """
        stored = False

        async def before_sending() -> None:
            nonlocal stored
            await store_intent()
            stored = True

        try:
            links = await self._links.of(job)
        except (DiskError, SourceFault) as error:
            return self._outcomes.gave_up(_UNUSABLE, error, Billed.NO)
        try:
            submission = await self._client.submit(
                job.order, job.uploads, links, before_sending=before_sending, request_id=job.request_id
            )
        except FireflyError as error:
            return self._unplaced(job, error) if stored else self._unsent(job, error)
        self._gate.answered()
        self._durations.began(job.key)
        return Accepted(submission=submission, at=self._clock.now())

    def _unsent(self, job: Job, error: FireflyError) -> Postponed:
        """Return that *job* waits as it is: the order did not get as far as its intent."""
        self._setbacks.heed(job.key, error)
        return Postponed(
            until=self._again_at(job, error), failure=failure_of("the order was not sent", error, Billed.NO)
        )

    def _again_at(self, job: Job, error: FireflyError) -> datetime:
        now, chance = self._clock.now(), self._chance()
        return retry.again_at(now, retry.ORDERING, job.trips, chance=chance, not_before=error.retry_at)

    def _unplaced(self, job: Job, error: FireflyError) -> Event:
        counts = self._setbacks.heed(job.key, error)
        now = self._clock.now()
        match error.verdict:
            case Verdict.NO:
                uploaded = [each.upload_id for each in job.uploads]
                if any(each in error.message for each in uploaded):
                    self._uploads.forget(
                        uploaded
                    )  # all: where one is gone the others are, and each costs a refusal
                    return self._anew(job, error)
                return GaveUp(failure=failure_of(_UNBOUGHT, error, Billed.NO), at=now)
            case Verdict.UNKNOWN:
                failure = failure_of(
                    "nobody knows whether Adobe accepted this order",
                    error,
                    Billed.UNKNOWN,
                    hint="look for it at Adobe, then settle it with: dropglow resolve",
                )
                return Doubted(failure=failure)
            case Verdict.LATER:
                failure = failure_of("the order was not accepted", error, Billed.NO)
                return Declined(failure=failure, until=self._again_at(job, error), counts=counts)
            case _:
                assert_never(error.verdict)

    def _anew(self, job: Job, error: FireflyError) -> Declined:
        """Return that the order goes again, with its pictures uploaded again."""
        failure = failure_of("Adobe no longer has a picture of this order", error, Billed.NO, hint=_ANEW)
        now = self._clock.now()
        until = retry.again_at(now, retry.ORDERING, job.trips, chance=self._chance())
        return Declined(failure=failure, until=until, counts=True, anew=True)
