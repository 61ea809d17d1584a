"""The live view of ``run`` shows what an operator asks at a glance, on any width."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from dropglow.cli.bars import Bars, new_progress
from dropglow.cli.live_page import Scene, picture
from dropglow.cli.rations import Ration
from dropglow.cli.standing import Ended
from dropglow.ledger.base import Counts
from dropglow.model import DeliveryPlan, DropKey, Failure, Job, JobKey, Order, RuleName, Stage
from dropglow.money import Amount, Ceiling, Limit, Period, Switch

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
INBOX = {
    "folder": "/srv/inbox/photos", "mode": "poll", "offline": "", "ready": 4, "settling": 1,
    "unmatched": 2, "unready": 1, "unmarked": 1, "incomplete": 0, "lonely": 0,
}  # fmt: skip
TOLD = {
    "version": "9.9", "started_at": (NOW - timedelta(minutes=3)).isoformat(), "sandbox": True, "trouble": "",
    "in_flight_limit": 16, "inboxes": [INBOX],
}  # fmt: skip


def job(ordinal: int, stage: Stage, failure: Failure | None = None) -> Job:
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    order = Order(operation="expand", body={}, size="800x600", seeds=(1,), prompt="", delivery=plan)
    return Job(
        key=JobKey(f"a.{ordinal}"),
        drop=DropKey("a"),
        rule=RuleName("sizes"),
        inbox="/srv/inbox/photos",
        source=f"beach{ordinal}.jpg",
        order=order,
        stage=stage,
        failure=failure,
        created_at=NOW,
    )


def drawn(width: int = 100, **changes: Any) -> list[str]:
    """Return the lines of the picture of a scene on a terminal of this width."""
    usual: dict[str, Any] = {
        "at": NOW,
        "told": TOLD,
        "counts": Counts(jobs={Stage.RUNNING: 2, Stage.DELIVERED: 7}, drops={}, open_jobs_by_inbox={}),
        "jobs": (),
        "spent": Amount(images=9, operations=9),
        "rations": (),
        "switch": None,
        "failures": (),
    }
    out = Console(file=io.StringIO(), force_terminal=True, width=width, height=40, color_system=None)
    scene = Scene(**{**usual, **changes})
    progress = new_progress(out)
    Bars(progress).show(scene.jobs)
    with out.capture() as captured:
        out.print(picture(scene, progress.get_renderable(), columns=width))
    return captured.get().splitlines()


def test_it_says_how_the_service_stands() -> None:
    """How long it runs, against what, how much is at Adobe; each inbox; jobs; money of today."""
    lines = drawn()

    assert (
        "Dropglow 9.9 runs since 3m, with the sandbox in place of Adobe: 2 of 16 at Adobe"
        == lines[0].rstrip()
    )
    assert ["/srv/inbox/photos", "polled", "4", "1", "2", "2"] == lines[3].split()
    assert "Jobs: 2 running, 7 delivered" in [line.rstrip() for line in lines]
    assert "Spent today: 9 images" in [line.rstrip() for line in lines]


def test_each_job_has_a_bar_and_says_what_stands_in_its_way() -> None:
    """A job that waits or failed says why, beside its bar."""
    full = Failure(code="DiskFull", what="the outbox is full")
    refused = Failure(code="prompt_unsafe", what="content policy")

    lines = drawn(jobs=(job(1, Stage.RUNNING), job(2, Stage.DELIVERING, full), job(3, Stage.FAILED, refused)))

    (first, second, third) = (line for line in lines if "beach" in line)
    assert "━" in first
    assert "is being painted" in first
    assert "waits: the outbox is full" in second
    assert "failed: content policy" in third


def test_what_needs_somebody_stands_at_the_top() -> None:
    """Trouble, a broken edit and a pause come before everything else."""
    told = {**TOLD, "trouble": "Adobe is not well", "config_faults": ["a", "b"]}

    lines = drawn(told=told, switch=Switch(stopped=True, at=NOW, reason="holidays"))

    assert "Adobe is not well" == lines[1].rstrip()
    assert "2 faults" in lines[2]
    assert "Spending is paused (holidays): dropglow resume" == lines[3].rstrip()


def test_budgets_and_failures_are_told() -> None:
    """How much of each budget is gone, and what failed last, with its reason."""
    ration = Ration(
        ceiling=Ceiling(period=Period.DAY, rule=None, limit=Limit(most=10)),
        label="2026-11-02",
        spent=Amount(images=9, operations=9),
        turns_at=NOW,
    )
    failure = Failure(code="source", what="it is not a picture")
    ended = Ended(
        at=NOW - timedelta(seconds=12),
        drop="a",
        job=None,
        source="x.eps",
        rule="sizes",
        failure=failure,
        hint="",
    )

    text = "\n".join(drawn(rations=(ration,), failures=(ended,)))

    assert "9 of 10 images spent, 1 left" in text
    assert "12s ago  x.eps: it is not a picture" in text


@pytest.mark.parametrize("width", [30, 60, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Whatever the width, a line stays one line, or is folded where nothing may be lost."""
    jobs = (job(1, Stage.RUNNING, Failure(code="x", what="a reason " * 40)),)

    assert all(len(line) <= width for line in drawn(width, jobs=jobs))


@pytest.mark.parametrize("width", [40, 80, 118])
def test_a_key_that_the_terminal_shows_moves_no_line(width: int) -> None:
    """Behind the last line is room for ^C: else it goes on in the next one, and the picture is drawn a line too low."""
    assert len(drawn(width)[-1].rstrip()) <= width - 2


def test_a_narrow_terminal_gets_a_line_for_each_inbox() -> None:
    """No folder is folded into strips of two letters: what is to be told of it stands before its name."""
    quiet = {
        **INBOX,
        "folder": "/srv/in",
        "ready": 0,
        "settling": 0,
        "unmatched": 0,
        "unready": 0,
        "unmarked": 0,
    }

    lines = [line.rstrip() for line in drawn(50, told={**TOLD, "inboxes": [INBOX, quiet]})]

    assert ["polled, 4 waiting, 1 settling, 2 not ready, 2 no …", "polled: /srv/in"] == lines[2:4]


def test_a_reason_with_odd_characters_is_shown_and_not_obeyed() -> None:
    """A reason may name a file whose name was meant for the terminal, or is no text."""
    odd = Failure(code="DiskFault", what="cannot read bad\x1b[31m\udcff.jpg")

    (line,) = (line for line in drawn(jobs=(job(1, Stage.DELIVERING, odd),)) if "beach" in line)

    assert r"cannot read bad\x1b[31m\xff.jpg" in line


def test_before_the_service_says_anything_it_starts() -> None:
    """A picture is there at once; afterwards it says that the service stopped, and no key to press."""
    assert "Dropglow starts …" == drawn(told=None)[0].rstrip()
    lines = drawn(stopped=True)
    assert "Dropglow 9.9 stopped" == lines[0].rstrip()
    assert not any("Ctrl-C" in line for line in lines)
