"""``dropglow status`` without a service, beside one, and after one that was killed."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

SNAPSHOT = {
    "pid": os.getpid(),
    "version": "9.9",
    "started_at": "2026-11-02T08:00:00+00:00",
    "config": "/elsewhere.yaml",
    "sandbox": True,
    "in_flight": 3,
    "in_flight_limit": 16,
    "in_hand": 3,
    "trouble": "Adobe does not accept the credentials",
}


def publish(desk: Desk, **changes: Any) -> None:
    """Write what a service says of itself into the state folder."""
    inbox = {
        "folder": str(desk.photos), "mode": "poll", "mode_reason": "it is on a network share (nfs)", "ready": 4,
        "settling": 2, "unmatched": 1, "passed_over": 0, "offline": "", "swept": True,
    }  # fmt: skip
    document = {**SNAPSHOT, "inboxes": [{**inbox, **changes}]}
    desk.state.mkdir(exist_ok=True)
    (desk.state / "status.json").write_text(json.dumps(document))


def status(desk: Desk) -> Any:
    """Return the document of ``status --json``."""
    return json.loads(desk.run("status", "--json").stdout)


def test_nothing_ever_ran(desk: Desk) -> None:
    """Before the first run there is nothing to tell, and nothing is made."""
    result = desk.run("status")

    assert 0 == result.exit_code
    assert result.stdout.startswith("No service runs.\n")
    assert not desk.state.exists()


def test_an_empty_state_has_the_whole_shape(desk: Desk) -> None:
    """The document has every key before the first run too; what only a service knows is null."""
    document = status(desk)

    assert (False, None) == (document["service"]["running"], document["service"]["pid"])
    assert {"queued": 0, "in_doubt": 0}.items() <= document["jobs"].items()
    assert [str(desk.photos), str(desk.folder / "inbox/prompts")] == [
        i["folder"] for i in document["inboxes"]
    ]
    assert (None, 0) == (document["inboxes"][0]["ready"], document["inboxes"][0]["open_jobs"])
    assert {"last_day": 0, "latest": []} == document["failures"]


def test_jobs_and_drops_are_counted(desk: Desk) -> None:
    """Jobs are counted by stage and by inbox, drops by state."""
    desk.drop("aaaa000001", "delivered", "running", "queued")
    desk.drop("aaaa000002", "delivered")

    document = status(desk)

    assert (2, 1, 1) == tuple(document["jobs"][stage] for stage in ("delivered", "running", "queued"))
    assert {"open": 1, "done": 1, "failed": 0, "held": 0} == document["drops"]
    assert 2 == document["inboxes"][0]["open_jobs"]


def test_requests_are_counted_from_the_ledger(desk: Desk) -> None:
    """Submissions of the last minute and the last day stand beside their limits."""
    desk.drop("aaaa000001", "running")
    desk.drop("aaaa000002", "running", age=timedelta(seconds=5))
    desk.drop("aaaa000003", "running", age=timedelta(hours=25))

    assert {"last_minute": 1, "per_minute": 4, "last_day": 2, "per_day": 9000} == status(desk)["requests"]


def test_jobs_at_adobe_are_counted_without_a_service(desk: Desk) -> None:
    """What runs at Adobe is known from the ledger, whether a service runs or not."""
    desk.drop("aaaa000001", "running", "queued", "late", "in doubt")

    assert (2, 16) == (status(desk)["in_flight"], status(desk)["in_flight_limit"])


def test_without_a_service_open_jobs_wait(desk: Desk) -> None:
    """Whoever looks while no service runs is told that work waits for it."""
    desk.drop("aaaa000001", "running", "queued", "delivered")

    assert "2 jobs will go on at the next: dropglow run" in desk.run("status").stdout


def test_files_that_wait_for_others_are_told(desk: Desk) -> None:
    """A picture without its mask, and masks without their pictures."""
    publish(desk, incomplete=1, lonely=2, unready=2, unmarked=1)
    lock = desk.lock()

    document, text = status(desk), desk.run("status").stdout
    lock.release()

    assert (1, 2) == (document["inboxes"][0]["incomplete"], document["inboxes"][0]["lonely"])
    assert (2, 1) == (document["inboxes"][0]["unready"], document["inboxes"][0]["unmarked"])
    assert "they lie still and are not whole, and may be written still" in text
    assert "waiting for its marker (`ready`)" in text
    assert "waiting for what belongs to it; which: dropglow explain FILE" in text
    assert "waiting for the picture or prompt that they belong to" in text


def test_what_is_passed_over_is_told(desk: Desk) -> None:
    """A file that may not be read waits for somebody who looks."""
    publish(desk, passed_over=2)
    lock = desk.lock()

    text = " ".join(desk.run("status").stdout.split())
    lock.release()

    assert f"2 things in {desk.photos} are passed over: links, pipes, what cannot be read" in text


def test_files_that_were_taken_and_stay_are_told(desk: Desk) -> None:
    """An inbox that is only read shows how much of it is known."""
    publish(desk, known=1200)
    lock = desk.lock()

    document, text = status(desk), desk.run("status").stdout
    lock.release()

    assert 1200 == document["inboxes"][0]["known"]
    assert "1,200 files taken before, left in place" in " ".join(text.split())


def test_a_running_service_speaks_for_itself(desk: Desk) -> None:
    """Beside a service its process, its trouble and its inboxes are told."""
    publish(desk)
    lock = desk.lock()

    document = status(desk)
    text = desk.run("status").stdout
    lock.release()

    assert (True, os.getpid(), True) == tuple(
        document["service"][name] for name in ("running", "pid", "sandbox")
    )
    assert ("poll", 4, 2, 1) == tuple(
        document["inboxes"][0][n] for n in ("mode", "ready", "settling", "unmatched")
    )
    assert "with the sandbox in place of Adobe" in text
    assert "Adobe does not accept the credentials" in text
    assert "is polled: it is on a network share (nfs)" in text
    assert "no rule takes it" in text


def test_another_configuration_is_pointed_out(desk: Desk) -> None:
    """A service that runs with another configuration on the same state is said to."""
    publish(desk)
    lock = desk.lock()

    text = desk.run("status").stdout
    lock.release()

    assert "runs with another configuration: /elsewhere.yaml" in text


def test_an_inbox_that_is_away_says_why(desk: Desk) -> None:
    """An inbox whose folder is gone is shown as offline, with the reason."""
    publish(desk, offline="the folder is not there")
    lock = desk.lock()

    text = desk.run("status").stdout
    lock.release()

    assert "offline: the folder is not there" in text


def test_what_a_killed_service_left_is_not_believed(desk: Desk) -> None:
    """A report without anybody who holds the lock is an old one."""
    publish(desk)

    assert desk.run("status").stdout.startswith("No service runs.\n")


def test_a_holder_without_a_report_is_named(desk: Desk) -> None:
    """While a service starts, or a command stands in, the process is named and no more."""
    desk.state.mkdir()
    lock = desk.lock()

    text = desk.run("status").stdout
    lock.release()

    assert f"a command is at work (pid {os.getpid()})" in text


def test_a_doubt_can_be_settled_from_what_is_shown(desk: Desk) -> None:
    """Every job in doubt is shown with its order, why, and the three commands that settle it."""
    desk.drop("aaaa000001", "in doubt", "delivered")

    text = desk.run("status").stdout

    assert "In doubt: 1 job" in text
    for part in ("beach.jpg", "expand 800x600", "seed 41", "the connection was cut"):
        assert part in text
    for way in ("--job-id URN", "--resubmit", "--abandon"):
        assert f"dropglow resolve aaaa000001.1 {way}" in text
    assert ["aaaa000001.1"] == [job["job"] for job in status(desk)["in_doubt"]]


def test_the_latest_three_failures_are_shown(desk: Desk) -> None:
    """Of the failures of the last day all are counted and the latest three told, whole files among them."""
    for number in range(3):
        desk.drop(f"aaaa00000{number}", "failed", age=timedelta(hours=number + 1))
    desk.drop("aaaa000008", "failed", age=timedelta(hours=25))
    desk.drop("aaaa000009", name="broken.jpg", reason="the picture is cut off")

    document = status(desk)["failures"]

    assert 4 == document["last_day"]
    assert ["aaaa000009", "aaaa000000", "aaaa000001"] == [each["drop"] for each in document["latest"]]
    assert "the picture is cut off" == document["latest"][0]["failure"]["what"]


def test_a_file_that_failed_after_its_order_was_paid_for(desk: Desk) -> None:
    """Somebody went on writing it: that it failed does not make its results free."""
    desk.drop("aaaa000001", "delivered", name="slow.jpg", reason="somebody went on writing this file")
    desk.drop("aaaa000002", name="broken.jpg", reason="the picture is cut off")

    latest = {each["drop"]: each["failure"]["billed"] for each in status(desk)["failures"]["latest"]}

    assert {"aaaa000001": "yes", "aaaa000002": "no"} == latest


def test_what_holds_jobs_up_is_told(desk: Desk) -> None:
    """Late jobs, and jobs that wait for something outside, are named with the reason."""
    desk.drop("aaaa000001", "late", "held up", "held up")

    text = desk.run("status").stdout

    assert "Late: 1 job" in text
    assert "2 jobs: the outbox is full" in text
    assert "make room" in text


def test_odd_names_cannot_drive_the_terminal(desk: Desk) -> None:
    """Control characters and bytes that are no text appear as escapes, in JSON as valid text."""
    desk.drop("aaaa000001", name="red\x1b[31m\udcff.jpg", reason="it is broken")

    text = desk.run("status").stdout
    latest = status(desk)["failures"]["latest"][0]

    assert "red\\x1b[31m\\xff.jpg" in text
    assert "red\\x1b[31m\\xff.jpg" == latest["source"]


def test_what_a_look_over_a_big_inbox_takes_is_told(desk: Desk) -> None:
    """An inbox so big that a look over it takes a second is said to be; of quick looks nothing is said."""
    publish(desk, files=200_000, look_s=3.4)
    lock = desk.lock()
    slow = desk.run("status").stdout
    publish(desk, files=20, look_s=0.0)
    quick = desk.run("status").stdout
    lock.release()

    assert "a look over its 200,000 files takes 3.4 s" in " ".join(slow.split())
    assert "a look over" not in quick


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_state_of_somebody_else_is_said_to_be(desk: Desk) -> None:
    """A state folder that cannot be read ends in words and in 75."""
    desk.drop("aaaa000001", "queued")
    desk.state.chmod(0)

    result = desk.run("status")
    desk.state.chmod(0o700)

    assert 75 == result.exit_code
    assert "cannot be read" in result.stderr
