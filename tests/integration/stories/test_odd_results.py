"""Results that are whole, and not what was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from io import StringIO

    from tests.integration.stories.conftest import DaemonMaker


CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox
    settle: 20ms
    sidecar: true
    expand: {sizes: [300x200]}
"""


class Echo(httpx.AsyncBaseTransport):
    """Give back the picture that was dropped, whatever result is asked for."""

    def __init__(self, world: httpx.AsyncBaseTransport, picture: Path) -> None:
        self._world = world
        self._picture = picture.read_bytes()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._world.handle_async_request(request)
        if "X-Amz-Signature" not in str(request.url):
            return response
        await response.aread()
        return httpx.Response(200, headers={"content-type": "image/jpeg"}, content=self._picture)

    async def aclose(self) -> None:
        await self._world.aclose()


async def test_the_input_in_place_of_a_result_is_delivered_and_said(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """It is paid for, so it is delivered; the log and the sidecar tell what is odd about it."""
    daemon = make_daemon(text=CONFIGURATION)
    photo = daemon.photo()
    daemon.wire = lambda world: Echo(world, photo)

    await daemon.run_once()

    said = [json.loads(line) for line in log.getvalue().splitlines() if '"result.odd"' in line]
    sidecar = json.loads(next(daemon.outbox.rglob("*.json")).read_text())
    odd = ["it is 240x160 pixels, and 300x200 was asked for", "it is the very picture that was sent"]
    assert odd == [each["reason"] for each in said]
    assert odd == sidecar["oddities"]
    assert 1 == daemon.books()["accepted"]
