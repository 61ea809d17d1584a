"""When to ask for a status: seldom, and where the answer is likely to have changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.model import DeliveryPlan, Order
from dropglow.polling import (
    ENOUGH,
    FIRST_S,
    REMEMBERED,
    SLOW_FIRST_S,
    Durations,
    Learned,
    first_look_s,
    kind_named,
    kind_of,
    late_look_s,
    next_look_s,
)

ORDER = Order(
    operation="generate",
    body={},
    images=2,
    size="2048x2048",
    prompt="a cat",
    delivery=DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}"),
)
KIND = kind_of(ORDER)
DURATION = st.floats(min_value=0.1, max_value=120.0)
KNOWN = st.lists(DURATION, max_size=REMEMBERED).map(sorted)


def looks(
    known_s: list[float], *, took_s: float, minimum_s: float = 1.0, maximum_s: float = 15.0
) -> list[float]:
    """Return when a job that takes *took_s* is asked about, until it is found to have ended."""
    at_s = [next_look_s(known_s, elapsed_s=0.0, minimum_s=minimum_s, maximum_s=maximum_s)]
    while at_s[-1] < took_s:
        at_s.append(
            at_s[-1] + next_look_s(known_s, elapsed_s=at_s[-1], minimum_s=minimum_s, maximum_s=maximum_s)
        )
    return at_s


# ---------------------------------------------------------------- what is known


def test_nothing_is_known_at_first() -> None:
    """A kind of order that never ended has no durations."""
    assert [] == Durations().of("generate/-/2048x2048/1")


def test_durations_are_learned_by_kind_and_sorted() -> None:
    """Each kind keeps its own, in order of length."""
    durations = Durations()
    for took_s in (5.0, 3.0, 4.0):
        durations.add("a", took_s)
    durations.add("b", 60.0)

    assert ([3.0, 4.0, 5.0], [60.0]) == (durations.of("a"), durations.of("b"))


@given(st.lists(DURATION, min_size=REMEMBERED - 2, max_size=REMEMBERED + 20))
def test_only_the_latest_durations_are_remembered(took: list[float]) -> None:
    """Whatever came in, what is known is the latest of it, sorted."""
    learned = Learned()
    for took_s in took:
        learned.add(took_s)

    assert sorted(took[-REMEMBERED:]) == learned.ordered


def test_the_kind_is_what_makes_the_duration() -> None:
    """Operation, model, size and number of images make a kind; the prompt does not."""
    assert "generate/-/2048x2048/2" == KIND
    assert kind_named(operation="generate", model=None, size="2048x2048", images=2) == KIND
    assert kind_named(operation="generate", model="image4", size="2048x2048", images=2) != KIND


# ---------------------------------------------------------------- what is learned from an end


def test_an_end_is_learned_as_between_two_questions() -> None:
    """A job seen running at 2 s and ended at 3 s took something in between."""
    durations = Durations()
    durations.began("job")
    durations.seen_running("job", "a", 2.0)
    durations.seen_ended("job", "a", 3.0)

    [took_s] = durations.of("a")
    assert 2.0 < took_s < 3.0


def test_ends_between_the_same_questions_are_spread() -> None:
    """Many jobs that ended between the same two questions teach no single moment, but the span."""
    durations = Durations()
    for number in range(20):
        durations.began(f"job {number}")
        durations.seen_running(f"job {number}", "a", 2.0)
        durations.seen_ended(f"job {number}", "a", 3.0)

    known = durations.of("a")
    assert max(after - before for before, after in pairwise([2.0, *known, 3.0])) < 0.15


def test_an_end_found_by_the_first_question_came_earlier() -> None:
    """If the first question finds a job ended, the next job is asked about earlier."""
    durations = Durations()
    for number in range(ENOUGH):
        durations.add("a", 3.0 + number / 100)
    durations.began("job")
    durations.seen_ended("job", "a", 3.0)

    assert durations.of("a")[0] < 3.0


def test_ends_that_are_always_found_at_once_pull_the_question_down_fast() -> None:
    """A kind that takes no time at all is found out within a few dozen jobs, whatever was believed before."""
    durations = Durations()
    for number in range(60):
        durations.began(f"job {number}")
        first_s = next_look_s(durations.of("a"), elapsed_s=0.0, minimum_s=0.01, maximum_s=15.0)
        durations.seen_ended(f"job {number}", "a", first_s)

    assert next_look_s(durations.of("a"), elapsed_s=0.0, minimum_s=0.01, maximum_s=15.0) < 0.2


@pytest.mark.parametrize("followed_before", [True, False])
def test_nothing_is_learned_from_a_job_that_was_not_followed(followed_before: bool) -> None:
    """A job that ran before this service began, or whose questions failed, may have ended long ago."""
    durations = Durations()
    if followed_before:
        durations.began("job")
    durations.forget("job")
    durations.seen_running("job", "a", 600.0)
    durations.seen_ended("job", "a", 610.0)

    assert ([], {}, {}) == (durations.of("a"), durations.running_s, durations.tracks)


def test_a_job_is_followed_to_its_end_only() -> None:
    """What was learned from is not kept."""
    durations = Durations()
    durations.began("job")
    durations.seen_running("job", "a", 2.0)
    durations.seen_ended("job", "a", 3.0)

    assert ({}, {}) == (durations.running_s, durations.tracks)


@pytest.mark.parametrize("seed", range(3))
def test_learning_does_not_drift(seed: int) -> None:
    """After hundreds of jobs of 2 to 4 s, asked about by what was learned, the ends are still found soon."""
    dice, durations = random.Random(seed), Durations()
    asked, late_s = [], []
    for number in range(600):
        took_s, key = dice.uniform(2.0, 4.0), str(number)
        durations.began(key)
        at_s = looks(durations.of("a"), took_s=took_s, minimum_s=0.05)
        for look_s in at_s[:-1]:
            durations.seen_running(key, "a", look_s)
        durations.seen_ended(key, "a", at_s[-1])
        asked.append(len(at_s))
        late_s.append(at_s[-1] - took_s)

    assert sum(asked[-300:]) / 300 < 5.5
    assert sum(late_s[-300:]) / 300 < 0.2


# ---------------------------------------------------------------- when to ask


def test_a_steady_kind_costs_one_question() -> None:
    """A job that takes what all others took is asked about once, just when it ends."""
    assert [3.0] == looks([3.0] * 20, took_s=3.0)


def test_an_unknown_kind_is_asked_about_as_if_it_were_ordinary() -> None:
    """Before anything is known, the first question comes when the quickest orders end, not at the minimum."""
    assert FIRST_S == next_look_s([], elapsed_s=0.0, minimum_s=0.5, maximum_s=15.0)


@given(took_s=DURATION)
def test_an_unknown_end_is_found_in_proportion(took_s: float) -> None:
    """Before anything is known, an end is found within a fifth of the time that the job took, or two seconds."""
    at_s = looks([], took_s=took_s, minimum_s=0.05, maximum_s=1000.0)

    assert at_s[-1] - took_s <= max(FIRST_S, 0.2 * took_s)


def test_a_few_durations_are_not_enough_to_trust() -> None:
    """Some odd jobs do not make the next one of their kind wait for ages."""
    assert FIRST_S == next_look_s([90.0] * (ENOUGH - 1), elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0)


def test_enough_durations_are_believed() -> None:
    """A slow kind is left alone until its first results can be there."""
    known = [90.0, 91.0, *[95.0] * ENOUGH]

    assert 95.0 == next_look_s(known, elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0)


def test_beyond_experience_the_questions_thin_out() -> None:
    """A job that takes longer than any before is asked about at growing distances."""
    at_s = looks([3.0] * 20, took_s=600.0, maximum_s=1000.0)
    gaps = [after - before for before, after in pairwise(at_s)]

    assert sorted(gaps) == gaps
    assert len(at_s) < 20


def test_the_likely_end_is_asked_about_in_small_steps() -> None:
    """Among jobs of 2 to 4 seconds, few questions find the end soon after it came."""
    known = [2.0 + number / 32 for number in range(64)]
    found = [looks(known, took_s=took_s, minimum_s=0.25) for took_s in known]

    assert sum(map(len, found)) / len(found) < 5
    late_s = [at_s[-1] - took_s for at_s, took_s in zip(found, known, strict=True)]
    assert sum(late_s) / len(late_s) < 0.3


@given(known=KNOWN, elapsed_s=st.floats(min_value=0.0, max_value=5000.0))
def test_the_distance_stays_within_its_bounds(known: list[float], elapsed_s: float) -> None:
    """Whatever is known and however long it took already, neither bound is broken."""
    look_s = next_look_s(known, elapsed_s=elapsed_s, minimum_s=1.0, maximum_s=15.0)

    assert 1.0 <= look_s <= 15.0


@given(known=KNOWN, took_s=DURATION)
def test_every_end_is_found_soon(known: list[float], took_s: float) -> None:
    """An end is found within the longest distance of its coming, whatever was expected."""
    at_s = looks(known, took_s=took_s)

    assert at_s[-1] - took_s <= 15.0


@pytest.mark.parametrize(("maximum_s", "expected"), [(1.0, 60.0), (15.0, 60.0), (30.0, 120.0)])
def test_a_late_job_is_asked_about_slowly(maximum_s: float, expected: float) -> None:
    """Questions about a late job lie a minute apart at least, and further than any other."""
    assert expected == late_look_s(maximum_s)


# ---------------------------------------------------------------- what jobs tell of themselves

Teller = Callable[[float, random.Random], float | None]

HONEST: dict[str, Teller] = {
    "every percent": lambda share, _: float(int(100 * share)),
    "rounded": lambda share, _: float(round(100 * share)),
    "fractions": lambda share, _: 100 * share,
}
LIARS: dict[str, Teller] = {
    "nothing": lambda _share, _: None,
    "always 0": lambda _share, _: 0.0,
    "a share of one": lambda share, _: share,
    "stuck at 50": lambda share, _: min(50.0, float(int(100 * share))),
    "99 from the middle on": lambda share, _: min(99.0, float(int(200 * share))),
    "100 at once": lambda _share, _: 100.0,
    "backwards": lambda share, _: float(int(100 * (1 - share))),
    "anything": lambda _share, dice: float(dice.randrange(101)),
    "slow at first": lambda share, _: float(int(100 * share * share)),
    "twenties": lambda share, _: float(int(5 * share) * 20),
}


def followed(
    durations: Durations, tell: Teller, *, took_s: float, dice: random.Random, minimum_s: float = 0.05
) -> tuple[int, float]:
    """Return how often a job that takes *took_s* was asked about, and how late its end was found, as a share."""
    job = f"job {durations.ended} {took_s}"
    durations.began(job)
    elapsed_s = 0.0
    for asked in count(1):
        look_s = durations.look_s(job, ORDER, elapsed_s=elapsed_s, minimum_s=minimum_s, maximum_s=15.0)
        elapsed_s += look_s + 0.005  # the way to the other side
        assert minimum_s <= look_s <= 15.0
        if elapsed_s >= took_s:
            durations.seen_ended(job, KIND, elapsed_s)
            return asked, elapsed_s / took_s - 1
        durations.seen_running(job, KIND, elapsed_s, percent=tell(elapsed_s / took_s, dice))
    raise AssertionError


def after_many(tell: Teller, *, shortest_s: float, longest_s: float, minimum_s: float) -> tuple[float, float]:
    """Return the mean number of questions and the mean lateness after two hundred jobs of this kind."""
    dice, durations = random.Random(1), Durations()
    found = [
        followed(durations, tell, took_s=dice.uniform(shortest_s, longest_s), dice=dice, minimum_s=minimum_s)
        for _ in range(300)
    ]
    asked, late = zip(*found[200:], strict=True)
    return sum(asked) / 100, sum(late) / 100


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("minimum_s", [0.05, 1.0])
def test_progress_finds_an_end_within_a_few_percent(name: str, minimum_s: float) -> None:
    """With two or three questions a job, its end is found at once, although jobs differ by half."""
    asked, late = after_many(HONEST[name], shortest_s=2.0, longest_s=4.0, minimum_s=minimum_s)

    assert asked < 3.5
    assert late < 0.04


@pytest.mark.parametrize("name", LIARS)
@pytest.mark.parametrize("minimum_s", [0.05, 1.0])
def test_progress_that_misleads_costs_little(name: str, minimum_s: float) -> None:
    """Whatever is told, it is not much worse than nothing being told."""
    plain_asked, plain_late = after_many(LIARS["nothing"], shortest_s=2.0, longest_s=4.0, minimum_s=minimum_s)
    asked, late = after_many(LIARS[name], shortest_s=2.0, longest_s=4.0, minimum_s=minimum_s)

    assert asked < plain_asked + 2.5
    assert late < plain_late + 0.1


@pytest.mark.parametrize("name", LIARS)
def test_the_first_liar_does_not_make_us_wait_for_ages(name: str) -> None:
    """Before a kind has proved honest, no question is put off longer than the job has run already."""
    asked, late = followed(Durations(), LIARS[name], took_s=100.0, dice=random.Random(1), minimum_s=1.0)

    assert asked < 30
    assert late <= 1.0


@given(
    told=st.lists(
        st.tuples(st.floats(min_value=0.0, max_value=300.0), st.none() | st.floats(0.0, 100.0)), max_size=12
    ),
    known=KNOWN,
    ends=st.booleans(),
)
def test_any_story_keeps_the_bounds(
    told: list[tuple[float, float | None]], known: list[float], ends: bool
) -> None:
    """Whatever two jobs tell one after the other, both bounds hold, and what is learned stays usable."""
    durations = Durations()
    for took_s in known:
        durations.add(KIND, took_s)
    for job in ("first", "second"):
        durations.began(job)
        elapsed_s = 0.0
        for later_s, percent in told:
            elapsed_s += later_s
            durations.seen_running(job, KIND, elapsed_s, percent=percent)
            look_s = durations.look_s(job, ORDER, elapsed_s=elapsed_s, minimum_s=1.0, maximum_s=15.0)

            assert 1.0 <= look_s <= 15.0
        if ends:
            durations.seen_ended(job, KIND, elapsed_s + 1.0)

    assert all(took_s >= 0.0 for took_s in durations.of(KIND))


def test_a_kind_that_tells_is_asked_early() -> None:
    """The first question about a kind that tells its progress comes before any end, since its answer tells more."""
    durations = Durations()
    durations.seen_running("before", KIND, 10.0, percent=33.0)
    durations.forget("before")
    for took_s in range(20, 40):
        durations.add(KIND, float(took_s))
    durations.began("job")

    assert 12.0 == durations.look_s("job", ORDER, elapsed_s=0.0, minimum_s=1.0, maximum_s=15.0)


def test_one_odd_job_does_not_put_off_the_first_question() -> None:
    """Before enough durations are known, a kind that tells its progress is asked as early as any other."""
    durations = Durations()
    durations.seen_running("before", KIND, 10.0, percent=33.0)
    durations.add(KIND, 90.0)

    assert FIRST_S == durations.look_s("job", ORDER, elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0)


def test_a_steady_kind_needs_no_progress() -> None:
    """Where all jobs take the same time, one question at their end is enough, whatever they might tell."""
    durations = Durations()
    durations.seen_running("before", KIND, 1.0, percent=33.0)
    for _ in range(20):
        durations.add(KIND, 3.0)
    durations.began("job")

    assert 3.0 == durations.look_s("job", ORDER, elapsed_s=0.0, minimum_s=0.1, maximum_s=15.0)


def test_a_kind_that_proved_nothing_yet_puts_off_no_question_for_long() -> None:
    """On the word of a job alone we wait as long again as it has run."""
    durations = Durations()
    durations.seen_running("other", KIND, 1.0, percent=1.0)
    durations.seen_running("job", KIND, 6.0, percent=10.0)

    assert 6.0 == durations.look_s("job", ORDER, elapsed_s=6.0, minimum_s=1.0, maximum_s=300.0)


def test_no_job_is_believed_far_beyond_all_that_is_known() -> None:
    """Its kind was honest so far, and none of it took longer than 45 seconds."""
    durations = Durations()
    for took_s in range(10, 50, 5):
        durations.add(KIND, float(took_s))
    durations.seen_running("other", KIND, 1.0, percent=1.0)
    for honest in ("one", "two"):
        durations.seen_running(honest, KIND, 1.0, percent=10.0)
        durations.seen_ended(honest, KIND, 10.0)
    durations.seen_running("job", KIND, 9.0, percent=10.0)

    look_s = durations.look_s("job", ORDER, elapsed_s=9.0, minimum_s=1.0, maximum_s=300.0)

    assert 38.25 == pytest.approx(look_s)


def test_what_a_job_tells_counts_although_it_was_not_followed() -> None:
    """After a restart, the first answer of a job tells its end."""
    durations = Durations()
    durations.seen_running("other", KIND, 1.0, percent=1.0)  # this kind counts by single percents
    durations.seen_running("job", KIND, 8.0, percent=80.0)

    assert 2.0 == durations.look_s("job", ORDER, elapsed_s=8.0, minimum_s=0.5, maximum_s=15.0)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ORDER, FIRST_S),
        (replace(ORDER, operation="video"), SLOW_FIRST_S["video"]),
        (replace(ORDER, model="image4_custom"), SLOW_FIRST_S["image4_custom"]),
        (replace(ORDER, model="image4_standard"), FIRST_S),
    ],
)
def test_slow_kinds_are_left_alone_at_first(order: Order, expected: float) -> None:
    """What is known to take a minute is not asked about after two seconds."""
    assert expected == first_look_s(order)
    assert expected == Durations().look_s("job", order, elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0)


def test_the_first_video_is_asked_about_seldom() -> None:
    """A video of two minutes takes few questions, though nothing is known of videos."""
    video = replace(ORDER, operation="video")
    durations, looks_s = Durations(), [0.0]
    while looks_s[-1] < 120.0:
        look_s = durations.look_s("job", video, elapsed_s=looks_s[-1], minimum_s=1.0, maximum_s=15.0)
        looks_s.append(looks_s[-1] + look_s)

    assert len(looks_s) <= 11
