"""The lifecycle, proved: a walk through everything that can happen to a job, in every order.

``walk`` drives the real ``advance``, ``next_step`` and ``on_takeover`` against a
small model of the rest of the world: what really became of the order at Adobe,
who waits for an answer, and what a person or a rule has allowed. It goes
breadth first from fresh jobs until nothing new turns up, and looks at every
law in every state; a law's value is the sentence that is proved. Instants,
names and counters are drawn from few values, so that the space is finite.

The checker is checked as well: each mutant at the end breaks the lifecycle in
one place, and the walk must name a law that it breaks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import cast, get_args

import pytest

from dropglow import effects, lifecycle
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
    JOINT_TRANSITIONS,
    RESTING,
    TRANSITIONS,
    Act,
    Cancel,
    Deliver,
    Fetch,
    Poll,
    Prepare,
    Rest,
    Step,
    Submit,
    Wait,
    uploads_usable,
)
from dropglow.model import (
    Artifact,
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

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=2)  # until when everything is put off
LATER = NOW + timedelta(hours=4)  # after that
MUCH_LATER = NOW + timedelta(days=8)  # uploads are dead by then
INSTANTS = (NOW, LATER, MUCH_LATER)

REASON = Failure(code="test", what="something happened")
UPLOADS = (Upload(slot="image.source", sha256="0" * 64, upload_id="u", valid_until=NOW + timedelta(days=7)),)
ORDER = Order(
    operation="expand",
    body={},
    references=(Reference(slot="image.source", path=None),),
    delivery=DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}"),
)


class Law(StrEnum):
    """What is proved, one sentence each."""

    ONE_ORDER = "a second order is placed only after a person or the rule said so"
    RULE_BOUND = "the rule alone never causes more orders than it has attempts"
    RULE_ASKED = "only a rule that says resubmit resubmits, and never what is to be cancelled"
    NOT_DROPPED = "an open or paid order is let go of only by a person, the rule, or patience of a day"
    HANDED_OVER = "a job is delivered only when its own results stand in the outbox"
    RECEIPT_KEPT = "the receipt of the latest order is in hand for as long as it is needed"
    NOTHING_STALE = "a job that is to order carries nothing over from an earlier order"
    TOTAL = "every stage has an answer to what is next, at any time"
    SUBMIT_FRESH = "no order is placed where a receipt exists or an upload is about to die"
    PATIENT = "nothing at all is done before the time it was put off to"
    PUT_OFF = "an answer that names a time is obeyed"
    RECEIPT_FIRST = "Adobe is asked about a job only with its receipt"
    LIVE_LINKS = "results are fetched only by links that are not known to be dead"
    TAKEN_OVER = "a job is on the wire exactly while somebody waits for the answer, whoever takes it over"
    NOT_REFUSED = "an answer is refused only by a job that somebody ended meanwhile"
    APPROVED = "what was held for approval is ordered only after a person approved of it"
    CANCEL_KEPT = "a wish to cancel that was granted is never forgotten"
    CANCEL_SENT = "a job that is being cancelled asks Adobe to cancel it first"
    CANCEL_ASKED = "nothing is cancelled that nobody wants cancelled"
    RESTS = "a resting stage is at rest, and waits for no time"
    ENDED = "an ended job says when it ended, not in the future, and no other job does"
    REASON = "a job that failed or is in doubt says why, and a delivered one complains of nothing"
    DECLINES = "an order that is declined too often ends"
    COMES_TO_REST = "from everywhere a job can come to rest without a person"
    BEYOND = "what the table does not show is exactly what the joint transitions say"


class Fate(StrEnum):
    """What really became of the latest order, at Adobe and in the outbox."""

    NONE = "none"  # there is no such order: never sent, declined or refused
    OPEN = "open"
    SUCCEEDED = "succeeded"
    FETCHED = "fetched"
    HANDED_OVER = "handed over"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # paid for, and its results cannot be had


CLOSED = frozenset({Fate.NONE, Fate.FAILED, Fate.CANCELLED, Fate.LOST, Fate.HANDED_OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that matters and that a job cannot know."""

    permit: bool = True  # one order is allowed that was not placed yet
    awaited: bool = False  # somebody waits for the answer to a submission
    fate: Fate = Fate.NONE
    name: str = "a"  # of the latest order; two names take turns
    let_go: bool = False  # a person or a rule said that the latest order does not matter
    links_live: bool = False
    cancel_owed: bool = False  # we told somebody that we would
    answers: int = 0  # how often the rule has said: resubmit
    unapproved: bool = False  # it was held, and nobody has approved of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The lifecycle under test."""

    advance: Callable[[Job, Event], Job] = lifecycle.advance
    next_step: Callable[[Job, datetime], Step] = lambda job, now: lifecycle.next_step(job, now=now)
    on_takeover: Callable[[Job], Event | None] = lifecycle.on_takeover


@dataclass(slots=True)
class Proof:
    """What a walk found."""

    machine: Machine
    faults: dict[Law, str] = field(default_factory=dict)
    moves: set[tuple[Stage, type[Event], Stage]] = field(default_factory=set)
    sources: dict[object, set[object]] = field(default_factory=dict)  # whence, without a person
    stages: dict[object, Stage] = field(default_factory=dict)

    def fault(self, law: Law, job: Job, world: World, why: str) -> None:
        """Keep the first counterexample to *law*."""
        self.faults.setdefault(law, f"{why}, at {job.stage} in {world}")

    def tell(self, job: Job, event: Event) -> Job | None:
        """Return *job* after *event*, or None where it is refused."""
        try:
            after = self.machine.advance(job, event)
        except IllegalTransition:
            return None
        self.moves.add((job.stage, type(event), after.stage))
        return after


# ---------------------------------------------------------------- the world's answers


def submission(name: str) -> Submission:
    """Return the receipt of the order called *name*."""
    return Submission(remote_id=RemoteId(name), status_url=f"https://adobe.test/{name}")


def results(name: str) -> tuple[Output, ...]:
    """Return live links to the results of the order called *name*."""
    return (Output(index=0, seed=1, url=f"https://results.test/{name}"),)


def artifacts(name: str) -> tuple[Artifact, ...]:
    """Return the fetched results of the order called *name*."""
    return (
        Artifact(
            index=0,
            seed=1,
            temporary=f"/out/.{name}.part",
            device=1,
            inode=1,
            size_bytes=1,
            sha256=name,
            media_type="image/jpeg",
            extension=".jpg",
        ),
    )


def put_off() -> Postponed:
    """Return the event of something standing in the way."""
    return Postponed(until=SOON, failure=REASON)


def gave_up() -> GaveUp:
    """Return the event of an end without results."""
    return GaveUp(failure=REASON, at=NOW)


Outcome = tuple[World, Event]


def answers_to_submitting(world: World) -> Iterator[Outcome]:
    """Yield what a submission can meet. Only the first three know that no order stands."""
    never = replace(world, awaited=False, fate=Fate.NONE)
    for counts in (True, False):
        yield replace(never, permit=True), Declined(failure=REASON, until=SOON, counts=counts)
    yield never, gave_up()
    yield never, Doubted(failure=REASON)
    stands = replace(world, awaited=False, fate=Fate.OPEN)
    yield stands, Accepted(submission=submission(world.name), at=NOW)
    yield stands, Doubted(failure=REASON)


def answers_to_asking(job: Job, world: World) -> Iterator[Outcome]:
    """Yield what a question for the status can meet."""
    yield world, put_off()
    match world.fate:
        case Fate.OPEN if not job.late:
            yield world, RanLate(at=NOW)
        case Fate.OPEN:
            yield replace(world, let_go=True), gave_up()  # nobody waits longer than a day
        case Fate.SUCCEEDED | Fate.FETCHED:
            yield replace(world, links_live=True), Completed(outputs=results(world.name), at=NOW)
        case Fate.CANCELLED if job.stage is S.CANCELLING:
            yield world, CancelConfirmed(at=NOW)
        case _:
            yield world, gave_up()


def answers(act: Prepare | Poll | Cancel | Fetch | Deliver, job: Job, world: World) -> Iterator[Outcome]:
    """Yield what *act* can meet, each with the world as it is then."""
    match act:
        case Prepare():
            yield world, Prepared(uploads=UPLOADS)
            yield world, put_off()
            yield world, gave_up()
        case Poll():
            yield from answers_to_asking(job, world)
        case Cancel():
            yield world, CancelSent()
            yield world, put_off()
        case Fetch():
            yield replace(world, fate=Fate.FETCHED), Fetched(artifacts=artifacts(world.name))
            yield replace(world, links_live=False), LinksExpired()
            yield world, put_off()
            yield replace(world, fate=Fate.LOST), gave_up()
        case Deliver():
            yield replace(world, fate=Fate.HANDED_OVER), Delivered(paths=(f"/out/{world.name}.jpg",), at=NOW)
            yield replace(world, fate=Fate.SUCCEEDED), SpoolLost()
            yield world, put_off()
            yield replace(world, fate=Fate.LOST), gave_up()


def reuses(job: Job, world: World) -> Iterator[Outcome]:
    """Yield what it can mean that another job placed the same order before: it is this job's own from then on."""
    if job.duplicates is not Duplicates.REUSE or job.attempt:
        return
    twin, receipt = JobKey("twin.1"), submission(world.name)
    yield (
        replace(world, fate=Fate.HANDED_OVER),
        Kept(
            twin=twin,
            submission=receipt,
            uploads=UPLOADS,
            artifacts=artifacts(world.name),
            paths=(f"/out/{world.name}.jpg",),
            at=NOW,
        ),
    )
    for fate in (Fate.SUCCEEDED, Fate.LOST):
        yield (
            replace(world, fate=fate, links_live=False),
            Borrowed(twin=twin, submission=receipt, uploads=UPLOADS, completed_at=NOW),
        )


def holds(world: World) -> Iterator[Outcome]:
    """Yield what it means that a person has to approve of an order first."""
    yield replace(world, unapproved=True), Held(failure=REASON)


def by_themselves(world: World) -> Iterator[World]:
    """Yield what changes at Adobe without our doing."""
    if world.fate is not Fate.OPEN or world.awaited:
        return
    yield replace(world, fate=Fate.SUCCEEDED)
    yield replace(world, fate=Fate.FAILED)
    yield replace(world, fate=Fate.CANCELLED)  # by us, or by somebody else over there


def wishes(job: Job, world: World) -> Iterator[tuple[World, Event]]:
    """Yield what a person may ask at any time, and the world if it is granted."""
    told = replace(world, permit=True, let_go=True, cancel_owed=False)
    yield replace(world, cancel_owed=True, unapproved=False), CancelAsked(at=NOW)
    yield replace(world, unapproved=False), Approved(at=NOW)
    # A plain retry may be told to a hundred jobs at once: it does not speak for one in doubt.
    yield (told if job.stage in {S.FAILED, S.CANCELLED} else world), RetryAsked(at=NOW)
    yield told, ResubmitAsked(at=NOW)
    yield replace(world, let_go=True), Abandoned(at=NOW)
    if world.fate is not Fate.NONE:  # a person can only find what stands
        yield world, Attached(submission=submission(world.name), at=NOW)


# ---------------------------------------------------------------- the laws


def laws_of_a_state(job: Job, world: World) -> Iterator[tuple[Law, bool]]:
    """Yield every law about a state, and whether it holds."""
    stage, receipt = job.stage, job.submission
    free = world.let_go or world.fate in CLOSED
    underway = {S.SUBMITTING, S.RUNNING, S.CANCELLING, S.FETCHING, S.DELIVERING, S.IN_DOUBT}
    yield Law.NOT_DROPPED, free or stage in underway
    yield Law.RULE_BOUND, world.answers < job.attempts
    yield Law.HANDED_OVER, stage is not S.DELIVERED or world.fate is Fate.HANDED_OVER
    yield Law.HANDED_OVER, stage is not S.DELIVERED or job.delivered == (f"/out/{world.name}.jpg",)
    yield Law.HANDED_OVER, stage is not S.DELIVERING or job.artifacts == artifacts(world.name)
    yield Law.HANDED_OVER, stage is not S.FETCHING or not job.artifacts
    needed = {S.RUNNING, S.CANCELLING, S.FETCHING, S.DELIVERING, S.DELIVERED}
    yield Law.RECEIPT_KEPT, stage not in needed or receipt == submission(world.name)
    yield Law.NOTHING_STALE, stage not in {S.QUEUED, S.HELD, S.SUBMITTING, S.IN_DOUBT} or carries_nothing(job)
    yield Law.NOTHING_STALE, stage is not S.QUEUED or not job.cancel_wanted
    yield Law.TAKEN_OVER, (stage is S.SUBMITTING) == world.awaited
    yield Law.CANCEL_KEPT, not world.cancel_owed or stage not in {S.QUEUED, S.RUNNING}
    yield Law.CANCEL_ASKED, world.cancel_owed or stage not in {S.CANCELLING, S.CANCELLED}
    yield Law.APPROVED, (stage is S.HELD) == world.unapproved
    ended = stage in RESTING and stage not in {S.IN_DOUBT, S.HELD}
    yield Law.ENDED, (job.ended_at is not None) == ended and (job.ended_at or NOW) <= NOW
    yield Law.RESTS, stage not in RESTING or job.not_before is None
    yield Law.REASON, stage not in {S.FAILED, S.IN_DOUBT, S.HELD} or job.failure is not None
    yield Law.REASON, stage is not S.DELIVERED or job.failure is None
    yield Law.DECLINES, stage is not S.QUEUED or job.declines < job.attempts


def carries_nothing(job: Job) -> bool:
    """Return whether *job* holds nothing of an order that was placed."""
    leftovers = (
        *(job.submission, job.outputs, job.artifacts, job.delivered, job.cancel_sent, job.late),
        job.reuses,
    )
    return not any(leftovers) and job.accepted_at is None and job.completed_at is None


def laws_of_a_step(job: Job, world: World, step: Step, now: datetime) -> Iterator[tuple[Law, bool]]:
    """Yield every law about what is to be done next, and whether it holds."""
    acts = isinstance(step, Act)
    early = job.not_before is not None and job.not_before > now
    yield Law.TOTAL, isinstance(step, Act | Wait | Rest)
    yield Law.PATIENT, not (acts and early)
    yield Law.RESTS, job.stage not in RESTING or isinstance(step, Rest)
    yield Law.RESTS, not isinstance(step, Rest) or job.stage in {*RESTING, S.SUBMITTING}
    submits = isinstance(step, Submit)
    yield Law.ONE_ORDER, not submits or (world.permit and not world.awaited)
    yield Law.SUBMIT_FRESH, not submits or (job.submission is None and uploads_usable(job, now=now))
    yield Law.RECEIPT_FIRST, not isinstance(step, Poll | Cancel) or job.submission is not None
    yield (
        Law.LIVE_LINKS,
        not isinstance(step, Fetch) or (job.outputs == results(world.name) and world.links_live),
    )
    overdue = job.stage is S.CANCELLING and not job.cancel_sent and not early
    yield Law.CANCEL_SENT, not overdue or isinstance(step, Cancel)
    yield Law.CANCEL_ASKED, not isinstance(step, Cancel) or world.cancel_owed


# ---------------------------------------------------------------- the walk


State = tuple[Job, World]


def fresh(on_doubt: OnDoubt, attempts: int) -> Job:
    """Return a job as it is admitted."""
    return Job(
        key=JobKey("abcdefghij.1"),
        drop=DropKey("abcdefghij"),
        rule=RuleName("r"),
        inbox="/in",
        source="beach.jpg",
        order=ORDER,
        attempts=attempts,
        on_doubt=on_doubt,
        duplicates=Duplicates.REUSE,
        created_at=NOW,
    )


def bounded(job: Job, world: World) -> State:
    """Return the state without what changes nothing: counts beyond their bounds, orders that are over."""
    if job.trips or job.doubts > 1 or job.attempt > job.attempts:
        job = replace(job, attempt=min(job.attempt, job.attempts), doubts=min(job.doubts, 1), trips=0)
    if job.stage is S.QUEUED and carries_nothing(job) and (world.let_go or world.fate in CLOSED):
        world = replace(world, fate=Fate.NONE, name="a", let_go=False, links_live=False)
    return job, world


def identity(job: Job, world: World) -> object:
    """Return everything that tells two states apart."""
    return (
        *(job.stage, job.on_doubt, job.attempts, job.attempt, job.declines, job.doubts, job.not_before),
        *(job.uploads, job.submission, job.outputs, job.artifacts, job.delivered, job.failure is None),
        *(job.cancel_wanted, job.cancel_sent, job.late, job.ended_at, job.accepted_at, job.completed_at),
        *(job.duplicates, job.reuses),
        world,
    )


def crashed(job: Job) -> Job:
    """Return *job* as the next owner reads it: links are never stored."""
    if not job.outputs:
        return job
    return replace(job, outputs=tuple(replace(output, url="") for output in job.outputs))


def policy_applied(before: Job, after: Job, world: World, proof: Proof) -> World:
    """Return *world* after a doubt was told: the rule may have answered it."""
    if after.stage is not S.QUEUED:
        return world
    if before.on_doubt is not OnDoubt.RESUBMIT or world.cancel_owed:
        proof.fault(Law.RULE_ASKED, before, world, "resubmitted")
        return world
    return replace(world, permit=True, let_go=True, answers=world.answers + 1)


def after_an_answer(proof: Proof, job: Job, world: World, event: Event) -> Iterator[State]:
    """Yield the state in which *event* leaves *job*; the world has changed already."""
    after = proof.tell(job, event)
    if after is None:
        if job.stage not in RESTING:
            proof.fault(Law.NOT_REFUSED, job, world, f"{event} was refused")
        yield job, world
        return
    if isinstance(event, Declined | Postponed) and isinstance(proof.machine.next_step(after, NOW), Act):
        proof.fault(Law.PUT_OFF, after, world, "acts at once")
    yield after, policy_applied(job, after, world, proof) if isinstance(event, Doubted) else world


def after_a_crash(proof: Proof, job: Job, world: World) -> Iterator[State]:
    """Yield the state in which a new owner finds and leaves *job*."""
    found, world = crashed(job), replace(world, awaited=False, links_live=False)
    event = proof.machine.on_takeover(found)
    if event is None:
        yield found, world
        return
    yield from after_an_answer(proof, found, world, event)


def after_wishes(proof: Proof, job: Job, world: World) -> Iterator[State]:
    """Yield every state to which a person can bring *job*."""
    for granted, wish in wishes(job, world):
        if (after := proof.tell(job, wish)) is not None:
            yield after, granted


def after_an_act(proof: Proof, act: Act, job: Job, world: World) -> Iterator[State]:
    """Yield every state to which *act* can lead, with crashes and cancels at the worst moments."""
    if isinstance(act, Submit | Prepare):
        for changed, event in reuses(job, world):
            yield from after_an_answer(proof, job, changed, event)
        for changed, event in holds(world):
            yield from after_an_answer(proof, job, changed, event)
    if isinstance(act, Submit):
        name = "b" if world.name == "a" else "a"
        placed = replace(
            world, permit=False, awaited=True, fate=Fate.NONE, name=name, let_go=False, links_live=False
        )
        if (begun := proof.tell(job, Began(at=NOW))) is not None:
            yield begun, placed
        return
    for changed, event in answers(act, job, world):
        yield from after_an_answer(proof, job, changed, event)
        yield from after_a_crash(proof, job, changed)  # the answer came, and was not stored
        if (meanwhile := proof.tell(job, CancelAsked(at=NOW))) is not None:
            yield from after_an_answer(proof, meanwhile, replace(changed, cancel_owed=True), event)


def after(proof: Proof, job: Job, world: World) -> Iterator[State]:
    """Yield every state that can follow; look at every law about what is to be done."""
    acts: set[Act] = set()
    for now in INSTANTS:
        step = proof.machine.next_step(job, now)
        for law, holds in laws_of_a_step(job, world, step, now):
            if not holds:
                proof.fault(law, job, world, f"{step} at {now}")
        if isinstance(step, Act):
            acts.add(step)
    for act in acts:
        yield from after_an_act(proof, act, job, world)
    if job.stage is S.SUBMITTING:
        for changed, event in answers_to_submitting(world):
            yield from after_an_answer(proof, job, changed, event)
            yield from after_a_crash(proof, job, replace(changed, permit=False))
    yield from ((job, changed) for changed in by_themselves(world))
    yield from after_a_crash(proof, job, world)


def walk(machine: Machine, *, attempts: tuple[int, ...] = (1, 2), until: Law | None = None) -> Proof:
    """Return what is found from fresh jobs of every policy until nothing new turns up, or *until* is broken."""
    proof = Proof(machine)
    waiting: deque[State] = deque()

    def meet(states: Iterator[State], origin: object = None) -> None:
        for job, world in states:
            state = bounded(job, world)
            name = identity(*state)
            proof.sources.setdefault(name, set()).add(origin)
            if name in proof.stages:
                continue
            proof.stages[name] = job.stage
            broken = [law for law, holds in laws_of_a_state(*state) if not holds]
            for law in broken:
                proof.fault(law, job, world, "found")
            if not broken:  # what follows from a broken state says nothing new
                waiting.append(state)

    meet((fresh(on_doubt, count), World()) for on_doubt, count in product(OnDoubt, attempts))
    while waiting and until not in proof.faults:
        state = waiting.popleft()
        meet(after(proof, *state), identity(*state))
        meet(after_wishes(proof, *state))
    if (odd := beyond_the_table(proof) ^ JOINT_TRANSITIONS) and until not in proof.faults:
        proof.faults[Law.BEYOND] = str(odd)
    if (stuck := set(proof.stages) - able_to_rest(proof)) and until not in proof.faults:
        proof.faults[Law.COMES_TO_REST] = str(next(iter(stuck)))
    return proof


def able_to_rest(proof: Proof) -> set[object]:
    """Return every state from which a resting stage can be reached without a person."""
    waiting = [name for name, stage in proof.stages.items() if stage in RESTING]
    able = set(waiting)
    while waiting:
        fresh_ones = proof.sources.get(waiting.pop(), set()) - able
        able |= fresh_ones
        waiting.extend(fresh_ones)
    return able - {None}


def beyond_the_table(proof: Proof) -> frozenset[tuple[Stage, Stage]]:
    """Return the moves that were seen and that the table does not show."""
    return frozenset(
        (source, target)
        for source, event, target in proof.moves
        if TRANSITIONS[source].get(event) is not target
    )


# ---------------------------------------------------------------- what is proved


@pytest.fixture(scope="module")
def proof() -> Proof:
    """Walk once for all of the proofs."""
    return walk(Machine())


@pytest.mark.parametrize("law", Law, ids=lambda law: law.name.lower())
def test_the_law_holds(proof: Proof, law: Law) -> None:
    """Whatever happens, in whatever order, the law's sentence is true."""
    assert "" == proof.faults.get(law, "")


def test_every_stage_is_reached(proof: Proof) -> None:
    """The walk sees every stage, so no law holds for want of cases."""
    assert set(Stage) == set(proof.stages.values())


def test_every_arrow_is_walked(proof: Proof) -> None:
    """Each arrow of the table is taken in the walk, so none stands there for nothing."""
    walked = {(source, event) for source, event, _target in proof.moves}

    assert walked == {(source, event) for source, events in TRANSITIONS.items() for event in events}


def test_allowed_says_what_can_happen(proof: Proof) -> None:
    """A move from stage to stage is allowed exactly where some event makes it."""
    seen = {(source, target) for source, _event, target in proof.moves}

    allowed = {pair for pair in product(Stage, Stage) if lifecycle.allowed(*pair)}

    assert allowed == seen


def test_every_event_has_an_arrow() -> None:
    """No event exists that no stage can take."""
    told = {event for events in TRANSITIONS.values() for event in events}

    assert set(get_args(Event)) == told


# ---------------------------------------------------------------- the checker, checked

Table = dict[Stage, dict[type[Event], Stage]]


def machine(
    *,
    arrows: dict[tuple[Stage, type[Event]], Stage | None] | None = None,
    told: Callable[[Job, Event, Job], Job] = lambda _job, _event, after: after,
    settled: Callable[[Job, Event, Job], Job] = lambda _job, _event, after: after,
    next_step: Callable[[Job, datetime, Step], Step] = lambda _job, _now, step: step,
    on_takeover: Callable[[Job], Event | None] = lifecycle.on_takeover,
) -> Machine:
    """Return the lifecycle with some arrows turned (None: cut), or one of its answers replaced."""
    table: Table = {source: dict(events) for source, events in TRANSITIONS.items()}
    for (source, event), target in (arrows or {}).items():
        table[source].pop(event, None)
        if target is not None:
            table[source][event] = target

    def advance(job: Job, event: Event) -> Job:
        target = table[job.stage].get(type(event))
        if target is None:
            raise IllegalTransition("no arrow")
        moved = replace(told(job, event, effects.told(job, event)), stage=target)
        return settled(moved, event, lifecycle._settle(moved, event))

    def step(job: Job, now: datetime) -> Step:
        return next_step(job, now, lifecycle.next_step(job, now=now))

    return Machine(advance=advance, next_step=step, on_takeover=on_takeover)


def keeping(event: type[Event], *names: str) -> Machine:
    """Return the lifecycle with *event* leaving the named fields as they were."""

    def told(job: Job, what: Event, after: Job) -> Job:
        kept = {name: getattr(job, name) for name in names}
        return replace(after, **kept) if isinstance(what, event) else after

    return machine(told=told)


def settling(event: type[Event], change: Callable[[Job], Job]) -> Machine:
    """Return the lifecycle with *change* in place of what the two facts mean at *event*."""
    return machine(settled=lambda moved, what, after: change(moved) if isinstance(what, event) else after)


def stepping(
    stage: Stage, step: Step | None, *, only_if: Callable[[Job], bool] = lambda _job: True
) -> Machine:
    """Return the lifecycle with *step* as the answer at *stage*."""

    def next_step(job: Job, _now: datetime, real: Step) -> Step:
        return cast("Step", step) if job.stage is stage and only_if(job) else real

    return machine(next_step=next_step)


def impatient(job: Job, now: datetime, real: Step) -> Step:
    """Return what would be done if nothing had been put off."""
    return lifecycle.next_step(replace(job, not_before=None), now=now) if isinstance(real, Wait) else real


def found_on_the_wire(event: Event) -> Machine:
    """Return the lifecycle with *event* told to what a new owner finds on the wire."""
    return machine(on_takeover=lambda job: event if job.stage is S.SUBMITTING else None)


MUTANTS: dict[str, tuple[Law, Machine]] = {
    # arrows turned or cut
    "doubt queues": (Law.ONE_ORDER, machine(arrows={(S.SUBMITTING, Doubted): S.QUEUED})),
    "doubt fails": (Law.NOT_DROPPED, machine(arrows={(S.SUBMITTING, Doubted): S.FAILED})),
    "a retry speaks for doubt": (Law.ONE_ORDER, machine(arrows={(S.IN_DOUBT, RetryAsked): S.QUEUED})),
    "a failure queues": (Law.NOTHING_STALE, machine(arrows={(S.RUNNING, GaveUp): S.QUEUED})),
    "a running job just ends": (Law.NOT_DROPPED, machine(arrows={(S.RUNNING, CancelAsked): S.CANCELLED})),
    "an order on the wire ends": (
        Law.TAKEN_OVER,
        machine(arrows={(S.SUBMITTING, CancelAsked): S.CANCELLED}),
    ),
    "paid, and thrown away": (Law.NOT_DROPPED, machine(arrows={(S.CANCELLING, Completed): S.CANCELLED})),
    "held, and goes on": (Law.APPROVED, machine(arrows={(S.QUEUED, Held): S.QUEUED})),
    "a retry approves": (Law.APPROVED, machine(arrows={(S.HELD, RetryAsked): S.QUEUED})),
    "success refused": (Law.NOT_REFUSED, machine(arrows={(S.CANCELLING, Completed): None})),
    "delivering skipped": (Law.HANDED_OVER, machine(arrows={(S.FETCHING, Fetched): S.DELIVERED})),
    "delivered without files": (Law.HANDED_OVER, machine(arrows={(S.DELIVERING, SpoolLost): S.DELIVERED})),
    "dead links queue": (Law.NOT_DROPPED, machine(arrows={(S.FETCHING, LinksExpired): S.QUEUED})),
    "declined is doubtful": (Law.BEYOND, machine(arrows={(S.SUBMITTING, Declined): S.IN_DOUBT})),
    "cancelled is not heard": (
        Law.COMES_TO_REST,
        machine(arrows={(S.CANCELLING, CancelConfirmed): S.CANCELLING}),
    ),
    "late is cancelled": (Law.CANCEL_ASKED, machine(arrows={(S.RUNNING, RanLate): S.CANCELLING})),
    # facts not written down
    "the receipt is lost": (Law.RECEIPT_KEPT, keeping(Accepted, "submission")),
    "the found receipt is lost": (Law.RECEIPT_KEPT, keeping(Attached, "submission")),
    "the twin's receipt is lost": (Law.RECEIPT_KEPT, keeping(Borrowed, "submission")),
    "the twin outlives a retry": (Law.NOTHING_STALE, keeping(RetryAsked, "reuses")),
    "borrowed is delivered": (Law.HANDED_OVER, machine(arrows={(S.QUEUED, Borrowed): S.DELIVERED})),
    "kept without its name": (Law.HANDED_OVER, keeping(Kept, "delivered")),
    "the receipt outlives a retry": (Law.NOTHING_STALE, keeping(RetryAsked, "submission")),
    "results outlive a retry": (Law.NOTHING_STALE, keeping(RetryAsked, "outputs", "artifacts")),
    "a cancel outlives a retry": (Law.NOTHING_STALE, keeping(RetryAsked, "cancel_wanted")),
    "attempts are not counted": (Law.RULE_BOUND, keeping(Began, "attempt")),
    "declines are not counted": (Law.BEYOND, keeping(Declined, "declines")),
    "the named time is not kept": (Law.PUT_OFF, keeping(Declined, "not_before")),
    "a cancel is not remembered": (Law.CANCEL_KEPT, keeping(CancelAsked, "cancel_wanted")),
    "a sent cancel is not remembered": (Law.COMES_TO_REST, keeping(CancelSent, "cancel_sent")),
    "dead links are kept": (Law.LIVE_LINKS, keeping(LinksExpired, "outputs")),
    "a lost spool is kept": (Law.HANDED_OVER, keeping(SpoolLost, "artifacts")),
    "no reason is given": (Law.REASON, keeping(GaveUp, "failure")),
    "no end is given": (Law.ENDED, keeping(Abandoned, "ended_at")),
    "it ends in the future": (
        Law.ENDED,
        machine(settled=lambda _moved, _event, after: replace(after, ended_at=after.ended_at and SOON)),
    ),
    # two facts that meet
    "accepted though unwanted": (Law.CANCEL_KEPT, settling(Accepted, lambda moved: moved)),
    "found though unwanted": (Law.CANCEL_KEPT, settling(Attached, lambda moved: moved)),
    "declined though unwanted": (Law.CANCEL_KEPT, settling(Declined, lambda moved: moved)),
    "declined for ever": (Law.DECLINES, settling(Declined, lambda moved: moved)),
    "resubmitted unasked": (
        Law.RULE_ASKED,
        settling(Doubted, lambda moved: replace(effects.afresh(moved), stage=S.QUEUED)),
    ),
    "resubmitted for ever": (
        Law.RULE_BOUND,
        settling(
            Doubted, lambda moved: lifecycle._settle(replace(moved, attempt=0), Doubted(failure=REASON))
        ),
    ),
    "resubmitted though unwanted": (
        Law.RULE_ASKED,
        settling(
            Doubted,
            lambda moved: lifecycle._settle(replace(moved, cancel_wanted=False), Doubted(failure=REASON)),
        ),
    ),
    # wrong steps
    "impatient": (Law.PATIENT, machine(next_step=impatient)),
    "sent twice": (Law.ONE_ORDER, stepping(S.SUBMITTING, Submit())),
    "ordered while running": (Law.SUBMIT_FRESH, stepping(S.RUNNING, Submit())),
    "ordered with dead uploads": (
        Law.SUBMIT_FRESH,
        stepping(S.QUEUED, Submit(), only_if=lambda job: not job.not_before),
    ),
    "never cancelled": (Law.CANCEL_SENT, stepping(S.CANCELLING, Poll())),
    "fetched without links": (
        Law.LIVE_LINKS,
        stepping(S.FETCHING, Fetch(), only_if=lambda job: not job.not_before),
    ),
    "doubt is asked about": (Law.RECEIPT_FIRST, stepping(S.IN_DOUBT, Poll())),
    "the end is not the end": (Law.RESTS, stepping(S.FAILED, Wait(LATER))),
    "at a loss": (Law.TOTAL, stepping(S.RUNNING, None)),
    "asleep": (Law.RESTS, stepping(S.QUEUED, Rest())),
    # wrong takeovers
    "nobody takes over": (Law.TAKEN_OVER, machine(on_takeover=lambda _job: None)),
    "taken over as declined": (
        Law.ONE_ORDER,
        found_on_the_wire(Declined(failure=REASON, until=SOON, counts=False)),
    ),
    "taken over as failed": (Law.NOT_DROPPED, found_on_the_wire(gave_up())),
    "everything in doubt": (Law.NOT_REFUSED, machine(on_takeover=lambda _job: Doubted(failure=REASON))),
}


@pytest.mark.parametrize(("law", "mutant"), MUTANTS.values(), ids=MUTANTS)
def test_the_walk_catches(law: Law, mutant: Machine) -> None:
    """A lifecycle that is broken in one place breaks a law, and the walk names that law."""
    assert law in walk(mutant, attempts=(2,), until=law).faults


def test_every_law_can_be_broken() -> None:
    """Each law is broken by some mutant, so none of them is empty words."""
    assert set(Law) == {law for law, _mutant in MUTANTS.values()}


def test_the_walk_spares_the_lifecycle_in_pieces() -> None:
    """The mutants' own way to put the lifecycle together is right where nothing is replaced."""
    assert {} == walk(machine(), attempts=(2,)).faults
