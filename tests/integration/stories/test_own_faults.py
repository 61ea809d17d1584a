"""A fault of our own: it must stay with the job that met it, and be told as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


class Stumbling(httpx.AsyncBaseTransport):
    """Stumble over the first order in a way that nobody foresaw, after it has reached the other side."""

    def __init__(self, behind: httpx.AsyncBaseTransport) -> None:
        self._behind = behind
        self.stumbled = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._behind.handle_async_request(request)
        if request.url.path.endswith("generate-async") and not self.stumbled:
            self.stumbled = True
            raise ZeroDivisionError
        return response

    async def aclose(self) -> None:
        await self._behind.aclose()


async def test_a_fault_of_ours_puts_one_order_in_doubt_and_the_rest_go_on(make_daemon: DaemonMaker) -> None:
    """The order that was on the wire is in doubt, for the true reason; the others are delivered later."""
    daemon = make_daemon(hurry=200)
    daemon.wire = Stumbling
    for number in range(4):
        daemon.prompt(f"p{number}.txt", f"picture {number}")

    outcome = await daemon.run_once()

    (doubt,) = [job for job in await daemon.jobs() if job.stage is Stage.IN_DOUBT]
    assert outcome.troubled
    assert doubt.failure is not None
    assert ("bug", "ZeroDivisionError") == (doubt.failure.code, doubt.failure.why)
    assert (3, 4) == (len(daemon.results()), daemon.books()["accepted"])
