"""``explain`` says when an order would be sent, and what stands in its way now."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

CONFIGURATION = """
state: ./state
rules:
  - {name: art, inbox: inbox/prompts, outbox: outbox, generate: {size: 2048x2048}}
"""
SNAPSHOT = {
    "pid": os.getpid(),
    "version": "9.9",
    "started_at": "2026-11-02T08:00:00+00:00",
    "sandbox": False,
    "inboxes": [],
}


def explained(desk: Desk, file: str = "fox.txt") -> Any:
    """Return what is said of a prompt in its inbox."""
    told = desk.run("explain", file, "--inbox", "inbox/prompts", "--json")
    return json.loads(told.stdout)["inboxes"][0]


def serving(desk: Desk, **changes: Any) -> Any:
    """Let a service run that says this of itself; return its lock."""
    desk.state.mkdir(exist_ok=True)
    (desk.state / "status.json").write_text(json.dumps({**SNAPSHOT, "trouble": "", **changes}))
    return desk.lock()


def test_nothing_stands_in_the_way(desk: Desk) -> None:
    """Beside a service that is well, with room everywhere, there is no reason to wait."""
    lock = serving(desk)

    start = explained(desk)["start"]
    lock.release()

    assert {"reasons": [], "earliest": None} == start


def test_no_service_runs(desk: Desk) -> None:
    """Somebody has to start it; that is said to a person as well."""
    (reason,) = explained(desk)["start"]["reasons"]

    assert "no service runs; the next one takes it: dropglow run" == reason
    assert f"Not now: {reason}." in desk.run("explain", "fox.txt", "--inbox", "inbox/prompts").stdout


def test_the_service_has_trouble(desk: Desk) -> None:
    """What a service says of itself, and of the inbox, is repeated."""
    inbox = {"folder": str(desk.folder / "inbox/prompts"), "offline": "it is not mounted"}
    lock = serving(
        desk, trouble="Adobe is not well", inboxes=[inbox, {"folder": "/other", "offline": "gone"}]
    )

    reasons = explained(desk)["start"]["reasons"]
    lock.release()

    assert [
        "the service has trouble: Adobe is not well",
        "the inbox is offline: it is not mounted",
    ] == reasons


def test_requests_are_used_up(desk: Desk) -> None:
    """After four requests within a minute the fifth goes when the first of them is a minute old."""
    desk.drop("aaaa000001", *["running"] * 4, age=timedelta(seconds=20))
    lock = serving(desk)

    start = explained(desk)["start"]
    lock.release()

    assert "4 of 4 requests went out in the last minute" in start["reasons"][0]
    left_s = (datetime.fromisoformat(start["earliest"]) - datetime.now(UTC)).total_seconds()
    assert 0 < left_s <= 40


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        (("running", "running"), "2 of 2 jobs are at Adobe; the next goes when one of them ends"),
        (("queued", "short"), "1 job is queued before it"),
    ],
)
def test_others_come_first(desk: Desk, stages: tuple[str, ...], reason: str) -> None:
    """Jobs at Adobe up to the limit, and those that wait already, stand in the way; when that ends nobody can tell."""
    (desk.folder / "dropglow.yaml").write_text(CONFIGURATION + "limits: {in_flight: 2}\n")
    desk.drop("aaaa000001", *stages)
    lock = serving(desk)

    start = explained(desk)["start"]
    lock.release()

    assert {"reasons": [reason], "earliest": None} == start


def test_what_waited_for_its_budget_comes_first_once_its_day_came(desk: Desk) -> None:
    """Of two that wait for their budget, one waits for its turn by now, as any other job does."""
    desk.drop("aaaa000001", "short", age=timedelta(hours=2))
    desk.drop("aaaa000002", "short")
    lock = serving(desk)

    start = explained(desk)["start"]
    lock.release()

    assert ["1 job is queued before it"] == start["reasons"]


def test_a_file_that_was_just_written_settles_first(desk: Desk) -> None:
    """A file in the inbox is taken when it lay still, whatever time it carries."""
    prompts = desk.folder / "inbox" / "prompts"
    prompts.mkdir()
    (desk.folder / "dropglow.yaml").write_text(CONFIGURATION.replace("name: art,", "name: art, settle: 1h,"))
    (prompts / "fox.txt").write_text("a fox")
    os.utime(prompts / "fox.txt", (0, 0))
    lock = serving(desk)

    start = explained(desk, str(prompts / "fox.txt"))["start"]
    lock.release()

    assert "is taken when it lay still for 1 hour" in start["reasons"][0]
    assert start["earliest"] is not None


def test_what_is_larger_than_its_whole_budget_never_starts(desk: Desk) -> None:
    """It is not called waiting: no day brings enough."""
    (desk.folder / "dropglow.yaml").write_text(
        CONFIGURATION.replace("size: 2048x2048", "size: 2048x2048, variations: 2") + "budget: {per_day: 1}\n"
    )

    money = explained(desk)["money"]

    assert "never" == money["outlook"]
    assert "1 order can never fit, so raise the budget" in money["reasons"][0]


def test_what_orders_nothing_does_not_start(desk: Desk) -> None:
    """Where nothing would be ordered, nothing is said of when."""
    assert explained(desk, "fox.bin")["start"] is None
