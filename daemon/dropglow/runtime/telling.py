"""One log line for one thing that happened: the event's name and its facts.

This is the only place that turns events into log fields. Nothing here may
carry a link, a token or a signed query.
"""

from __future__ import annotations

from typing import Any, Final, assert_never

import structlog

from dropglow import lifecycle, vocabulary
from dropglow.model import Failure, Job, Stage

log = structlog.stdlib.get_logger("dropglow")

NAMES: Final[dict[type[lifecycle.Event], str]] = {
    lifecycle.Prepared: vocabulary.JOB_PREPARED,
    lifecycle.Began: vocabulary.JOB_SUBMITTING,
    lifecycle.Accepted: vocabulary.JOB_SUBMITTED,
    lifecycle.Declined: vocabulary.JOB_DECLINED,
    lifecycle.Doubted: vocabulary.JOB_IN_DOUBT,
    lifecycle.Completed: vocabulary.JOB_SUCCEEDED,
    lifecycle.RanLate: vocabulary.JOB_LATE,
    lifecycle.Fetched: vocabulary.JOB_FETCHED,
    lifecycle.LinksExpired: vocabulary.JOB_LINKS_EXPIRED,
    lifecycle.SpoolLost: vocabulary.JOB_SPOOL_LOST,
    lifecycle.Delivered: vocabulary.RESULT_DELIVERED,
    lifecycle.Postponed: vocabulary.JOB_POSTPONED,
    lifecycle.GaveUp: vocabulary.JOB_FAILED,
    lifecycle.CancelAsked: vocabulary.JOB_CANCEL_ASKED,
    lifecycle.CancelSent: vocabulary.JOB_CANCEL_SENT,
    lifecycle.CancelConfirmed: vocabulary.JOB_CANCELLED,
    lifecycle.RetryAsked: vocabulary.JOB_RETRIED,
    lifecycle.ResubmitAsked: vocabulary.JOB_RESUBMITTED,
    lifecycle.Abandoned: vocabulary.JOB_ABANDONED,
    lifecycle.Attached: vocabulary.JOB_ATTACHED,
}

# Steps on the way that an operator asks for only when hunting a fault.
QUIET: Final = (lifecycle.Prepared, lifecycle.Began, lifecycle.Fetched)


def told(job: Job, event: lifecycle.Event) -> None:
    """Log that *event* happened and made *job* what it is."""
    fields = {**about(job), **facts_of(job, event)}
    name = NAMES[type(event)]
    if isinstance(event, QUIET):
        log.debug(name, **fields)
    elif isinstance(event, lifecycle.GaveUp | lifecycle.Doubted):
        log.error(name, **fields)
    elif isinstance(event, lifecycle.Declined | lifecycle.Postponed | lifecycle.RanLate):
        log.warning(name, **fields)
    else:
        log.info(name, **fields)
    if job.stage is Stage.CANCELLED and not isinstance(event, lifecycle.CancelConfirmed):
        log.info(vocabulary.JOB_CANCELLED, **about(job))
    if isinstance(event, lifecycle.Declined) and job.stage is Stage.FAILED:
        log.error(vocabulary.JOB_FAILED, **about(job), attempts=job.attempt, **reasons(event.failure))


def about(job: Job) -> dict[str, Any]:
    """Return the fields that every event about *job* carries."""
    fields: dict[str, Any] = {"job": job.key}
    if job.submission is not None:
        fields["job_id"] = job.submission.remote_id
    return {**fields, "rule": job.rule, "source": job.source}


def reasons(failure: Failure) -> dict[str, Any]:
    """Return *failure* as log fields."""
    fields: dict[str, Any] = {"reason": sentence(failure), "code": failure.code}
    if failure.hint:
        fields["hint"] = failure.hint
    return fields


def sentence(failure: Failure) -> str:
    """Return what happened and why, as one line."""
    return f"{failure.what}: {failure.why}" if failure.why else failure.what


def facts_of(job: Job, event: lifecycle.Event) -> dict[str, Any]:
    """Return the fields that belong to *event* alone."""
    match event:
        case (
            lifecycle.Declined(failure=failure, until=until)
            | lifecycle.Postponed(failure=failure, until=until)
        ):
            return {**reasons(failure), "until": until.isoformat(timespec="seconds")}
        case lifecycle.Doubted(failure=failure):
            return reasons(failure)
        case lifecycle.GaveUp(failure=failure):
            return {**reasons(failure), "billed": failure.billed.value}
        case lifecycle.Prepared(uploads=uploads):
            return {"uploads": len(uploads)}
        case lifecycle.Began() | lifecycle.Accepted():
            return {"attempt": job.attempt}
        case lifecycle.Completed(outputs=outputs, at=at):
            took = None if job.accepted_at is None else round((at - job.accepted_at).total_seconds(), 2)
            return {"results": len(outputs), "took_s": took}
        case lifecycle.RanLate(at=at):
            waited = 0 if job.accepted_at is None else round((at - job.accepted_at).total_seconds())
            return {"waited_s": waited}
        case lifecycle.Fetched(artifacts=artifacts):
            return {"size_bytes": sum(artifact.size_bytes for artifact in artifacts)}
        case lifecycle.Delivered(paths=paths):
            return {"path": paths[0] if len(paths) == 1 else list(paths)}
        case (
            lifecycle.LinksExpired()
            | lifecycle.SpoolLost()
            | lifecycle.CancelAsked()
            | lifecycle.CancelSent()
            | lifecycle.CancelConfirmed()
            | lifecycle.RetryAsked()
            | lifecycle.ResubmitAsked()
            | lifecycle.Abandoned()
            | lifecycle.Attached()
        ):
            return {}
        case _:
            assert_never(event)
