"""What is odd about a result that is whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dropglow.model import (
    Artifact,
    DeliveryPlan,
    DropKey,
    Job,
    JobKey,
    Order,
    RuleName,
    Upload,
)
from dropglow.oddities import oddities

AT = datetime(2026, 11, 3, tzinfo=UTC)
RESULT = Artifact(
    index=0,
    seed=1,
    temporary="/out/.part",
    device=1,
    inode=2,
    size_bytes=9,
    sha256="aa",
    media_type="image/jpeg",
    extension=".jpg",
    width=800,
    height=600,
)
SENT = Upload(slot="image", sha256="5e47@storage", upload_id="u", valid_until=AT)
JOB = Job(
    key=JobKey("d1.1"),
    drop=DropKey("d1"),
    rule=RuleName("sizes"),
    inbox="/in",
    source="beach.jpg",
    order=Order(
        operation="expand",
        body={},
        size="800x600",
        delivery=DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}"),
    ),
    uploads=(SENT,),
    artifacts=(RESULT,),
    created_at=AT,
)


def test_a_result_as_asked_for_is_not_odd() -> None:
    """Nothing is said of what everybody expects."""
    assert () == oddities(JOB, RESULT)


def test_another_size_is_odd() -> None:
    """Both sizes are told."""
    assert ("it is 801x600 pixels, and 800x600 was asked for",) == oddities(JOB, replace(RESULT, width=801))


def test_a_size_that_nobody_asked_for_or_knows_is_not_odd() -> None:
    """Some operations choose it, and not every format tells it."""
    free = replace(JOB, order=replace(JOB.order, size=""))

    assert () == oddities(free, RESULT)
    assert () == oddities(JOB, replace(RESULT, width=None, height=None))


def test_the_picture_that_was_sent_is_odd() -> None:
    """It was paid for, and nothing was made of it."""
    assert ("it is the very picture that was sent",) == oddities(JOB, replace(RESULT, sha256="5e47"))


def test_the_same_picture_twice_is_odd() -> None:
    """The first of them is not; the second is."""
    second = replace(RESULT, index=1)
    job = replace(JOB, artifacts=(RESULT, second))

    assert () == oddities(job, RESULT)
    assert ("it is the same as result 1",) == oddities(job, second)
