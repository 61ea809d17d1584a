"""What stands beside a file that failed or is held, for somebody who never sees a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from dropglow.events import Abandoned
from dropglow.lifecycle import TWIN_IN_DOUBT, advance
from dropglow.model import (
    After,
    Billed,
    DeliveryPlan,
    Drop,
    DropKey,
    DropState,
    Failure,
    Job,
    JobKey,
    Kind,
    Order,
    RemoteId,
    RuleName,
    Stage,
    Submission,
)
from dropglow.runtime.reports import outcome, reason, report

AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
REFUSED: Final = Failure(
    code="prompt_unsafe", what="Firefly refused this order", why="unsafe", hint="reword it"
)
DOUBT: Final = Failure(code="broken", what="nobody knows", hint="look for it", billed=Billed.UNKNOWN)
DROP: Final = Drop(
    key=DropKey("abcdefghij"),
    inbox="/in",
    path="sub/beach.txt",
    place="/in/_failed/sub/beach.txt",
    rule=RuleName("art"),
    rule_digest="d",
    sha256="5",
    size_bytes=5,
    device=1,
    inode=2,
    kind=Kind.PROMPT,
    after=After(done=None, failed="/in/_failed", held="/in/_held"),
    admitted_at=AT,
)


def job(ordinal: int, **changes: Any) -> Job:
    """Return one of the drop's jobs."""
    order = Order(
        operation="generate",
        body={},
        size=f"{ordinal}00x200",
        delivery=DeliveryPlan(outbox="/out", folder="", name="x{ext}"),
    )
    whole = Job(
        key=JobKey(f"{DROP.key}.{ordinal}"),
        drop=DROP.key,
        rule=DROP.rule,
        inbox="/in",
        source="beach.txt",
        order=order,
        created_at=AT,
    )
    return replace(whole, **changes)


def text(*jobs: Job, state: DropState = DropState.FAILED, **changes: Any) -> str:
    """Return the report of a drop with these jobs."""
    return report(replace(DROP, **changes), jobs, state=state, at=AT)


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        ((), DropState.FAILED),
        ((Stage.DELIVERED, Stage.DELIVERED), DropState.DONE),
        ((Stage.DELIVERED, Stage.FAILED), DropState.FAILED),
        ((Stage.DELIVERED, Stage.CANCELLED), DropState.FAILED),
        ((Stage.FAILED, Stage.IN_DOUBT), DropState.HELD),
    ],
)
def test_the_worst_job_decides(stages: tuple[Stage, ...], state: DropState) -> None:
    """A doubt holds the file whatever else happened; one failure fails it."""
    assert state is outcome(DROP, [job(1, stage=stage) for stage in stages])


def test_a_file_that_cannot_be_used_was_not_billed() -> None:
    """Without jobs the report has the reason, the way out, and that nothing was sent."""
    lines = text(reason="the picture is cut off").splitlines()

    assert "beach.txt could not be used." == lines[0]
    assert "What happened: the picture is cut off" in lines
    assert "Billed:        no; nothing was sent to Adobe" in lines


def test_what_to_do_about_a_file_is_said_once() -> None:
    """A known remedy stands in its own line, in place of the general one."""
    lines = text(
        reason="the picture is animated", hint="save the one that you mean and drop that"
    ).splitlines()

    assert "What happened: the picture is animated" in lines
    assert "What to do:    save the one that you mean and drop that" in lines
    assert "put that right" in text(reason="somebody went on writing")


def test_a_refused_order_is_explained() -> None:
    """What Firefly said, what to do, the job id and the price stand there once."""
    page = text(job(1, stage=Stage.FAILED, failure=REFUSED))

    assert 1 == page.count("Firefly refused this order: unsafe")
    assert "  What to do:    reword it\n" in page
    assert "  Billed:        no\n" in page
    assert f"  Job:           {DROP.key}.1\n" in page


def test_only_what_failed_needs_doing_again() -> None:
    """The headline counts what was delivered, and each result is named."""
    page = text(
        job(1, stage=Stage.DELIVERED, delivered=("/out/a\x1b.jpg",)),
        job(2, stage=Stage.FAILED, failure=REFUSED),
    )

    assert page.startswith("beach.txt could not be finished: 1 of its 2 jobs were delivered.\n")
    assert "  Result:        /out/a\\x1b.jpg\n" in page
    assert f"dropglow retry {DROP.key}" in page


def test_a_changed_file_is_no_cheap_repeat() -> None:
    """Whoever mends one prompt of many is told that the others are bought again with it."""
    failed = job(2, stage=Stage.FAILED, failure=REFUSED)

    assert "counts as a new one" in text(job(1, stage=Stage.DELIVERED), failed)
    assert "counts as a new one" not in text(failed)


def test_each_prompt_of_a_file_is_named() -> None:
    """Orders of the same size are told apart by the prompt, which is cut where it is long."""
    failed = job(1, stage=Stage.FAILED, failure=REFUSED)
    order = replace(failed.order, prompt=f"red\x1b {'y' * 200}", tokens={"part": "2", "content_class": "art"})

    page = text(replace(failed, order=order))

    assert "\ngenerate 100x200 art, prompt 2: failed\n" in page
    assert f"\n  Prompt:        red\\x1b {'y' * 71}…\n" in page


def test_the_only_prompt_of_a_file_is_not_repeated() -> None:
    """It lies beside the report."""
    failed = job(1, stage=Stage.FAILED, failure=REFUSED)

    assert "Prompt:" not in text(replace(failed, order=replace(failed.order, prompt="red")))


def test_a_doubt_names_the_three_ways_out() -> None:
    """A held file's report says when the order was sent and how to settle it."""
    page = text(job(1, stage=Stage.IN_DOUBT, failure=DOUBT, begun_at=AT), state=DropState.HELD)

    assert "  Sent:          2026-01-31 12:00:00 UTC\n" in page
    assert "  Billed:        not known" in page
    assert all(f"dropglow resolve {DROP.key} --{way}" in page for way in ("job-id", "resubmit", "abandon"))


def test_a_doubt_that_was_given_up_says_so() -> None:
    """Trying that again may buy it twice, and the report warns of it."""
    doubted = job(1, stage=Stage.IN_DOUBT, failure=DOUBT)

    page = text(advance(doubted, Abandoned(at=AT)))

    assert "given up on request: nobody knows" in page
    assert "trying again may buy it twice" in page
    assert "look for it" not in page


@pytest.mark.parametrize(("accepted_at", "billed"), [(None, "no"), (AT, "not known")])
def test_a_cancelled_job_says_whether_it_was_billed(accepted_at: datetime | None, billed: str) -> None:
    """Before Adobe accepted it certainly not; afterwards nobody can tell."""
    receipt = Submission(remote_id=RemoteId("urn:1"), status_url="") if accepted_at else None
    cancelled = job(1, stage=Stage.CANCELLED, accepted_at=accepted_at, submission=receipt)

    page = text(cancelled)

    assert f"  Billed:        {billed}" in page
    assert ("  Adobe's job:   urn:1\n" in page) is (receipt is not None)
    assert "cancelled on request" == reason(DROP, [cancelled])


def test_what_cannot_be_reused_is_held() -> None:
    """A drop whose results another drop bought, and nobody has any more, waits for a person, who is told how to buy."""
    lost = job(1, stage=Stage.FAILED, failure=REFUSED, reuses=JobKey("earlier000.1"))

    told = text(lost, state=DropState.HELD)

    assert DropState.HELD is outcome(DROP, [lost, job(2, stage=Stage.DELIVERED)])
    assert "neither in the outbox nor at Adobe any more" in told
    assert "Bought by:     job earlier000.1" in told
    assert f"dropglow retry {DROP.key}" in told


def test_a_twin_in_doubt_is_named() -> None:
    """A drop whose content is in doubt elsewhere is held, and its report says what to settle first."""
    failure = replace(DOUBT, code=TWIN_IN_DOUBT, hint="settle that first: dropglow resolve earlier000.1")
    kept = job(1, stage=Stage.FAILED, failure=failure)

    told = text(kept, state=DropState.HELD)

    assert DropState.HELD is outcome(DROP, [kept])
    assert "nobody knows yet whether that order stands" in told
    assert "dropglow resolve earlier000.1" in told


KEPT: Final = After(done=None, failed="/out/_failed", held="/out/_held", workshop="/state/kept/1")


def test_a_report_about_an_original_that_stays_says_where_it_is() -> None:
    """It does not lie beside the report, nobody can move it, and saving it again asks once more."""
    failed = job(1, stage=Stage.FAILED, failure=REFUSED)

    told = text(failed, after=KEPT, place="")

    assert "Original:      /in/sub/beach.txt" in told
    assert "save the file again as before (a new time is enough), or: dropglow retry abcdefghij" in told
    assert "move" not in told


def test_an_original_that_cannot_be_used_is_mended_where_it_is() -> None:
    """Without a better hint, the report says that a change is noticed by itself."""
    told = text(after=KEPT, place="", reason="it is empty")

    assert "put that right in the inbox: a file that changed is looked at again" in told
    assert "Original:      /in/sub/beach.txt" in told


@pytest.mark.parametrize(
    "failure", [DOUBT, Failure(code=TWIN_IN_DOUBT, what="the same content", billed=Billed.UNKNOWN)]
)
def test_a_held_original_is_settled_by_no_saving(failure: Failure) -> None:
    """Whatever it waits for, writing the file again is no answer."""
    stage = Stage.IN_DOUBT if failure is DOUBT else Stage.FAILED

    told = text(job(1, stage=stage, failure=failure), state=DropState.HELD, after=KEPT, place="").lower()

    assert "saving the file again changes nothing" in told
    assert "moving" not in told
    assert "take the file away" not in told


@pytest.mark.parametrize("code", ["cancelled", "abandoned"])
def test_what_a_person_stopped_is_asked_for_by_a_person(code: str) -> None:
    """Saving an original again does not undo a cancellation, nor the end of a doubt."""
    stopped = (
        job(1, stage=Stage.CANCELLED)
        if code == "cancelled"
        else job(1, stage=Stage.FAILED, failure=replace(DOUBT, code=code))
    )

    told = text(stopped, after=KEPT, place="")

    assert "To try again: dropglow retry abcdefghij" in told
    assert "save the file" not in told
