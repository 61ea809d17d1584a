"""The one report of a folder: what became of each file in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from dropglow.model import (
    After,
    Artifact,
    DeliveryPlan,
    Drop,
    DropKey,
    DropState,
    Duplicates,
    Failure,
    Job,
    JobKey,
    Kind,
    Member,
    Order,
    RuleName,
    Stage,
)
from dropglow.runtime.reports import report

AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
REFUSED: Final = Failure(code="unsafe", what="Firefly refused this order", hint="reword it")
DROP: Final = Drop(
    key=DropKey("abcdefghij"),
    inbox="/in",
    path="shoot",
    place="/in/_done/shoot",
    rule=RuleName("art"),
    rule_digest="d",
    sha256="5",
    size_bytes=15,
    device=1,
    inode=2,
    kind=Kind.IMAGE,
    members=(
        Member(path="shoot/a.jpg", sha256="1", size_bytes=5, kind=Kind.IMAGE),
        Member(path="shoot/b.jpg", sha256="2", size_bytes=5, fault="it is damaged", hint="save it again"),
        Member(path="shoot/raw/c.pdf", sha256="3", size_bytes=5, passed_over="it takes pictures"),
        Member(path="shoot/d.jpg", sha256="4", size_bytes=5, fault="it is too large"),
    ),
    after=After(done="/in/_done", failed="/in/_failed", held="/in/_held"),
    admitted_at=AT,
)


def job(ordinal: int = 1, **changes: Any) -> Job:
    """Return a job about the first file."""
    plan = DeliveryPlan(outbox="/out", folder="shoot", name="x{ext}")
    made = Job(
        key=JobKey(f"abcdefghij.{ordinal}"),
        drop=DROP.key,
        rule=DROP.rule,
        inbox="/in",
        source="shoot/a.jpg",
        members=("shoot/a.jpg",),
        order=Order(operation="expand", body={}, size="300x200", delivery=plan),
        created_at=AT,
    )
    return replace(made, **changes)


def artifact(index: int) -> Artifact:
    return Artifact(
        index=index,
        seed=1,
        temporary="",
        device=1,
        inode=1,
        size_bytes=1,
        sha256=str(index),
        media_type="image/jpeg",
        extension=".jpg",
    )


def test_the_report_of_success_counts_and_names_everything() -> None:
    """What was bought, where it is, and what stayed as it is; no advice, for nothing is to be done."""
    done = job(stage=Stage.DELIVERED, delivered=("/out/shoot/x.jpg",))

    text = report(DROP, [done], state=DropState.DONE, at=AT)

    assert text.startswith("The folder shoot is done.\nFiles: 4; used: 1. Jobs: 1. Results: 1.\n")
    assert "a.jpg:\n  expand 300x200: delivered\n    Job:           abcdefghij.1\n    Result:" in text
    assert "raw/c.pdf: left as it is; it takes pictures" in text
    assert "b.jpg: cannot be used\n  What happened: it is damaged\n  What to do:    save it again" in text
    assert "d.jpg: cannot be used\n  What happened: it is too large\n  Billed:        no" in text
    assert "retry" not in text


def test_results_that_were_skipped_are_told() -> None:
    """They were paid for."""
    skipped = job(stage=Stage.DELIVERED, artifacts=(artifact(0), artifact(1)), delivered=("/out/x.jpg",))

    text = report(DROP, [skipped], state=DropState.DONE, at=AT)

    assert "Skipped:       1 of its results, because their names were taken" in text


def test_the_report_of_failure_says_what_costs_what() -> None:
    """Whoever changes a file of the folder wants to know whether the others are bought again."""
    drop = replace(DROP, place="/in/_failed/shoot", reason="1 of its files cannot be used")
    failed = job(stage=Stage.FAILED, failure=REFUSED)

    reusing = report(drop, [replace(failed, duplicates=Duplicates.REUSE)], state=DropState.FAILED, at=AT)
    buying = report(
        drop,
        [failed, job(2, stage=Stage.DELIVERED, delivered=("/out/y.jpg",))],
        state=DropState.FAILED,
        at=AT,
    )

    assert "What happened: 1 of its files cannot be used" in reusing
    assert "move the folder back into the inbox, or: dropglow retry abcdefghij" in reusing
    assert "only those are ordered anew; what was delivered stands" in reusing
    assert "If you change a file it counts as a new one" in buying


def test_a_folder_of_which_nothing_can_be_used_names_every_file() -> None:
    """With no job there is nothing else to tell."""
    drop = replace(DROP, reason="it asks for too much", members=(replace(DROP.members[0]), *DROP.members[1:]))

    text = report(drop, [], state=DropState.FAILED, at=AT)

    assert text.startswith("The folder shoot could not be used.")
    assert "a.jpg: left as it is; nothing was ordered for it" in text
    assert "bring the folder into the inbox again" in text
