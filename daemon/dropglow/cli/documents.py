r"""The JSON shapes of drops, jobs and history, built in one place for every command that reports.

Times are ISO 8601 in UTC, or null; sizes are bytes; paths are absolute, and
odd bytes and control characters in them appear as on every page: ``\xe9``, ``\n``. No link and no upload id
appears at all.

A job::

    {"job", "drop", "rule", "source", "operation", "model", "size", "content_class", "part", "prompt",
     "seeds": [int], "images": int, "stage", "attempt": int, "job_id",
     "created_at", "begun_at", "accepted_at", "completed_at", "ended_at", "not_before",
     "results": [path], "skipped": int, "failure": {"code", "what", "why", "hint", "billed"} or null,
     "cancel_wanted": bool, "late": bool, "reuses": job or null}

``stage`` is one of ``queued``, ``held``, ``submitting``, ``running``, ``cancelling``,
``fetching``, ``delivering``, ``delivered``, ``in_doubt``, ``failed`` and
``cancelled``; ``reuses`` is the job that bought what this one delivers, where nothing
was bought for it; ``images`` is its price in operations; ``skipped`` counts results that were paid for and not kept, because
their names were taken; ``part`` says which prompt of its file it is, where the rule splits
files; ``billed`` is ``yes``, ``no`` or ``unknown``; ``job_id`` is
Adobe's. A drop::

    {"drop", "inbox", "source", "place", "rule", "state", "reason", "hint", "sha256",
     "size_bytes", "companions": [{"source", "place", "kind", "sha256", "size_bytes"}],
     "files": [{"source", "place", "kind", "sha256", "size_bytes", "passed_over", "fault"}],
     "admitted_at", "closed_at", "jobs": [job]}

``state`` is ``open``, ``done``, ``failed`` or ``held``; ``place`` is where the
file is now, null once it was deleted; ``companions`` are the files that were dropped
beside it and go with it; ``files`` are those of a drop that is a whole folder, with why
nothing was ordered for one, or null: no rule takes it, or it cannot be used. A record of history::

    {"at", "drop", "job" or null, "event", "before", "after", "attempt", "detail"}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dropglow.ledger.base import Record
from dropglow.lifecycle import not_kept
from dropglow.model import Drop, Failure, Job
from dropglow.naming import shown, storable


def job_document(job: Job) -> dict[str, Any]:
    """Return *job* as JSON-able data."""
    order = job.order
    return {
        "job": job.key,
        "drop": job.drop,
        "rule": job.rule,
        "source": shown(job.source),
        "operation": order.operation,
        "model": order.model,
        "size": order.size,
        "content_class": order.tokens.get("content_class") or None,
        "part": order.tokens.get("part") or None,
        "prompt": storable(order.prompt),
        "seeds": list(order.seeds),
        "images": order.images,
        "stage": job.stage.value,
        "attempt": job.attempt,
        "job_id": None if job.submission is None else job.submission.remote_id,
        "created_at": instant(job.created_at),
        "begun_at": instant(job.begun_at),
        "accepted_at": instant(job.accepted_at),
        "completed_at": instant(job.completed_at),
        "ended_at": instant(job.ended_at),
        "not_before": instant(job.not_before),
        "results": [shown(path) for path in job.delivered],
        "skipped": not_kept(job),
        "failure": failure_document(job.failure),
        "cancel_wanted": job.cancel_wanted,
        "late": job.late,
        "reuses": job.reuses,
    }


def drop_document(drop: Drop, jobs: Sequence[Job]) -> dict[str, Any]:
    """Return *drop* with its *jobs* as JSON-able data."""
    return {
        "drop": drop.key,
        "inbox": shown(drop.inbox),
        "source": shown(drop.path),
        "place": shown(drop.whereabouts(drop)) or None,
        "rule": drop.rule,
        "state": drop.state.value,
        "reason": storable(drop.reason),
        "hint": storable(drop.hint),
        "sha256": drop.sha256,
        "size_bytes": drop.size_bytes,
        "companions": [
            {
                "source": shown(each.path),
                "place": shown(drop.whereabouts(each)) or None,
                "kind": each.kind,
                "sha256": each.sha256,
                "size_bytes": each.size_bytes,
            }
            for each in drop.companions
        ],
        "files": [
            {
                "source": shown(each.path),
                "place": shown(drop.place_of(each)) or None,
                "kind": each.kind,
                "sha256": each.sha256,
                "size_bytes": each.size_bytes,
                "passed_over": storable(each.passed_over) or None,
                "fault": storable(each.fault) or None,
            }
            for each in drop.members
        ],
        "admitted_at": instant(drop.admitted_at),
        "closed_at": instant(drop.closed_at),
        "jobs": [job_document(job) for job in jobs],
    }


def record_document(record: Record) -> dict[str, Any]:
    """Return one row of history as JSON-able data."""
    return {
        "at": instant(record.at),
        "drop": record.drop,
        "job": record.job,
        "event": record.event,
        "before": record.before,
        "after": record.after,
        "attempt": record.attempt,
        "detail": storable(record.detail),
    }


def failure_document(failure: Failure | None) -> dict[str, str] | None:
    """Return *failure* as JSON-able data, or None where there is none."""
    if failure is None:
        return None
    return {
        "code": failure.code,
        "what": storable(failure.what),
        "why": storable(failure.why),
        "hint": storable(failure.hint),
        "billed": failure.billed.value,
    }


def instant(at: datetime | None) -> str | None:
    """Return *at* in ISO 8601 to the millisecond, or None."""
    return None if at is None else at.isoformat(timespec="milliseconds")
