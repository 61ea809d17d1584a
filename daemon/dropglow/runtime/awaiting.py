"""Await a remote job: ask for its status when that is worth a question, and cancel it when somebody wants that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from dropglow import polling, retry
from dropglow.clock import Clock
from dropglow.errors import FireflyError, RequestRefused, Unavailable, Verdict
from dropglow.events import CancelConfirmed, CancelSent, Completed, Event, GaveUp, RanLate
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.redaction import redact, shortened
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded
from dropglow.lifecycle import Wait
from dropglow.model import Billed, Failure, Job, Stage, Submission
from dropglow.runtime.outcomes import ANEW, Outcomes
from dropglow.runtime.setbacks import Setbacks

_ASKED_AGAIN: Final = "it is asked again by itself"
GIVE_UP_WAITING: Final = timedelta(hours=24)
_CODE_MAX: Final = 100  # characters of a foreign code
TIRED_OF_ASKING: Final = 6  # how often Adobe may deny a job before we believe it


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to ask, and from when on a job is late. Seconds."""

    poll_s_min: float
    poll_s_max: float
    job_timeout_s: float


class Awaiting:
    """Await remote jobs for every worker."""

    def __init__(
        self,
        *,
        client: FireflyClient,
        clock: Clock,
        setbacks: Setbacks,
        durations: polling.Durations,
        patience: Patience,
        outcomes: Outcomes,
    ) -> None:
        """Keep the parts."""
        self._client = client
        self._clock = clock
        self._setbacks = setbacks
        self._durations = durations
        self.patience = patience  # may be changed at any time
        self._outcomes = outcomes

    async def poll(self, job: Job) -> Event | Wait:
        """Ask for the status; return what happened, or until when nothing can be learned."""
        outcome = await self._ask(job)
        if not isinstance(outcome, Wait):
            self._durations.forget(job.key)
        return outcome

    def first_look(self, job: Job) -> Wait | None:
        """Return until when a job that was accepted just now is not worth asking about."""
        now = self._clock.now()
        if job.stage is not Stage.RUNNING or job.accepted_at is None or job.late:
            return None
        wait = self._still_running(job, now)
        return wait if isinstance(wait, Wait) else None

    async def cancel(self, job: Job) -> Event:
        """Ask Adobe to cancel; its status will tell what became of it."""
        try:
            await self._client.cancel(_receipt(job))
        except RequestRefused:
            return CancelSent()  # too late, or cancelled already: its status will tell
        except FireflyError as error:
            return self._outcomes.postponed(job, error, retry.ASKING)
        self._outcomes.answered()
        return CancelSent()

    async def _ask(self, job: Job) -> Event | Wait:
        try:
            status = await self._client.status(_receipt(job))
        except FireflyError as error:
            if error.service_wide:
                self._setbacks.heed(job.key, error)
            return self._unanswered(job, error)
        self._outcomes.answered()
        now = self._clock.now()
        match status:
            case StillRunning(progress=percent):
                kind = polling.kind_of(job.order)
                self._durations.seen_running(job.key, kind, _elapsed_s(job, now), percent=percent)
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
        if job.stage is Stage.FETCHING:
            # Its place is taken by others meanwhile, so the wait must be stored: else it would be asked about at once.
            return self._outcomes.postponed(job, _unfinished(), retry.ASKING)
        if elapsed_s >= self.patience.job_timeout_s:
            if not job.late:
                return RanLate(at=now)
            return Wait(now + timedelta(seconds=polling.late_look_s(self.patience.poll_s_max)))
        look_s = self._durations.look_s(
            job.key,
            job.order,
            elapsed_s=elapsed_s,
            minimum_s=self.patience.poll_s_min,
            maximum_s=self.patience.poll_s_max,
        )
        return Wait(now + timedelta(seconds=look_s))

    def _learn(self, job: Job, now: datetime) -> None:
        if job.stage is Stage.RUNNING and job.accepted_at is not None:
            self._durations.seen_ended(job.key, polling.kind_of(job.order), _elapsed_s(job, now))

    def _ended_badly(self, job: Job, status: EndedBadly, now: datetime) -> Event:
        if status.word == "cancelled" and job.stage is Stage.CANCELLING:
            return CancelConfirmed(at=now)
        code = shortened(redact(status.code), _CODE_MAX)
        failure = Failure(
            code=code or status.word,
            what=f"Firefly ended this job as {status.word}",
            why=shortened(redact(status.message)) or code,
            hint=ANEW,
            billed=Billed.UNKNOWN,
        )
        return GaveUp(failure=failure, at=now)

    def _unanswered(self, job: Job, error: FireflyError) -> Event:
        if isinstance(error, RequestRefused) and self._believable(job, error):
            billed = Billed.YES if job.completed_at else Billed.UNKNOWN
            return self._outcomes.gave_up("Adobe no longer knows this job", error, billed, hint=ANEW)
        # Nobody's rule or file is to blame for a question of ours.
        hint = _ASKED_AGAIN if isinstance(error, RequestRefused) else ""
        return self._outcomes.postponed(job, error, retry.ASKING, hint=hint)

    def _believable(self, job: Job, denial: RequestRefused) -> bool:
        if job.failure is None or job.failure.code != denial.code:
            return False
        if job.completed_at is not None and job.reuses is None:
            # Paid for by itself, and its failures count what kept its results from being fetched: only time tells.
            return self._clock.now() - job.completed_at > GIVE_UP_WAITING
        return job.trips + 1 >= TIRED_OF_ASKING


def _unfinished() -> Unavailable:
    return Unavailable(
        "Adobe says that this job runs, which had finished before",
        hint=_ASKED_AGAIN,
        code="runs_again",
        verdict=Verdict.LATER,
    )


def _elapsed_s(job: Job, now: datetime) -> float:
    return (now - (job.accepted_at or now)).total_seconds()


def _receipt(job: Job) -> Submission:
    assert job.submission is not None, f"{job.key} has no receipt at {job.stage}"
    return job.submission
