r"""The JSON shapes of drops, jobs and history, built in one place for every command that reports.

Their shapes are promised in ``daemon/json.md``. Odd bytes and control characters appear as on every page:
``\xe9``, ``\n``. No link and no upload id appears at all.
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
