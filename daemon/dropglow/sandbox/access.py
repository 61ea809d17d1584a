"""Hand out tokens, ask for them, and say when somebody asks too often.

The codes of a missing key and of a token that is over (403000, 401013, 401014) are those of live answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from dropglow.sandbox.incoming import media_type
from dropglow.sandbox.replies import Refusal, html, reply
from dropglow.sandbox.world import World

__all__ = ["Access", "Objection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Say why somebody is not let in."""

    status: int
    code: str
    message: str


class Access:
    """Guard one world's doors."""

    def __init__(self, world: World) -> None:
        """Guard this world."""
        self._world = world

    async def token(self, request: Request) -> Response:
        """Answer POST /ims/token/v3: client credentials in a form."""
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if self._world.strikes("token_500"):
            return html(500, "500 Internal Server Error")
        if media_type(request) != "application/x-www-form-urlencoded":
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

    def objection(self, request: Request) -> Objection | None:
        """Return what is wrong with the key or the token of a request, or None."""
        key = request.headers.get("x-api-key", "")
        if not key:
            return Objection(status=403, code="403000", message="Api Key is required")
        if self._world.client_id is not None and key != self._world.client_id:
            return Objection(status=403, code="403003", message="Api Key is invalid")
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        expires_at = self._world.token_expires_at(text.strip())
        if scheme.lower() != "bearer" or expires_at is None or self._world.strikes("unauthorised"):
            return Objection(status=401, code="401013", message="Oauth token is not valid")
        if self._world.now() >= expires_at:
            return Objection(status=401, code="401014", message="Oauth token has expired")
        return None

    def authorise(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            Refusal: Its key or its token is not good.
        """
        objection = self.objection(request)
        if objection is not None:
            raise Refusal.of(objection.status, objection.code, objection.message)

    def forbid(self) -> None:
        """Refuse a submission if that is asked for.

        Raises:
            Refusal: The fault struck.
        """
        reason = self._world.struck("forbidden")
        if reason:
            self._world.count_refusal()
            raise Refusal.of(
                403, "access_error", "Access is not authorized.", headers={"x-access-error": reason}
            )

    def throttle(self) -> None:
        """Count a submission or an upload.

        Raises:
            Refusal: There were too many, or a fault says so.
        """
        world = self._world
        headers = {"x-access-rate-limit-level": world.faults.rate_limit_level}
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
        raise Refusal.of(429, world.faults.rate_limit_code, "Too many requests.", headers=headers)


def _oauth_error(status: int, error: str, description: str) -> Response:
    return reply({"error": error, "error_description": description}, status=status)
