"""Take orders: every POST that costs something.

The one thing to know: nothing is charged before `World.accept`, and after it everything is, whatever the answer says.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.access import Access
from dropglow.sandbox.bodies import BadBody, read_order
from dropglow.sandbox.checks import complaint
from dropglow.sandbox.endpoints import ENDPOINTS, Endpoint
from dropglow.sandbox.incoming import base_url, media_type, read_body
from dropglow.sandbox.jobs import Job
from dropglow.sandbox.mishaps import POLICY_MESSAGE, mishap
from dropglow.sandbox.orders import Operation, Order
from dropglow.sandbox.replies import CutConnection, Refusal, html, reply
from dropglow.sandbox.world import World

__all__ = ["Submissions"]


class Submissions:
    """Take the orders of one world."""

    def __init__(self, world: World, access: Access) -> None:
        """Take there what *access* lets in."""
        self._world = world
        self._access = access

    async def submit(self, operation: Operation, request: Request) -> Response:
        """Answer a submission.

        Raises:
            Refusal: The order is not accepted.
        """
        endpoint = ENDPOINTS[operation]
        content = await read_body(request)
        if self._world.strikes("redirect"):
            location = f"{base_url(request)}/elsewhere{request.url.path}"
            return Response(status_code=307, headers={"location": location})
        self._access.authorise(request)
        self._access.forbid()
        self._access.throttle()
        try:
            order = self._read_order(request, content, operation)
            self._judge(order, endpoint)
        except Refusal:
            self._world.count_refusal()
            raise
        status = self._world.struck("submit_error")
        if status:
            return self._fail(order, status, endpoint)
        return self._accepted(request, endpoint, self._world.accept(order))

    def _read_order(self, request: Request, content: bytes | None, operation: Operation) -> Order:
        endpoint = ENDPOINTS[operation]
        if content is None:
            raise Refusal(mishap(413))
        if media_type(request) != "application/json":
            raise _wrong_type(endpoint)
        if not content.strip():
            code = "empty_input_body" if endpoint.bad_request == "bad_request" else endpoint.bad_request
            raise Refusal.of(400, code, "The request body is empty.")
        try:
            body = json.loads(content)
        # A body nested too deep ends as RecursionError.
        except (ValueError, RecursionError):
            raise Refusal.of(400, endpoint.bad_request, "The request body is not valid JSON.") from None
        order = read_order(
            body,
            operation=operation,
            model=request.headers.get("x-model-version"),
            find_upload=self._world.find_upload,
        )
        if isinstance(order, BadBody):
            raise self._refused(order, endpoint)
        return order

    def _refused(self, bad: BadBody, endpoint: Endpoint) -> Refusal:
        status = self._world.faults.complaint_status if bad.complaints else 400
        code = "validation_error" if status == 422 else endpoint.bad_request
        return Refusal.of(status, code, bad.message, complaints=bad.complaints)

    def _judge(self, order: Order, endpoint: Endpoint) -> None:
        """Refuse an order that is well formed, if its prompt or a fault wants it."""
        world = self._world
        word = world.faults.unsafe_word
        unsafe = bool(word) and word.casefold() in order.prompt.casefold()
        if unsafe or world.strikes("moderation"):
            raise Refusal.of(world.faults.moderation_status, world.faults.moderation_code, POLICY_MESSAGE)
        by_url = any(one.upload_id is None for one in order.inputs)
        if by_url and world.strikes("url_unreachable"):
            message = "The file with given presigned url could not be reached"
            raise Refusal.of(422, "validation_error", message)
        if order.custom_model is not None and world.strikes("unknown_model"):
            message = f"The custom model {order.custom_model} does not exist."
            raise Refusal.of(400, endpoint.bad_request, message)
        if world.strikes("submit_500"):
            raise Refusal.of(500, "runtime_error", "The service had an internal error.")

    def _fail(self, order: Order, status: int, endpoint: Endpoint) -> Response:
        if self._world.strikes("submit_error_charged"):
            self._world.accept(order)
        else:
            self._world.count_refusal()
        return mishap(status, bad_request=endpoint.bad_request)

    def _accepted(self, request: Request, endpoint: Endpoint, job: Job) -> Response:
        world, base = self._world, base_url(request)
        if world.strikes("submit_lost"):
            return CutConnection()
        if world.strikes("submit_502"):
            return html(502, "502 Bad Gateway")
        if world.faults.status_host:
            base = f"{request.url.scheme}://{world.faults.status_host}"
        status_url, cancel_url = f"{base}/v3/status/{job.id}", f"{base}/v3/cancel/{job.id}"
        headers = {}
        if endpoint.linked and not world.strikes("submit_no_link"):
            headers["link"] = f'<{status_url}>; rel="status", <{cancel_url}>; rel="cancel"'
        status = world.faults.accept_status or endpoint.status
        if world.strikes("submit_empty"):
            return Response(status_code=status, headers=headers)
        body = _acceptance(world.faults.shape or endpoint.form, job.id, status_url, cancel_url)
        if world.strikes("submit_garbled"):
            body = {"message": "accepted"}
        return reply(body, status=status, headers=headers)


def _acceptance(form: str, job_id: str, status_url: str, cancel_url: str) -> dict[str, Any]:
    if form == "B":
        return {"links": {"result": {"href": status_url}, "cancel": {"href": cancel_url}}, "progress": 0}
    body = {"jobId": job_id, "statusUrl": status_url, "cancelUrl": cancel_url}
    return body if form == "A" else {"status": "running", **body}


def _wrong_type(endpoint: Endpoint) -> Refusal:
    message = "The content type must be application/json."
    if endpoint.types:
        return Refusal.of(415, "invalid_content_type", message)
    wrong = complaint(("header", "content-type"), message, "value_error")
    return Refusal.of(422, "validation_error", message, complaints=[wrong])
