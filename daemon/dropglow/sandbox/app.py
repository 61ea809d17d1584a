"""Speak Firefly's wire protocol over a `World`.

Shapes, paths, headers and error bodies follow Adobe's OpenAPI document; where live answers are known to differ from
it (403000 for a missing key, 400 for a wrong size), the live ones are given. Decisions belong to the world and to
`bodies`; here requests are taken apart and answers are put together.
"""

from __future__ import annotations

import asyncio
import functools
import html as html_text
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dropglow.sandbox.bodies import BadBody, read_order
from dropglow.sandbox.checks import UUID4, complaint
from dropglow.sandbox.gallery import Gallery
from dropglow.sandbox.jobs import Job, Operation, Order, State
from dropglow.sandbox.replies import CutBody, CutConnection, Refusal, SlowBody, html, reply, xml_error
from dropglow.sandbox.signing import Verdict, check_link, sign_link
from dropglow.sandbox.uploads import FORMATS, measure_picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from dropglow.sandbox.world import World

    Handler = Callable[[Request], Awaitable[Response]]

__all__ = ["make_app"]

UPLOAD_LIMIT_BYTES: Final = 15 * 1024 * 1024
# Above the limit the rest of a body is read and dropped, so that the client hears the answer; but not for ever.
DRAIN_LIMIT_BYTES: Final = 64 * 1024 * 1024
SIGNING_KEY: Final = b"sandbox"
POLICY_MESSAGE: Final = "The prompt did not pass content policy checks."
SUBMISSIONS: Final[Mapping[str, Operation]] = {
    "/v3/images/generate-async": Operation.GENERATE,
    "/v3/images/expand-async": Operation.EXPAND,
}


def make_app(world: World) -> Starlette:
    """Return the pretend service as an ASGI application.

    Links in answers name the host and scheme of the request they answer. May be called on any running loop; one
    world can stand behind one application only.
    """
    service = _Service(world)
    routes = [
        service.route("POST", "/ims/token/v3", service.token),
        service.route("POST", "/v2/storage/image", service.upload),
        service.route("GET", "/v3/status/{job_id}", service.status),
        service.route("PUT", "/v3/cancel/{job_id}", service.cancel),
        service.route("GET", "/results/{job_id}/{name}", service.download),
        service.route("GET", "/sandbox/books", service.books),
        service.route("GET", "/", service.welcome),
    ]
    for path, operation in SUBMISSIONS.items():
        routes.append(service.route("POST", path, functools.partial(service.submit, operation)))
    routes.append(
        Route("/{rest:path}", service.nothing_here, methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    )
    return Starlette(routes=routes)


class _Service:
    """Answer the requests of one world's clients."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._gallery = Gallery(world)

    def route(self, method: str, path: str, handler: Handler) -> Route:
        """Return a route that counts, waits as asked, and turns refusals into answers."""
        name = f"{method} {path.partition('/{')[0]}"

        async def answer(request: Request) -> Response:
            self._world.count(name)
            if self._world.faults.latency and not path.startswith("/sandbox"):
                await asyncio.sleep(self._world.faults.latency)
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.answer
            except ClientDisconnect:
                response = Response(status_code=499)  # nobody reads it
            response.headers["date"] = formatdate(self._world.now(), usegmt=True)
            return response

        return Route(path, answer, methods=[method])

    # Credentials.

    async def token(self, request: Request) -> Response:
        """Answer POST /ims/token/v3: client credentials in a form."""
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if self._world.strikes("token_500"):
            return html(500, "500 Internal Server Error")
        if _media_type(request) != "application/x-www-form-urlencoded":
            return _oauth_error(400, "invalid_request", "the body must be a form")
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error(400, "unsupported_grant_type", "grant_type must be client_credentials")
        client_id, secret = form.get("client_id", [""])[0], form.get("client_secret", [""])[0]
        if not client_id or not secret:
            return _oauth_error(400, "invalid_request", "client_id and client_secret are needed")
        if self._world.strikes("token_401"):
            return _oauth_error(401, "invalid_client", "invalid client_secret parameter")
        token = self._world.issue_token(client_id, secret)
        if token is None:
            return _oauth_error(401, "invalid_client", "invalid client_id or client_secret parameter")
        return reply({"access_token": token.text, "token_type": "bearer", "expires_in": int(token.life_s)})

    def _authorise(self, request: Request) -> None:
        key = request.headers.get("x-api-key", "")
        if not key:
            raise Refusal.of(403, "403000", "Api Key is required")
        if self._world.client_id is not None and key != self._world.client_id:
            raise Refusal.of(403, "403003", "Api Key is invalid")
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        expires_at = self._world.token_expires_at(text.strip())
        if scheme.lower() != "bearer" or expires_at is None or self._world.strikes("unauthorised"):
            raise Refusal.of(401, "401013", "Oauth token is not valid")
        if self._world.now() >= expires_at:
            raise Refusal.of(401, "401014", "Oauth token has expired")

    def _throttle(self) -> None:
        world = self._world
        headers = {"x-access-rate-limit-level": "org"}
        wait_s = world.wait_before_next()
        if wait_s is not None:
            headers["retry-after"] = str(int(wait_s) + 1)
        elif world.strikes("rate_limit"):
            headers["retry-after"] = f"{world.faults.retry_after:g}"
        elif world.strikes("rate_limit_date"):
            headers["retry-after"] = formatdate(world.now() + world.faults.retry_after, usegmt=True)
        elif not world.strikes("rate_limit_bare"):
            return
        world.count_refusal()
        raise Refusal.of(429, "rate_limited", "Too many requests.", headers=headers)

    # Uploads.

    async def upload(self, request: Request) -> Response:
        """Answer POST /v2/storage/image: the raw bytes of one picture."""
        content = await _read(request, limit_bytes=UPLOAD_LIMIT_BYTES)
        self._authorise(request)
        self._throttle()
        if content is None or self._world.strikes("upload_413"):
            raise self._refuse(Refusal(html(413, "413 Request Entity Too Large")))
        media_type = _media_type(request)
        if media_type not in FORMATS:
            raise self._refuse(
                Refusal.of(415, "invalid_content_type", f"Unsupported content type: {media_type}")
            )
        if not content:
            raise self._refuse(Refusal.of(400, "empty_input_body", "The request body is empty."))
        size = await asyncio.to_thread(measure_picture, content, media_type=media_type)
        if size is None:
            raise self._refuse(Refusal.of(400, "10075", f"The body is not a valid {media_type} image."))
        if self._world.strikes("upload_500"):
            raise self._refuse(Refusal.of(500, "10002", "Internal server error."))
        upload = self._world.store(content, width=size[0], height=size[1])
        if self._world.strikes("upload_lost"):
            return CutConnection()
        return reply({"images": [{"id": upload.id}]})

    # Submissions.

    async def submit(self, operation: Operation, request: Request) -> Response:
        """Answer a submission. Nothing is charged before `World.accept`; after it, everything is."""
        content = await _read(request, limit_bytes=UPLOAD_LIMIT_BYTES)
        if self._world.strikes("redirect"):
            location = f"{_base_url(request)}/elsewhere{request.url.path}"
            return Response(status_code=307, headers={"location": location})
        self._authorise(request)
        self._forbid()
        self._throttle()
        order = self._read_order(request, content, operation)
        self._moderate(order)
        if self._world.strikes("submit_500"):
            raise self._refuse(Refusal.of(500, "runtime_error", "The service had an internal error."))
        return self._accepted(request, self._world.accept(order))

    def _forbid(self) -> None:
        reason = self._world.faults.forbidden
        if reason and self._world.strikes("forbidden_rate"):
            refusal = Refusal.of(
                403, "access_error", "Access is not authorized.", headers={"x-access-error": reason}
            )
            raise self._refuse(refusal)

    def _read_order(self, request: Request, content: bytes | None, operation: Operation) -> Order:
        if content is None:
            raise self._refuse(Refusal(html(413, "413 Request Entity Too Large")))
        if _media_type(request) != "application/json":
            raise self._refuse(
                Refusal.of(415, "invalid_content_type", "The content type must be application/json.")
            )
        if not content.strip():
            raise self._refuse(Refusal.of(400, "empty_input_body", "The request body is empty."))
        try:
            body = json.loads(content)
        # A body nested too deep ends as RecursionError.
        except (ValueError, RecursionError):
            raise self._refuse(
                Refusal.of(400, "bad_request", "The request body is not valid JSON.")
            ) from None
        order = read_order(body, operation=operation, model=request.headers.get("x-model-version"))
        if isinstance(order, BadBody):
            status, code = (422, "validation_error") if order.complaints else (400, "bad_request")
            raise self._refuse(Refusal.of(status, code, order.message, complaints=order.complaints))
        for upload_id in order.upload_ids:
            if self._world.find_upload(upload_id) is None:
                message = f"The uploaded asset {upload_id} does not exist or has expired."
                raise self._refuse(Refusal.of(400, "bad_request", message))
        return order

    def _moderate(self, order: Order) -> None:
        word = self._world.faults.unsafe_word
        unsafe = bool(word) and word.casefold() in order.prompt.casefold()
        if unsafe or self._world.strikes("moderation"):
            raise self._refuse(
                Refusal.of(self._world.faults.moderation_status, "prompt_unsafe", POLICY_MESSAGE)
            )

    def _refuse(self, refusal: Refusal) -> Refusal:
        self._world.count_refusal()
        return refusal

    def _accepted(self, request: Request, job: Job) -> Response:
        world, base = self._world, _base_url(request)
        if world.strikes("submit_lost"):
            return CutConnection()
        if world.strikes("submit_502"):
            return html(502, "502 Bad Gateway")
        if world.faults.status_host:
            base = f"{request.url.scheme}://{world.faults.status_host}"
        status_url, cancel_url = f"{base}/v3/status/{job.id}", f"{base}/v3/cancel/{job.id}"
        headers = {}
        if not world.strikes("submit_no_link"):
            headers["link"] = f'<{status_url}>; rel="status", <{cancel_url}>; rel="cancel"'
        body: dict[str, Any] = {"jobId": job.id, "statusUrl": status_url, "cancelUrl": cancel_url}
        if world.faults.shape == "B":
            body = {"links": {"result": {"href": status_url}, "cancel": {"href": cancel_url}}, "progress": 0}
        elif world.faults.shape == "C":
            body = {"status": "running", **body}
        if world.strikes("submit_garbled"):
            body = {"message": "accepted"}
        return reply(body, status=world.faults.accept_status, headers=headers)

    # Jobs.

    async def status(self, request: Request) -> Response:
        """Answer GET /v3/status/{jobId}; every way a job can stand is a 200."""
        self._authorise(request)
        job = self._named_job(request)
        world = self._world
        if world.strikes("rate_limit_status"):
            headers = {"retry-after": f"{world.faults.retry_after:g}"}
            raise Refusal.of(429, "rate_limited", "Too many requests.", headers=headers)
        if world.strikes("status_500"):
            raise Refusal.of(500, "runtime_error", "The service had an internal error.")
        if world.strikes("status_404"):
            raise _unknown_job()
        if world.strikes("status_lost"):
            return CutConnection()
        state = world.poll(job)
        if state is State.SUCCEEDED:
            return reply({"status": "succeeded", "jobId": job.id, "result": self._result(request, job)})
        return reply(self._standing(job, state))

    def _standing(self, job: Job, state: State) -> dict[str, Any]:
        world = self._world
        bare = state is State.RUNNING and world.strikes("bare_ids")
        body: dict[str, Any] = {"status": state.value, "jobId": job.uuid if bare else job.id}
        if not state.final:
            if world.faults.progress == "yes":
                body["progress"] = job.progress(world.now())
            return body
        if state is State.CANCELLED:
            return body | {
                "status": world.faults.spelling,
                "error_code": "cancelled_error",
                "message": "The job was canceled.",
            }
        if state is State.TIMEOUT:
            return body | {"error_code": "job_timeout", "message": "The job timed out."}
        return body | {"error_code": job.error_code, "message": "The job failed."}

    def _result(self, request: Request, job: Job) -> dict[str, Any]:
        world, base = self._world, _base_url(request)
        outputs = []
        for index in range(job.outputs):
            path = f"/results/{job.uuid}/{index}.jpg"
            link = sign_link(path, at=world.now(), life_s=world.faults.link_life, key=SIGNING_KEY)
            outputs.append({"seed": job.seeds[index], "image": {"url": f"{base}{link}"}})
        result: dict[str, Any] = {
            "size": {"width": job.order.width, "height": job.order.height},
            "outputs": outputs,
        }
        if job.order.content_class is not None:
            result["contentClass"] = job.order.content_class
        return result

    async def cancel(self, request: Request) -> Response:
        """Answer PUT /v3/cancel/{jobId}: 200 without a body, or why it is too late."""
        await _read(request, limit_bytes=UPLOAD_LIMIT_BYTES)
        self._authorise(request)
        before = self._world.cancel(self._named_job(request))
        if before in {State.CANCELLED, State.CANCEL_PENDING}:
            raise Refusal.of(409, "job_already_canceled", "The job was already canceled.")
        if before in {State.SUCCEEDED, State.FAILED}:
            raise Refusal.of(409, "job_completed", "The job was already completed.")
        if before is State.TIMEOUT:
            raise Refusal.of(410, "job_timeout", "The job timed out.")
        return Response(status_code=200)

    def _named_job(self, request: Request) -> Job:
        job_id = request.path_params["job_id"]
        if not UUID4.fullmatch(job_id.removeprefix("urn:ff:jobs:").rpartition(":")[2]):
            wrong = complaint(("parameters", "jobId"), "invalid job identifier format", "value_error")
            raise Refusal.of(422, "validation_error", complaints=[wrong])
        job = self._world.find_job(job_id)
        if job is None:
            raise _unknown_job()
        return job

    # Downloads.

    async def download(self, request: Request) -> Response:
        """Answer GET of a pre-signed link, as S3 would."""
        if request.method != "GET":
            return xml_error(403, "SignatureDoesNotMatch", "The link is signed for GET.")
        if "authorization" in request.headers:
            return xml_error(400, "InvalidArgument", "Only one auth mechanism allowed.")
        verdict = check_link(request.url.path, request.query_params, now=self._world.now(), key=SIGNING_KEY)
        if verdict is Verdict.FORGED:
            return xml_error(403, "SignatureDoesNotMatch", "The signature does not match.")
        if verdict is Verdict.EXPIRED or self._world.strikes("link_403"):
            return xml_error(403, "AccessDenied", "Request has expired")
        if self._world.strikes("download_500"):
            return xml_error(503, "SlowDown", "Please reduce your request rate.")
        job = self._world.find_job(request.path_params["job_id"])
        if job is None:
            return xml_error(404, "NoSuchKey", "The specified key does not exist.")
        self._world.count_download(job)
        if self._world.strikes("wrong_type"):
            return html(200, "Please sign in")
        return await self._send(job, int(request.path_params["name"].partition(".")[0]))

    async def _send(self, job: Job, index: int) -> Response:
        picture = await self._gallery.picture(job, index)
        headers = {"accept-ranges": "bytes"}
        if self._world.strikes("cut_download"):
            return CutBody(picture, headers=headers, media_type="image/jpeg")
        pace = self._world.faults.slow_download
        if pace:
            return SlowBody(picture, bytes_per_s=pace, headers=headers, media_type="image/jpeg")
        return Response(picture, headers=headers, media_type="image/jpeg")

    # Ours.

    async def books(self, request: Request) -> Response:  # noqa: ARG002
        """Answer GET /sandbox/books: everything that was counted."""
        return reply(self._world.books())

    async def welcome(self, request: Request) -> Response:
        """Answer GET /: a page that says what this is."""
        return HTMLResponse(WELCOME.format(base=html_text.escape(_base_url(request))))

    async def nothing_here(self, request: Request) -> Response:
        """Answer everything else."""
        self._world.count(f"{request.method} elsewhere")
        return reply({"error_code": "404", "message": "There is nothing under this address."}, status=404)


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _oauth_error(status: int, error: str, description: str) -> Response:
    return reply({"error": error, "error_description": description}, status=status)


def _unknown_job() -> Refusal:
    return Refusal.of(404, "unknown_job_id", "The job id is unknown.")


async def _read(request: Request, *, limit_bytes: int) -> bytes | None:
    """Return the whole body, or None if it is longer than the limit."""
    content = bytearray()
    dropped = 0
    async for piece in request.stream():
        if len(content) + len(piece) > limit_bytes or dropped:
            dropped += len(piece)
        else:
            content += piece
        if dropped > DRAIN_LIMIT_BYTES:
            break
    return None if dropped else bytes(content)


WELCOME: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dropglow sandbox</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:44em;margin:3em auto;padding:0 1em}}
code{{background:#eee;padding:.1em .3em}}</style></head><body>
<h1>Dropglow sandbox</h1>
<p>This is a pretend Adobe Firefly. It speaks the wire protocol of the asynchronous API, costs nothing and keeps
nothing when it stops. Its pictures are painted on this machine and marked as such.</p>
<p>Point Dropglow at it:</p>
<pre><code>api:
  base_url: {base}
  token_url: {base}/ims/token/v3</code></pre>
<p>Any client id and secret will do, unless it was started with particular ones.
What it has seen stands in <a href="/sandbox/books">its books</a>.</p>
</body></html>
"""
