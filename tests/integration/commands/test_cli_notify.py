"""``dropglow notify``, and what ``doctor`` and ``status`` say of receivers."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from dropglow.runtime.status import FILE_NAME

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Bench, Desk

RULES = "rules:\n  - {name: art, inbox: in, outbox: out, generate: {size: 2048x2048}}\n"


class Taker(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Return a web server beside the test."""
    with HTTPServer(("127.0.0.1", 0), Taker) as taker:
        taker.bodies = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=taker.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield taker
        taker.shutdown()
        thread.join()


def configuration(server: HTTPServer) -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = closed.getsockname()[1]
    return (
        "notify:\n  receivers:\n"
        f"    - {{name: phone, ntfy: 'http://127.0.0.1:{server.server_address[1]}/topic'}}\n"
        f"    - {{name: dead, webhook: 'http://127.0.0.1:{nowhere}/'}}\n"
        f"    - {{name: chat, webhook: secret}}\n{RULES}"
    )


def test_everybody_gets_a_test_and_what_did_not_arrive_is_said(bench: Bench, server: HTTPServer) -> None:
    """One line each, with why and what to do; exit code 1."""
    result = bench.run(configuration(server), "notify")

    assert 1 == result.exit_code
    lines = bench.lines(result)
    assert "phone           taken (ntfy)" == lines[0]
    assert lines[1].startswith("dead            it cannot be reached: ")
    assert "chat            there is no secret for chat" == lines[2]
    assert "DROPGLOW_NOTIFY_CHAT_FILE" in lines[3]
    assert 1 == len(server.bodies)  # type: ignore[attr-defined]


def test_one_of_them_may_be_named(bench: Bench, server: HTTPServer) -> None:
    """For scripts as one document; exit code 0 when it was taken."""
    result = bench.run(configuration(server), "notify", "phone", "--json")

    assert 0 == result.exit_code
    assert {
        "receivers": [{"name": "phone", "way": "ntfy", "ok": True, "error": None, "hint": None}]
    } == json.loads(result.stdout)


def test_a_name_that_is_none_is_wrong_usage(bench: Bench, server: HTTPServer) -> None:
    """The names that there are, are told."""
    result = bench.run(configuration(server), "notify", "fone")

    assert 2 == result.exit_code
    assert "there is no receiver fone; there are phone, dead, chat" in result.stderr


def test_without_receivers_the_way_to_some_is_told(bench: Bench) -> None:
    """It is a matter of the configuration."""
    result = bench.run(RULES, "notify")

    assert 78 == result.exit_code
    assert "nobody is told of anything" in result.stderr


def test_doctor_looks_for_secrets_and_sends_nothing(bench: Bench, server: HTTPServer) -> None:
    """A missing one must be mended; where one is found is told, and not what it is."""
    result = bench.run(
        configuration(server), "doctor", "--offline", "--json", DROPGLOW_NOTIFY_PHONE="canary-client-secret"
    )

    found = [each for each in json.loads(result.stdout)["findings"] if each["subject"] == "notifications"]
    assert ["fine", "fine", "wrong"] == [each["grade"] for each in found]
    assert (
        "phone by ntfy, with its secret from DROPGLOW_NOTIFY_PHONE; whether it arrives: dropglow notify phone"
        == found[0]["what"]
    )
    assert "dead by webhook, without a secret" in found[1]["what"]
    assert "there is no secret for chat" == found[2]["what"]
    assert [] == server.bodies  # type: ignore[attr-defined]


def test_status_says_where_nothing_arrives(desk: Desk) -> None:
    """For a person with the command that tries it, for a script as a list."""
    desk.drop("1aaaaaaaaa", "delivered")
    snapshot = {
        "pid": os.getpid(), "version": "1", "started_at": "2026-11-02T12:00:00+00:00", "sandbox": False, "trouble": "",
        "inboxes": [], "receivers_failing": {"phone": "it answered with HTTP 503"},
    }  # fmt: skip
    lock = desk.lock()
    try:
        (desk.state / FILE_NAME).write_text(json.dumps(snapshot))
        page = desk.run("status")
        document = json.loads(desk.run("status", "--json").stdout)
    finally:
        lock.release()

    assert "nothing arrives at phone: it answered with HTTP 503; try it: dropglow notify phone" in page.stdout
    assert [{"receiver": "phone", "reason": "it answered with HTTP 503"}] == document["receivers_failing"]
