"""One token for everybody, renewed in time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from dropglow.errors import AuthError, Unavailable
from dropglow.firefly.auth import Tokens
from dropglow.firefly.credentials import CredentialSource, FixedCredentials
from dropglow.firefly.faults import Answer, Broken
from dropglow.firefly.settings import ApiSettings


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds += delay_s


class Endpoint:
    """A token endpoint that counts, and answers as it is told."""

    def __init__(self) -> None:
        self.forms: list[dict[str, list[str]]] = []
        self.trouble: Answer | Broken | None = None
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def post(self, _url: str, form: bytes) -> Answer | Broken:
        self.forms.append(parse_qs(form.decode()))
        self.asked.set()
        await self.open.wait()
        if self.trouble is not None:
            return self.trouble
        body = json.dumps({"access_token": f"token-{len(self.forms)}", "expires_in": 1000}).encode()
        return Answer(status=200, headers={}, body=body, size_bytes=len(body))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def tokens(clock: HandClock, endpoint: Endpoint) -> Tokens:
    credentials = FixedCredentials(client_id="an id&", client_secret="a-secret")
    return Tokens(ApiSettings(scopes=("openid", "ff_apis")), credentials, clock, post=endpoint.post)


async def test_a_token_is_asked_for_with_client_credentials(tokens: Tokens, endpoint: Endpoint) -> None:
    """The form is that of Adobe's getting-started guide."""
    token = await tokens.token()

    assert ("token-1", "an id&") == (token.value, token.client_id)
    assert endpoint.forms == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["an id&"],
            "client_secret": ["a-secret"],
            "scope": ["openid,ff_apis"],
        }
    ]
    assert "token-1" not in repr(token)


async def test_a_token_is_used_until_most_of_its_life_is_over(
    tokens: Tokens, endpoint: Endpoint, clock: HandClock
) -> None:
    """Renewal comes after four fifths, well before the end."""
    await tokens.token()

    clock.seconds += 799
    assert "token-1" == (await tokens.token()).value
    clock.seconds += 1
    assert "token-2" == (await tokens.token()).value


async def test_a_good_token_outlives_trouble_with_its_renewal(
    tokens: Tokens, endpoint: Endpoint, clock: HandClock
) -> None:
    """While the endpoint is down the old token serves, the endpoint is asked seldom, and then it ends."""
    await tokens.token()
    endpoint.trouble = Broken(sent=False, why="refused")
    clock.seconds += 810

    assert "token-1" == (await tokens.token()).value
    assert "token-1" == (await tokens.token()).value
    assert 2 == len(endpoint.forms)
    clock.seconds += 131
    with pytest.raises(Unavailable):
        await tokens.token()


async def test_a_refused_token_is_replaced_once_for_all(tokens: Tokens, endpoint: Endpoint) -> None:
    """Whoever comes late with the same refused token gets the new one without a request."""
    stale = await tokens.token()

    first = await tokens.renew(stale)
    second = await tokens.renew(stale)

    assert first is second
    assert 2 == len(endpoint.forms)


async def test_callers_share_one_flight_even_if_the_first_gives_up(
    tokens: Tokens, endpoint: Endpoint
) -> None:
    """A caller that is cancelled does not take the others' token with it."""
    endpoint.open.clear()
    first, second = asyncio.create_task(tokens.token()), asyncio.create_task(tokens.token())
    await endpoint.asked.wait()

    first.cancel()
    endpoint.open.set()

    assert "token-1" == (await second).value
    assert first.cancelled()
    assert 1 == len(endpoint.forms)


async def test_a_failed_flight_is_not_remembered(tokens: Tokens, endpoint: Endpoint) -> None:
    """The next caller asks anew, with the credentials of that moment."""
    endpoint.trouble = Answer(status=401, headers={}, body=b'{"error": "invalid_client"}', size_bytes=0)
    with pytest.raises(AuthError, match="invalid_client"):
        await tokens.token()
    endpoint.trouble = None

    assert "token-2" == (await tokens.token()).value


async def test_missing_credentials_send_nothing(clock: HandClock, endpoint: Endpoint) -> None:
    """Without credentials the endpoint is left alone."""
    tokens = Tokens(ApiSettings(), CredentialSource({}), clock, post=endpoint.post)

    with pytest.raises(AuthError):
        await tokens.token()

    assert not endpoint.forms


async def test_a_flight_that_is_ended_ends_its_callers(tokens: Tokens, endpoint: Endpoint) -> None:
    """A flight that is cancelled leaves no complaint behind, and the next one starts anew."""
    endpoint.open.clear()
    caller = asyncio.create_task(tokens.token())
    await endpoint.asked.wait()

    for task in asyncio.all_tasks():
        if task.get_name() == "firefly-token":
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    endpoint.open.set()

    assert "token-2" == (await tokens.token()).value
