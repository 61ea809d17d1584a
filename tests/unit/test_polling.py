"""When to ask for a status: seldom, and where the answer is likely to have changed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.model import DeliveryPlan, Order
from dropglow.polling import (
    REMEMBERED,
    UNKNOWN_S,
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


# ---------------------------------------------------------------- when to ask


def test_a_steady_kind_costs_one_question() -> None:
    """A job that takes what all others took is asked about once, just when it ends."""
    assert [3.0] == looks([3.0] * 20, took_s=3.0)


def test_an_unknown_kind_is_asked_about_as_if_it_were_ordinary() -> None:
    """Before anything is known, the usual durations decide, not the minimum."""
    first_s = next_look_s([], elapsed_s=0.0, minimum_s=0.5, maximum_s=15.0)

    assert min(UNKNOWN_S) <= first_s <= max(UNKNOWN_S)


def test_two_durations_are_not_enough_to_trust() -> None:
    """One odd job does not make the next one of its kind wait for ages."""
    assert next_look_s([90.0, 95.0], elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0) < 11.0


def test_three_durations_are_believed() -> None:
    """A slow kind is left alone until its first results can be there."""
    assert 90.0 == next_look_s([90.0, 95.0, 99.0], elapsed_s=0.0, minimum_s=1.0, maximum_s=300.0)


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
