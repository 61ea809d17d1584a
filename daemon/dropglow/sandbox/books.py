"""Write down jobs and uploads as the books have them: dictionaries that are fit for JSON. Pure."""

from __future__ import annotations

from typing import Any

from dropglow.sandbox.jobs import Job
from dropglow.sandbox.orders import Role, Upload

__all__ = ["job_entry", "upload_entry"]


def job_entry(job: Job, *, now: float) -> dict[str, Any]:
    """Return what the books say of a job at a moment, in seconds since 1970.

    ``upload`` is the id of the picture that is changed, ``inputs`` are all pictures by what they are for; those by
    URL have no upload. ``images`` is what the job costs, in operations.
    """
    order = job.order
    return {
        "id": job.id,
        "operation": order.operation.value,
        "model": order.model,
        "prompt": order.prompt,
        "size": f"{order.width}x{order.height}",
        "seeds": list(job.seeds),
        "upload": order.upload(Role.SOURCE),
        "inputs": [{"role": one.role.value, "upload": one.upload_id} for one in order.inputs],
        "state": job.state(now).value,
        "accepted_at": job.accepted_at,
        "ends_at": job.ends_at,
        "polls": job.polls,
        "downloads": job.downloads,
        "body_sha256": order.body_sha256,
        "images": job.charged(now),
    }


def upload_entry(upload: Upload) -> dict[str, Any]:
    """Return what the books say of an upload."""
    return {
        "id": upload.id,
        "sha256": upload.sha256,
        "size_bytes": upload.size_bytes,
        "at": upload.stored_at,
    }
