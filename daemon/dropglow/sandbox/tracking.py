"""Say how jobs stand, and cancel them: GET /v3/status/{jobId} and PUT /v3/cancel/{jobId}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.access import Access
from dropglow.sandbox.checks import UUID4, complaint
from dropglow.sandbox.downloads import Downloads
from dropglow.sandbox.incoming import read_body
from dropglow.sandbox.jobs import Job, State
from dropglow.sandbox.mishaps import mishap
from dropglow.sandbox.orders import Operation
from dropglow.sandbox.replies import CutConnection, Refusal, html, reply
from dropglow.sandbox.results import describe_result
from dropglow.sandbox.world import World

__all__ = ["Tracking"]

CANCEL_ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "unknown_job_id": (404, "The job id is unknown."),
    "job_already_canceled": (409, "The job was already canceled."),
    "job_cancel_failed": (409, "The job failed to cancel."),
    "job_completed": (409, "The job was already completed."),
    "job_timeout": (410, "The job timed out."),
    "rate_limited": (429, "Too many requests."),
    "runtime_error": (500, "The service had an internal error."),
    "model_not_loaded": (503, "The model is not loaded."),
}
TOO_LATE: Final[Mapping[State, str]] = {
    State.CANCELLED: "job_already_canceled",
    State.CANCEL_PENDING: "job_already_canceled",
    State.SUCCEEDED: "job_completed",
    State.FAILED: "job_completed",
    State.TIMEOUT: "job_timeout",
}


class Tracking:
    """Answer for the jobs of one world."""

    def __init__(self, world: World, access: Access, downloads: Downloads) -> None:
        """Answer those whom *access* lets in, with the links of *downloads*."""
        self._world = world
        self._access = access
        self._downloads = downloads

    async def status(self, request: Request) -> Response:
        """Answer how a job stands; every way it can stand is a 200.

        Raises:
            Refusal: There is no answer about it.
        """
        self._access.authorise(request)
        answer = self._mishap()  # who is unwell does not look for jobs
        if answer is not None:
            return answer
        world, job = self._world, self._named_job(request)
        state = world.poll(job)
        if world.strikes("status_strange"):
            return reply({"status": world.faults.status_word, "jobId": job.id})
        if state is State.SUCCEEDED:
            result = describe_result(job, lambda index: self._downloads.link(request, job, index))
            return reply({"status": "succeeded", "jobId": job.id, "result": result})
        return reply(self._standing(job, state))

    async def cancel(self, request: Request) -> Response:
        """Answer 200 without a body, or why it is too late.

        Raises:
            Refusal: The job is not cancelled.
        """
        await read_body(request)
        self._access.authorise(request)
        job = self._named_job(request)
        code = self._world.struck("cancel_error") or TOO_LATE.get(self._world.cancel(job))
        if code is not None:
            status, message = CANCEL_ERRORS[code]
            raise Refusal.of(status, code, message)
        return CutConnection() if self._world.strikes("cancel_lost") else Response(status_code=200)

    def _mishap(self) -> Response | None:
        world = self._world
        if world.strikes("rate_limit_status"):
            headers = {"retry-after": f"{world.faults.retry_after:g}"}
            raise Refusal.of(429, world.faults.rate_limit_code, "Too many requests.", headers=headers)
        if world.strikes("status_500"):
            raise Refusal(mishap(500))
        status = world.struck("status_error")
        if status:
            raise Refusal(mishap(status))
        if world.strikes("status_404"):
            raise _unknown_job()
        if world.strikes("status_lost"):
            return CutConnection()
        return html(200, "Please sign in") if world.strikes("status_html") else None

    def _standing(self, job: Job, state: State) -> dict[str, Any]:
        world = self._world
        bare = state is State.RUNNING and world.strikes("bare_ids")
        body: dict[str, Any] = {"status": state.value, "jobId": job.uuid if bare else job.id}
        if not state.final:
            # Only the running answers of videos are documented with it.
            told = world.faults.progress or ("yes" if job.order.operation is Operation.VIDEO else "no")
            return body | {"progress": job.progress(world.now())} if told == "yes" else body
        if state is State.CANCELLED:
            return body | {
                "status": world.faults.spelling,
                "error_code": "cancelled_error",
                "message": "The job was canceled.",
            }
        if state is State.TIMEOUT:
            return body | {"error_code": "job_timeout", "message": "The job timed out."}
        return body | {"error_code": job.error_code, "message": "The job failed."}

    def _named_job(self, request: Request) -> Job:
        job_id = request.path_params["job_id"]
        if not UUID4.fullmatch(job_id.removeprefix("urn:ff:jobs:").rpartition(":")[2]):
            wrong = complaint(("parameters", "jobId"), "invalid job identifier format", "value_error")
            raise Refusal.of(422, "validation_error", complaints=[wrong])
        job = self._world.find_job(job_id)
        if job is None:
            raise _unknown_job()
        return job


def _unknown_job() -> Refusal:
    status, message = CANCEL_ERRORS["unknown_job_id"]
    return Refusal.of(status, "unknown_job_id", message)
