"""What an event writes into a job's fields, all but its stage: that is for ``lifecycle`` to decide.

Pure, and without a question whether the event may happen at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

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
from dropglow.model import Billed, Duplicates, Failure, Job, Stage

ABANDONED: Final = "abandoned"  # the code of the failure of a job that was given up in doubt


def told(job: Job, event: Event) -> Job:
    """Return *job* with what *event* says written into its fields, stage untouched."""
    match event:
        case Postponed(until=until, failure=failure):
            return replace(job, not_before=until, failure=failure, trips=job.trips + 1)
        case Prepared(uploads=uploads):
            return replace(job, uploads=uploads, not_before=None, failure=None, trips=0)
        case Kept() | Borrowed():
            return _told_of_twin(job, event)
        case RanLate():
            return replace(job, late=True)
        case CancelAsked(at=at):
            return replace(
                job,
                cancel_wanted=True,
                not_before=None,
                ended_at=at if job.stage in {Stage.QUEUED, Stage.HELD} else None,
            )
        case Held(failure=failure):
            return replace(job, failure=failure, not_before=None)
        case Approved():
            return replace(job, failure=None, trips=0)
        case CancelSent():
            return replace(job, cancel_sent=True, not_before=None, trips=0)
        case Began() | Accepted() | Declined() | Doubted():
            return _told_of_ordering(job, event)
        case Completed() | Fetched() | LinksExpired() | SpoolLost() | Delivered():
            return _told_of_results(job, event)
        case RetryAsked() | ResubmitAsked() | Attached():
            return _told_by_person(job, event)
        case GaveUp(failure=failure, at=at):
            return replace(job, failure=failure, ended_at=at, not_before=None)
        case CancelConfirmed(at=at):
            return replace(job, ended_at=at, not_before=None)
        case Abandoned(at=at):
            return replace(job, failure=_abandoned(job), ended_at=at)
        case _:
            assert_never(event)


def afresh(job: Job) -> Job:
    """Return *job* ready for another order. The receipt of the old one stays in the history."""
    return replace(
        job,
        duplicates=Duplicates.BUY,
        reuses=None,
        submission=None,
        outputs=(),
        artifacts=(),
        delivered=(),
        declines=0,
        trips=0,
        cancel_wanted=False,
        cancel_sent=False,
        late=False,
        failure=None,
        not_before=None,
        accepted_at=None,
        completed_at=None,
        ended_at=None,
    )


def _abandoned(job: Job) -> Failure:
    return Failure(
        code=ABANDONED,
        what="given up on request",
        why=job.failure.what if job.failure is not None else "",
        hint="trying again may buy it twice",
        billed=Billed.UNKNOWN,
    )


def _told_of_twin(job: Job, event: Kept | Borrowed) -> Job:
    known = replace(
        job,
        reuses=event.twin,
        submission=event.submission,
        uploads=event.uploads,
        not_before=None,
        failure=None,
        trips=0,
    )
    match event:
        case Kept(artifacts=artifacts, paths=paths, at=at):
            return replace(known, artifacts=artifacts, delivered=paths, ended_at=at)
        case Borrowed(completed_at=completed_at):
            return replace(known, completed_at=completed_at)
        case _:
            assert_never(event)


def _told_of_ordering(job: Job, event: Began | Accepted | Declined | Doubted) -> Job:
    match event:
        case Began(at=at):
            # The trips stay: they are the declines so far, and the next one must wait longer.
            return replace(job, attempt=job.attempt + 1, begun_at=at, failure=None, not_before=None)
        case Accepted(submission=submission, at=at):
            return replace(job, submission=submission, accepted_at=at, declines=0, trips=0)
        case Declined(failure=failure, until=until, counts=counts, anew=anew):
            return replace(
                job,
                failure=failure,
                not_before=until,
                declines=job.declines + counts,
                trips=job.trips + 1,
                uploads=() if anew else job.uploads,
            )
        case Doubted(failure=failure):
            return replace(job, failure=failure, doubts=job.doubts + 1)
        case _:
            assert_never(event)


def _told_of_results(job: Job, event: Completed | Fetched | LinksExpired | SpoolLost | Delivered) -> Job:
    match event:
        case Completed(outputs=outputs, at=at):
            known = replace(job, outputs=outputs, completed_at=job.completed_at or at, not_before=None)
            # Links are asked for before each try: that fresh ones came does not make fetching well.
            return known if job.stage is Stage.FETCHING else replace(known, trips=0, failure=None)
        case Fetched(artifacts=artifacts):
            return replace(job, artifacts=artifacts, not_before=None, trips=0, failure=None)
        case LinksExpired():
            blank = tuple(replace(output, url="") for output in job.outputs)
            trips = job.trips + 1 if job.failure is None else 1
            return replace(job, outputs=blank, trips=trips, failure=None)
        case SpoolLost(standing=standing):
            return replace(job, artifacts=standing)
        case Delivered(paths=paths, at=at):
            return replace(job, delivered=paths, ended_at=at, not_before=None, failure=None)
        case _:
            assert_never(event)


def _told_by_person(job: Job, event: RetryAsked | ResubmitAsked | Attached) -> Job:
    match event:
        case RetryAsked() | ResubmitAsked():
            return afresh(job)
        case Attached(submission=submission, at=at):
            return replace(job, submission=submission, accepted_at=at, failure=None, trips=0)
        case _:
            assert_never(event)
