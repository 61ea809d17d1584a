"""Put the pretend service together: which part answers which address.

Shapes, paths, headers and error bodies follow Adobe's OpenAPI document; where live answers are known to differ from
it (403000 for a missing key, 400 for a wrong size), the live ones are given. The parts take requests apart and put
answers together; decisions belong to the world and to `bodies`.
"""

from __future__ import annotations

import asyncio
import functools
import html as html_text
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dropglow.sandbox.access import Access
from dropglow.sandbox.catalogue import Catalogue
from dropglow.sandbox.downloads import Downloads
from dropglow.sandbox.endpoints import ENDPOINTS
from dropglow.sandbox.incoming import base_url
from dropglow.sandbox.replies import Refusal, reply
from dropglow.sandbox.storage import Storage
from dropglow.sandbox.submissions import Submissions
from dropglow.sandbox.tracking import Tracking
from dropglow.sandbox.world import World

__all__ = ["make_app"]

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def make_app(world: World) -> Starlette:
    """Return the pretend service as an ASGI application.

    Links in answers name the host and scheme of the request they answer. May be called on any running loop; one
    world can stand behind one application only.
    """
    access, downloads, pages = Access(world), Downloads(world), _Pages(world)
    tracking, submissions = Tracking(world, access, downloads), Submissions(world, access)
    routes = [
        _route(world, "POST", "/ims/token/v3", access.token),
        _route(world, "POST", "/v2/storage/image", Storage(world, access).upload),
        _route(world, "GET", "/v3/custom-models", Catalogue(world, access).list),
        _route(world, "GET", "/v3/status/{job_id}", tracking.status),
        _route(world, "PUT", "/v3/cancel/{job_id}", tracking.cancel),
        _route(world, "GET", "/results/{job_id}/{name}", downloads.download),
        _route(world, "GET", "/sandbox/books", pages.books),
        _route(world, "GET", "/", pages.welcome),
    ]
    for operation, endpoint in ENDPOINTS.items():
        handler = functools.partial(submissions.submit, operation)
        routes.append(_route(world, "POST", endpoint.path, handler))
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    routes.append(Route("/{rest:path}", pages.nothing_here, methods=methods))
    return Starlette(routes=routes)


def _route(world: World, method: str, path: str, handler: Handler) -> Route:
    """Return a route that counts, waits as asked, and turns refusals into answers."""
    name = f"{method} {path.partition('/{')[0]}"

    async def answer(request: Request) -> Response:
        world.count(name)
        if world.faults.latency and not path.startswith("/sandbox"):
            await asyncio.sleep(world.faults.latency)
        try:
            response = await handler(request)
        except Refusal as refusal:
            response = refusal.answer
        except ClientDisconnect:
            response = Response(status_code=499)  # nobody reads it
        response.headers["date"] = formatdate(world.now(), usegmt=True)
        return response

    return Route(path, answer, methods=[method])


class _Pages:
    """Show what is ours and not Adobe's."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def books(self, request: Request) -> Response:  # noqa: ARG002
        """Answer GET /sandbox/books: everything that was counted."""
        return reply(self._world.books())

    async def welcome(self, request: Request) -> Response:
        """Answer GET /: a page that says what this is."""
        return HTMLResponse(WELCOME.format(base=html_text.escape(base_url(request))))

    async def nothing_here(self, request: Request) -> Response:
        """Answer everything else."""
        self._world.count(f"{request.method} elsewhere")
        return reply({"error_code": "404", "message": "There is nothing under this address."}, status=404)


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
