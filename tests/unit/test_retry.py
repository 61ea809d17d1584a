"""How long to wait before asking again."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.retry import (
    ASKING,
    BURST,
    LONGEST_S,
    ORDERING,
    PLACE_S,
    SERVICE,
    SHARE,
    STORING,
    Backoff,
    Repeats,
    again_at,
)

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


def test_a_few_repeats_at_once_wait_for_nobody() -> None:
    """What goes wrong now and then is tried again as its own back-off says."""
    repeats = Repeats(places=10)

    assert {0.0} == {repeats.book_s(100.0) for _ in range(int(BURST))}


def test_more_repeats_wait_in_line() -> None:
    """Each gets its turn behind the others, as far apart as the places say."""
    repeats = Repeats(places=10)
    for _ in range(int(BURST)):
        repeats.book_s(100.0)

    assert [3.0, 6.0, 9.0] == pytest.approx([repeats.book_s(100.0) for _ in range(3)])


def test_repeats_tell_for_how_long_nothing_was_answered() -> None:
    """From the first that had to be made again, until anything is answered."""
    repeats = Repeats(places=10)
    never = repeats.failing_s(90.0)
    repeats.book_s(100.0)
    repeats.book_s(110.0)
    failing = repeats.failing_s(115.0)
    repeats.answered()

    assert (0.0, 15.0, 0.0) == (never, failing, repeats.failing_s(120.0))


def test_time_pays_for_repeats() -> None:
    """Even where nothing is answered, the end of an outage is noticed."""
    repeats = Repeats(places=10)
    for _ in range(int(BURST) + 1):
        repeats.book_s(100.0)

    assert 0.0 == repeats.book_s(100.0 + 2 * PLACE_S / 10)


def test_answers_pay_for_a_share_of_repeats() -> None:
    """Ten answers pay for one repeat; but no more is saved up than is allowed at once."""
    repeats = Repeats(places=10)
    for _ in range(1000):
        repeats.answered()
    free = sum(not repeats.book_s(100.0) for _ in range(100))
    for _ in range(int((100 - BURST + 1) / SHARE)):
        repeats.answered()

    assert BURST == free
    assert pytest.approx(0.0, abs=1e-6) == repeats.book_s(100.0)


def test_nobody_waits_for_ever_for_a_turn() -> None:
    """However many are behind, and without any place."""
    repeats = Repeats(places=0)

    assert LONGEST_S == max(repeats.book_s(100.0) for _ in range(1000))


def test_a_clock_that_stands_still_or_goes_back_pays_nothing() -> None:
    """The scale is steady; if it were not, nobody would get a turn for it."""
    repeats = Repeats(places=10)
    for _ in range(int(BURST)):
        repeats.book_s(100.0)

    assert 0.0 < repeats.book_s(50.0)


@given(places=st.integers(1, 300), jobs=st.integers(1, 400), every_s=st.floats(0.1, 60.0))
def test_an_outage_multiplies_nothing(places: int, jobs: int, every_s: float) -> None:
    """However many jobs ask, and however often: per hour no more come through than places and the burst allow."""
    repeats = Repeats(places=places)
    due_s = [0.0] * jobs
    made = 0
    while made < 600 and (now_s := due_s[0]) < 3600.0:
        made += 1
        heapq.heapreplace(due_s, now_s + max(every_s, repeats.book_s(now_s)))
    hour_s = min(3600.0, due_s[0])

    waiting_longest = jobs * (hour_s / LONGEST_S)  # who has waited so long goes, whatever the budget says
    assert made <= jobs + BURST + hour_s * places / PLACE_S + waiting_longest + 1
