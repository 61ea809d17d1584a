"""Carry out what an operator asks: retry, cancel, approve, the three ways to settle a doubt, and to stop spending.

A wish is an event like any other: it goes through the table and the
compare-and-set, whether a service runs or a command acts in its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, assert_never

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.errors import (
    Conflict,
    DropglowError,
    FireflyError,
    IllegalTransition,
    RequestRefused,
    UnknownKey,
)
from dropglow.events import Abandoned, Approved, Attached, CancelAsked, Event, ResubmitAsked, RetryAsked
from dropglow.firefly.hosts import job_id_like
from dropglow.ledger.base import Ledger
from dropglow.ledger.mailbox import Verb, Wish
from dropglow.lifecycle import RESTING, advance
from dropglow.model import DropKey, Job, JobKey, RemoteId, Stage, Submission
from dropglow.money import Switch
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.telling import log, told
from dropglow.runtime.turns import Turns

OF_SPENDING: Final = frozenset({Verb.PAUSE, Verb.RESUME})  # wishes that mean no drop and no job

_STAGES: Final[dict[Verb, frozenset[Stage]]] = {
    Verb.RETRY: frozenset({Stage.FAILED, Stage.CANCELLED}),
    Verb.CANCEL: (frozenset(Stage) - RESTING) | {Stage.HELD},
    Verb.APPROVE: frozenset({Stage.HELD}),
    Verb.RESUBMIT: frozenset({Stage.IN_DOUBT}),
    Verb.ABANDON: frozenset({Stage.IN_DOUBT}),
    Verb.ATTACH: frozenset({Stage.IN_DOUBT}),
    Verb.PAUSE: frozenset(),
    Verb.RESUME: frozenset(),
}

_BUYING: Final = frozenset({Verb.RETRY, Verb.RESUBMIT, Verb.APPROVE})

_NOTHING: Final[dict[Verb, str]] = {
    Verb.RETRY: "nothing of it failed or was cancelled",
    Verb.CANCEL: "nothing of it is under way",
    Verb.RESUBMIT: "nothing of it is in doubt",
    Verb.ABANDON: "nothing of it is in doubt",
    Verb.ATTACH: "nothing of it is in doubt",
    Verb.APPROVE: "nothing of it is held for approval",
}

_DONE: Final[dict[Verb, str]] = {
    Verb.RETRY: "will be tried again",
    Verb.CANCEL: "will be cancelled",
    Verb.RESUBMIT: "will be ordered again",
    Verb.ABANDON: "given up, and still counted as spent",
    Verb.ATTACH: "goes on with the job id given",
    Verb.APPROVE: "approved",
}


Ask = Callable[[Submission], Awaitable[object]]


class WishRefused(DropglowError):
    """Report that a wish cannot be fulfilled, and why."""


class Wishes:
    """Fulfil wishes on a ledger."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        reopener: Reopener,
        clock: Clock,
        turns: Turns,
        ask: Ask | None = None,
        changed: Callable[[JobKey], None] = lambda _: None,
        switched: Callable[[Switch], None] = lambda _: None,
    ) -> None:
        """Change *ledger*, taking *turns* with who closes.

        Args:
            ledger: Where drops and jobs are.
            reopener: Brings a file back into work.
            clock: For the times of events.
            turns: Shared with who closes.
            ask: Asks Adobe how a job stands, and raises a ``FireflyError`` where there is no answer.
                None: nobody here can ask, so no job id is taken on trust.
            changed: Called with the key of every job moved.
            switched: Called when spending was stopped, or goes on.
        """
        self._ledger = ledger
        self._reopener = reopener
        self._clock = clock
        self._turns = turns
        self._ask = ask
        self._changed = changed
        self._switched = switched

    async def fulfil(self, wish: Wish) -> str:
        """Do what *wish* asks and return one line about it.

        Raises:
            WishRefused: It makes no sense now.
            UnknownKey: Nothing has that id.
            DiskError: The file of a drop could not be moved back into work.
            LedgerUnavailable: Try again later.
        """
        if wish.verb in OF_SPENDING:
            return await self._switch(wish)
        drop, key = await self._ledger.resolve_key(wish.target)
        async with self._turns.of(drop):
            return await self._fulfil(wish, drop, key)

    async def check(self, wish: Wish) -> None:
        """Refuse *wish* if it makes no sense now, and do nothing else. Adobe is not asked.

        Raises:
            WishRefused: It makes no sense now.
            UnknownKey: Nothing has that id.
            LedgerUnavailable: Try again later.
        """
        drop, key = await self._ledger.resolve_key(wish.target)
        jobs = await self._meant(drop, key, wish)
        if wish.verb is Verb.ATTACH:
            await self._check_attachment(drop, jobs, wish.argument)

    async def _fulfil(self, wish: Wish, drop: DropKey, key: JobKey | None) -> str:
        jobs = await self._meant(drop, key, wish)
        if wish.verb is Verb.ATTACH:
            await self._check_attachment(drop, jobs, wish.argument)
            await self._ask_adobe(wish.argument)
        if wish.verb is not Verb.CANCEL or any(job.stage is Stage.HELD for job in jobs):
            await self._reopener.reopen(
                await self._ledger.drop(drop),
                why=f"{wish.verb.value} was asked for",
                file_needed=wish.verb in _BUYING and any(job.order.references for job in jobs),
            )
        refusals: dict[JobKey, IllegalTransition] = {}
        for job in jobs:
            try:
                await self._tell(job, wish)
            except IllegalTransition as refusal:
                refusals[job.key] = refusal
        moved = [job for job in jobs if job.key not in refusals]
        if not moved:
            first = refusals[jobs[0].key]
            raise WishRefused(first.message, hint=first.hint)
        left = [f"not {key}: {refusal.hint}" for key, refusal in refusals.items()]
        return "; ".join([f"{_counted(moved)} {_DONE[wish.verb]}", *left])

    async def _switch(self, wish: Wish) -> str:
        """Stop spending, or let it go on; return one line about it.

        Raises:
            WishRefused: It is an old wish, and somebody said otherwise since.
        """
        stopped = wish.verb is Verb.PAUSE
        before = await self._ledger.switch()
        if (before is not None and before.stopped) == stopped:
            return "spending was paused already" if stopped else "spending was not paused"
        if wish.again and before is not None and before.at > wish.asked_at:
            raise WishRefused("something else was said about spending since", hint="see: dropglow status")
        reason = (wish.argument or "a person paused it") if stopped else ""
        switch = Switch(stopped=stopped, at=self._clock.now(), reason=reason)
        await self._ledger.set_switch(switch)
        self._switched(switch)
        if stopped:
            log.warning(vocabulary.SPENDING_PAUSED, reason=reason, hint="it goes on with: dropglow resume")
            return "spending is paused: nothing is ordered; what was bought is still fetched and delivered"
        log.info(vocabulary.SPENDING_RESUMED)
        return "spending goes on"

    async def _check_attachment(self, drop: DropKey, jobs: Sequence[Job], remote_id: str) -> None:
        """Refuse a job id that is not clearly of one job: two jobs would deliver the same results.

        Raises:
            WishRefused: It is no job id, several jobs are meant, or the id is known already.
        """
        if not job_id_like(remote_id):
            raise WishRefused(
                f"{remote_id!r} is not a job id of Adobe's",
                hint="one looks like urn:ff:jobs:<shard>:<uuid>, or is the UUID alone",
            )
        if len(jobs) > 1:
            raise WishRefused(
                f"{len(jobs)} jobs of {drop} are in doubt",
                hint="name the one that the job id belongs to: " + ", ".join(job.key for job in jobs),
            )
        try:
            owner, other = await self._ledger.resolve_key(remote_id)
        except UnknownKey:
            return
        raise WishRefused(
            f"the job id {remote_id} is known already: {other or owner} has it",
            hint="look at Adobe for the order of this job, by its time and seed",
        )

    async def _ask_adobe(self, remote_id: str) -> None:
        """Refuse a job id that Adobe does not know: taking it would end the doubt with a failure.

        Raises:
            WishRefused: Adobe does not know it, or cannot be asked now.
        """
        if self._ask is None:
            raise WishRefused(
                "only a running service can ask Adobe about a job id", hint="start it: dropglow run"
            )
        try:
            await self._ask(_receipt(remote_id))
        except RequestRefused as refusal:
            raise WishRefused(
                "Adobe does not know a job of this id",
                hint=f"look again for the order, by its time and seed; Adobe says: {refusal.message}",
            ) from refusal
        except FireflyError as trouble:
            raise WishRefused(
                f"Adobe cannot be asked about this job id now: {trouble.message}",
                hint="try again when Adobe answers",
            ) from trouble

    async def _meant(self, drop: DropKey, key: JobKey | None, wish: Wish) -> tuple[Job, ...]:
        every = await self._ledger.jobs_of(drop) if key is None else (await self._ledger.job(key),)
        found = tuple(job for job in every if job.stage in _STAGES[wish.verb])
        meant = tuple(job for job in found if not (wish.again and _came_after(job, wish)))
        if meant:
            return meant
        if found:
            raise WishRefused(
                "an earlier service took this wish, and what there is now came of it",
                hint=f"see: dropglow show {key or drop}",
            )
        if not every:
            raise WishRefused(
                f"drop {drop} has no jobs: its file could not be used",
                hint="mend the file and drop it again",
            )
        stages = ", ".join(f"{job.key} is {job.stage.value.replace('_', ' ')}" for job in every)
        raise WishRefused(f"{_NOTHING[wish.verb]}: {stages}", hint=f"see: dropglow show {key or drop}")

    async def _tell(self, job: Job, wish: Wish) -> None:
        while True:
            event = self._event(wish)
            after = advance(job, event)
            try:
                saved = await self._ledger.save(job, after, event, at=self._clock.now(), owner=None)
            except Conflict:
                job = await self._ledger.job(job.key)
                continue
            break
        told(saved, event)
        self._changed(job.key)

    def _event(self, wish: Wish) -> Event:
        now = self._clock.now()
        match wish.verb:
            case Verb.RETRY:
                return RetryAsked(at=now)
            case Verb.CANCEL:
                return CancelAsked(at=now)
            case Verb.RESUBMIT:
                return ResubmitAsked(at=now)
            case Verb.ABANDON:
                return Abandoned(at=now)
            case Verb.ATTACH:
                return Attached(submission=_receipt(wish.argument), at=now)
            case Verb.APPROVE:
                return Approved(at=now)
            case Verb.PAUSE | Verb.RESUME:
                raise AssertionError("spending as a whole is no event of a job")
            case _:
                assert_never(wish.verb)


def _came_after(job: Job, wish: Wish) -> bool:
    """Return whether *job* was ordered, or ended, after *wish* was asked: whoever asked meant what was before."""
    at = job.begun_at if job.ended_at is None else job.ended_at
    return at is not None and at > wish.asked_at


def _receipt(remote_id: str) -> Submission:
    # No address: the client builds it from the id.
    return Submission(remote_id=RemoteId(remote_id), status_url="")


def _counted(jobs: Sequence[Job]) -> str:
    return f"job {jobs[0].key}" if len(jobs) == 1 else f"{len(jobs)} jobs"
