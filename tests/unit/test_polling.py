"""When to ask for a status: seldom, and where the answer is likely to have changed."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.model import DeliveryPlan, Order
from dropglow.polling import (
    ENOUGH,
    FIRST_S,
    REMEMBERED,
    Durations,
    Learned,
    kind_named,
    kind_of,
    late_look_s,
    next_look_s,
)

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
    delivery = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")
    order = Order(
        operation="generate", body={}, images=2, size="2048x2048", prompt="a cat", delivery=delivery
    )

    assert "generate/-/2048x2048/2" == kind_of(order)
    assert kind_named(operation="generate", model=None, size="2048x2048", images=2) == kind_of(order)
    assert kind_named(operation="generate", model="image4", size="2048x2048", images=2) != kind_of(order)


# ---------------------------------------------------------------- what is learned from an end


def test_an_end_is_learned_as_between_two_questions() -> None:
    """A job seen running at 2 s and ended at 3 s took something in between."""
    durations = Durations()
    durations.began("job")
    durations.seen_running("job", 2.0)
    durations.seen_ended("job", "a", 3.0)

    [took_s] = durations.of("a")
    assert 2.0 < took_s < 3.0


def test_ends_between_the_same_questions_are_spread() -> None:
    """Many jobs that ended between the same two questions teach no single moment, but the span."""
    durations = Durations()
    for number in range(20):
        durations.began(f"job {number}")
        durations.seen_running(f"job {number}", 2.0)
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
    durations.seen_running("job", 600.0)
    durations.seen_ended("job", "a", 610.0)

    assert ([], {}) == (durations.of("a"), durations.running_s)


def test_a_job_is_followed_to_its_end_only() -> None:
    """What was learned from is not kept."""
    durations = Durations()
    durations.began("job")
    durations.seen_running("job", 2.0)
    durations.seen_ended("job", "a", 3.0)

    assert {} == durations.running_s


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
            durations.seen_running(key, look_s)
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
