"""What the walk of ``tests/test_lifecycle.py`` does not look at: contents of fields, counts, and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dropglow.errors import IllegalTransition
from dropglow.events import (
    Abandoned,
    Accepted,
    Approved,
    Attached,
    Began,
    Borrowed,
    CancelAsked,
    CancelConfirmed,
    CancelSent,
    Completed,
    Declined,
    Delivered,
    Doubted,
    Event,
    Fetched,
    GaveUp,
    Held,
    Kept,
    LinksExpired,
    Postponed,
    Prepared,
    RanLate,
    ResubmitAsked,
    RetryAsked,
    SpoolLost,
)
from dropglow.lifecycle import (
    PAID_FOR,
    REMOTE_OPEN,
    RESTING,
    TRANSITIONS,
    TWIN_IN_DOUBT,
    UPLOAD_MARGIN,
    Cancel,
    Deliver,
    Fetch,
    Poll,
    Prepare,
    Rest,
    Submit,
    Wait,
    advance,
    allowed,
    kept_back,
    next_step,
    not_kept,
    on_takeover,
    uploads_usable,
)
from dropglow.model import (
    Artifact,
    Billed,
    DeliveryPlan,
    DropKey,
    Duplicates,
    Failure,
    Job,
    JobKey,
    OnDoubt,
    Order,
    Output,
    Reference,
    RemoteId,
    RuleName,
    Stage,
    Submission,
    Upload,
)

S = Stage

T0 = datetime(2026, 5, 4, 12, tzinfo=UTC)
T1 = T0 + timedelta(seconds=1)
T2 = T0 + timedelta(seconds=2)
T3 = T0 + timedelta(seconds=3)
UNTIL = T0 + timedelta(minutes=5)

TROUBLE = Failure(code="trouble", what="something stands in the way")
OTHER = Failure(code="other", what="something else happened", billed=Billed.UNKNOWN)
UPLOAD = Upload(slot="image.source", sha256="0" * 64, upload_id="u", valid_until=T0 + timedelta(days=7))
RECEIPT = Submission(remote_id=RemoteId("urn:ff:jobs:1"), status_url="https://adobe.test/status/1")
OUTPUTS = (
    Output(index=0, seed=7, url="https://results.test/0"),
    Output(index=1, seed=8, url="https://results.test/1"),
)
ARTIFACT = Artifact(
    index=0,
    seed=7,
    temporary="/out/.part",
    device=1,
    inode=2,
    size_bytes=3,
    sha256="1" * 64,
    media_type="image/jpeg",
    extension=".jpg",
)


def a_job() -> Job:
    """Return a job as it is admitted."""
    order = Order(
        operation="expand",
        body={},
        references=(Reference(slot="image.source", path=None),),
        delivery=DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}"),
    )
    return Job(
        key=JobKey("abcdefghij.1"),
        drop=DropKey("abcdefghij"),
        rule=RuleName("r"),
        inbox="/in",
        source="beach.jpg",
        order=order,
        created_at=T0,
    )


def after(*events: Event, job: Job | None = None) -> Job:
    """Return *job*, or a fresh one, after *events*."""
    job = job or a_job()
    for event in events:
        job = advance(job, event)
    return job


PREPARED = Prepared(uploads=(UPLOAD,))
BEGAN = Began(at=T0)
ACCEPTED = Accepted(submission=RECEIPT, at=T1)
DECLINED = Declined(failure=TROUBLE, until=UNTIL, counts=True)
NOT_NOW = Declined(failure=TROUBLE, until=UNTIL, counts=False)
DOUBTED = Doubted(failure=OTHER)
COMPLETED = Completed(outputs=OUTPUTS, at=T2)
FETCHED = Fetched(artifacts=(ARTIFACT,))
POSTPONED = Postponed(until=UNTIL, failure=TROUBLE)
GAVE_UP = GaveUp(failure=OTHER, at=T3)
HELD = Held(failure=OTHER)
CANCEL_ASKED = CancelAsked(at=T3)
TO_RUNNING = (PREPARED, BEGAN, ACCEPTED)
TO_DOUBT = (PREPARED, BEGAN, DOUBTED)
TO_FETCHING = (*TO_RUNNING, COMPLETED)
TO_DELIVERING = (*TO_FETCHING, FETCHED)
DELIVERED = Delivered(paths=("/out/beach.jpg",), at=T3)


def brought_to(stage: Stage) -> Job:
    """Return a job that came to *stage* on the shortest way."""
    ways: dict[Stage, tuple[Event, ...]] = {
        S.QUEUED: (),
        S.HELD: (HELD,),
        S.SUBMITTING: (PREPARED, BEGAN),
        S.RUNNING: TO_RUNNING,
        S.CANCELLING: (*TO_RUNNING, CANCEL_ASKED),
        S.FETCHING: TO_FETCHING,
        S.DELIVERING: TO_DELIVERING,
        S.DELIVERED: (*TO_DELIVERING, DELIVERED),
        S.IN_DOUBT: TO_DOUBT,
        S.FAILED: (GAVE_UP,),
        S.CANCELLED: (CANCEL_ASKED,),
    }
    return after(*ways[stage])


# ---------------------------------------------------------------- the plain way


def test_the_plain_way_goes_through_every_stage() -> None:
    """An order that meets no trouble is prepared, sent, awaited, fetched and delivered, each in its own stage."""
    events = (PREPARED, BEGAN, ACCEPTED, COMPLETED, FETCHED, DELIVERED)

    stages = [after(*events[: count + 1]).stage for count in range(len(events))]

    assert [S.QUEUED, S.SUBMITTING, S.RUNNING, S.FETCHING, S.DELIVERING, S.DELIVERED] == stages


def test_the_plain_way_asks_for_each_act_in_turn() -> None:
    """Between the events of the plain way, the next step is the act that brings the next event."""
    ways = ((), (PREPARED,), TO_RUNNING, TO_FETCHING, TO_DELIVERING)

    steps = [next_step(after(*way), now=T3) for way in ways]

    assert [Prepare(), Submit(), Poll(), Fetch(), Deliver()] == steps


def test_the_plain_way_keeps_every_fact() -> None:
    """A delivered job still tells its receipt, its results, and every instant of its way."""
    job = after(*TO_DELIVERING, DELIVERED)

    assert (T0, T1, T2, T3) == (job.begun_at, job.accepted_at, job.completed_at, job.ended_at)
    assert (RECEIPT, OUTPUTS, (ARTIFACT,)) == (job.submission, job.outputs, job.artifacts)
    assert (("/out/beach.jpg",), (UPLOAD,), 1) == (job.delivered, job.uploads, job.attempt)


def test_advance_leaves_its_argument_alone() -> None:
    """A job is data: what it becomes is another one."""
    job = a_job()

    advance(job, CANCEL_ASKED)

    assert a_job() == job


# ---------------------------------------------------------------- ordering


def test_an_order_without_references_needs_no_preparation() -> None:
    """A prompt needs no upload, so it is sent at once."""
    job = a_job()
    job = replace(job, order=replace(job.order, references=()))

    assert Submit() == next_step(job, now=T0)


def test_an_upload_must_outlive_the_order_by_an_hour() -> None:
    """An upload that dies within the margin is made again, and not a moment earlier."""
    job = after(PREPARED)
    edge = UPLOAD.valid_until - UPLOAD_MARGIN

    assert not uploads_usable(job, now=edge)
    assert uploads_usable(job, now=edge - timedelta(microseconds=1))


def test_every_reference_needs_its_own_upload() -> None:
    """An upload for one place in the request does not serve another."""
    job = after(PREPARED)
    style = Reference(slot="style.imageReference.source", path="/rules/style.png")
    job = replace(job, order=replace(job.order, references=(*job.order.references, style)))

    assert Prepare() == next_step(job, now=T0)


def test_a_link_needs_no_upload() -> None:
    """Adobe reads it itself."""
    job = a_job()
    job = replace(job, order=replace(job.order, references=(Reference(slot="image.source", linked=True),)))

    assert Submit() == next_step(job, now=T0)


def test_what_a_skipped_name_costs_is_counted_once_a_job_is_delivered() -> None:
    """Before that, results without a place are only not there yet."""
    fetched = after(*TO_FETCHING, Fetched(artifacts=(ARTIFACT, replace(ARTIFACT, index=1))))

    assert 0 == not_kept(fetched)
    assert 1 == not_kept(after(DELIVERED, job=fetched))


def test_declines_are_counted_until_attempts_run_out() -> None:
    """The third decline of three ends the job, with the decline's reason."""
    job = after(PREPARED, BEGAN, DECLINED, BEGAN, DECLINED)
    assert (S.QUEUED, 2, UNTIL) == (job.stage, job.declines, job.not_before)

    job = after(BEGAN, DECLINED, job=job)

    assert (S.FAILED, TROUBLE, None, T0) == (job.stage, job.failure, job.not_before, job.ended_at)


def test_the_service_being_in_trouble_is_not_the_orders_fault() -> None:
    """A decline that does not count may come any number of times."""
    job = after(PREPARED, *(BEGAN, NOT_NOW) * 10)

    assert (S.QUEUED, 0, 10) == (job.stage, job.declines, job.attempt)


def test_each_decline_in_a_row_makes_the_next_wait_longer() -> None:
    """Trips grow with every decline, also while the next order is on the wire, so that the back-off can grow."""
    job = after(PREPARED, BEGAN, NOT_NOW, BEGAN, NOT_NOW, BEGAN)

    assert (S.SUBMITTING, 2) == (job.stage, job.trips)


def test_acceptance_forgets_the_declines() -> None:
    """Once accepted, neither declines nor trips of the way there count any more."""
    job = after(PREPARED, BEGAN, DECLINED, BEGAN, ACCEPTED)

    assert (0, 0, 2) == (job.declines, job.trips, job.attempt)


def test_an_order_on_the_wire_has_no_old_complaint() -> None:
    """Beginning anew takes the last decline's reason and time away."""
    job = after(PREPARED, BEGAN, DECLINED, BEGAN)

    assert (None, None) == (job.failure, job.not_before)


# ---------------------------------------------------------------- doubt


def test_doubt_waits_for_a_person() -> None:
    """With the rule silent, an order of unknown fate is held, and says why."""
    job = after(*TO_DOUBT)

    assert (S.IN_DOUBT, OTHER, 1, None) == (job.stage, job.failure, job.doubts, job.ended_at)


def test_the_rule_may_answer_doubt() -> None:
    """With ``on_doubt: resubmit``, the job queues again and keeps count."""
    job = after(*TO_DOUBT, job=replace(a_job(), on_doubt=OnDoubt.RESUBMIT))

    assert (S.QUEUED, 1, 1, None) == (job.stage, job.attempt, job.doubts, job.failure)


def test_the_rule_answers_as_often_as_it_has_attempts() -> None:
    """The last attempt that ends in doubt is held even where the rule says resubmit."""
    job = after(PREPARED, *(BEGAN, DOUBTED) * 3, job=replace(a_job(), on_doubt=OnDoubt.RESUBMIT))

    assert (S.IN_DOUBT, 3, 3) == (job.stage, job.attempt, job.doubts)


def test_what_is_found_on_the_wire_is_in_doubt() -> None:
    """A new owner of a job on the wire says that nobody knows, in words, and that it may cost."""
    event = on_takeover(brought_to(S.SUBMITTING))

    assert isinstance(event, Doubted)
    assert "stopped while this order was being sent" in event.failure.what
    assert "dropglow resolve" in event.failure.hint
    assert Billed.UNKNOWN is event.failure.billed


@pytest.mark.parametrize("stage", sorted(set(Stage) - {S.SUBMITTING}))
def test_every_other_stage_simply_goes_on(stage: Stage) -> None:
    """A new owner has nothing to tell a job that was not on the wire."""
    assert on_takeover(brought_to(stage)) is None


def test_resubmitting_keeps_the_count_and_nothing_else() -> None:
    """A person's resubmission queues the job afresh; what was begun and doubted stays counted."""
    job = after(*TO_DOUBT, ResubmitAsked(at=T3))

    assert (S.QUEUED, 1, 1, None) == (job.stage, job.attempt, job.doubts, job.failure)


def test_abandoning_ends_the_job_with_its_doubt() -> None:
    """An abandoned job failed, when it was given up, and still says that it may have been billed."""
    job = after(*TO_DOUBT, Abandoned(at=T3))

    assert (S.FAILED, T3) == (job.stage, job.ended_at)
    assert job.failure is not None
    assert ("abandoned", OTHER.what, Billed.UNKNOWN) == (
        job.failure.code,
        job.failure.why,
        job.failure.billed,
    )


def test_a_found_receipt_ends_the_doubt() -> None:
    """A job that is given its id is awaited like any other, with a clean count of trips."""
    job = after(PREPARED, BEGAN, NOT_NOW, BEGAN, DOUBTED, Attached(submission=RECEIPT, at=T3))

    assert (S.RUNNING, RECEIPT, T3, None, 0) == (
        job.stage,
        job.submission,
        job.accepted_at,
        job.failure,
        job.trips,
    )


def test_a_found_receipt_lets_a_waiting_cancel_bite() -> None:
    """Who asked to cancel before the doubt is not forgotten when the receipt turns up."""
    job = after(PREPARED, BEGAN, CANCEL_ASKED, DOUBTED, Attached(submission=RECEIPT, at=T3))

    assert (S.CANCELLING, Cancel()) == (job.stage, next_step(job, now=T3))


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize("stage", [S.QUEUED, S.RUNNING, S.CANCELLING, S.FETCHING, S.DELIVERING])
def test_postponing_is_no_stage(stage: Stage) -> None:
    """What stands in the way is written down, counted and waited for; the stage stays."""
    job = after(POSTPONED, POSTPONED, job=brought_to(stage))

    assert (stage, UNTIL, TROUBLE, 2) == (job.stage, job.not_before, job.failure, job.trips)
    assert Wait(UNTIL) == next_step(job, now=T0)


def test_the_time_itself_is_late_enough() -> None:
    """At the very instant that was named, the job goes on."""
    job = after(POSTPONED, job=brought_to(S.RUNNING))

    assert Poll() == next_step(job, now=UNTIL)


@pytest.mark.parametrize(
    ("stage", "event"),
    [
        (S.QUEUED, PREPARED),
        (S.RUNNING, COMPLETED),
        (S.CANCELLING, CancelSent()),
        (S.FETCHING, FETCHED),
    ],
)
def test_success_forgets_the_trouble_before_it(stage: Stage, event: Event) -> None:
    """Each success clears the time and the trips of the failures that it follows."""
    job = after(POSTPONED, event, job=brought_to(stage))

    assert (None, 0) == (job.not_before, job.trips)


def test_being_late_changes_nothing_else() -> None:
    """A late job is marked, and asked about as before."""
    job = brought_to(S.RUNNING)

    assert replace(job, late=True) == after(RanLate(at=T3), job=job)


# ---------------------------------------------------------------- by what an order is found


def test_an_order_that_was_being_sent_is_told_by_its_id() -> None:
    """Whoever takes the job over knows by which id Adobe's support may find it."""
    event = on_takeover(brought_to(S.SUBMITTING))

    assert isinstance(event, Doubted)
    assert brought_to(S.SUBMITTING).request_id in event.failure.why


def test_every_attempt_has_an_id_of_its_own() -> None:
    """Another time, another attempt or another job makes another id; a job that was never sent has none."""
    job = brought_to(S.SUBMITTING)
    others = (
        replace(job, attempt=2),
        replace(job, key=JobKey("other.1")),
        replace(job, begun_at=T3),
    )

    assert 4 == len({each.request_id for each in (job, *others)})
    assert "" == replace(job, begun_at=None).request_id


# ---------------------------------------------------------------- results


def test_dead_links_are_blanked_and_the_rest_stays() -> None:
    """Links that died leave the results' numbers and seeds in place, and are asked for again."""
    job = after(LinksExpired(), job=brought_to(S.FETCHING))

    assert tuple(replace(output, url="") for output in OUTPUTS) == job.outputs
    assert Poll() == next_step(job, now=T3)


def test_one_dead_link_among_many_is_enough() -> None:
    """Fetching waits until every result has a link."""
    job = brought_to(S.FETCHING)
    job = replace(job, outputs=(OUTPUTS[0], replace(OUTPUTS[1], url="")))

    assert Poll() == next_step(job, now=T3)


def test_fresh_links_keep_the_first_completion() -> None:
    """Asking again for links does not make the remote job end later than it did."""
    job = after(LinksExpired(), Completed(outputs=OUTPUTS, at=T3), job=brought_to(S.FETCHING))

    assert (T2, OUTPUTS) == (job.completed_at, job.outputs)


def test_links_that_die_again_and_again_are_counted() -> None:
    """Fresh links do not wipe the count of those that died, so somebody can tell when it is enough."""
    job = after(*(LinksExpired(), COMPLETED) * 3, job=brought_to(S.FETCHING))

    assert 3 == job.trips


def test_other_trouble_is_no_dead_link() -> None:
    """Waiting for a full disk does not use up the patience for links."""
    job = after(POSTPONED, POSTPONED, LinksExpired(), job=brought_to(S.FETCHING))

    assert (1, None) == (job.trips, job.failure)


def test_trouble_with_fetching_outlasts_fresh_links() -> None:
    """Links are not stored, so they are asked for before each try: that they came does not make fetching well."""
    job = after(POSTPONED, POSTPONED, COMPLETED, job=brought_to(S.FETCHING))

    assert (2, POSTPONED.failure) == (job.trips, job.failure)
    assert (0, None) == (after(FETCHED, job=job).trips, after(FETCHED, job=job).failure)


def test_dead_links_are_counted_anew_after_other_trouble() -> None:
    """What kept a job from being fetched before says nothing about the links that came since."""
    job = after(POSTPONED, POSTPONED, COMPLETED, LinksExpired(), job=brought_to(S.FETCHING))

    assert (1, None) == (job.trips, job.failure)


def test_a_lost_spool_is_fetched_again() -> None:
    """Files that vanished before delivery are forgotten and fetched by the links at hand."""
    job = after(SpoolLost(), job=brought_to(S.DELIVERING))

    assert (S.FETCHING, (), Fetch()) == (job.stage, job.artifacts, next_step(job, now=T3))


def test_what_stands_stays_known_when_the_rest_of_a_spool_is_lost() -> None:
    """Results that have their names are remembered while the others are fetched."""
    before = brought_to(S.DELIVERING)
    job = after(SpoolLost(standing=before.artifacts), job=before)

    assert (S.FETCHING, before.artifacts, Fetch()) == (job.stage, job.artifacts, next_step(job, now=T3))


def test_fetched_is_not_delivered() -> None:
    """Results on disk under temporary names still have to be given their final ones."""
    job = brought_to(S.DELIVERING)

    assert ((), None, Deliver()) == (job.delivered, job.ended_at, next_step(job, now=T3))


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("stage", [S.QUEUED, S.SUBMITTING, S.RUNNING, S.CANCELLING, S.FETCHING, S.DELIVERING])
def test_giving_up_says_why_and_when(stage: Stage) -> None:
    """A job that ends without results keeps the reason, the time, and its receipt if it has one."""
    before = brought_to(stage)

    job = after(GAVE_UP, job=before)

    assert (S.FAILED, OTHER, T3) == (job.stage, job.failure, job.ended_at)
    assert before.submission == job.submission


@pytest.mark.parametrize(
    "before",
    [
        brought_to(S.FAILED),
        brought_to(S.CANCELLED),
        after(*TO_DELIVERING, GAVE_UP),
        after(*TO_RUNNING, CANCEL_ASKED, CancelSent(), CancelConfirmed(at=T3)),
        after(PREPARED, BEGAN, CANCEL_ASKED, DECLINED),
        after(*TO_RUNNING, RanLate(at=T3), GAVE_UP),
    ],
    ids=["failed", "cancelled", "failed with results", "cancelled at Adobe", "cancelled late", "failed late"],
)
def test_a_retry_begins_from_nothing(before: Job) -> None:
    """A retried job is as fresh as on its first day, but for its uploads and what was begun."""
    job = after(RetryAsked(at=T3), job=before)

    kept = replace(a_job(), uploads=before.uploads, attempt=before.attempt, begun_at=before.begun_at)
    assert kept == job


def test_a_declined_job_ended_when_its_order_was_sent() -> None:
    """A job that was cancelled on the wire and then declined did not end at a time that lies ahead."""
    job = after(PREPARED, BEGAN, CANCEL_ASKED, DECLINED)

    assert (S.CANCELLED, T0, None) == (job.stage, job.ended_at, job.not_before)


# ---------------------------------------------------------------- cancelling


def test_cancelling_what_was_not_sent_ends_it() -> None:
    """A queued job that is cancelled has ended, and costs nothing."""
    job = after(POSTPONED, CANCEL_ASKED)

    assert (S.CANCELLED, T3, None) == (job.stage, job.ended_at, job.not_before)


def test_cancelling_does_not_wait() -> None:
    """A cancel is sent at once, whatever the job was waiting for."""
    job = after(POSTPONED, CANCEL_ASKED, job=brought_to(S.RUNNING))

    assert (S.CANCELLING, None, Cancel()) == (job.stage, job.ended_at, next_step(job, now=T0))


def test_a_sent_cancel_is_not_sent_again() -> None:
    """Once Adobe has been asked, its status tells the rest."""
    job = after(CancelSent(), job=brought_to(S.CANCELLING))

    assert Poll() == next_step(job, now=T3)


def test_a_confirmed_cancel_ends_the_job() -> None:
    """A job that Adobe cancelled ended when it said so, and keeps its receipt for the record."""
    job = after(CancelSent(), CancelConfirmed(at=T3), job=brought_to(S.CANCELLING))

    assert (S.CANCELLED, T3, RECEIPT) == (job.stage, job.ended_at, job.submission)


def test_a_cancel_that_came_too_late_is_delivered() -> None:
    """What succeeded before the cancel is paid for, so it is fetched."""
    job = after(COMPLETED, job=brought_to(S.CANCELLING))

    assert (S.FETCHING, Fetch()) == (job.stage, next_step(job, now=T3))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("stage", "event", "words", "hint"),
    [
        (S.DELIVERED, CANCEL_ASKED, "is delivered: cancelling it", "its results are in the outbox"),
        (S.FETCHING, CANCEL_ASKED, "is fetching: cancelling it", "it is paid for already"),
        (S.DELIVERING, CANCEL_ASKED, "is delivering: cancelling it", "it is paid for already"),
        (S.IN_DOUBT, CANCEL_ASKED, "is in doubt: cancelling it", "dropglow resolve"),
        (S.IN_DOUBT, RetryAsked(at=T3), "is in doubt: retrying it", "dropglow resolve"),
        (S.RUNNING, RetryAsked(at=T3), "is running: retrying it", "dropglow show abcdefghij.1"),
        (S.FAILED, ResubmitAsked(at=T3), "is failed: resubmitting it", "dropglow show abcdefghij.1"),
        (S.QUEUED, Abandoned(at=T3), "is queued: abandoning it", "dropglow show abcdefghij.1"),
        (S.RUNNING, Attached(submission=RECEIPT, at=T3), "is running: giving it a job id", "dropglow show"),
        (S.CANCELLED, BEGAN, "is cancelled: Began", "dropglow show"),
    ],
)
def test_a_refusal_reads_well(stage: Stage, event: Event, words: str, hint: str) -> None:
    """A wish that makes no sense is refused with the job, its stage, the wish, and what to do."""
    with pytest.raises(IllegalTransition) as refused:
        advance(brought_to(stage), event)

    assert f"job abcdefghij.1 {words} makes no sense now" == refused.value.message
    assert hint in refused.value.hint


def test_a_cancel_just_before_the_order_prevents_it() -> None:
    """The intent to buy is refused by a job that was cancelled a moment before."""
    with pytest.raises(IllegalTransition):
        after(PREPARED, CANCEL_ASKED, BEGAN)


def test_a_delivered_job_takes_no_event() -> None:
    """Nothing can happen to a job whose results stand in the outbox."""
    assert {} == TRANSITIONS[S.DELIVERED]


@pytest.mark.parametrize("stage", sorted({*RESTING, S.SUBMITTING}))
def test_a_job_at_rest_or_on_the_wire_is_left_alone(stage: Stage) -> None:
    """Where a person, an answer or nothing at all is awaited, there is nothing to do and no time to wait for."""
    assert Rest() == next_step(brought_to(stage), now=T3)


def test_some_moves_stand_in_no_table() -> None:
    """What the ledger lets through is the table and the moves of two facts that meet, and no more."""
    assert allowed(S.QUEUED, S.SUBMITTING)
    assert allowed(S.SUBMITTING, S.CANCELLED)
    assert not allowed(S.RUNNING, S.QUEUED)


def test_the_groups_of_stages_do_not_overlap() -> None:
    """A stage rests, or its order is open at Adobe, or it is paid for, or it is queued."""
    groups = [RESTING, REMOTE_OPEN, PAID_FOR, {S.QUEUED}]

    assert sorted(Stage) == sorted(stage for group in groups for stage in group)


KEPT = Kept(
    twin=JobKey("twin.1"),
    submission=RECEIPT,
    uploads=(UPLOAD,),
    artifacts=(ARTIFACT,),
    paths=("/out/beach.jpg",),
    at=T3,
)
BORROWED = Borrowed(twin=JobKey("twin.1"), submission=RECEIPT, uploads=(UPLOAD,), completed_at=T0)


def test_kept_results_are_delivered_without_an_order() -> None:
    """A job whose results stand there already ends at once, and names the job that bought them."""
    job = after(KEPT)

    assert (S.DELIVERED, ("/out/beach.jpg",), T3) == (job.stage, job.delivered, job.ended_at)
    assert (JobKey("twin.1"), 0) == (job.reuses, job.attempt)


def test_what_a_person_approves_of_goes_on() -> None:
    """A job that was held is queued again, and complains of nothing."""
    job = after(HELD, Approved(at=T3))

    assert (S.QUEUED, None, None) == (job.stage, job.failure, job.ended_at)
    assert Prepare() == next_step(job, now=T3)


def test_borrowed_results_are_asked_for() -> None:
    """A job that borrows a receipt asks for the results with it, since links are never stored."""
    job = after(POSTPONED, BORROWED)

    assert Poll() == next_step(job, now=T3)
    assert (RECEIPT, T0, None) == (job.submission, job.completed_at, job.failure)


def test_what_cannot_be_borrowed_is_kept_back() -> None:
    """A job that failed with a borrowed receipt, or because of a twin in doubt, is not bought without a person."""
    doubtful = replace(GAVE_UP, failure=replace(OTHER, code=TWIN_IN_DOUBT))

    assert kept_back(after(BORROWED, GAVE_UP))
    assert kept_back(after(doubtful))
    assert not kept_back(after(GAVE_UP))
    assert not kept_back(after(BORROWED))


def test_what_a_person_asks_for_again_is_bought() -> None:
    """A retry forgets the twin and looks for none: it is a new order."""
    job = after(BORROWED, GAVE_UP, RetryAsked(at=T3), job=replace(a_job(), duplicates=Duplicates.REUSE))

    assert (S.QUEUED, Duplicates.BUY, None, None) == (job.stage, job.duplicates, job.reuses, job.submission)
