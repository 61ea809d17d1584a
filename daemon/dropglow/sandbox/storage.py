"""Take pictures in: POST /v2/storage/image, the raw bytes of one picture at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.access import Access
from dropglow.sandbox.incoming import media_type, read_body
from dropglow.sandbox.mishaps import mishap
from dropglow.sandbox.replies import CutConnection, Refusal, reply
from dropglow.sandbox.uploads import FORMATS, measure_picture
from dropglow.sandbox.world import World

__all__ = ["Storage"]

# Where uploads have codes of their own: numbers from the former document of this call, and content policy.
CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("10075", "The body is not a valid image."),
    403: ("10007", "Missing required IMS scope"),
    451: ("input_media_unsafe", "The input image did not pass content policy checks."),
}


class Storage:
    """Store uploads in one world."""

    def __init__(self, world: World, access: Access) -> None:
        """Store there what *access* lets in."""
        self._world = world
        self._access = access

    async def upload(self, request: Request) -> Response:
        """Answer with the id of a stored picture, good for seven days.

        Raises:
            Refusal: It is not stored.
        """
        content = await read_body(request)
        self._access.authorise(request)
        self._access.throttle()
        try:
            answer = await self._store(content, media_type(request))
        except Refusal:
            self._world.count_refusal()
            raise
        return answer

    async def _store(self, content: bytes | None, declared: str) -> Response:
        if content is None or self._world.strikes("upload_413"):
            raise Refusal(mishap(413))
        status = self._world.struck("upload_error")
        if status:
            raise Refusal.of(status, *CODES[status]) if status in CODES else Refusal(mishap(status))
        if declared not in FORMATS:
            raise Refusal.of(415, "invalid_content_type", f"Unsupported content type: {declared}")
        if not content:
            raise Refusal.of(400, "empty_input_body", "The request body is empty.")
        measures = await asyncio.to_thread(measure_picture, content, media_type=declared)
        if measures is None:
            raise Refusal.of(400, "10075", f"The body is not a valid {declared} image.")
        if self._world.strikes("upload_500"):
            raise Refusal.of(500, "10002", "Internal server error.")
        upload = self._world.store(content, measures)
        if self._world.strikes("upload_lost"):
            return CutConnection()
        return reply({"images": [{"id": upload.id}]})
