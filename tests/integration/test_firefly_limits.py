"""What takes too long, gets too long or comes too short."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from dropglow.errors import DiskError, Unavailable, Verdict
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.picture import Picture
from dropglow.firefly.settings import ApiSettings, Timeouts

LINK = "https://a.s3.amazonaws.com/x.jpg?signature=1"


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds += delay_s


class Drip(httpx.AsyncByteStream):
    """A body of which every piece takes its time."""

    def __init__(self, clock: HandClock, *, each_s: float) -> None:
        self._clock = clock
        self._each_s = each_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(10):
            await self._clock.sleep(self._each_s)
            yield b"drop"


def client_of(clock: HandClock, response: httpx.Response) -> FireflyClient:
    return FireflyClient(
        ApiSettings(),
        FixedCredentials(client_id="a-client", client_secret="a-secret"),
        clock,
        connections=1,
        transport=httpx.MockTransport(lambda _request: response),
        timeouts=Timeouts(download_s=60),
    )


async def take(stream: Picture, clock: HandClock, *, each_s: float) -> None:
    async for _ in stream:
        await clock.sleep(each_s)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(b"x" * 1_500_000)
    return path


async def test_a_result_that_drips_is_given_up() -> None:
    """The deadline holds for the whole, however lively the pieces are."""
    clock = HandClock()
    client = client_of(clock, httpx.Response(200, stream=Drip(clock, each_s=20)))

    with pytest.raises(Unavailable, match="too slowly") as caught:
        await client.download(LINK, bytearray().extend)

    assert Verdict.LATER is caught.value.verdict
    assert 80 == clock.seconds


async def test_a_slow_result_within_its_time_is_whole() -> None:
    """Slow alone is no fault; without an announced length there is none to compare."""
    clock = HandClock()
    client = client_of(clock, httpx.Response(200, stream=Drip(clock, each_s=5)))
    received = bytearray()

    downloaded = await client.download(LINK, received.extend)

    assert (40, None, "") == (downloaded.size_bytes, downloaded.expected_bytes, downloaded.media_type)
    assert b"drop" * 10 == received


async def test_a_result_of_another_length_than_announced_is_none() -> None:
    """The announced length is compared even if the transport did not."""
    clock = HandClock()
    response = httpx.Response(200, headers={"content-length": "41"}, stream=Drip(clock, each_s=0))

    with pytest.raises(Unavailable, match="40 of 41 bytes"):
        await client_of(clock, response).download(LINK, bytearray().extend)


async def test_an_upload_that_is_taken_too_slowly_is_given_up(picture: Path) -> None:
    """The time between pieces counts, too."""
    clock = HandClock()
    stream = Picture.open(str(picture), clock, deadline_s=60)

    with pytest.raises(Unavailable) as caught:
        await take(stream, clock, each_s=40)
    await stream.aclose()

    assert Verdict.LATER is caught.value.verdict


async def test_a_picture_that_shrinks_is_not_passed_off_as_whole(picture: Path) -> None:
    """What was announced cannot be sent any more."""
    stream = Picture.open(str(picture), HandClock(), deadline_s=60)
    os.truncate(picture, 600_000)

    with pytest.raises(DiskError, match="shorter"):
        await take(stream, HandClock(), each_s=0)
    await stream.aclose()


async def test_a_named_pipe_is_no_picture(tmp_path: Path) -> None:
    """Opening it does not wait for somebody at the other end."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(DiskError, match="no regular file"):
        Picture.open(str(tmp_path / "pipe"), HandClock(), deadline_s=60)


async def test_a_loop_of_links_is_no_picture(tmp_path: Path) -> None:
    """What cannot be opened is told with its path."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(DiskError, match="loop"):
        Picture.open(str(tmp_path / "loop"), HandClock(), deadline_s=60)
