"""``retry``, ``cancel`` and ``resolve`` while no service runs, and when one does not answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.cli.exits import Exit
from dropglow.cli.wishing import Wisher, wish_for
from dropglow.clock import RealClock
from dropglow.ledger.mailbox import Mailbox, Verb

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk


def ask(desk: Desk, *wishes: Any, patience_s: Any = 0.3) -> Any:
    """Have *wishes* carried out as a command does, with little patience."""
    return asyncio.run(Wisher(desk.state, clock=RealClock(), patience_s=patience_s).ask(wishes))


def cancelling(target: Any = "aaaa000001") -> Any:
    return wish_for(Verb.CANCEL, target, at=datetime.now(UTC))


def test_only_what_failed_is_tried_again(desk: Desk) -> None:
    """Of a drop with a delivered and a failed job only the failed one is queued, its file back in work."""
    desk.drop("aaaa000001", "delivered", "failed")

    result = desk.run("retry", "aaaa000001")

    assert (0, ["delivered", "queued"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert "job aaaa000001.2 will be tried again" in result.stdout
    assert "no service runs: the rest happens at the next `dropglow run`" in result.stdout
    assert [] == desk.files()


def test_everything_that_failed_can_be_meant(desk: Desk) -> None:
    """With --all-failed every failed job is tried again, but for those that may have been bought."""
    desk.drop("aaaa000001", "failed", "cancelled")
    desk.drop("aaaa000002", "in doubt")
    desk.run("resolve", "aaaa000002", "--abandon")

    result = desk.run("retry", "--all-failed")

    assert (["queued", "cancelled"], ["failed"]) == (desk.stages("aaaa000001"), desk.stages("aaaa000002"))
    assert "Left out: 1 job given up in doubt" in result.stdout


def test_everything_of_one_rule_can_be_meant(desk: Desk) -> None:
    """With --rule only that rule's failures are tried again; none is not an error."""
    desk.drop("aaaa000001", "failed")

    result = desk.run("retry", "--all-failed", "--rule", "art")

    assert (0, ["failed"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert "Nothing to retry" in result.stdout


def test_what_waits_is_cancelled_at_once(desk: Desk) -> None:
    """Jobs that were not sent are cancelled here, and the file goes where failed ones go."""
    desk.drop("aaaa000001", "queued", "queued")

    result = desk.run("cancel", "aaaa000001")

    assert ["cancelled", "cancelled"] == desk.stages("aaaa000001")
    assert ["_failed/beach.jpg", "_failed/beach.jpg.error.txt"] == desk.files()
    assert "2 jobs will be cancelled\n" == result.stdout


def test_what_is_paid_for_is_left_alone(desk: Desk) -> None:
    """Of a drop with a ready job the others are cancelled, and the answer says why that one is not."""
    desk.drop("aaaa000001", "fetching", "running")

    result = desk.run("cancel", "aaaa000001")

    assert ["fetching", "cancelling"] == desk.stages("aaaa000001")
    assert "not aaaa000001.1: it is paid for already" in result.stdout


def test_a_doubt_is_given_up(desk: Desk) -> None:
    """An abandoned job has failed; its file leaves _held for _failed, with the other report."""
    desk.drop("aaaa000001", "in doubt", "delivered")
    held = desk.files()

    result = desk.run("resolve", "aaaa000001", "--abandon")

    assert ["_held/beach.jpg", "_held/beach.jpg.held.txt"] == held
    assert (0, ["failed", "delivered"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert ["_failed/beach.jpg", "_failed/beach.jpg.error.txt"] == desk.files()


def test_what_was_given_up_is_not_to_be_resolved(desk: Desk) -> None:
    """No page and no document still advises to resolve a doubt that was given up."""
    desk.drop("aaaa000001", "in doubt")
    desk.run("resolve", "aaaa000001", "--abandon")

    (job,) = json.loads(desk.run("jobs", "--json").stdout)
    pages = [desk.run(*words).stdout for words in (("show", "aaaa000001"), ("status",), ("jobs", "--json"))]
    report = (desk.photos / "_failed/beach.jpg.error.txt").read_text()

    assert ("abandoned", "given up on request", "unknown") == tuple(
        job["failure"][name] for name in ("code", "what", "billed")
    )
    assert not [text for text in (*pages, report) if "dropglow resolve" in text or "look for it" in text]


def test_a_doubt_is_ordered_again(desk: Desk) -> None:
    """A resubmitted job waits for the next run, without a question where nobody can answer."""
    desk.drop("aaaa000001", "in doubt")

    result = desk.run("resolve", "aaaa000001.1", "--resubmit")

    assert (0, ["queued"], []) == (result.exit_code, desk.stages("aaaa000001"), desk.files())


def test_a_receipt_that_was_found_waits_for_who_can_ask_adobe(desk: Desk) -> None:
    """With no service running a job id is not taken on trust: the wish waits for the next run, and that is said."""
    desk.drop("aaaa000001", "in doubt")

    result = desk.run("resolve", "aaaa000001.1", "--job-id", "urn:ff:jobs:found")
    (wish,) = Mailbox(desk.state / "wishes").take()

    assert (0, ["in_doubt"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert (Verb.ATTACH, "aaaa000001.1", "urn:ff:jobs:found") == (wish.verb, wish.target, wish.argument)
    assert "at the next `dropglow run`" in result.stdout


def test_a_receipt_belongs_to_one_job(desk: Desk) -> None:
    """A job id that another job has is refused: both would deliver the same results."""
    desk.drop("aaaa000001", "delivered")
    desk.drop("aaaa000002", "in doubt")

    result = desk.run("resolve", "aaaa000002", "--job-id", "urn:aaaa000001.1")

    assert (1, ["in_doubt"]) == (result.exit_code, desk.stages("aaaa000002"))
    assert "aaaa000001.1 has it" in result.stderr


def test_a_receipt_for_several_is_refused(desk: Desk) -> None:
    """A job id for a drop with two jobs in doubt is refused with the names of both."""
    desk.drop("aaaa000001", "in doubt", "in doubt")

    result = desk.run("resolve", "aaaa000001", "--job-id", "urn:x")

    assert 1 == result.exit_code
    assert "aaaa000001.1, aaaa000001.2" in result.stderr


def test_a_wish_without_sense_is_refused_in_words(desk: Desk) -> None:
    """What is delivered cannot be cancelled; the answer says where it stands."""
    desk.drop("aaaa000001", "delivered")

    result = desk.run("cancel", "aaaa000001")

    assert 1 == result.exit_code
    assert "aaaa000001.1 is delivered" in result.stderr


def test_one_unknown_id_does_not_stop_the_others(desk: Desk) -> None:
    """Of several ids the known ones are served; the exit code tells of the other."""
    desk.drop("aaaa000001", "queued")

    result = desk.run("cancel", "nobody", "aaaa000001", "--json")
    answers = json.loads(result.stdout)

    assert 1 == result.exit_code
    assert [("nobody", False, "nobody"), ("aaaa000001", True, "command")] == [
        (answer["id"], answer["ok"], answer["by"]) for answer in answers
    ]


def test_the_same_thing_named_twice_is_meant_once(desk: Desk) -> None:
    """A drop named by its id and by a beginning of it gets one wish."""
    desk.drop("aaaa000001", "failed")

    result = desk.run("retry", "aaaa000001", "aaaa", "--json")

    assert (0, 1) == (result.exit_code, len(json.loads(result.stdout)))


@pytest.mark.parametrize(
    "arguments",
    [
        ["retry"],
        ["retry", "x", "--all-failed"],
        ["retry", "x", "--rule", "sizes"],
        ["cancel"],
        ["resolve", "x"],
        ["resolve", "x", "--resubmit", "--abandon"],
        ["resolve", "x", "y", "--job-id", "urn:x"],
        ["resolve", "x", "--job-id", "https://elsewhere/x?y"],
        ["resolve", "x", "--job-id", "nonsense"],
        ["resolve", "x", "--job-id", "urn:"],
    ],
)
def test_wrong_usage_is_said(desk: Desk, arguments: Any) -> None:
    """What cannot be meant is refused with the exit code for wrong usage, before anything is looked up."""
    assert 2 == desk.run(*arguments).exit_code


def test_a_service_that_does_not_answer_is_left_in_peace(desk: Desk) -> None:
    """When nobody takes the wish, it is taken back, and nothing happens later."""
    desk.drop("aaaa000001", "queued")
    lock = desk.lock()

    (outcome,) = ask(desk, cancelling())
    lock.release()

    assert (Exit.LATER, "nobody") == (outcome.code, outcome.by)
    assert [] == list((desk.state / "wishes").iterdir())
    assert ["queued"] == desk.stages("aaaa000001")


def test_a_wish_that_was_taken_is_not_denied(desk: Desk) -> None:
    """When the service has taken the wish but not answered, that is said, and where to look."""
    desk.drop("aaaa000001", "queued")
    lock = desk.lock()
    mailbox = Mailbox(desk.state / "wishes")
    taker = threading.Thread(target=lambda: _until(mailbox.take))
    taker.start()

    (outcome,) = ask(desk, cancelling(), patience_s=1)
    taker.join()
    lock.release()

    assert (Exit.LATER, "service") == (outcome.code, outcome.by)
    assert "dropglow show aaaa000001" in outcome.hint


def test_a_switch_that_was_taken_is_not_denied(desk: Desk) -> None:
    """About spending as a whole there is no drop to look at: where to look is the status."""
    desk.drop("aaaa000001", "queued")
    lock = desk.lock()
    mailbox = Mailbox(desk.state / "wishes")
    taker = threading.Thread(target=lambda: _until(mailbox.take))
    taker.start()

    (outcome,) = ask(desk, wish_for(Verb.PAUSE, "", at=datetime.now(UTC)), patience_s=1)
    taker.join()
    lock.release()

    assert "the service took the wish to pause and has not answered yet" == outcome.text
    assert "see what becomes of it: dropglow status" == outcome.hint


def test_a_service_answers_through_the_mailbox(desk: Desk) -> None:
    """The answer of the service is passed on: the first line what, the second what to do."""
    desk.drop("aaaa000001", "queued")
    lock = desk.lock()
    mailbox = Mailbox(desk.state / "wishes")

    def serve() -> None:
        for wish in _until(mailbox.take):
            mailbox.answer(wish, ok=False, text="it is too late\nlook at the outbox")

    server = threading.Thread(target=serve)
    server.start()
    (outcome,) = ask(desk, cancelling(), patience_s=5)
    server.join()
    lock.release()

    assert ("it is too late", "look at the outbox", Exit.TROUBLED) == (
        outcome.text,
        outcome.hint,
        outcome.code,
    )
    assert [] == list((desk.state / "wishes").iterdir())


def test_a_service_that_ends_meanwhile_is_stood_in_for(desk: Desk) -> None:
    """A wish that waits for a service which then stops is taken back and carried out here."""
    desk.drop("aaaa000001", "queued")
    lock = desk.lock()
    wishes = desk.state / "wishes"

    def stop() -> None:
        _until(lambda: wishes.exists() and list(wishes.glob("*.wish")))
        lock.release()

    stopper = threading.Thread(target=stop)
    stopper.start()

    (outcome,) = ask(desk, cancelling(), patience_s=5)
    stopper.join()

    assert (Exit.DONE, "command", ["cancelled"]) == (outcome.code, outcome.by, desk.stages("aaaa000001"))


def _until(seen: Any) -> Any:
    """Look until there is something, and return it."""
    while not (found := seen()):
        time.sleep(0.01)
    return found
