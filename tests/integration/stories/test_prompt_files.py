"""Prompt files in full: pictures by their address, parameters of their own, many prompts in one file."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

SECRET = "X-Amz-Signature=0123456789abcdef"
ADDRESS = f"https://bucket.s3.amazonaws.com/in/photo.jpg?{SECRET}"
CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: it
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    sidecar: true
    match: {kind: prompt}
"""


def with_rule(make_daemon: DaemonMaker, *lines: str) -> Daemon:
    return make_daemon(text=CONFIGURATION + "".join(f"    {line}\n" for line in lines))


class Listener(httpx.AsyncBaseTransport):
    """Hears every order that goes over the wire."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.orders: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.startswith("/v3/images/"):
            self.orders.append(json.loads(await request.aread()))
        return await self._inner.handle_async_request(request)


async def test_a_picture_may_be_given_by_its_address(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Adobe gets the address as it was written; nothing is uploaded, and nobody else ever sees the signature."""
    daemon = with_rule(make_daemon, "expand: {size: 300x200}")
    heard: list[Listener] = []

    def listening(transport: httpx.AsyncBaseTransport) -> Listener:
        heard.append(Listener(transport))
        return heard[-1]

    daemon.wire = listening
    daemon.prompt(text=f"---\nimage: {ADDRESS}\n---\nwide sand\n")

    await daemon.run_once()

    (job,) = await daemon.jobs()
    (order,) = heard[0].orders
    kept = [
        path.read_bytes() for path in daemon.folder.rglob("*") if path.is_file() and path.suffix != ".txt"
    ]
    assert Stage.DELIVERED is job.stage
    assert {"url": ADDRESS} == order["image"]["source"]
    assert "wide sand" == order["prompt"]
    assert [] == daemon.books()["uploads"]
    assert SECRET not in log.getvalue()
    assert not [content for content in kept if SECRET.encode() in content]


async def test_an_address_is_read_again_after_a_restart(make_daemon: DaemonMaker) -> None:
    """The order that a stopped service left in the queue finds its address where it was written."""
    daemon = with_rule(make_daemon, "expand: {size: 300x200}")
    daemon.faults("rate_limit=1", "retry_after=1")
    daemon.prompt(text=f"---\nimage: {ADDRESS}\n---\n")
    await daemon.run_until(lambda: daemon.books()["refused"] >= 1)
    daemon.faults()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    assert Stage.DELIVERED is job.stage
    assert 1 == daemon.books()["accepted"]


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("image: https://example.org/x.jpg?sig=1", "line 2: image: Adobe does not read from that host"),
        ("image: http://bucket.s3.amazonaws.com/x.jpg", "line 2: image should be an https address"),
        ("image: /etc/passwd", "line 2: image: a file can only stand in the rule"),
        ("image: {sidecar: '{stem}.png'}", "line 2: image: a file can only stand in the rule"),
        ("size: 300x200", "this prompt file names no picture for image"),
    ],
)
async def test_what_cannot_be_a_picture_is_refused_before_paying(
    make_daemon: DaemonMaker, front: str, words: str
) -> None:
    """The report names the line; nothing is sent."""
    daemon = with_rule(make_daemon, "expand: {size: 300x200}")
    daemon.prompt(text=f"---\n{front}\n---\nwide sand\n")

    await daemon.run_once()

    report = (daemon.prompts / "_failed" / "fox.txt.error.txt").read_text()
    assert words in report
    assert 0 == daemon.books()["accepted"]


async def test_each_line_may_be_a_prompt(make_daemon: DaemonMaker) -> None:
    """Three lines are three prompts, each with its number in the name of its result; blank lines are none."""
    daemon = with_rule(make_daemon, "split: lines", "generate: {size: 1024x1024, seeds: [7]}")
    daemon.prompt("ideas.txt", "\n---\ncontent_class: art\n---\na fox\n\n  a hen  \na goat\n")

    await daemon.run_once()

    assert {"a fox", "a hen", "a goat"} == {job.order.prompt for job in await daemon.jobs()}
    assert [f"prompts/ideas_{part}_1024x1024_7.jpg" for part in "123"] == [
        name for name in daemon.results() if not name.endswith(".json")
    ]
    assert {"art"} == {job.order.body["contentClass"] for job in await daemon.jobs()}
    assert ["prompts/_done/ideas.txt"] == daemon.inbox()


async def test_blocks_are_prompts_of_several_lines(make_daemon: DaemonMaker) -> None:
    """A blank line parts them."""
    daemon = with_rule(make_daemon, "split: blocks", "generate: {size: 1024x1024}")
    daemon.prompt("ideas.txt", "a fox\nin the snow\n\n\na hen\n")

    await daemon.run_once()

    assert ["a fox\nin the snow", "a hen"] == [job.order.prompt for job in await daemon.jobs()]


async def test_one_line_that_is_too_long_stops_the_file(make_daemon: DaemonMaker) -> None:
    """Every such line is named, by its place in the file, and nothing of the file is bought."""
    daemon = with_rule(make_daemon, "split: lines", "generate: {size: 1024x1024}")
    daemon.prompt("ideas.txt", f"a fox\n{'long ' * 300}\na hen\n{'wide ' * 400}\n")

    await daemon.run_once()

    report = (daemon.prompts / "_failed" / "ideas.txt.error.txt").read_text()
    assert "line 2: the prompt is too long: 1,499 characters" in report
    assert "line 4: the prompt is too long: 1,999 characters" in report
    assert 0 == daemon.books()["accepted"]
