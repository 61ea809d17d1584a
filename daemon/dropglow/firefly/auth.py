"""Keep one token for everybody: fetched when needed, renewed early, by one request at a time.

While a token is still good, trouble with its renewal is no reason to stop. Its age is taken from the monotonic
clock, so that a jump of the wall clock neither kills nor revives it; a token that died otherwise, in a suspended
machine for instance, shows as a 401 and is renewed once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from dropglow.clock import Clock
from dropglow.errors import FireflyError
from dropglow.firefly import faults, wire
from dropglow.firefly.credentials import CredentialSource, FixedCredentials
from dropglow.firefly.faults import Answer, Broken, Call
from dropglow.firefly.settings import ApiSettings

RENEWED_AT_SHARE: Final = 0.8  # of its life
SPARE_S_MAX: Final = 60.0  # an order must not be on its way when the token dies
PATIENCE_S: Final = 30.0  # between attempts to renew a token that is still good, or that is refused anyhow

AnyCredentials = CredentialSource | FixedCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and the client id it belongs to; both are secret."""

    value: str = field(repr=False)
    client_id: str = field(repr=False)
    renew_at_s: float  # on the monotonic clock
    dead_at_s: float


class Tokens:
    """Give the token in force."""

    def __init__(
        self,
        settings: ApiSettings,
        credentials: AnyCredentials,
        clock: Clock,
        *,
        post: Callable[[str, bytes], Awaitable[Answer | Broken]],
    ) -> None:
        """Keep what is needed; *post* sends a form to an address, without a token."""
        self._settings = settings
        self._credentials = credentials
        self._clock = clock
        self._post = post
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None
        self._tried_at_s = float("-inf")
        self._kept_until_s = float("-inf")

    async def token(self) -> Token:
        """Return the token in force, fetched or renewed first if it is time.

        Raises:
            AuthError: There are no credentials, or Adobe does not accept them.
            Throttled: The token endpoint asks for patience.
            Unavailable: The token endpoint cannot be reached. Nothing else was sent.
        """
        held, now_s = self._token, self._clock.monotonic()
        if held is None or now_s >= held.dead_at_s:
            return await self.fetch()
        if now_s < held.renew_at_s or now_s < self._tried_at_s + PATIENCE_S:
            return held
        try:
            return await self.fetch()
        except FireflyError:
            return held  # it is good for a while yet

    async def renew(self, stale: Token) -> Token:
        """Return a token other than *stale*, which Adobe did not accept. Raises as ``token`` does.

        Where another would not be accepted either, *stale* comes back.
        """
        if self._token is not None and self._token is not stale:
            return self._token
        return stale if self._clock.monotonic() < self._kept_until_s else await self.fetch()

    def distrust(self) -> None:
        """Note that a renewed token was not accepted either: for a while none is fetched for that reason.

        Otherwise each question of each running job would cost a token, for as long as Adobe refuses them.
        """
        self._kept_until_s = self._clock.monotonic() + PATIENCE_S

    async def fetch(self) -> Token:
        """Return a token fetched now; whoever asks meanwhile gets the same. Raises as ``token`` does."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch(), name="firefly-token")
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # everybody who waited may be gone

    async def _fetch(self) -> Token:
        self._tried_at_s = self._clock.monotonic()
        credentials = self._credentials.read()
        client_id, secret = credentials.client_id.reveal(), credentials.client_secret.reveal()
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": ",".join(self._settings.scopes),
        }
        reply = await self._post(self._settings.token_url, urlencode(form).encode("ascii"))
        told = wire.token(reply.body) if isinstance(reply, Answer) and reply.status == 200 else None
        if told is None:
            raise faults.fault(Call.TOKEN, reply, now=self._clock.now(), secrets=(client_id, secret))
        value, life_s = told
        spare_s = min(SPARE_S_MAX, life_s * (1 - RENEWED_AT_SHARE) / 2)
        self._token = Token(
            value=value,
            client_id=client_id,
            renew_at_s=self._tried_at_s + life_s * RENEWED_AT_SHARE,
            dead_at_s=self._tried_at_s + life_s - spare_s,
        )
        return self._token
