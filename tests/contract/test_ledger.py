"""One suite over every ledger: what memory and SQLite both promise."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from dropglow.errors import (
    Conflict,
    IllegalTransition,
    LeaseLost,
    LedgerError,
    OverBudget,
    SpendingStopped,
    UnknownKey,
)
from dropglow.events import (
    Abandoned,
    Accepted,
    Approved,
    Attached,
    Began,
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
    LinksExpired,
    Postponed,
    Prepared,
    RanLate,
    ResubmitAsked,
    RetryAsked,
    SpoolLost,
)
from dropglow.ledger.base import Grant, Ledger, Query, RequestKind, Timing
from dropglow.ledger.memory import MemoryLedger
from dropglow.ledger.sqlite import SqliteLedger
from dropglow.lifecycle import TRANSITIONS, advance
from dropglow.model import (
    After,
    Artifact,
    Companion,
    DeliveryPlan,
    Drop,
    DropKey,
    DropState,
    Failure,
    Job,
    JobKey,
    Kind,
    Member,
    OnDoubt,
    Order,
    Original,
    Output,
    Reference,
    RemoteId,
    RuleName,
    Stage,
    Submission,
    Upload,
)
from dropglow.money import (
    WAITS_FOR_MONEY,
    Amount,
    Booking,
    Ceiling,
    Fate,
    Limit,
    Period,
    Switch,
    Unit,
)

NOW: Final = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
PLENTY: Final = Grant(open_jobs=1000, fresh_jobs=1000)
WHY: Final = Failure(code="busy", what="the service is busy")
RECEIPT: Final = Submission(
    remote_id=RemoteId("urn:ff:1"), status_url="https://a/s", cancel_url="https://a/c"
)
LINK: Final = Output(index=0, seed=7, url="https://h/x?sig=secret")
ARTIFACT: Final = Artifact(
    index=0,
    seed=7,
    temporary="/out/.dropglow-a",
    device=1,
    inode=2,
    size_bytes=3,
    sha256="5" * 64,
    media_type="image/png",
    extension=".png",
)
TO_RUNNING: Final[tuple[Event, ...]] = (Began(at=NOW), Accepted(submission=RECEIPT, at=NOW))
TO_FETCHING: Final[tuple[Event, ...]] = (*TO_RUNNING, Completed(outputs=(LINK,), at=NOW + MINUTE))
TO_DELIVERED: Final[tuple[Event, ...]] = (
    *TO_FETCHING,
    Fetched(artifacts=(ARTIFACT,)),
    Delivered(paths=("/out/a.png",), at=NOW),
)
TO_DOUBT: Final[tuple[Event, ...]] = (Began(at=NOW), Doubted(failure=WHY))
TO_FAILED: Final[tuple[Event, ...]] = (GaveUp(failure=WHY, at=NOW),)


def make_drop(key: str = "drop", **changes: Any) -> Drop:
    """Return a drop of a prompt."""
    drop = Drop(
        key=DropKey(key),
        inbox="/in",
        path="beach.txt",
        place=f"/in/.dropglow/work/{key}/beach.txt",
        rule=RuleName("art"),
        rule_digest="digest",
        sha256="a" * 64,
        size_bytes=5,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done="/in/_done", failed="/in/_failed", held="/in/_held"),
        admitted_at=NOW,
    )
    return replace(drop, **changes)


def make_job(key: str = "drop.1", **changes: Any) -> Job:
    """Return a queued job of the drop that its key begins with."""
    plan = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    order = Order(operation="generate", body={"prompt": "a beach"}, size="1024x1024", images=2, delivery=plan)
    job = Job(
        key=JobKey(key),
        drop=DropKey(key.split(".", maxsplit=1)[0]),
        rule=RuleName("art"),
        inbox="/in",
        source="beach.txt",
        order=order,
        created_at=NOW,
    )
    return replace(job, **changes)


async def admit(ledger: Ledger, *jobs: Job) -> None:
    """Admit each job in a drop of its own."""
    for job in jobs:
        await ledger.admit(make_drop(job.drop, inbox=job.inbox, admitted_at=job.created_at), [job])


async def tell(ledger: Ledger, job: Job, *events: Event, owner: str | None = None) -> Job:
    """Advance and save *job* by each event."""
    for event in events:
        job = await ledger.save(job, advance(job, event), event, at=NOW, owner=owner)
    return job


def companion(sha256: str) -> Companion:
    """Return a file of this content that belongs to a drop."""
    path = f"beach.{sha256}.png"
    return Companion(
        path=path, place=f"/in/{path}", sha256=sha256, size_bytes=1, device=1, inode=2, kind=Kind.IMAGE
    )


async def claim(
    ledger: Ledger,
    owner: str = "here",
    *,
    now: datetime = NOW,
    grant: Grant = PLENTY,
    lease: timedelta = HOUR,
) -> list[str]:
    """Return the keys that *owner* is given."""
    return [job.key for job in await ledger.claim(owner, now=now, until=now + lease, grant=grant)]


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    """Return an empty ledger of each kind."""
    made: Ledger = (
        MemoryLedger() if request.param == "memory" else await SqliteLedger.open(tmp_path / "ledger.sqlite3")
    )
    yield made
    await made.close()


class TestAdmission:
    """What is admitted is there, whole, or not at all."""

    async def test_a_drop_and_its_job_come_back_as_they_were(self, ledger: Ledger) -> None:
        """Every field survives, also file names that are no text and numbers beyond 63 bits."""
        drop = make_drop(
            inbox="/in\udcff",
            path="caf\udce9/beach.txt",
            place="/in\udcff/x",
            device=2**64 - 1,
            inode=2**64 - 2,
        )
        plan = DeliveryPlan(
            outbox="/out\udcff", folder="caf\udce9", name="{stem}{ext}", mode=0o640, group="g"
        )
        order = replace(
            make_job().order,
            references=(Reference(slot="image.source", path="/r\udcff.png"),),
            seeds=(1, 2),
            tokens={"stem": "caf\udce9"},
            delivery=plan,
        )
        job = make_job(
            inbox="/in\udcff",
            source="caf\ufffd/beach.txt",
            order=order,
            on_doubt=OnDoubt.RESUBMIT,
            priority=-3,
            not_before=NOW + HOUR,
        )

        await ledger.admit(drop, [job])

        assert drop == await ledger.drop(drop.key)
        assert job == await ledger.job(job.key)

    async def test_a_key_is_admitted_once(self, ledger: Ledger) -> None:
        """A second drop under the same key is refused, and changes nothing."""
        await ledger.admit(make_drop(), [make_job()])

        with pytest.raises(Conflict):
            await ledger.admit(make_drop(path="other.txt"), [make_job("drop.2")])
        assert "beach.txt" == (await ledger.drop(DropKey("drop"))).path
        assert 1 == len(await ledger.jobs_of(DropKey("drop")))

    async def test_a_taken_job_key_keeps_its_drop_out(self, ledger: Ledger) -> None:
        """A drop one of whose jobs has a taken key is not stored either."""
        await ledger.admit(make_drop(), [make_job()])

        with pytest.raises(Conflict):
            await ledger.admit(make_drop("late"), [make_job("late.1"), make_job()])
        with pytest.raises(UnknownKey):
            await ledger.drop(DropKey("late"))

    async def test_two_jobs_of_one_key_are_refused(self, ledger: Ledger) -> None:
        """A drop that brings one key twice is not stored."""
        with pytest.raises(Conflict):
            await ledger.admit(make_drop(), [make_job(), make_job()])
        assert () == await ledger.drops()

    async def test_the_identity_stays_the_same(self, ledger: Ledger) -> None:
        """The ledger's own id is no empty text and does not change."""
        assert ledger.identity
        assert ledger.identity == ledger.identity


class TestQuestions:
    """What anybody may ask."""

    async def test_what_is_not_there_is_unknown(self, ledger: Ledger) -> None:
        """A key that nothing has is refused, for drops and for jobs, whatever was typed."""
        for text in ("nothing", "", "n\udcff"):
            with pytest.raises(UnknownKey):
                await ledger.job(JobKey(text))
            with pytest.raises(UnknownKey):
                await ledger.drop(DropKey(text))
            with pytest.raises(UnknownKey):
                await ledger.resolve_key(text)

    async def test_jobs_stand_in_the_order_of_their_numbers(self, ledger: Ledger) -> None:
        """The tenth job of a drop comes after the ninth."""
        await ledger.admit(make_drop(), [make_job(f"drop.{number}") for number in (10, 2, 11, 1, 9)])

        jobs = await ledger.jobs_of(DropKey("drop"))

        assert ["drop.1", "drop.2", "drop.9", "drop.10", "drop.11"] == [job.key for job in jobs]

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("abc", ("abc", None)),
            ("abc.1", ("abc", "abc.1")),
            ("abcd.", ("abcd", "abcd.1")),
            ("x", ("xyz", None)),
            ("urn:ff:1", ("xyz", "xyz.1")),
        ],
    )
    async def test_a_beginning_is_enough(
        self, ledger: Ledger, text: str, meant: tuple[str, str | None]
    ) -> None:
        """A whole key wins, then Adobe's id, then the beginning of a drop's key, then that of a job's."""
        await admit(ledger, make_job("abc.1"), make_job("abcd.1"), make_job("xyz.1"))
        await tell(ledger, await ledger.job(JobKey("xyz.1")), *TO_RUNNING)

        found = await ledger.resolve_key(text)

        assert meant == found

    async def test_a_job_id_of_adobe_s_is_known_by_its_uuid_too(self, ledger: Ledger) -> None:
        """A URN and the bare UUID at its end are one job, in capitals as well; a part of a UUID is nothing."""
        uuid = "2fd78d7e-1aaf-4449-b245-e9c53e32b401"
        await admit(ledger, make_job("abc.1"), make_job("xyz.1"))
        accepted = Accepted(
            submission=Submission(remote_id=RemoteId(f"urn:ff:1:{uuid}"), status_url=""), at=NOW
        )
        await tell(ledger, await ledger.job(JobKey("xyz.1")), TO_RUNNING[0], accepted)

        for text in (uuid, uuid.upper(), f"urn:ff:2:{uuid}"):
            assert ("xyz", "xyz.1") == await ledger.resolve_key(text)
        for text in (uuid[1:], f"0{uuid}", "urn:ff:1:"):
            with pytest.raises(UnknownKey):
                await ledger.resolve_key(text)

    async def test_an_ambiguous_beginning_is_refused(self, ledger: Ledger) -> None:
        """Nothing is chosen where two drops, or two jobs of one drop, begin alike."""
        await ledger.admit(make_drop("abc"), [make_job("abc.1"), make_job("abc.2")])
        await ledger.admit(make_drop("abd"), [])

        for text, keys in {"ab": "abc, abd", "abc.": "abc.1, abc.2"}.items():
            with pytest.raises(UnknownKey, match="more than one") as refused:
                await ledger.resolve_key(text)
            assert f"type more of it: {keys}; see: dropglow jobs" == refused.value.hint

    async def test_of_many_that_begin_alike_some_are_named(self, ledger: Ledger) -> None:
        """Of a hundred candidates the first few are named, and that there are more."""
        for number in range(20):
            await ledger.admit(make_drop(f"ab{number:02}"), [])

        with pytest.raises(UnknownKey) as refused:
            await ledger.resolve_key("ab")

        assert (
            "type more of it: ab00, ab01, ab02, ab03, ab04, ab05, ab06, ab07, …; see: dropglow jobs"
            == refused.value.hint
        )

    @pytest.mark.parametrize(
        ("query", "keys"),
        [
            (Query(), ["c.1", "b.1", "a.1"]),
            (Query(limit=2), ["c.1", "b.1"]),
            (Query(stages=frozenset({Stage.FAILED})), ["b.1"]),
            (Query(stages=frozenset()), []),
            (Query(rule=RuleName("other")), ["a.1"]),
            (Query(source="STRASSE"), ["c.1"]),
            (Query(source="%"), []),
            (Query(drop=DropKey("a")), ["a.1"]),
            (Query(since=NOW + HOUR), ["c.1", "b.1"]),
            (Query(until=NOW + HOUR), ["a.1"]),
        ],
    )
    async def test_jobs_are_found_newest_first(self, ledger: Ledger, query: Query, keys: list[str]) -> None:
        """Each open field of a query narrows what is found."""
        await admit(
            ledger,
            make_job("a.1", rule=RuleName("other")),
            make_job("b.1", created_at=NOW + HOUR),
            make_job("c.1", created_at=NOW + 2 * HOUR, source="Große Straße.txt"),
        )
        await tell(ledger, await ledger.job(JobKey("b.1")), *TO_FAILED)

        found = await ledger.find(query)

        assert keys == [job.key for job in found]

    async def test_drops_are_found_newest_first(self, ledger: Ledger) -> None:
        """Drops are narrowed by state and inbox, and bounded."""
        await ledger.admit(make_drop("a"), [])
        await ledger.admit(make_drop("b", admitted_at=NOW + HOUR, inbox="/other"), [])
        await ledger.admit(make_drop("c", admitted_at=NOW + HOUR, state=DropState.FAILED, reason="empty"), [])

        found = [
            [drop.key for drop in await ledger.drops()],
            [drop.key for drop in await ledger.drops(limit=1)],
            [drop.key for drop in await ledger.drops(states=frozenset({DropState.OPEN}))],
            [drop.key for drop in await ledger.drops(inbox="/other")],
        ]

        assert [["c", "b", "a"], ["c"], ["b", "a"], ["b"]] == found

    async def test_everything_is_counted(self, ledger: Ledger) -> None:
        """Jobs by stage, drops by state, open jobs by inbox, queued ones of one inbox."""
        await admit(
            ledger, make_job("a.1"), make_job("b.1", not_before=NOW + HOUR), make_job("c.1", inbox="/x\udcff")
        )
        await admit(ledger, make_job("d.1", inbox="/done"))
        await tell(ledger, await ledger.job(JobKey("a.1")), *TO_RUNNING)
        await tell(ledger, await ledger.job(JobKey("d.1")), *TO_DELIVERED)

        counts = await ledger.counts()

        assert {Stage.RUNNING: 1, Stage.QUEUED: 2, Stage.DELIVERED: 1} == counts.jobs
        assert {DropState.OPEN: 4} == counts.drops
        assert {"/in": 2, "/x\udcff": 1} == counts.open_jobs_by_inbox
        assert [1, 1, 0] == [await ledger.queued(inbox) for inbox in ("/in", "/x\udcff", "/done")]

    async def test_what_is_not_over_is_counted_by_rule(self, ledger: Ledger) -> None:
        """Jobs in doubt are not over; delivered ones are."""
        await admit(ledger, make_job("a.1"), make_job("b.1"), make_job("c.1"), make_job("d.1"))
        await tell(ledger, await ledger.job(JobKey("a.1")), *TO_RUNNING)
        await tell(ledger, await ledger.job(JobKey("b.1")), Began(at=NOW), Doubted(failure=WHY))
        await tell(ledger, await ledger.job(JobKey("d.1")), *TO_DELIVERED)
        rule = (await ledger.job(JobKey("a.1"))).rule

        found = await ledger.unfinished()

        assert {(rule, stage): 1 for stage in (Stage.RUNNING, Stage.IN_DOUBT, Stage.QUEUED)} == found

    async def test_requests_are_remembered(self, ledger: Ledger) -> None:
        """Submissions count from their beginning, whatever became of them, and uploads when they were made."""
        await admit(ledger, make_job("a.1"), make_job("b.1"))
        upload = Upload(slot="", sha256="a", upload_id="u", valid_until=NOW + HOUR)
        await ledger.remember_upload(upload, at=NOW + MINUTE)
        declined = Declined(failure=WHY, until=NOW, counts=False)
        await tell(
            ledger,
            await ledger.job(JobKey("a.1")),
            Began(at=NOW - MINUTE),
            declined,
            Began(at=NOW + 2 * MINUTE),
        )
        await tell(ledger, await ledger.job(JobKey("b.1")), Began(at=NOW))

        found = await ledger.requests_since(NOW)

        assert (
            (NOW, RequestKind.SUBMISSION),
            (NOW + MINUTE, RequestKind.UPLOAD),
            (NOW + 2 * MINUTE, RequestKind.SUBMISSION),
        ) == found

    async def test_times_are_taken_from_acceptance_to_the_first_success(self, ledger: Ledger) -> None:
        """Fresh links do not make a job longer, and one whose receipt a person found has no known length."""
        await admit(ledger, make_job("a.1"), make_job("b.1"), make_job("c.1"))
        await tell(
            ledger, await ledger.job(JobKey("a.1")), *TO_FETCHING, Completed(outputs=(LINK,), at=NOW + HOUR)
        )
        later = Completed(outputs=(LINK,), at=NOW + 2 * MINUTE)
        await tell(ledger, await ledger.job(JobKey("b.1")), *TO_RUNNING, later)
        await tell(
            ledger, await ledger.job(JobKey("c.1")), *TO_DOUBT, Attached(submission=RECEIPT, at=NOW), later
        )

        every, newest = await ledger.timings(), await ledger.timings(limit=1)

        assert [120.0, 60.0] == [timing.took_s for timing in every]
        assert (Timing(operation="generate", model=None, size="1024x1024", images=2, took_s=120.0),) == newest

    async def test_an_upload_is_found_by_its_content_while_it_lives(self, ledger: Ledger) -> None:
        """The upload that lives longest is given; one that ends now is none."""
        for name, hours in (("short", 1), ("long", 3), ("middle", 2)):
            upload = Upload(
                slot="image.source",
                sha256="a",
                upload_id=name,
                valid_until=NOW + hours * HOUR,
                prepared=f"made {name}",
            )
            await ledger.remember_upload(upload, at=NOW)

        found = await ledger.upload_of("a", now=NOW)

        expected = Upload(
            slot="", sha256="a", upload_id="long", valid_until=NOW + 3 * HOUR, prepared="made long"
        )
        assert expected == found
        assert await ledger.upload_of("a", now=NOW + 3 * HOUR) is None
        assert await ledger.upload_of("b", now=NOW) is None


class TestClaims:
    """Who gets which job, and when."""

    async def test_a_job_is_in_one_hand_only(self, ledger: Ledger) -> None:
        """What was given is given to nobody else, and not to the same owner again."""
        await admit(ledger, make_job())

        given = [await claim(ledger, "a"), await claim(ledger, "a"), await claim(ledger, "b")]

        assert [["drop.1"], [], []] == given

    async def test_a_grant_of_nothing_gives_nothing(self, ledger: Ledger) -> None:
        """Neither fresh nor open jobs are given beyond the grant, be it negative."""
        await admit(ledger, make_job("a.1"), make_job("b.1"))
        await tell(ledger, await ledger.job(JobKey("a.1")), *TO_RUNNING)

        given = [
            await claim(ledger, grant=Grant(open_jobs=0, fresh_jobs=0)),
            await claim(ledger, grant=Grant(open_jobs=-1, fresh_jobs=-1)),
        ]

        assert [[], []] == given

    async def test_a_waiting_job_is_not_given_before_its_time(self, ledger: Ledger) -> None:
        """Due is what has no time set, or whose time has come, to the microsecond."""
        await admit(ledger, make_job(not_before=NOW + MINUTE))

        early = await claim(ledger, now=NOW + MINUTE - timedelta(microseconds=1))
        due = await claim(ledger, now=NOW + MINUTE)

        assert ([], ["drop.1"]) == (early, due)

    async def test_resting_jobs_are_not_given(self, ledger: Ledger) -> None:
        """What ended, and what is in doubt, is nobody's work."""
        await admit(ledger, make_job("a.1"), make_job("b.1"), make_job("c.1"))
        for key, events in (("a.1", TO_DELIVERED), ("b.1", TO_DOUBT), ("c.1", TO_FAILED)):
            await tell(ledger, await ledger.job(JobKey(key)), *events)

        assert [] == await claim(ledger)
        assert await ledger.next_due(now=NOW) is None

    async def test_open_jobs_come_first_and_oldest_first(self, ledger: Ledger) -> None:
        """What was begun is given before what is fresh, whatever its priority; an interrupted order too."""
        await admit(
            ledger,
            make_job("new.1", created_at=NOW + HOUR),
            make_job("old.1"),
            make_job("fresh.1", priority=9),
        )
        await tell(ledger, await ledger.job(JobKey("new.1")), *TO_FETCHING)
        await tell(ledger, await ledger.job(JobKey("old.1")), Began(at=NOW))

        given = await claim(ledger)

        assert ["old.1", "new.1", "fresh.1"] == given

    async def test_grants_are_counted_apart(self, ledger: Ledger) -> None:
        """Open jobs do not use up what is granted to fresh ones."""
        await admit(ledger, *(make_job(f"{name}.1") for name in "abcd"))
        for name in "ab":
            await tell(ledger, await ledger.job(JobKey(f"{name}.1")), *TO_RUNNING)

        given = await claim(ledger, grant=Grant(open_jobs=1, fresh_jobs=1))

        assert ["a.1", "c.1"] == given

    async def test_priority_decides_among_fresh_jobs(self, ledger: Ledger) -> None:
        """A higher number comes first, then the older job."""
        await admit(
            ledger,
            make_job("a.1", priority=-1),
            make_job("b.1", created_at=NOW + HOUR),
            make_job("c.1"),
            make_job("d.1", priority=5, created_at=NOW + HOUR),
        )

        assert ["d.1", "c.1", "b.1", "a.1"] == await claim(ledger)

    async def test_inboxes_take_turns(self, ledger: Ledger) -> None:
        """A long queue in one inbox does not keep a short one in another waiting."""
        await admit(ledger, *(make_job(f"a{number}.1", inbox="/a") for number in range(4)))
        await admit(
            ledger, make_job("b0.1", inbox="/b"), make_job("c0.1", inbox="/c"), make_job("c1.1", inbox="/c")
        )

        given = await claim(ledger)

        assert ["a0.1", "b0.1", "c0.1", "a1.1", "c1.1", "a2.1", "a3.1"] == given

    async def test_turns_go_on_from_claim_to_claim(self, ledger: Ledger) -> None:
        """Inboxes take turns also where each claim is granted a single job."""
        for name in ("a", "b"):
            await admit(ledger, *(make_job(f"{name}{number}.1", inbox=f"/{name}") for number in range(2)))

        given = [await claim(ledger, grant=Grant(open_jobs=0, fresh_jobs=1)) for _ in range(5)]

        assert [["a0.1"], ["b0.1"], ["a1.1"], ["b1.1"], []] == given

    async def test_a_lapsed_lease_frees_its_jobs(self, ledger: Ledger) -> None:
        """What an owner does not renew is given to another, who keeps it."""
        await admit(ledger, make_job())
        await claim(ledger, "a", lease=MINUTE)

        early = await claim(ledger, "b", now=NOW + MINUTE - timedelta(microseconds=1))
        late = await claim(ledger, "b", now=NOW + MINUTE)
        again = await claim(ledger, "a", now=NOW + MINUTE)

        assert ([], ["drop.1"], []) == (early, late, again)

    async def test_renewing_keeps_the_jobs_in_hand(self, ledger: Ledger) -> None:
        """A renewed lease ends when it was last told to."""
        await admit(ledger, make_job())
        await claim(ledger, "a", lease=MINUTE)

        await ledger.renew("a", until=NOW + HOUR)

        assert [] == await claim(ledger, "b", now=NOW + HOUR - MINUTE)
        assert ["drop.1"] == await claim(ledger, "b", now=NOW + HOUR)

    async def test_claiming_renews_in_time(self, ledger: Ledger) -> None:
        """Whoever claims more often than half the lease keeps what is in hand, though there be nothing to give."""
        await admit(ledger, make_job())
        for number in range(10):
            await claim(ledger, "a", now=NOW + number * MINUTE / 3, lease=MINUTE)

        assert [] == await claim(ledger, "b", now=NOW + 3.4 * MINUTE)

    async def test_claiming_changes_no_revision(self, ledger: Ledger) -> None:
        """To take a job and to hand it back is no change of the job."""
        await admit(ledger, make_job())

        await claim(ledger)
        await ledger.release("here", [JobKey("drop.1")])

        assert make_job() == await ledger.job(JobKey("drop.1"))

    async def test_what_is_handed_back_is_given_again(self, ledger: Ledger) -> None:
        """A released job is free, a waiting one when its time comes; what others hold is passed over."""
        await admit(ledger, make_job("a.1"), make_job("b.1"))
        await claim(ledger, "a", grant=Grant(open_jobs=0, fresh_jobs=1))
        await claim(ledger, "b")
        postponed = Postponed(until=NOW + MINUTE, failure=WHY)
        await tell(ledger, await ledger.job(JobKey("a.1")), postponed, owner="a")

        await ledger.release("a", [JobKey("a.1"), JobKey("b.1"), JobKey("nothing")])

        assert NOW + MINUTE == await ledger.next_due(now=NOW)
        assert ["a.1"] == await claim(ledger, "c", now=NOW + MINUTE)

    async def test_everything_can_be_handed_back_at_once(self, ledger: Ledger) -> None:
        """After a crash a service frees what its former self held, and nobody else's."""
        await admit(ledger, make_job("a.1"), make_job("b.1"), make_job("c.1"))
        await claim(ledger, "a", grant=Grant(open_jobs=0, fresh_jobs=2))
        await claim(ledger, "b")

        await ledger.release_all("a")

        assert ["a.1", "b.1"] == await claim(ledger, "c")

    async def test_the_next_due_time_is_known(self, ledger: Ledger) -> None:
        """The earliest waiting job that nobody has in hand says when; a free one says now."""
        await admit(ledger, make_job("a.1", not_before=NOW + HOUR), make_job("b.1", not_before=NOW + MINUTE))
        waiting = await ledger.next_due(now=NOW)
        await claim(ledger, now=NOW + MINUTE)
        held = await ledger.next_due(now=NOW)
        await admit(ledger, make_job("c.1"))
        free = await ledger.next_due(now=NOW)

        assert NOW + MINUTE == waiting
        assert NOW + HOUR == held
        assert free is not None
        assert free <= NOW

    async def test_a_lapsed_lease_is_due(self, ledger: Ledger) -> None:
        """Jobs of an owner whose lease ran out are work to be done now."""
        await admit(ledger, make_job())
        await claim(ledger, "a", lease=MINUTE)

        assert await ledger.next_due(now=NOW) is None
        assert NOW + MINUTE == await ledger.next_due(now=NOW + MINUTE)

    async def test_what_waits_for_long_is_told_wherever_it_is(self, ledger: Ledger) -> None:
        """It is put off, in hand, or due by a clock that was set back since; what waits for money is another matter."""
        names = ("woken", "put-off", "money", "short", "failed", "taken")
        for number, name in enumerate(names):
            await admit(ledger, make_job(f"{name}.1", created_at=NOW - number * MINUTE))
        full = Failure(code="DiskFull", what="the outbox is full")
        short = Failure(code=WAITS_FOR_MONEY, what="it is spent")
        jobs = {name: await ledger.job(JobKey(f"{name}.1")) for name in names}
        await tell(ledger, jobs["woken"], Postponed(until=NOW + 3 * HOUR, failure=full))
        await ledger.claim(
            "a", now=NOW + 4 * HOUR, until=NOW + 5 * HOUR, grant=Grant(open_jobs=0, fresh_jobs=0)
        )
        await tell(ledger, jobs["put-off"], Postponed(until=NOW + 3 * HOUR, failure=full))
        await tell(ledger, jobs["money"], Postponed(until=NOW + 3 * HOUR, failure=short))
        await tell(ledger, jobs["short"], Postponed(until=NOW + 2 * HOUR, failure=full))
        await tell(ledger, jobs["failed"], Postponed(until=NOW + 3 * HOUR, failure=full), *TO_FAILED)
        [taken] = await ledger.claim("a", now=NOW, until=NOW + HOUR, grant=Grant(open_jobs=0, fresh_jobs=1))
        late = Postponed(until=NOW + 3 * HOUR, failure=full)
        await ledger.save(taken, advance(taken, late), late, at=NOW, owner="a")

        found = await ledger.waiting(beyond=NOW + 2 * HOUR, limit=9)

        assert ["taken.1", "put-off.1", "woken.1"] == [job.key for job in found]
        assert {NOW + 3 * HOUR} == {job.not_before for job in found}
        assert 1 == len(await ledger.waiting(beyond=NOW + 2 * HOUR, limit=1))


class TestSaving:
    """Compare-and-set, hands and history."""

    async def test_a_saved_job_has_its_next_revision(self, ledger: Ledger) -> None:
        """What was saved is what is read, one revision later."""
        await admit(ledger, make_job())

        saved = await tell(ledger, make_job(), *TO_RUNNING)

        assert 2 == saved.revision
        assert RECEIPT == saved.submission
        assert saved == await ledger.job(saved.key)

    async def test_links_are_given_back_and_never_stored(self, ledger: Ledger) -> None:
        """Whoever saves keeps the signed links; whoever reads finds none."""
        await admit(ledger, make_job())

        saved = await tell(ledger, make_job(), *TO_FETCHING)

        assert (LINK,) == saved.outputs
        assert (replace(LINK, url=""),) == (await ledger.job(saved.key)).outputs
        assert "" == (await claim_jobs(ledger))[0].outputs[0].url

    async def test_links_at_admission_are_not_stored_either(self, ledger: Ledger) -> None:
        """No way into the ledger stores a signed link."""
        await admit(ledger, make_job(outputs=(LINK,)))

        assert (replace(LINK, url=""),) == (await ledger.job(JobKey("drop.1"))).outputs

    async def test_a_stale_job_is_refused(self, ledger: Ledger) -> None:
        """Of two writers who read the same job, the second must read it again."""
        await admit(ledger, make_job())
        await tell(ledger, make_job(), CancelAsked(at=NOW))

        with pytest.raises(Conflict):
            await tell(ledger, make_job(), Began(at=NOW))
        assert Stage.CANCELLED is (await ledger.job(JobKey("drop.1"))).stage
        assert 2 == len(await ledger.history(DropKey("drop"), JobKey("drop.1")))

    async def test_only_the_holder_saves_as_an_owner(self, ledger: Ledger) -> None:
        """A job in nobody's or another's hand is lost to an owner."""
        await admit(ledger, make_job())

        with pytest.raises(LeaseLost):
            await tell(ledger, make_job(), Began(at=NOW), owner="a")
        await claim(ledger, "b")
        with pytest.raises(LeaseLost):
            await tell(ledger, make_job(), Began(at=NOW), owner="a")
        assert 1 == (await tell(ledger, make_job(), Began(at=NOW), owner="b")).revision

    async def test_an_unknown_job_cannot_be_saved(self, ledger: Ledger) -> None:
        """What was never admitted is unknown."""
        with pytest.raises(UnknownKey):
            await tell(ledger, make_job(), Began(at=NOW))

    async def test_a_wish_leaves_the_job_in_its_hand(self, ledger: Ledger) -> None:
        """A wish that does not end a job does not take it from whoever carries it."""
        await admit(ledger, make_job())
        await claim(ledger, "a")
        running = await tell(ledger, make_job(), *TO_RUNNING, owner="a")

        asked = await tell(ledger, running, CancelAsked(at=NOW))

        assert Stage.CANCELLING is (await tell(ledger, asked, CancelSent(), owner="a")).stage

    async def test_a_wish_that_ends_a_job_wins_over_its_holder(self, ledger: Ledger) -> None:
        """The holder of a job that was cancelled meanwhile is told to read again, and buys nothing."""
        await admit(ledger, make_job())
        await claim(ledger, "a")
        await tell(ledger, make_job(), CancelAsked(at=NOW))

        with pytest.raises(Conflict):
            await tell(ledger, make_job(), Began(at=NOW), owner="a")

    async def test_a_job_that_rests_leaves_its_hand(self, ledger: Ledger) -> None:
        """A job that ended and was re-opened by a wish is in nobody's hand, though its old holder never let go."""
        await admit(ledger, make_job())
        await claim(ledger, "a")
        failed = await tell(ledger, make_job(), *TO_FAILED, owner="a")

        await tell(ledger, failed, RetryAsked(at=NOW))

        assert ["drop.1"] == await claim(ledger, "b")

    async def test_an_arrow_that_does_not_exist_is_refused(self, ledger: Ledger) -> None:
        """The ledger itself refuses a step that the lifecycle does not know, and stores nothing."""
        await admit(ledger, make_job())

        with pytest.raises(IllegalTransition):
            await ledger.save(make_job(), make_job(stage=Stage.DELIVERING), Began(at=NOW), at=NOW, owner=None)
        assert make_job() == await ledger.job(JobKey("drop.1"))

    async def test_history_tells_everything_in_order(self, ledger: Ledger) -> None:
        """Each step is one row; one job's rows can be asked for alone."""
        await ledger.admit(make_drop(), [make_job(), make_job("drop.2")])
        await tell(ledger, make_job(), *TO_DELIVERED)

        rows = await ledger.history(DropKey("drop"), JobKey("drop.1"))
        every = await ledger.history(DropKey("drop"))

        assert [
            ("Admitted", "", "queued", 0, ""),
            ("Began", "queued", "submitting", 1, ""),
            ("Accepted", "submitting", "running", 1, "urn:ff:1"),
            ("Completed", "running", "fetching", 1, "1 result"),
            ("Fetched", "fetching", "delivering", 1, "1 result, 3 bytes"),
            ("Delivered", "delivering", "delivered", 1, "/out/a.png"),
        ] == [(row.event, row.before, row.after, row.attempt, row.detail) for row in rows]
        assert [None, "drop.1", "drop.2"] == [row.job for row in every[:3]]
        assert NOW == every[0].at
        assert 8 == len(every)

    async def test_what_arrives_together_is_all_stored(self, ledger: Ledger) -> None:
        """Many who save at once, some of them in vain, do not disturb each other."""
        await ledger.admit(make_drop(), [make_job(f"drop.{number}") for number in range(300)])
        await tell(ledger, make_job("drop.7"), CancelAsked(at=NOW))

        outcomes = await asyncio.gather(
            *(tell(ledger, make_job(f"drop.{number}"), Began(at=NOW)) for number in range(300)),
            return_exceptions=True,
        )

        assert [7] == [number for number, one in enumerate(outcomes) if isinstance(one, Conflict)]
        assert 299 == (await ledger.counts()).jobs[Stage.SUBMITTING]


class TestDrops:
    """When a drop's file can go home, and when it comes back."""

    async def test_a_drop_is_ripe_when_all_of_its_jobs_rest(self, ledger: Ledger) -> None:
        """In doubt counts as resting; one job under way keeps the drop where it is."""
        await ledger.admit(make_drop(), [make_job(), make_job("drop.2")])
        await tell(ledger, make_job(), *TO_DOUBT)
        half = await ledger.ripe(limit=10)
        await tell(ledger, make_job("drop.2"), *TO_DELIVERED)

        ripe = await ledger.ripe(limit=10)

        assert () == half
        assert ["drop"] == [drop.key for drop in ripe]

    async def test_a_drop_without_jobs_is_ripe_at_once(self, ledger: Ledger) -> None:
        """A file that cannot be used waits for nothing."""
        await ledger.admit(make_drop(reason="the file is empty"), [])

        assert ["the file is empty"] == [drop.reason for drop in await ledger.ripe(limit=10)]

    async def test_the_oldest_ripe_drops_come_first(self, ledger: Ledger) -> None:
        """Ripe drops come in the order of their admission, no more than asked for."""
        for number, key in enumerate("cab"):
            await ledger.admit(make_drop(key, admitted_at=NOW + number * HOUR), [])

        assert ["c", "a"] == [drop.key for drop in await ledger.ripe(limit=2)]

    async def test_a_closed_drop_is_not_ripe_until_it_is_open_again(self, ledger: Ledger) -> None:
        """Closing takes a drop off the list; re-opened, with a job under way, it is not on it either."""
        await ledger.admit(make_drop(), [make_job()])
        failed = await tell(ledger, make_job(), *TO_FAILED)
        held = await ledger.save_drop(
            make_drop(), make_drop(state=DropState.HELD), event="Closed", at=NOW, detail="one failed"
        )
        closed = await ledger.ripe(limit=10)
        again = await ledger.save_drop(held, replace(held, state=DropState.OPEN), event="Reopened", at=NOW)
        await tell(ledger, failed, RetryAsked(at=NOW))

        assert () == closed
        assert (2, DropState.OPEN) == (again.revision, again.state)
        assert () == await ledger.ripe(limit=10)

    async def test_a_saved_drop_is_read_as_it_was_saved(self, ledger: Ledger) -> None:
        """State, place and reason change, with a row of history."""
        await ledger.admit(make_drop(), [])
        after = make_drop(state=DropState.DONE, place="", reason="r", closed_at=NOW + MINUTE)

        saved = await ledger.save_drop(
            make_drop(), after, event="Closed", at=NOW + MINUTE, detail="two\nlines"
        )

        assert replace(after, revision=1) == saved
        assert saved == await ledger.drop(saved.key)
        last = (await ledger.history(saved.key))[-1]
        assert ("Closed", "open", "done", "two lines") == (last.event, last.before, last.after, last.detail)
        assert {DropState.DONE: 1} == (await ledger.counts()).drops

    async def test_a_stale_or_unknown_drop_is_refused(self, ledger: Ledger) -> None:
        """Of two who close the same drop, the second must read it again."""
        with pytest.raises(UnknownKey):
            await ledger.save_drop(make_drop(), make_drop(), event="Closed", at=NOW)
        await ledger.admit(make_drop(), [])
        await ledger.save_drop(make_drop(), make_drop(state=DropState.DONE), event="Closed", at=NOW)

        with pytest.raises(Conflict):
            await ledger.save_drop(make_drop(), make_drop(state=DropState.FAILED), event="Closed", at=NOW)

    async def test_the_latest_failed_drop_of_a_file_can_be_found(self, ledger: Ledger) -> None:
        """File, content and rule must be the same, and it must have failed."""
        await ledger.admit(make_drop("a", state=DropState.FAILED), [])
        await ledger.admit(make_drop("b", state=DropState.FAILED, admitted_at=NOW + HOUR), [])
        await ledger.admit(make_drop("c", state=DropState.DONE, admitted_at=NOW + 2 * HOUR), [])
        same = {"inbox": "/in", "path": "beach.txt", "place": "", "sha256": "a" * 64, "rule_digest": "digest"}

        found = await ledger.reopenable(companions=[], **same)

        assert found is not None
        assert "b" == found.key
        for field in same.keys() - {"place"}:
            assert await ledger.reopenable(companions=[], **{**same, field: "other"}) is None

    async def test_a_failed_drop_is_found_by_the_name_that_it_had_there(self, ledger: Ledger) -> None:
        """Where its name was taken in its last folder, it comes back under another one."""
        await ledger.admit(make_drop("a", state=DropState.FAILED, place="/in/_failed/beach_2.txt"), [])
        same = {"inbox": "/in", "path": "beach_2.txt", "sha256": "a" * 64, "rule_digest": "digest"}

        found = [
            await ledger.reopenable(companions=[], place=place, **same)
            for place in ("/in/_failed/beach_2.txt", "/in/_failed/beach_3.txt")
        ]

        assert ["a", None] == [drop and drop.key for drop in found]

    async def test_a_failed_drop_is_found_with_the_very_same_companions(self, ledger: Ledger) -> None:
        """The same photo with another mask, or with none, is another drop."""
        for number, masks in enumerate([("m",), ("n",), ()]):
            marker = replace(companion("ok"), kind=None)  # no part of the content
            drop = make_drop(
                f"d{number}", state=DropState.FAILED, companions=(*map(companion, masks), marker)
            )
            await ledger.admit(drop, [])
        same = {"inbox": "/in", "path": "beach.txt", "place": "", "sha256": "a" * 64, "rule_digest": "digest"}

        found = [await ledger.reopenable(companions=masks, **same) for masks in (["m"], ["n"], [])]

        assert ["d0", "d1", "d2"] == [drop.key for drop in found if drop is not None]
        assert await ledger.reopenable(companions=["m", "n"], **same) is None

    async def test_companions_are_stored_with_their_drop(self, ledger: Ledger) -> None:
        """Whatever their names are made of."""
        drop = make_drop(companions=(companion("m"), companion("n\udce9")))
        await ledger.admit(drop, [])

        assert drop == await ledger.drop(drop.key)

    async def test_held_content_is_found_under_any_name_and_rule(self, ledger: Ledger) -> None:
        """A held file that comes back renamed, or under a changed rule, is still in doubt."""
        await ledger.admit(make_drop("a", state=DropState.HELD), [])
        await ledger.admit(
            make_drop("b", state=DropState.HELD, path="other.txt", rule_digest="x", admitted_at=NOW + HOUR),
            [],
        )
        await ledger.admit(make_drop("c", state=DropState.FAILED), [])

        found = await ledger.held_content(inbox="/in", sha256="a" * 64)

        assert ["b", "a"] == [drop.key for drop in found]
        assert () == await ledger.held_content(inbox="/elsewhere", sha256="a" * 64)
        assert () == await ledger.held_content(inbox="/in", sha256="b" * 64)

    async def test_it_is_known_whether_a_drop_has_a_place(self, ledger: Ledger) -> None:
        """Another file may have the name, and the same content lie elsewhere."""
        await ledger.admit(make_drop("a", place="/in/_done/a\udcff.txt"), [])

        asked = [("/in/_done/a\udcff.txt", "a"), ("/in/_done/b.txt", "a"), ("/in/_done/a\udcff.txt", "b")]
        found = [await ledger.has_place(place=place, sha256=letter * 64) for place, letter in asked]

        assert [True, False, False] == found


async def claim_jobs(ledger: Ledger) -> tuple[Job, ...]:
    """Return the jobs that somebody new is given."""
    return await ledger.claim("new", now=NOW, until=NOW + HOUR, grant=PLENTY)


EVENTS: Final[tuple[Event, ...]] = (
    Prepared(uploads=(Upload(slot="s", sha256="a", upload_id="u", valid_until=NOW + HOUR),)),
    Began(at=NOW),
    Accepted(submission=RECEIPT, at=NOW),
    Declined(failure=WHY, until=NOW + MINUTE, counts=True),
    Doubted(failure=WHY),
    Completed(outputs=(LINK,), at=NOW + MINUTE),
    RanLate(at=NOW),
    Fetched(artifacts=(ARTIFACT,)),
    LinksExpired(),
    SpoolLost(),
    Delivered(paths=("/out/a.png", "/out/b.png"), at=NOW),
    Postponed(until=NOW + MINUTE, failure=WHY),
    Postponed(
        until=NOW + MINUTE, failure=Failure(code=WAITS_FOR_MONEY, what="it is spent", twin=JobKey("d1.1"))
    ),
    GaveUp(failure=WHY, at=NOW),
    CancelAsked(at=NOW),
    CancelSent(),
    CancelConfirmed(at=NOW),
    RetryAsked(at=NOW),
    ResubmitAsked(at=NOW),
    Abandoned(at=NOW),
    Attached(submission=RECEIPT, at=NOW),
)


class TestTwins:
    """Memory and SQLite answer alike whatever is done to them."""

    @pytest.mark.parametrize("seed", range(6))
    async def test_a_random_life_looks_the_same_in_both(self, tmp_path: Path, seed: int) -> None:
        """Hundreds of random verbs leave both ledgers with the same answers and the same refusals."""
        chance = random.Random(seed)
        twins: tuple[Ledger, Ledger] = (MemoryLedger(), await SqliteLedger.open(tmp_path / "ledger.sqlite3"))
        drops = [make_drop(f"d{number}", admitted_at=NOW + number * MINUTE) for number in range(8)]
        jobs = [
            make_job(
                f"{drop.key}.{number}",
                inbox=f"/in{index % 3}",
                priority=index % 2,
                created_at=drop.admitted_at,
            )
            for index, drop in enumerate(drops)
            for number in (1, 2)
        ]
        for twin in twins:
            for drop in drops:
                await twin.admit(drop, [job for job in jobs if job.drop == drop.key])

        for step in range(250):
            now = NOW + step * MINUTE / 4
            job = await twins[0].job(chance.choice(jobs).key)
            verb = chance.choice(("claim", "save", "save", "save", "release", "renew", "release_all"))
            owner, fresh = chance.choice(("a", "b")), chance.randrange(4)
            wisher = chance.choice((owner, None))
            event = chance.choice(
                [event for event in EVENTS if type(event) in TRANSITIONS[job.stage]] or [None]
            )
            answers = [
                await outcome(
                    twin, verb, job.key, event=event, owner=owner, wisher=wisher, now=now, fresh=fresh
                )
                for twin in twins
            ]
            assert answers[0] == answers[1], (step, verb)
            assert await state(twins[0], now) == await state(twins[1], now), (step, verb)
        await twins[1].close()


async def outcome(
    ledger: Ledger,
    verb: str,
    key: JobKey,
    *,
    event: Event | None,
    owner: str,
    wisher: str | None,
    now: datetime,
    fresh: int,
) -> object:
    """Return what *verb* leads to: what it returns, or the kind of refusal and its words."""
    if verb == "claim":
        grant = Grant(open_jobs=2, fresh_jobs=fresh)
        return await ledger.claim(owner, now=now, until=now + MINUTE, grant=grant)
    if verb == "release":
        await ledger.release(owner, [key])
    elif verb == "release_all":
        await ledger.release_all(owner)
    elif verb == "renew":
        await ledger.renew(owner, until=now + MINUTE)
    elif event is not None:
        return await told(ledger, key, event, wisher)
    return None


async def told(ledger: Ledger, key: JobKey, event: Event, owner: str | None) -> object:
    """Return the job after *event*, or the kind of refusal and its words."""
    try:
        return await tell(ledger, await ledger.job(key), event, owner=owner)
    except LedgerError as refused:
        return type(refused), refused.message


async def state(ledger: Ledger, now: datetime) -> object:
    """Return everything that can be asked."""
    return (
        await ledger.find(Query(limit=1000)),
        await ledger.counts(),
        await ledger.ripe(limit=100),
        await ledger.requests_since(NOW),
        sorted(timing.took_s for timing in await ledger.timings()),
        max(await ledger.next_due(now=now) or now, now),
        await ledger.waiting(beyond=now, limit=3),
        [await ledger.queued(f"/in{number}") for number in range(3)],
        [await ledger.history(DropKey(f"d{number}")) for number in range(8)],
    )


async def test_the_same_content_is_found(ledger: Ledger) -> None:
    """Drops of the same content, companions and rule are found, the latest first, whatever they are called."""
    await ledger.admit(make_drop("one"), ())
    await ledger.admit(make_drop("two", path="other.txt", admitted_at=NOW - HOUR), ())
    same: dict[str, Any] = {
        "inbox": "/in",
        "sha256": "a" * 64,
        "rule": RuleName("art"),
        "rule_digest": "digest",
    }

    found = await ledger.same_content(companions=(), **same)

    assert ["two", "one"] == [drop.key for drop in found]
    assert () == await ledger.same_content(companions=["mask"], **same)
    for field in ("inbox", "sha256", "rule", "rule_digest"):
        assert () == await ledger.same_content(companions=(), **{**same, field: "other"})


async def test_of_two_drops_one_is_the_earlier(ledger: Ledger) -> None:
    """Which drop came first is the order in which they were stored, and no clock's."""
    await ledger.admit(make_drop("one"), ())
    await ledger.admit(make_drop("two", admitted_at=NOW - HOUR), ())
    same: dict[str, Any] = {
        "inbox": "/in",
        "sha256": "a" * 64,
        "rule": RuleName("art"),
        "rule_digest": "digest",
    }

    before_one = await ledger.same_content(companions=(), before=DropKey("one"), **same)
    before_two = await ledger.same_content(companions=(), before=DropKey("two"), **same)

    assert () == before_one
    assert ["one"] == [drop.key for drop in before_two]


def booked(day: str = "2026-01-31", *ceilings: Ceiling) -> Began:
    """Return the intent to buy, counted on *day*."""
    return Began(at=NOW, booking=Booking(day=day, month=day[:7], ceilings=ceilings))


def at_most(
    most: int, *, rule: str | None = None, period: Period = Period.DAY, unit: Unit = Unit.IMAGES
) -> Ceiling:
    """Return a ceiling."""
    name = None if rule is None else RuleName(rule)
    return Ceiling(period=period, rule=name, limit=Limit(most=most, unit=unit))


class TestMoney:
    """What was begun counts, what was certainly not accepted does not, and no budget is exceeded."""

    @pytest.mark.parametrize(
        ("events", "fate", "spent"),
        [
            ((), Fate.IN_DOUBT, 1),
            (TO_RUNNING[1:], Fate.BOUGHT, 1),
            (TO_DELIVERED[1:], Fate.BOUGHT, 1),
            (TO_DOUBT[1:], Fate.IN_DOUBT, 1),
            ((*TO_DOUBT[1:], Abandoned(at=NOW)), Fate.IN_DOUBT, 1),
            ((*TO_DOUBT[1:], Attached(submission=RECEIPT, at=NOW)), Fate.BOUGHT, 1),
            ((Declined(failure=WHY, until=NOW, counts=True),), Fate.RETURNED, 0),
            ((GaveUp(failure=WHY, at=NOW),), Fate.RETURNED, 0),
            ((*TO_RUNNING[1:], GaveUp(failure=WHY, at=NOW)), Fate.FAILED, 1),
            ((*TO_FETCHING[1:], GaveUp(failure=WHY, at=NOW)), Fate.BOUGHT, 1),
            ((*TO_RUNNING[1:], CancelAsked(at=NOW), CancelConfirmed(at=NOW)), Fate.FAILED, 1),
        ],
    )
    async def test_every_order_is_in_the_books(
        self, ledger: Ledger, events: tuple[Event, ...], fate: Fate, spent: int
    ) -> None:
        """Its fate follows from how far it came, and what may be billed counts as spent."""
        await admit(ledger, make_job(source="shoes/beach.txt"))
        await tell(ledger, await ledger.job(JobKey("drop.1")), booked(), *events)

        (entry,) = await ledger.costs()

        amount = Amount(images=1, operations=2)
        assert ("2026-01-31", "art", "/in/shoes", "generate") == (
            entry.day,
            entry.rule,
            entry.folder,
            entry.operation,
        )
        assert (fate, 1, amount) == (entry.fate, entry.orders, amount)
        assert spent == (await ledger.spending(Period.DAY, "2026-01-31", None)).images
        assert 2 * spent == (await ledger.spending(Period.MONTH, "2026-01", RuleName("art"))).operations
        assert Amount() == await ledger.spending(Period.DAY, "2026-01-31", RuleName("other"))
        assert Amount() == await ledger.spending(Period.DAY, "2026-02-01", None)

    @pytest.mark.parametrize(
        "ceiling",
        [
            at_most(1),
            at_most(1, rule="art"),
            at_most(3, unit=Unit.OPERATIONS),
            at_most(1, period=Period.MONTH),
        ],
    )
    async def test_an_order_beyond_its_budget_is_not_begun(self, ledger: Ledger, ceiling: Ceiling) -> None:
        """It is refused in the commit that would have stored it, and nothing changes."""
        await admit(ledger, make_job("one.1"), make_job("two.1"))
        await tell(ledger, await ledger.job(JobKey("one.1")), booked("2026-01-31", ceiling))
        before = await ledger.job(JobKey("two.1"))

        with pytest.raises(OverBudget):
            await tell(ledger, before, booked("2026-01-31", ceiling))
        assert before == await ledger.job(JobKey("two.1"))
        assert 1 == (await ledger.spending(Period.DAY, "2026-01-31", None)).images
        await tell(ledger, before, booked("2026-02-01", at_most(1), at_most(9, period=Period.MONTH)))

    async def test_many_at_once_do_not_exceed_it(self, ledger: Ledger) -> None:
        """Orders that are begun in the same moment share what is left."""
        jobs = [make_job(f"d{number}.1") for number in range(20)]
        await admit(ledger, *jobs)

        begun = await asyncio.gather(
            *(tell(ledger, job, booked("2026-01-31", at_most(7))) for job in jobs), return_exceptions=True
        )

        assert 13 == sum(isinstance(each, OverBudget) for each in begun)
        assert 7 == (await ledger.spending(Period.DAY, "2026-01-31", None)).images

    async def test_a_second_order_counts_again(self, ledger: Ledger) -> None:
        """What is ordered once more after a doubt is spent twice; what was declined is not."""
        await admit(ledger, make_job())
        job = await tell(ledger, await ledger.job(JobKey("drop.1")), booked(), Doubted(failure=WHY))
        job = await tell(ledger, job, ResubmitAsked(at=NOW), booked())
        await tell(ledger, job, Declined(failure=WHY, until=NOW, counts=True), booked("2026-02-01"))

        assert 1 == (await ledger.spending(Period.DAY, "2026-01-31", None)).images
        assert 1 == (await ledger.spending(Period.DAY, "2026-02-01", None)).images
        assert ["in_doubt", "returned", "in_doubt"] == [each.fate for each in await ledger.costs()]
        assert ["2026-02-01"] == [each.day for each in await ledger.costs(since="2026-02-01")]
        assert 2 == len(await ledger.costs(until="2026-01-31"))

    async def test_the_latest_fates_come_first(self, ledger: Ledger) -> None:
        """What runs, was given back or was cancelled by a person says nothing; what is older is not asked for."""
        endings: tuple[tuple[Event, ...], ...] = (
            (*TO_RUNNING[1:], GaveUp(failure=WHY, at=NOW)),
            TO_DELIVERED[1:],
            TO_DOUBT[1:],
            TO_RUNNING[1:],
            (GaveUp(failure=WHY, at=NOW),),
            (*TO_RUNNING[1:], CancelAsked(at=NOW), CancelConfirmed(at=NOW)),
        )
        for number, ending in enumerate(endings):
            await admit(ledger, make_job(f"d{number}.1"))
            events = [
                replace(each, submission=replace(RECEIPT, remote_id=RemoteId(f"urn:{number}")))
                if isinstance(each, Accepted)
                else each
                for each in ending
            ]
            began = replace(booked(), at=NOW + number * MINUTE)
            await tell(ledger, await ledger.job(JobKey(f"d{number}.1")), began, *events)

        assert (Fate.IN_DOUBT, Fate.BOUGHT, Fate.FAILED) == await ledger.fates(since=NOW, limit=9)
        assert (Fate.IN_DOUBT,) == await ledger.fates(since=NOW, limit=1)
        assert (Fate.IN_DOUBT, Fate.BOUGHT) == await ledger.fates(since=NOW + MINUTE, limit=9)

    async def test_what_waits_for_money_fills_no_queue(self, ledger: Ledger) -> None:
        """It is counted apart and listed oldest first, until it moves on."""
        late = make_job("late.1", created_at=NOW + MINUTE)
        await admit(ledger, late, make_job("one.1"), make_job("two.1"))
        for job in (late, make_job("one.1")):
            failure = Failure(code=WAITS_FOR_MONEY, what="it is spent")
            await tell(ledger, job, Postponed(until=NOW + HOUR, failure=failure))

        assert (2, 1) == ((await ledger.counts()).parked, await ledger.queued("/in"))
        assert ["one.1", "late.1"] == [job.key for job in await ledger.parked(limit=9)]
        await tell(ledger, await ledger.job(JobKey("one.1")), booked())
        assert 1 == (await ledger.counts()).parked

    @pytest.mark.parametrize(
        ("limit", "expected"),
        [
            (9, ["art1.1", "art2.1", "art3.1", "art4.1", "new1.1", "new2.1"]),
            (5, ["art1.1", "art2.1", "new1.1", "new2.1"]),
            (1, ["art1.1", "new1.1"]),
        ],
    )
    async def test_what_waits_for_money_is_told_in_equal_shares_of_each_rule(
        self, ledger: Ledger, limit: int, expected: list[str]
    ) -> None:
        """However many of one rule came first, the oldest of each other rule are among those that are told."""
        names = ("art1.1", "art2.1", "art3.1", "art4.1", "new1.1", "new2.1")
        jobs = [
            make_job(name, rule=RuleName(name[:3]), created_at=NOW + number * MINUTE)
            for number, name in enumerate(names)
        ]
        await admit(ledger, *jobs, make_job("free.1", rule=RuleName("free")))
        for job in jobs:
            failure = Failure(code=WAITS_FOR_MONEY, what="it is spent")
            await tell(ledger, job, Postponed(until=NOW + HOUR, failure=failure))

        assert expected == [job.key for job in await ledger.parked(limit=limit)]

    async def test_what_was_woken_waits_for_its_turn_and_not_for_money(self, ledger: Ledger) -> None:
        """Of what waits for money, that is told apart whose time has come: there was some again, or its day began."""
        jobs = [make_job("one.1"), make_job("two.1")]
        await admit(ledger, *jobs, make_job("free.1"))
        for hours, job in enumerate(jobs):
            failure = Failure(code=WAITS_FOR_MONEY, what="it is spent")
            await tell(ledger, job, Postponed(until=NOW + hours * HOUR, failure=failure))

        assert [2, 1, 0] == [await ledger.unfunded(now=now) for now in (NOW - HOUR, NOW, NOW + HOUR)]
        assert 2 == (await ledger.counts()).parked

    async def test_where_nothing_waits_for_money_nothing_is_told(self, ledger: Ledger) -> None:
        """Jobs that wait for their turn alone are none of those."""
        await admit(ledger, make_job("one.1"))

        assert () == await ledger.parked(limit=9)

    async def test_what_is_held_rests_and_waits_unpaid(self, ledger: Ledger) -> None:
        """A held job is not given out, is counted with what waits unpaid, and goes on once approved."""
        held = advance(make_job("held.1"), Held(failure=WHY))
        await admit(ledger, held, make_job("one.1"), make_job("else.1", rule=RuleName("other")))

        assert 2 == await ledger.unpaid(RuleName("art"))
        assert ["held"] == [drop.key for drop in await ledger.ripe(limit=9)]
        assert "held.1" not in await claim(ledger)
        await tell(ledger, await ledger.job(JobKey("held.1")), Approved(at=NOW))
        assert ["held.1"] == await claim(ledger)

    async def test_the_ledger_knows_which_day_is_being_spent_from(self, ledger: Ledger) -> None:
        """A clock that was set back is not believed at once, and the ledger remembers since when."""
        shown = Booking(day="2026-01-31", month="2026-01")
        back = Booking(day="2025-12-30", month="2025-12")

        first = await ledger.turn(booking=shown, now=NOW)
        again = await ledger.turn(booking=back, now=NOW - 32 * 24 * HOUR)
        later = await ledger.turn(booking=back, now=NOW - 31 * 24 * HOUR)

        assert shown == first == again
        assert ("2025-12-30", "2026-01") == (later.day, later.month)
        assert "2025-12-30" == getattr(await ledger.turn_of(Period.DAY), "label", None)

    async def test_nobody_asked_for_a_day_yet(self, ledger: Ledger) -> None:
        """A new ledger knows of no day, and of no pause."""
        assert await ledger.turn_of(Period.MONTH) is None
        assert await ledger.switch() is None

    async def test_a_pause_is_kept(self, ledger: Ledger) -> None:
        """The last word about spending stands, with its time and reason."""
        await ledger.set_switch(Switch(stopped=True, at=NOW, reason="because \udcff"))
        paused = await ledger.switch()
        await ledger.set_switch(Switch(stopped=False, at=NOW + HOUR))

        assert paused is not None
        assert (True, NOW) == (paused.stopped, paused.at)
        assert Switch(stopped=False, at=NOW + HOUR) == await ledger.switch()

    async def test_nothing_is_begun_while_spending_is_paused(self, ledger: Ledger) -> None:
        """It is refused in the commit that would have stored it, and nothing changes, until spending goes on."""
        await admit(ledger, make_job())
        before = await ledger.job(JobKey("drop.1"))
        await ledger.set_switch(Switch(stopped=True, at=NOW))

        with pytest.raises(SpendingStopped):
            await tell(ledger, before, booked())
        assert before == await ledger.job(JobKey("drop.1"))
        assert Amount() == await ledger.spending(Period.DAY, "2026-01-31", None)
        await ledger.set_switch(Switch(stopped=False, at=NOW))
        await tell(ledger, before, booked())


KEEPING: Final = After(done=None, failed="/out/_failed", held="/out/_held", workshop="/state/kept/1")


def original(path: str = "caf\udce9/beach.txt", drop: str = "drop", **changes: Any) -> Original:
    """Return a file that stays in its inbox, with a time beyond 63 bits."""
    made = Original(inbox="/in\udcff", path=path, size_bytes=2**40, mtime_ns=2**63 + 1, drop=DropKey(drop))
    return replace(made, **changes)


class TestOriginals:
    """What was taken and stays in its inbox is known there, by its path."""

    async def test_an_original_comes_back_as_it_was(self, ledger: Ledger) -> None:
        """Admitted with its drop, it is found among others under its inbox alone, odd names and times included."""
        await ledger.admit(make_drop(), [make_job()], originals=[original(), original("mask.png")])

        found = await ledger.originals("/in\udcff", ["other", "caf\udce9/beach.txt"])

        assert {"caf\udce9/beach.txt": original()} == found
        assert {} == await ledger.originals("/in", ["caf\udce9/beach.txt"])

    async def test_a_refused_admission_remembers_nothing(self, ledger: Ledger) -> None:
        """The drop and what is known of its files are stored together, or not at all."""
        await ledger.admit(make_drop(), [])
        with pytest.raises(Conflict):
            await ledger.admit(make_drop(), [], originals=[original()])

        assert {} == await ledger.originals("/in\udcff", ["caf\udce9/beach.txt"])

    async def test_an_original_is_remembered_anew(self, ledger: Ledger) -> None:
        """A path is one file: what is said of it last holds, and others stay."""
        await ledger.admit(make_drop(), [], originals=[original(), original("mask.png")])
        await ledger.admit(make_drop("later"), [])
        news = original(mtime_ns=-5, size_bytes=0, drop="later")

        await ledger.remember_originals([news])

        found = await ledger.originals("/in\udcff", ["caf\udce9/beach.txt", "mask.png"])
        assert {"caf\udce9/beach.txt": news, "mask.png": original("mask.png")} == found

    async def test_the_latest_drop_of_an_original_is_found(self, ledger: Ledger) -> None:
        """By inbox, path and content, under whatever rule; the one that was stored last, whatever its time says."""
        await ledger.admit(make_drop("one", after=KEEPING, admitted_at=NOW + HOUR), [])
        await ledger.admit(make_drop("two", after=KEEPING, rule_digest="other"), [])
        await ledger.admit(make_drop("three", after=KEEPING, path="hill.txt"), [])
        await ledger.admit(make_drop("four", after=KEEPING, sha256="b" * 64), [])

        found = await ledger.same_original(inbox="/in", path="beach.txt", sha256="a" * 64, companions=())

        assert found is not None
        assert "two" == found.key
        for field in ("inbox", "path", "sha256"):
            same = {"inbox": "/in", "path": "beach.txt", "sha256": "a" * 64, field: "other"}
            assert None is await ledger.same_original(companions=(), **same)

    async def test_another_companion_makes_another_original(self, ledger: Ledger) -> None:
        """The same picture with another mask was not taken before."""
        masked = make_drop(after=KEEPING, companions=(companion("1" * 64),))
        await ledger.admit(masked, [])
        same: dict[str, Any] = {"inbox": "/in", "path": "beach.txt", "sha256": "a" * 64}

        assert masked == await ledger.same_original(companions=["1" * 64], **same)
        assert None is await ledger.same_original(companions=["2" * 64], **same)

    async def test_what_was_moved_is_no_original(self, ledger: Ledger) -> None:
        """A drop whose file was taken out of the inbox says nothing about one that stays."""
        await ledger.admit(make_drop(), [])

        found = await ledger.same_original(inbox="/in", path="beach.txt", sha256="a" * 64, companions=())

        assert None is found


async def test_folders_are_found_by_what_is_in_them(ledger: Ledger) -> None:
    """Those of the same inbox that were stored before, the latest first; twice the same file is one."""
    members = tuple(Member(path=f"s/{name}", sha256="5", size_bytes=1) for name in ("a.jpg", "b.jpg"))
    await ledger.admit(make_drop("one", members=members), ())
    await ledger.admit(make_drop("two", members=members[:1]), ())
    await ledger.admit(make_drop("far", members=members, inbox="/else"), ())
    await ledger.admit(make_drop("file"), ())
    await ledger.admit(make_drop("now", members=members), ())

    async def found(sha256: str, before: str) -> list[str]:
        drops = await ledger.same_member(inbox="/in", sha256=sha256, before=DropKey(before))
        return [drop.key for drop in drops]

    assert ["two", "one"] == await found("5", "now")
    assert ["one"] == await found("5", "two")
    assert [] == await found("6", "now")
    assert members == (await ledger.drop(DropKey("one"))).members
