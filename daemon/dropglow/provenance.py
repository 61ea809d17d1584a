"""Say where a result came from: the document that stands beside it as ``<result>.json``.

Pure. The document is public and versioned: fields are added, never changed,
without a new version. It holds no link that anybody could fetch with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from dropglow.model import Artifact, Companion, Drop, Job, JobKey, Member, Reference
from dropglow.oddities import oddities

VERSION: Final = 1
_FORMAT: Final = "dropglow.provenance"
_NOT_OF_A_PATH: Final = re.compile(r"[?#;]")


def build(job: Job, drop: Drop, artifact: Artifact, *, delivered_as: str, at: datetime) -> dict[str, Any]:
    """Return the document for one result.

    Args:
        job: The order that it came from, with Adobe's receipt.
        drop: The file that caused the order.
        artifact: The result's verified bytes.
        delivered_as: The result's final name, without its folder.
        at: When it was delivered (aware, UTC).
    """
    source, *companions = _files(drop, job)
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
        "request": _without_links(job.order.body),
        "references": [_reference(reference, prepared) for reference, prepared in _prepared(job)],
        "source": {
            "path": job.source,
            "inbox": drop.inbox,
            "kind": source.kind.value if source.kind else None,
            "sha256": source.sha256,
            "size_bytes": source.size_bytes,
        },
        "companions": [_companion(each) for each in companions],
        "result": {
            "name": delivered_as,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
            "media_type": artifact.media_type,
            "width": artifact.width,
            "height": artifact.height,
        },
        "content_credentials": artifact.content_credentials,
        "oddities": list(oddities(job, artifact)),
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


def _prepared(job: Job) -> Iterator[tuple[Reference, str]]:
    """Yield every picture of the order, and what was done to a copy of it before it was sent."""
    done = {upload.slot: upload.prepared for upload in job.uploads}
    for reference in job.order.references:
        yield reference, done.get(reference.slot, "")


def _reference(reference: Reference, prepared: str) -> dict[str, Any]:
    """Return where a picture of the order came from. An address that a prompt gave stays there: it is signed."""
    return {
        "slot": reference.slot,
        "path": reference.path,
        "companion": reference.companion,
        "linked": reference.linked,
        "prepared": prepared or None,
    }


def _files(drop: Drop, job: Job) -> tuple[Drop | Companion | Member, ...]:
    """Return the file that the job is about, and those that belong to it."""
    if not drop.folder:
        return (drop, *(each for each in drop.companions if each.kind is not None))  # markers were not bought
    members = {each.path: each for each in drop.members}
    return tuple(members[path] for path in job.members)


def _companion(companion: Drop | Companion | Member) -> dict[str, Any]:
    return {
        "path": companion.path,
        "kind": companion.kind.value if companion.kind else None,
        "sha256": companion.sha256,
        "size_bytes": companion.size_bytes,
    }


def _without_links(value: Any) -> Any:
    """Return JSON with every link cut down to what names it: whoever has a signed one can read the picture."""
    match value:
        case dict():
            return {key: _cut(key, _without_links(item)) for key, item in value.items()}
        case list():
            return [_without_links(item) for item in value]
        case str() if value.lower().startswith(("https://", "http://")) and " " not in value:
            return _named(value)
        case _:
            return value


def _cut(key: str, value: Any) -> Any:
    return _named(value) if key.lower().endswith("url") and isinstance(value, str) else value


def _named(link: str) -> str:
    """Return the host of *link* and the last part of its path; what lies between may be a secret as well."""
    scheme, mark, rest = link.partition("://")
    if not mark:
        return _NOT_OF_A_PATH.split(link)[0].rpartition("/")[2]
    host, *parts = _NOT_OF_A_PATH.split(rest)[0].split("/")
    between = ["…"] if len(parts) > 1 else []
    return f"{scheme}://" + "/".join([host.rpartition("@")[2], *between, *parts[-1:]])
