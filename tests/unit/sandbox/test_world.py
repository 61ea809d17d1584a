"""How the sandbox's world behaves without any network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from dropglow.sandbox.faults import Faults, parse_faults
from dropglow.sandbox.jobs import Job, State
from dropglow.sandbox.orders import Operation, Order
from dropglow.sandbox.uploads import Measures
from dropglow.sandbox.world import World

TINY = Measures(width=1, height=1, transparent=False)

ORDER = Order(
    operation=Operation.GENERATE,
    model="image3",
    prompt="a hat",
    width=2048,
    height=2048,
    seeds=(),
    images=2,
    operations=2,
    body_sha256="0",
)


class Time:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


def world_with(time: Time, *words: str, seed: int = 0) -> World:
    """Return a world with faults."""
    return World(now=time, faults=parse_faults(words), seed=seed)


def accept_at_once(world: World) -> Job:
    """Return a job that is at its end."""
    job = world.accept(ORDER)
    world.finish(job.id)
    return job


def test_a_job_goes_from_pending_to_succeeded(time: Time) -> None:
    """Its state follows the clock."""
    world = world_with(time, "duration=100")
    job = world.accept(ORDER)
    states = [world.state(job)]
    for seconds in (6, 93, 1):
        time.now_s += seconds
        states.append(world.state(job))

    assert [State.PENDING, State.RUNNING, State.RUNNING, State.SUCCEEDED] == states


def test_a_service_that_begins_anew_gives_no_id_of_the_last() -> None:
    """A ledger that knows a job, or a picture, of the last one does not get something else for it."""
    first, second = World.anew(), World.anew()

    assert first.accept(ORDER).id != second.accept(ORDER).id


def test_a_believable_picture_takes_seconds(time: Time) -> None:
    """Without a named duration, jobs last between two and fifteen seconds."""
    world = world_with(time)
    durations = [(job.ends_at or 0) - job.accepted_at for job in (world.accept(ORDER) for _ in range(50))]

    assert 2 < min(durations) < max(durations) < 15


def test_seeds_are_chosen_where_none_are_given(time: Time) -> None:
    """Each image has its own seed."""
    assert len(set(world_with(time).accept(ORDER).seeds)) == 2


def test_given_seeds_are_kept(time: Time) -> None:
    """The caller's seeds come back."""
    order = dataclasses.replace(ORDER, seeds=(5, 6))

    assert world_with(time).accept(order).seeds == (5, 6)


def test_the_same_seed_repeats_a_run(time: Time) -> None:
    """Names, durations and faults come in the same order again."""
    words = ("job_failed=0.5", "empty=0.3")
    first, second = (world_with(time, *words, seed=7) for _ in range(2))
    for world in (first, second):
        for _ in range(20):
            world.accept(ORDER)

    assert first.books() == second.books()


def test_a_held_job_waits_until_it_is_finished(time: Time) -> None:
    """Tests decide when a job ends."""
    world = world_with(time, "duration=1")
    job = world.accept(ORDER)
    world.hold(job.id)
    time.now_s += 1000

    assert world.state(job) is State.RUNNING
    world.finish(job.uuid)
    assert world.state(job) is State.SUCCEEDED


def test_a_job_that_never_ends_can_be_finished(time: Time) -> None:
    """Never lasts until a test says otherwise."""
    world = world_with(time, "never=1")
    job = world.accept(ORDER)
    time.now_s += 1e6

    assert world.state(job) is State.RUNNING
    assert job.progress(world.now()) == 0
    world.finish(job.id)
    assert world.state(job) is State.SUCCEEDED


@pytest.mark.parametrize(
    ("word", "state"),
    [("job_failed=1", State.FAILED), ("timeout=1", State.TIMEOUT), ("empty=1", State.SUCCEEDED)],
)
def test_a_job_can_end_badly(time: Time, word: str, state: State) -> None:
    """The ending is drawn when the order is accepted."""
    world = world_with(time, word)

    assert state is world.state(accept_at_once(world))


@pytest.mark.parametrize(("word", "outputs"), [("empty=1", 0), ("fewer=1", 1), ("fewer=0", 2)])
def test_a_success_may_lack_pictures(time: Time, word: str, outputs: int) -> None:
    """Fewer outputs than ordered are possible, none as well."""
    assert outputs == world_with(time, word).accept(ORDER).outputs


def test_a_cancelled_job_may_hesitate(time: Time) -> None:
    """A job says cancel_pending for as long as it was told to."""
    world = world_with(time, "cancel_takes=5")
    job = world.accept(ORDER)

    assert world.cancel(job) is State.PENDING
    assert world.state(job) is State.CANCEL_PENDING
    assert world.cancel(job) is State.CANCEL_PENDING
    time.now_s += 5
    assert world.state(job) is State.CANCELLED


def test_a_finished_job_cannot_be_cancelled(time: Time) -> None:
    """What is done stays done."""
    world = world_with(time)
    job = accept_at_once(world)

    assert world.cancel(job) is State.SUCCEEDED
    assert world.state(job) is State.SUCCEEDED


def test_progress_stays_below_a_hundred(time: Time) -> None:
    """Percent grow with time and never claim the end."""
    world = world_with(time, "duration=10")
    job = world.accept(ORDER)
    seen = []
    for _ in range(4):
        seen.append(job.progress(world.now()))
        time.now_s += 5

    assert [0, 50, 99, 99] == seen


def test_only_good_images_are_charged(time: Time) -> None:
    """Failed and cancelled jobs cost nothing, running ones do."""
    world = world_with(time, "job_failed=first:1")
    accept_at_once(world)
    accept_at_once(world)
    world.cancel(world.accept(ORDER))
    world.accept(ORDER)

    books = world.books()

    assert (4, 4, 1) == (books["accepted"], books["images"], books["cancelled"])


def test_a_repeated_body_is_noticed(time: Time) -> None:
    """The books tell how often something was bought again."""
    world = world_with(time)
    for digest in ("a", "b", "a", "a"):
        world.accept(dataclasses.replace(ORDER, body_sha256=digest))

    assert world.books()["same_body_twice"] == 2


def test_credentials_are_compared(time: Time) -> None:
    """A world with credentials refuses others."""
    world = World(now=time, client_id="id", client_secret="secret")

    assert world.issue_token("id", "wrong") is None
    assert world.issue_token("other", "secret") is None
    assert world.issue_token("id", "secret") is not None


def test_a_revoked_token_has_ended(time: Time) -> None:
    """Revoking ends every token at once."""
    world = World(now=time)
    token = world.issue_token("a", "b")
    assert token is not None

    world.revoke_tokens()

    assert world.token_expires_at(token.text) == 0
    assert world.token_expires_at("made up") is None


def test_a_minute_holds_so_many_calls(time: Time) -> None:
    """The third call of a minute of two waits until the first is a minute old."""
    world = world_with(time, "per_minute=2")
    waits = []
    for seconds in (0, 10, 10, 40, 0):
        time.now_s += seconds
        waits.append(world.wait_before_next())

    assert [None, None, 40.0, None, 10.0] == waits


def test_no_limit_means_no_waiting(time: Time) -> None:
    """Without the fault there is always room."""
    world = world_with(time)

    assert [None] * 50 == [world.wait_before_next() for _ in range(50)]


def test_an_upload_lives_seven_days(time: Time) -> None:
    """An id is good until its time is over."""
    world = world_with(time)
    upload = world.store(b"picture", TINY)
    time.now_s += 7 * 86400 - 1

    assert upload == world.find_upload(upload.id)
    assert world.content(upload.id) == b"picture"
    time.now_s += 1
    assert world.find_upload(upload.id) is None
    assert world.content(None) is None


def test_memory_for_uploads_is_bounded(time: Time) -> None:
    """The oldest bytes are forgotten, their ids are not."""
    world = world_with(time)
    content = bytes(100 * 1024 * 1024)
    uploads = [world.store(content, TINY) for _ in range(3)]

    assert [False, True, True] == [world.content(upload.id) is not None for upload in uploads]
    assert world.find_upload(uploads[0].id) is not None


def test_the_clock_can_be_skewed(time: Time) -> None:
    """The server's time differs from ours by what was asked for."""
    assert world_with(time, "clock_skew=-90").now() == time.now_s - 90


def test_faults_can_be_lifted(time: Time) -> None:
    """A world recovers when its faults are replaced."""
    world = world_with(time, "status_500=1")

    assert world.strikes("status_500")
    world.faults = Faults()
    assert not world.strikes("status_500")


def test_books_can_be_written_down(time: Time, tmp_path: Path) -> None:
    """The dump is the books as JSON."""
    world = world_with(time)
    accept_at_once(world)

    world.dump(tmp_path / "books.json")

    assert world.books() == json.loads((tmp_path / "books.json").read_text(encoding="utf-8"))


def test_a_forgotten_job_is_unknown(time: Time) -> None:
    """Lost jobs are not found, but were accepted all the same."""
    world = world_with(time)
    job = world.accept(ORDER)

    world.forget(job.id)

    assert world.find_job(job.id) is None
    assert world.jobs == ()
    assert world.books()["accepted"] == 1
