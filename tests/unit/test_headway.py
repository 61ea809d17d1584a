"""Where a job ends that told its progress: as far as it proved right, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.headway import Pace, Told, Track, Window

PERCENT = st.integers(min_value=1, max_value=99).map(float)
SECONDS = st.floats(min_value=0.1, max_value=600.0)


def fine() -> Pace:
    """Return a kind that is known to count by single percents."""
    pace = Pace()
    pace.hear(1.0)
    return pace


def track(pace: Pace, *told: tuple[float | None, float]) -> Track:
    """Return a job that told these percents at these seconds."""
    followed = Track()
    for percent, elapsed_s in told:
        followed.hear(pace, percent, elapsed_s)
    return followed


def ends(window: Window | None) -> tuple[float, float] | None:
    """Return a window's edges, rounded to tenths."""
    return None if window is None else (round(window.soonest_s, 1), round(window.latest_s, 1))


def test_an_even_pace_tells_the_end() -> None:
    """At 40 percent after 20 seconds, a job ends within what rounding down leaves open before 50."""
    assert (48.8, 50.0) == ends(track(fine(), (40.0, 20.0)).expected(20.0))


@given(share=st.floats(min_value=0.02, max_value=0.99), took_s=SECONDS)
def test_the_end_of_an_even_job_lies_in_its_window(share: float, took_s: float) -> None:
    """Whenever a job is asked that counts whole percents, its end is where it is expected."""
    window = fine().window(Told(percent=float(int(100 * share)), elapsed_s=share * took_s))

    assert window.soonest_s <= took_s * 1.000001
    assert took_s <= window.latest_s * 1.000001


@pytest.mark.parametrize(
    ("told", "step"),
    [([20.0, 60.0, 40.0], 20), ([50.0], 50), ([50.0, 61.0], 1), ([12.5], 1), ([12.5, 50.0], 1), ([], 0)],
)
def test_how_finely_a_kind_counts_is_learned(told: list[float], step: int) -> None:
    """What all its answers are multiples of is its step; broken numbers count as single percents."""
    pace = Pace()
    for percent in told:
        pace.hear(percent)

    assert step == pace.step


def test_coarse_steps_leave_much_open() -> None:
    """Told 40 by a kind that counts by twenties, a job may be anywhere below 60."""
    pace = Pace()
    pace.hear(20.0)

    assert (33.3, 50.0) == ends(track(pace, (40.0, 20.0)).expected(20.0))


@pytest.mark.parametrize(
    "told",
    [
        [(None, 5.0)],
        [(0.0, 5.0)],
        [(0.4, 5.0)],
        [(40.0, 0.0)],
        [(100.0, 5.0)],
        [(40.0, 20.0), (30.0, 25.0)],
        [(40.0, 20.0), (0.0, 25.0)],
        [(10.0, 20.0), (90.0, 25.0)],
        [(40.0, 20.0), (50.0, 24.0), (60.0, 27.0)],
        [(50.0, 20.0), (50.0, 30.0), (50.0, 45.0)],
    ],
    ids=[
        "nothing",
        "zero",
        "a share of one",
        "no time",
        "all",
        "back",
        "back to zero",
        "a jump",
        "a creep",
        "stuck",
    ],
)
def test_what_cannot_be_true_is_not_believed(told: list[tuple[float | None, float]]) -> None:
    """Nothing, too little, and answers that contradict each other tell no end."""
    assert track(fine(), *told).expected(told[-1][1]) is None


def test_a_job_that_misled_once_is_not_believed_again() -> None:
    """After a contradiction, better answers do not help."""
    assert track(fine(), (40.0, 20.0), (30.0, 25.0), (60.0, 30.0)).expected(30.0) is None


@pytest.mark.parametrize("nothing", [0.0, 0.4])
def test_a_job_that_has_not_begun_yet_is_no_liar(nothing: float) -> None:
    """Nothing told at first is not held against what is told later."""
    assert (48.8, 50.0) == ends(track(fine(), (nothing, 5.0), (40.0, 20.0)).expected(20.0))


def test_an_answer_without_progress_changes_nothing() -> None:
    """What a job told before holds when it tells nothing this time."""
    assert (48.8, 50.0) == ends(track(fine(), (40.0, 20.0), (None, 25.0)).expected(25.0))


def test_the_same_answer_again_moves_no_end() -> None:
    """A job that tells 40 for a while was at 40 when it told so first."""
    assert (48.8, 50.0) == ends(track(fine(), (40.0, 20.0), (40.0, 20.4)).expected(20.4))


def test_an_end_that_is_overdue_is_not_waited_for() -> None:
    """A job that lies at 99 percent is asked about by what is learned from durations."""
    assert track(fine(), (99.0, 99.0)).expected(106.0) is None


def test_an_end_beyond_what_was_expected_is_mended_at_once() -> None:
    """A kind whose last part takes long is expected later the next time."""
    pace = fine()
    track(pace, (50.0, 10.0), (None, 30.0)).end(pace, 31.0)

    assert (19.6, 30.0) == ends(pace.window(Told(percent=50.0, elapsed_s=10.0)))


def test_an_end_before_what_was_expected_is_mended_at_once() -> None:
    """A kind that hurries at its end may end between the two questions that its end lay between."""
    pace = fine()
    track(pace, (50.0, 10.0)).end(pace, 15.0)

    assert (12.5, 19.5) == ends(pace.window(Told(percent=50.0, elapsed_s=10.0)))


def test_what_was_too_careful_narrows_little_by_little() -> None:
    """After one odd job, ends that come as expected take the window back."""
    pace = fine()
    track(pace, (50.0, 10.0), (None, 39.0)).end(pace, 40.0)
    for _ in range(50):
        track(pace, (50.0, 10.0), (None, 19.9)).end(pace, 20.0)

    assert (19.9, 20.1) == ends(pace.window(Told(percent=50.0, elapsed_s=10.0)))


def test_what_is_learned_holds_for_progress_nearby_only() -> None:
    """A kind may be even in the middle and slow at its end."""
    pace = fine()
    track(pace, (50.0, 10.0), (None, 30.0)).end(pace, 31.0)

    assert (11.0, 11.1) == ends(pace.window(Told(percent=90.0, elapsed_s=10.0)))


def test_a_kind_proves_itself_by_two_ends() -> None:
    """Two ends in a row where they were expected are believed; one elsewhere takes that back."""
    pace, told = fine(), Told(percent=50.0, elapsed_s=10.0)
    proved = [pace.window(told).proved]
    for ended_s in (20.0, 20.0, 12.0):
        pace.learn(told, running_s=11.0, ended_s=ended_s)
        proved.append(pace.window(told).proved)

    assert [False, False, True, False] == proved


def test_a_window_without_shape_tells_nothing() -> None:
    """When ends lay anywhere after what was told, it is no reason to wait."""
    pace = fine()
    track(pace, (50.0, 10.0)).end(pace, 11.0)
    track(pace, (50.0, 10.0), (None, 39.0)).end(pace, 40.0)

    assert track(pace, (50.0, 10.0)).expected(10.0) is None


@given(percent=PERCENT, told_s=SECONDS, later_s=SECONDS, last_s=SECONDS)
def test_any_end_leaves_a_window_that_can_be_used(
    percent: float, told_s: float, later_s: float, last_s: float
) -> None:
    """Whatever was learned, a window lies behind the answer and does not end before it begins."""
    pace = fine()
    for _ in range(3):
        track(pace, (percent, told_s), (None, told_s + later_s)).end(pace, told_s + later_s + last_s)

    window = pace.window(Told(percent=percent, elapsed_s=told_s))
    assert told_s <= window.soonest_s <= window.latest_s
    assert window.spread_s >= 0.0


def test_no_end_is_expected_before_the_answer_that_tells_it() -> None:
    """A kind that hurries at 90 percent may still be slower at 99."""
    pace = fine()
    for _ in range(20):
        track(pace, (90.0, 90.0)).end(pace, 90.5)

    assert (99.0, 99.0) == ends(pace.window(Told(percent=99.0, elapsed_s=99.0)))
