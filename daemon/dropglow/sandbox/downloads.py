"""Sign the links of results, and answer them as S3 would."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.gallery import Gallery
from dropglow.sandbox.incoming import base_url
from dropglow.sandbox.jobs import Job
from dropglow.sandbox.replies import CutBody, SlowBody, html, xml_error
from dropglow.sandbox.results import file_name, media_type_of
from dropglow.sandbox.signing import Verdict, check_link, sign_link
from dropglow.sandbox.world import World

__all__ = ["Downloads"]

SIGNING_KEY: Final = b"sandbox"


class Downloads:
    """Give out the results of one world's jobs."""

    def __init__(self, world: World) -> None:
        """Begin with an empty gallery."""
        self._world = world
        self._gallery = Gallery(world)

    def link(self, request: Request, job: Job, index: int) -> str:
        """Return the address of one output, on the host that was asked, signed from now on."""
        path = f"/results/{job.uuid}/{file_name(job.order, index)}"
        life_s = self._world.faults.link_life
        return base_url(request) + sign_link(path, at=self._world.now(), life_s=life_s, key=SIGNING_KEY)

    async def download(self, request: Request) -> Response:
        """Answer GET of a signed link."""
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
        content = await self._gallery.result(job, index)
        headers, kind = {"accept-ranges": "bytes"}, media_type_of(job.order)
        if self._world.strikes("cut_download"):
            return CutBody(content, headers=headers, media_type=kind)
        pace = self._world.faults.slow_download
        if pace:
            return SlowBody(content, bytes_per_s=pace, headers=headers, media_type=kind)
        return Response(content, headers=headers, media_type=kind)
