"""Say where a result came from: the document that stands beside it as ``<result>.json``.

Pure. The document is public and versioned: fields are added, never changed,
without a new version. It holds no link that anybody could fetch with.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from dropglow.model import Artifact, Drop, Job, JobKey

VERSION: Final = 1
_FORMAT: Final = "dropglow.provenance"


def build(job: Job, drop: Drop, artifact: Artifact, *, delivered_as: str, at: datetime) -> dict[str, Any]:
    """Return the document for one result.

    Args:
        job: The order that it came from, with Adobe's receipt.
        drop: The file that caused the order.
        artifact: The result's verified bytes.
        delivered_as: The result's final name, without its folder.
        at: When it was delivered (aware, UTC).
    """
    return {
        "format": _FORMAT,
        "version": VERSION,
        "job": job.key,
        "job_id": job.submission.remote_id if job.submission else None,
        "index": artifact.index + 1,
        "drop": drop.key,
        "rule": job.rule,
        "rule_digest": drop.rule_digest,
        "operation": job.order.operation,
        "model": job.order.model,
        "prompt": job.order.prompt or None,
        "seed": artifact.seed,
        "request": _without_queries(job.order.body),
        "references": [
            {"slot": reference.slot, "path": reference.path} for reference in job.order.references
        ],
        "source": {
            "path": job.source,
            "inbox": drop.inbox,
            "kind": drop.kind.value,
            "sha256": drop.sha256,
            "size_bytes": drop.size_bytes,
        },
        "result": {
            "name": delivered_as,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
            "media_type": artifact.media_type,
            "width": artifact.width,
            "height": artifact.height,
        },
        "content_credentials": artifact.content_credentials,
        "times": {
            "admitted_at": _written(drop.admitted_at),
            "submitted_at": _written(job.begun_at),
            "accepted_at": _written(job.accepted_at),
            "completed_at": _written(job.completed_at),
            "delivered_at": _written(at),
        },
    }


def identify(document: object) -> tuple[JobKey, int] | None:
    """Return the job and the result's index (from 0) that *document* speaks of; None when it is not ours."""
    match document:
        case {"format": str(name), "job": str(job), "index": int(index)} if name == _FORMAT:
            return JobKey(job), index - 1
        case _:
            return None


def result_sha256(document: object) -> str | None:
    """Return the digest of the result that *document* speaks of; None when it has none."""
    match document:
        case {"result": {"sha256": str(digest)}}:
            return digest
        case _:
            return None


def _written(at: datetime | None) -> str | None:
    """Return a time as ``2026-01-31T23:59:59.123Z``."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_queries(value: Any) -> Any:
    """Return JSON with the query cut off every link: it may carry a signature."""
    match value:
        case dict():
            return {key: _cut_query(key, _without_queries(item)) for key, item in value.items()}
        case list():
            return [_without_queries(item) for item in value]
        case _:
            return value


def _cut_query(key: str, value: Any) -> Any:
    if key.lower().endswith("url") and isinstance(value, str):
        return value.partition("?")[0]
    return value
