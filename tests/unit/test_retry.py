"""How long to wait before asking again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.retry import ASKING, ORDERING, SERVICE, STORING, Backoff, again_at

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CHANCES = st.floats(min_value=0.0, max_value=1.0)
TRIPS = st.integers(min_value=0, max_value=100_000)
BACKOFFS = st.sampled_from([Backoff(), ASKING, ORDERING, SERVICE, STORING])


def test_the_ceiling_doubles_until_the_cap() -> None:
    """With the worst luck, each wait is twice the one before, and never more than the cap."""
    backoff = Backoff(floor_s=1.0, base_s=2.0, cap_s=30.0)

    assert [2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == [backoff.delay_s(trips, chance=1.0) for trips in range(6)]


def test_the_best_luck_still_waits_for_the_floor() -> None:
    """Nobody asks again at once."""
    assert 1.0 == Backoff(floor_s=1.0).delay_s(9, chance=0.0)


def test_a_cap_below_the_floor_leaves_the_floor() -> None:
    """An odd setting waits for the floor and not for less."""
    assert 5.0 == Backoff(floor_s=5.0, cap_s=1.0).delay_s(3, chance=1.0)


@given(backoff=BACKOFFS, trips=TRIPS, chance=CHANCES)
def test_a_delay_stays_between_floor_and_cap(backoff: Backoff, trips: int, chance: float) -> None:
    """However often it failed, and whatever the luck, the wait is neither nothing nor for ever."""
    assert backoff.floor_s <= backoff.delay_s(trips, chance=chance) <= backoff.cap_s


@given(backoff=BACKOFFS, trips=TRIPS, chance=CHANCES)
def test_one_more_failure_never_shortens_the_wait(backoff: Backoff, trips: int, chance: float) -> None:
    """With equal luck, patience only grows."""
    assert backoff.delay_s(trips, chance=chance) <= backoff.delay_s(trips + 1, chance=chance)


def test_without_a_named_time_the_back_off_decides() -> None:
    """Nobody named a time, so the arithmetic does."""
    backoff = Backoff(floor_s=1.0, base_s=4.0)

    assert NOW + timedelta(seconds=8) == again_at(NOW, backoff, 1, chance=1.0)


@pytest.mark.parametrize("named", [NOW, NOW - timedelta(days=1)])
def test_a_time_that_has_passed_is_no_time(named: datetime) -> None:
    """A named time that is over, or is now, gives way to the back-off."""
    assert NOW + timedelta(seconds=2) == again_at(NOW, ORDERING, 0, chance=0.0, not_before=named)


def test_a_named_time_is_obeyed_with_some_spread() -> None:
    """Whoever names a time gets it; many waiters come back spread over the floor."""
    named = NOW + timedelta(minutes=10)

    earliest = again_at(NOW, ORDERING, 5, chance=0.0, not_before=named)
    latest = again_at(NOW, ORDERING, 5, chance=1.0, not_before=named)

    assert (named, named + timedelta(seconds=ORDERING.floor_s)) == (earliest, latest)


@given(
    backoff=BACKOFFS,
    trips=TRIPS,
    chance=CHANCES,
    named_s=st.none() | st.integers(min_value=-10_000, max_value=10_000),
)
def test_nobody_comes_back_too_early(
    backoff: Backoff, trips: int, chance: float, named_s: int | None
) -> None:
    """The next time lies ahead, and never before the time that was named."""
    named = None if named_s is None else NOW + timedelta(seconds=named_s)

    again = again_at(NOW, backoff, trips, chance=chance, not_before=named)

    assert again > NOW
    assert named is None or again >= named
