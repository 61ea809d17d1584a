"""What a job can become: stages, events, the table, and the three questions.

Whatever changes a job's stage must live in this file, and nothing here touches
the world. The rule that carries the product: *Began* is stored before the
first byte of the order is sent, and not before the connection for it stands:
who finds nobody has bought nothing. A job found in SUBMITTING by a new owner may therefore have
been bought, and becomes IN_DOUBT; nothing buys it again until a rule or a
person says so. Once a job id is known there is no arrow back to QUEUED except
through FAILED or CANCELLED and a person's *RetryAsked*.

* ``advance(job, event)``: the job after the event, or ``IllegalTransition``.
* ``on_takeover(job)``: the event that a new owner must tell first, if any.
* ``next_step(job, now=…)``: what to do next: act, wait or rest.

What an event writes into the other fields is in ``effects``.
Waiting is not a stage: *Postponed* sets ``not_before`` and leaves the stage alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dropglow.effects import ABANDONED, afresh, told
from dropglow.errors import IllegalTransition
from dropglow.events import (
    Abandoned,
    Accepted,
    Approved,
    Attached,
    Began,
    Borrowed,
    CancelAsked,
    CancelConfirmed,
    CancelSent,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Fetched,
    GaveUp,
    Held,
    Kept,
    LinksExpired,
    Postponed,
    Prepared,
    RanLate,
    ResubmitAsked,
    RetryAsked,
    SpoolLost,
)
from dropglow.model import Billed, Failure, Job, OnDoubt, Stage

# An upload that expires while its order is on the wire would waste the order.
UPLOAD_MARGIN: Final = timedelta(hours=1)
TWIN_UNDER_WAY: Final = "twin_under_way"  # of one that waits for another job, which buys the same
TWIN_IN_DOUBT: Final = (
    "twin_in_doubt"  # of one whose order another job placed, and nobody knows whether it stands
)

S = Stage

TRANSITIONS: Final[dict[Stage, dict[type[Event], Stage]]] = {
    S.QUEUED: {
        Prepared: S.QUEUED,  # uploads are free and can be repeated
        Kept: S.DELIVERED,  # nothing is bought for content that was bought before
        Borrowed: S.FETCHING,
        Held: S.HELD,
        Began: S.SUBMITTING,
        Postponed: S.QUEUED,
        GaveUp: S.FAILED,
        CancelAsked: S.CANCELLED,
    },
    S.HELD: {
        Approved: S.QUEUED,
        CancelAsked: S.CANCELLED,
    },
    S.SUBMITTING: {
        Accepted: S.RUNNING,
        Declined: S.QUEUED,
        Doubted: S.IN_DOUBT,
        GaveUp: S.FAILED,
        CancelAsked: S.SUBMITTING,  # remembered; bites as soon as the answer is known
    },
    S.RUNNING: {
        Completed: S.FETCHING,
        RanLate: S.RUNNING,
        Postponed: S.RUNNING,
        GaveUp: S.FAILED,
        CancelAsked: S.CANCELLING,
    },
    S.CANCELLING: {
        CancelSent: S.CANCELLING,
        CancelConfirmed: S.CANCELLED,
        Completed: S.FETCHING,  # too late: it is paid for, so deliver it
        Postponed: S.CANCELLING,
        RanLate: S.CANCELLING,
        GaveUp: S.FAILED,
    },
    S.FETCHING: {
        Completed: S.FETCHING,  # fresh links
        Fetched: S.DELIVERING,
        LinksExpired: S.FETCHING,
        Postponed: S.FETCHING,
        GaveUp: S.FAILED,
    },
    S.DELIVERING: {
        Delivered: S.DELIVERED,
        SpoolLost: S.FETCHING,
        Postponed: S.DELIVERING,
        GaveUp: S.FAILED,
    },
    S.IN_DOUBT: {
        ResubmitAsked: S.QUEUED,
        Abandoned: S.FAILED,
        Attached: S.RUNNING,
    },
    S.FAILED: {RetryAsked: S.QUEUED},
    S.CANCELLED: {RetryAsked: S.QUEUED},
    S.DELIVERED: {},
}

RESTING: Final = frozenset({S.DELIVERED, S.FAILED, S.CANCELLED, S.IN_DOUBT, S.HELD})
ENDED: Final = RESTING - {S.IN_DOUBT, S.HELD}
REMOTE_OPEN: Final = frozenset({S.SUBMITTING, S.RUNNING, S.CANCELLING})
PAID_FOR: Final = frozenset({S.FETCHING, S.DELIVERING})

# What the table cannot show: `_settle` moves a job on when two facts meet.
JOINT_TRANSITIONS: Final = frozenset(
    {
        (S.SUBMITTING, S.CANCELLING),  # accepted, and a cancel was waiting
        (S.SUBMITTING, S.CANCELLED),  # declined, and a cancel was waiting
        (S.SUBMITTING, S.QUEUED),  # in doubt, and the rule says resubmit
        (S.SUBMITTING, S.FAILED),  # declined once too often
        (S.IN_DOUBT, S.CANCELLING),  # its receipt was found, and a cancel was waiting
    }
)


@dataclass(frozen=True, slots=True)
class Prepare:
    """Upload what the order refers to."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Connect, store the intent, then send the order."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask Adobe for the status."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask Adobe to cancel."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download the results to temporary names."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give the results their final names."""


Act = Prepare | Submit | Poll | Cancel | Fetch | Deliver


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing before *until*."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do here: the job ended, waits for a person, or is on the wire."""


Step = Act | Wait | Rest


def advance(job: Job, event: Event) -> Job:
    """Return *job* as it is after *event*. Pure; the caller stores it.

    Raises:
        IllegalTransition: The table has no arrow for this event at this stage.
    """
    target = TRANSITIONS[job.stage].get(type(event))
    if target is None:
        raise _refusal(job, event)
    return _settle(replace(told(job, event), stage=target), event)


def allowed(source: Stage, target: Stage) -> bool:
    """Return whether any event can move a job from *source* to *target*; the ledger's schema uses it."""
    return target in TRANSITIONS[source].values() or (source, target) in JOINT_TRANSITIONS


def on_takeover(job: Job) -> Event | None:
    """Return what a new owner must tell *job* before anything else.

    A job in SUBMITTING has its intent stored and no answer: its order may stand.
    """
    if job.stage is not Stage.SUBMITTING:
        return None
    return Doubted(
        failure=Failure(
            code="interrupted",
            what="the service stopped while this order was being sent",
            why=f"nobody can tell whether Adobe accepted it (x-request-id {job.request_id})",
            hint="look for it at Adobe, then use: dropglow resolve",
            billed=Billed.UNKNOWN,
        )
    )


def next_step(job: Job, *, now: datetime) -> Step:
    """Return what to do with *job* at *now*. Total: every stage has an answer."""
    if job.stage in RESTING or job.stage is Stage.SUBMITTING:
        return Rest()
    if job.not_before is not None and job.not_before > now:
        return Wait(job.not_before)
    return _act(job, now)


def uploads_usable(job: Job, *, now: datetime) -> bool:
    """Return whether every reference of the order has an upload that lives long enough. A link needs none."""
    usable = {upload.slot for upload in job.uploads if upload.valid_until - UPLOAD_MARGIN > now}
    return all(reference.linked or reference.slot in usable for reference in job.order.references)


def not_kept(job: Job) -> int:
    """Return how many results of a delivered *job* were paid for and skipped, because their names were taken."""
    return max(0, len(job.artifacts) - len(job.delivered)) if job.stage is Stage.DELIVERED else 0


def given_up(job: Job) -> bool:
    """Return whether *job* ended because a person gave it up, while nobody knew whether its order stands."""
    return job.stage is Stage.FAILED and job.failure is not None and job.failure.code == ABANDONED


def kept_back(job: Job) -> bool:
    """Return whether *job* ended because its order was placed by another job before: only a person buys it again."""
    if job.stage is not Stage.FAILED:
        return False
    return job.reuses is not None or (job.failure is not None and job.failure.code == TWIN_IN_DOUBT)


def _act(job: Job, now: datetime) -> Act:
    match job.stage:
        case Stage.QUEUED:
            return Submit() if uploads_usable(job, now=now) else Prepare()
        case Stage.RUNNING:
            return Poll()
        case Stage.CANCELLING:
            return Poll() if job.cancel_sent else Cancel()
        case Stage.FETCHING:
            # Links are never stored: whoever takes the job over asks for them again.
            return Fetch() if job.outputs and all(output.url for output in job.outputs) else Poll()
        case _:
            return Deliver()


def _settle(job: Job, event: Event) -> Job:
    """Return *job* moved on where two facts meet; see ``JOINT_TRANSITIONS``."""
    match event:
        case Accepted() | Attached() if job.cancel_wanted:
            return replace(job, stage=Stage.CANCELLING)
        case Declined() if job.cancel_wanted:
            # It ended when its order was sent; *until* lies ahead.
            return replace(job, stage=Stage.CANCELLED, ended_at=job.begun_at, not_before=None)
        case Declined() if job.declines >= job.attempts:
            return replace(job, stage=Stage.FAILED, ended_at=job.begun_at, not_before=None)
        case Doubted() if (
            job.on_doubt is OnDoubt.RESUBMIT and job.attempt < job.attempts and not job.cancel_wanted
        ):
            return replace(afresh(job), stage=Stage.QUEUED)
        case _:
            return job


def _refusal(job: Job, event: Event) -> IllegalTransition:
    return IllegalTransition(
        f"job {job.key} is {job.stage.value.replace('_', ' ')}: {_WISHES.get(type(event), type(event).__name__)} makes no sense now",
        hint=_HINTS.get((job.stage, type(event)), "see: dropglow show " + job.key),
    )


_WISHES: Final[dict[type[Event], str]] = {
    CancelAsked: "cancelling it",
    RetryAsked: "retrying it",
    ResubmitAsked: "resubmitting it",
    Abandoned: "abandoning it",
    Attached: "giving it a job id",
    Approved: "approving it",
}

_HINTS: Final[dict[tuple[Stage, type[Event]], str]] = {
    (S.IN_DOUBT, CancelAsked): "a job in doubt is settled with: dropglow resolve",
    (S.IN_DOUBT, RetryAsked): "a job in doubt is settled with: dropglow resolve",
    (S.HELD, RetryAsked): "a job that is held for approval goes on with: dropglow approve",
    (S.FETCHING, CancelAsked): "it is paid for already, so its results are delivered",
    (S.DELIVERING, CancelAsked): "it is paid for already, so its results are delivered",
    (S.DELIVERED, CancelAsked): "its results are in the outbox",
}
