"""People hear of what happens, and no job notices that they do."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.errors import DiskError
from tests.integration.notify.conftest import hooked

if TYPE_CHECKING:
    from datetime import datetime
    from io import StringIO
    from pathlib import Path

    from tests.integration.stories.conftest import Daemon, DaemonMaker

CONFIGURATION: Final = """
state: ./state
api: {{base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}}
limits: {{in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {{min: 10ms, max: 50ms}}}}
notify:
  receivers:
    - {{name: hub, webhook: secret, tell: [failures, holds, trouble]}}
    - {{name: dead, webhook: "http://127.0.0.1:9/"}}
rules:
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox
    settle: 20ms
    rescan: 100ms
    {more}
    match: {{kind: prompt}}
    generate: {{size: 1024x1024}}
"""


def records(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def told(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Run until everything rests, and return what the webhook got; its address is a secret."""
    async with hooked() as hook:
        monkeypatch.setenv("DROPGLOW_NOTIFY_HUB", f"{hook.url}/canary-client-secret")
        await daemon.run_once()
    assert {"/canary-client-secret"} >= {call.path for call in hook.calls}
    return [call.document for call in hook.calls]


async def test_failures_and_holds_are_told_and_a_dead_receiver_hurts_nobody(
    make_daemon: DaemonMaker, log: StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three prompts, of which one fails and one gets lost on its way: the third is delivered as if nobody were told."""
    daemon = make_daemon(
        "submit_lost=first:1", "job_failed=every:2", text=CONFIGURATION.format(more="attempts: 1")
    )
    for name in ("a.txt", "b.txt", "c.txt"):
        daemon.prompt(name, text=name)

    documents = await told(daemon, monkeypatch)

    events = [event for document in documents for event in document["events"]]
    assert {"drop.failed", "drop.held"} == {event["event"] for event in events}
    assert all(event["source"] and event["reason"] and event["rule"] == "prompts" for event in events)
    assert all(event["hint"] for event in events if event["event"] == "drop.failed")
    assert 1 == len([name for name in daemon.results() if name.endswith((".jpg", ".png"))])
    names = [record["event"] for record in records(log)]
    assert 1 == names.count("notify.failed")
    assert "canary" not in log.getvalue()
    assert (tmp_path / "state" / "notified.json").exists()


async def test_another_receiver_is_taken_up_by_a_reload(
    make_daemon: DaemonMaker, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`notify:` needs no restart, and a broken edit is told over what was in force."""
    daemon = make_daemon(text=CONFIGURATION.format(more=""))
    path = daemon.folder / "dropglow.yaml"
    async with hooked() as hook:
        monkeypatch.setenv("DROPGLOW_NOTIFY_NEW", hook.url)
        path.write_text(path.read_text().replace("name: hub", "name: new"))
        sound = path.read_text()
        daemon.reload.ring()
        seen = iter(range(10_000))

        def over() -> bool:
            turn = next(seen)
            if turn == 20:
                path.write_text(sound + "\nnonsense: 1\n")
                daemon.reload.ring()
            return "config.broken" in log.getvalue()

        await daemon.run_until(over)

    event = hook.calls[0].document["events"][0]
    assert "config.broken" == event["event"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError(), "the service ended: a fault of Dropglow's own, ZeroDivisionError"),
        (DiskError("no disk is left"), "the service ended: no disk is left"),
    ],
)
async def test_a_service_that_ends_by_itself_says_so(
    make_daemon: DaemonMaker, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """The last that people hear of it is why."""
    daemon = make_daemon(text=CONFIGURATION.format(more=""))

    def fail(_: datetime) -> Path | None:
        raise error

    async with hooked() as hook:
        monkeypatch.setenv("DROPGLOW_NOTIFY_HUB", hook.url)
        async with daemon.service() as service:
            service.back_up = fail
            with pytest.raises((ExceptionGroup, DiskError)):
                await service.run(asyncio.Event(), once=False)

    assert [words] == hook.calls[0].document["lines"]
