"""Serve the sandbox on a port, inside the running loop.

The one thing to know: leaving is immediate. Open connections are cut and their handlers ended, because a stand-in
must never hold up the program that embeds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dropglow.embedded import Embedded
from dropglow.sandbox.app import make_app
from dropglow.sandbox.replies import TRANSPORT

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from starlette.types import Receive, Scope, Send

    from dropglow.sandbox.world import World

__all__ = ["Sandbox"]

BACKLOG = 2048


class Sandbox:
    """Serve one world while the ``async with`` block lasts.

    Port 0 takes a free one; ``url`` tells which.
    """

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Remember where to listen; nothing is opened yet."""
        self.world = world
        self._host = host
        self._port = port
        self._server: Embedded | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Return the base URL, without a slash at its end. Known inside the block, or if a port was named."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Open the port and begin to answer.

        Raises:
            OSError: The address cannot be bound.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=BACKLOG)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._server = Embedded(_configure(self.world))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="sandbox")
        await self._server.ready.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port and every connection."""
        if self._server is None or self._serving is None:
            return
        self._server.leave.set()
        await self._serving


class _Protocol(H11Protocol):
    """Let the application reach its connection, so that it can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this only for sockets that were made with an explicit protocol number. Without it, an answer
        # of two writes waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        application = self.app

        async def reachable(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), TRANSPORT: transport}
            # Cancelled only by `Embedded.shutdown`, after the connection was cut: nobody waits for an answer.
            with contextlib.suppress(asyncio.CancelledError):
                await application(scope, receive, send)

        self.app: Any = reachable


def _configure(world: World) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(world),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # The world has a clock of its own, and the application tells its time.
        date_header=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
