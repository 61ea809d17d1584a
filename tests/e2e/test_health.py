"""The real program, asked how it is: on an address of its own, and on a socket that somebody opened for it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

pytestmark = pytest.mark.e2e

# As systemd does it: the variables name the process that is to have the sockets, and the first one is number 3.
ACTIVATED = 'export LISTEN_PID=$$ LISTEN_FDS=1; passed=$1; shift; exec "$@" 3<&"$passed"'


async def activated(site: Site, listener: socket.socket, *arguments: str) -> asyncio.subprocess.Process:
    """Start the service with *listener* passed on."""
    program = (sys.executable, "-m", "dropglow", "--config", str(site.folder), "run")
    with site.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", ACTIVATED, "bash", str(listener.fileno()), *program, *arguments,
            env=site.environ, stderr=log, stdin=asyncio.subprocess.DEVNULL, pass_fds=(listener.fileno(),),
        )  # fmt: skip
    site._started.append(process)
    return process


def got(url: str) -> tuple[int, str]:
    """Return what is there."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


async def test_it_answers_where_it_was_told_to(make_site: SiteMaker) -> None:
    """Both at its own address and at the one that was opened for it, before and after a drop; nothing is given away."""
    site = await make_site()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = await activated(site, listener, "--http", "127.0.0.1:0")
        await site.until(lambda: bool(site.events("http.listening")), process=process)
        urls = site.events("http.listening")[0]["url"]
        await site.until(lambda: bool(site.events("inbox.watched")), process=process)
        await site.drop(site.prompt_source(1), site.prompts, 1)
        await site.until(lambda: site.at_rest() == 1, process=process)
        ready = [await asyncio.to_thread(got, f"{url}/ready") for url in urls]
        status, metrics = await asyncio.to_thread(got, f"{urls[1]}/metrics")
        lost, _ = await asyncio.to_thread(got, f"{urls[0]}/status.json")
        code = await site.stop(process)

    assert f"http://127.0.0.1:{port}" == urls[0] != urls[1]
    assert [(200, {"ready": True, "reasons": []})] * 2 == [(found, json.loads(text)) for found, text in ready]
    assert (200, 404, 0) == (status, lost, code)
    assert 'dropglow_drops_closed_total{outcome="done",rule="prompts"} 1.0' in metrics.splitlines()
    assert 'dropglow_api_requests_total{call="submit",outcome="ok"} 1.0' in metrics.splitlines()
    assert [] == [word for word in ("canary", str(site.folder), "prompt001") if word in metrics]


async def test_a_wrong_address_and_one_that_is_taken_are_told_apart(make_site: SiteMaker) -> None:
    """The first is wrong usage, the second may be free later."""
    site = await make_site()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wrong = await site.command("run", "--once", "--http", "nas:http")
        taken = await site.command("run", "--once", "--http", str(port))

    assert (2, 75) == (wrong[0], taken[0])
    assert "'nas:http' is no address to listen on: write it as PORT, HOST:PORT" in " ".join(wrong[1].split())
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in taken[1]
