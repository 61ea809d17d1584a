"""One log line for one thing that happened: the event's name and its facts.

This is the only place that turns events into log fields. Nothing here may
carry a link, a token or a signed query.
"""

from __future__ import annotations

from typing import Any, Final, assert_never

import structlog

from dropglow import events, vocabulary
from dropglow.lifecycle import TWIN_UNDER_WAY, not_kept
from dropglow.model import Failure, Job, Stage
from dropglow.money import WAITS_FOR_MONEY
from dropglow.naming import shown
from dropglow.oddities import oddities

log = structlog.stdlib.get_logger("dropglow")

NAMES: Final[dict[type[events.Event], str]] = {
    events.Prepared: vocabulary.JOB_PREPARED,
    events.Kept: vocabulary.JOB_KEPT,
    events.Borrowed: vocabulary.JOB_BORROWED,
    events.Held: vocabulary.JOB_HELD,
    events.Approved: vocabulary.JOB_APPROVED,
    events.Began: vocabulary.JOB_SUBMITTING,
    events.Accepted: vocabulary.JOB_SUBMITTED,
    events.Declined: vocabulary.JOB_DECLINED,
    events.Doubted: vocabulary.JOB_IN_DOUBT,
    events.Completed: vocabulary.JOB_SUCCEEDED,
    events.RanLate: vocabulary.JOB_LATE,
    events.Fetched: vocabulary.JOB_FETCHED,
    events.LinksExpired: vocabulary.JOB_LINKS_EXPIRED,
    events.SpoolLost: vocabulary.JOB_SPOOL_LOST,
    events.Delivered: vocabulary.RESULT_DELIVERED,
    events.Postponed: vocabulary.JOB_POSTPONED,
    events.GaveUp: vocabulary.JOB_FAILED,
    events.CancelAsked: vocabulary.JOB_CANCEL_ASKED,
    events.CancelSent: vocabulary.JOB_CANCEL_SENT,
    events.CancelConfirmed: vocabulary.JOB_CANCELLED,
    events.RetryAsked: vocabulary.JOB_RETRIED,
    events.ResubmitAsked: vocabulary.JOB_RESUBMITTED,
    events.Abandoned: vocabulary.JOB_ABANDONED,
    events.Attached: vocabulary.JOB_ATTACHED,
}

# Steps on the way that an operator asks for only when hunting a fault.
QUIET: Final = (events.Prepared, events.Began, events.Fetched)
# What an outbox or an inbox says when it refuses, see ``errors``; and what waits for a job that buys the same.
SAID_ONCE: Final = frozenset({"DeliveryError", "DiskError", "DiskFull", "FileGone", TWIN_UNDER_WAY})


def _is_old_news(job: Job, event: events.Event) -> bool:
    """Return whether *event* is said elsewhere: a thousand jobs may wait for one share, or one budget, all night."""
    if not isinstance(event, events.Postponed):
        return False
    return event.failure.code == WAITS_FOR_MONEY or (job.trips > 1 and event.failure.code in SAID_ONCE)


def told(job: Job, event: events.Event) -> None:
    """Log that *event* happened and made *job* what it is."""
    if isinstance(event, events.Delivered) and (skipped := not_kept(job)):
        _told_of_skipped(job, skipped)
        if not event.paths:
            return
    fields = {**about(job), **facts_of(job, event)}
    name = NAMES[type(event)]
    if isinstance(event, QUIET) or _is_old_news(job, event):
        log.debug(name, **fields)
    elif isinstance(event, events.GaveUp | events.Doubted):
        log.error(name, **fields)
    elif isinstance(event, events.Declined | events.Postponed | events.RanLate | events.Held):
        log.warning(name, **fields)
    else:
        log.info(name, **fields)
    if isinstance(event, events.Completed) and len(event.outputs) < job.order.results:
        log.warning(vocabulary.RESULT_FEWER, **about(job), asked=job.order.results, got=len(event.outputs))
    if isinstance(event, events.Fetched):
        _told_of_oddities(job)
    if job.stage is Stage.CANCELLED and not isinstance(event, events.CancelConfirmed):
        log.info(vocabulary.JOB_CANCELLED, **about(job))
    if isinstance(event, events.Declined) and job.stage is Stage.FAILED:
        log.error(vocabulary.JOB_FAILED, **about(job), attempts=job.attempt, **reasons(event.failure))


def _told_of_oddities(job: Job) -> None:
    for artifact in job.artifacts:
        for reason in oddities(job, artifact):
            log.warning(vocabulary.RESULT_ODD, **about(job), index=artifact.index + 1, reason=reason)


def _told_of_skipped(job: Job, count: int) -> None:
    log.warning(
        vocabulary.RESULT_SKIPPED,
        **about(job),
        count=count,
        outbox=shown(job.order.delivery.outbox),
        reason="paid for and not kept: the name was taken, and the rule says to skip then",
    )


def about(job: Job) -> dict[str, Any]:
    """Return the fields that every event about *job* carries."""
    return {
        "job": job.key,
        "drop": job.drop,
        "job_id": None if job.submission is None else job.submission.remote_id,
        "rule": job.rule,
        "source": shown(job.source),
    }


def reasons(failure: Failure) -> dict[str, Any]:
    """Return *failure* as log fields."""
    fields: dict[str, Any] = {"reason": sentence(failure), "code": failure.code}
    if failure.hint:
        fields["hint"] = failure.hint
    return fields


def sentence(failure: Failure) -> str:
    """Return what happened and why, as one line."""
    return f"{failure.what}: {failure.why}" if failure.why else failure.what


def facts_of(job: Job, event: events.Event) -> dict[str, Any]:
    """Return the fields that belong to *event* alone."""
    match event:
        case events.Declined(failure=failure, until=until) | events.Postponed(failure=failure, until=until):
            return {**reasons(failure), "until": until.isoformat(timespec="seconds")}
        case events.Doubted(failure=failure) | events.Held(failure=failure):
            return reasons(failure)
        case events.GaveUp(failure=failure):
            return {**reasons(failure), "billed": failure.billed.value}
        case events.Prepared(uploads=uploads):
            return {"uploads": len(uploads)}
        case events.Kept(twin=twin, paths=paths):
            return {"twin": twin, "path": [shown(path) for path in paths]}
        case events.Borrowed(twin=twin):
            return {"twin": twin}
        case events.Began() | events.Accepted():
            return {"attempt": job.attempt}
        case events.Completed(outputs=outputs, at=at):
            took = None if job.accepted_at is None else round((at - job.accepted_at).total_seconds(), 2)
            return {"results": len(outputs), "took_s": took}
        case events.RanLate(at=at):
            waited = 0 if job.accepted_at is None else round((at - job.accepted_at).total_seconds())
            return {"waited_s": waited}
        case events.Fetched(artifacts=artifacts):
            return {"size_bytes": sum(artifact.size_bytes for artifact in artifacts)}
        case events.Delivered(paths=paths):
            names = [shown(path) for path in paths]
            return {"path": names[0] if len(names) == 1 else names}
        case (
            events.LinksExpired()
            | events.SpoolLost()
            | events.CancelAsked()
            | events.CancelSent()
            | events.CancelConfirmed()
            | events.RetryAsked()
            | events.ResubmitAsked()
            | events.Abandoned()
            | events.Attached()
            | events.Approved()
        ):
            return {}
        case _:
            assert_never(event)
