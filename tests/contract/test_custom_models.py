"""What the client asks about an account: its custom models, page by page, and whether it may use Firefly."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dropglow.errors import AuthError, RequestRefused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from dropglow.firefly.client import FireflyClient
    from tests.contract.conftest import RawAdobe, Script

    ClientMaker = Callable[..., AbstractAsyncContextManager[FireflyClient]]


def answer(status: str, body: dict[str, Any] | bytes, *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


def pages(adobe: RawAdobe, count: int, *, total: bool = True, deaf: bool = False) -> Script:
    """Return a script that lists *count* models, perhaps without saying how many, or always from the first on."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = parse_qs(urlsplit(adobe.asked("models")[-1].target).query)
        start, limit = 0 if deaf else int(query["start"][0]), int(query["limit"][0])
        listed = [{"assetId": f"urn:{number}"} for number in range(count)][start : start + limit]
        body: dict[str, Any] = {"custom_models": listed} | ({"total_count": count} if total else {})
        writer.write(answer("200 OK", body))
        await writer.drain()

    return script


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(("count", "asked"), [(0, 1), (1, 1), (49, 1), (51, 2), (120, 3)])
async def test_every_page_is_read(
    adobe: RawAdobe, client_of: ClientMaker, count: int, asked: int, total: bool
) -> None:
    """All models come, each once, by as many questions as there are pages."""
    adobe.say("models", pages(adobe, count, total=total))
    async with client_of(adobe.address) as client:
        models = await client.custom_models()

    assert [f"urn:{number}" for number in range(count)] == [model.id for model in models]
    assert asked == len(adobe.asked("models"))


async def test_a_server_that_knows_no_pages_is_asked_twice_at_most(
    adobe: RawAdobe, client_of: ClientMaker
) -> None:
    """The same page again ends the reading."""
    adobe.say("models", pages(adobe, 90, deaf=True))
    async with client_of(adobe.address) as client:
        models = await client.custom_models()

    assert (50, 2) == (len(models), len(adobe.asked("models")))


async def test_models_without_end_are_bounded(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """A list that never ends is read for a hundred pages."""
    adobe.say("models", pages(adobe, 6000))
    async with client_of(adobe.address) as client:
        models = await client.custom_models()

    assert (5000, 100) == (len(models), len(adobe.asked("models")))


async def test_the_question_is_as_documented(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """It asks for models in every state, with start and limit, and names itself to Adobe's support."""
    adobe.say("models", pages(adobe, 1))
    async with client_of(adobe.address) as client:
        await client.custom_models()

    asked = adobe.asked("models")[0]
    query = {name: value for name, (value,) in parse_qs(urlsplit(asked.target).query).items()}
    assert {"sortBy": "createdDate", "start": "0", "limit": "50", "publishedState": "all"} == query
    assert asked.headers["x-request-id"]
    assert "Bearer token-1" == asked.headers["authorization"]


async def test_a_page_that_fails_fails_the_list(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """Half a list would call models missing that are there."""
    adobe.say("models", pages(adobe, 90), answer("503 Down", b""))
    async with client_of(adobe.address) as client:
        with pytest.raises(Unavailable):
            await client.custom_models()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("404 Not Found", "unknown_job_id"),
        ("422 Unprocessable", "validation_error"),
        ("400 Bad", "bad_request"),
    ],
)
async def test_an_account_whose_job_is_looked_for_may_use_firefly(
    adobe: RawAdobe, client_of: ClientMaker, status: str, code: str
) -> None:
    """That the job is unknown says that the question was let in; nothing was ordered."""
    adobe.say("status", answer(status, {"error_code": code, "message": "The job id is unknown."}))
    async with client_of(adobe.address) as client:
        await client.check_entitlement()

    assert ["token", "status"] == [request.kind for request in adobe.requests]


@pytest.mark.parametrize(
    "word", ["quota_exhausted", "user_non_entitled", "user_profile_denied", "invalid_ims_scope"]
)
async def test_an_account_that_is_not_entitled_is_told_why(
    adobe: RawAdobe, client_of: ClientMaker, word: str
) -> None:
    """Adobe's x-access-error comes with a hint in plain words."""
    adobe.say("status", answer("403 Forbidden", {"error_code": "access_error"}, f"x-access-error: {word}"))
    async with client_of(adobe.address) as client:
        with pytest.raises(AuthError) as caught:
            await client.check_entitlement()

    assert word == caught.value.code
    assert caught.value.hint


async def test_somebody_else_s_404_is_no_entitlement(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """A web server that knows no such page is not Firefly."""
    adobe.say("status", answer("404 Not Found", b"<html>Not found</html>"))
    async with client_of(adobe.address) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.check_entitlement()

    assert 404 == caught.value.status
