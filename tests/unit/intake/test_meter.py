"""Arrivals that no event announced tell of a file system that announces nothing."""

from __future__ import annotations

from dropglow.intake.meter import ANNOUNCED_S, LATE_S, MISSES, WINDOW_S, Meter


def a_meter(*, misses: int = 0) -> tuple[Meter, float]:
    """Return a meter that saw so many misses, and what time it is."""
    meter, now_s = Meter(), 1000.0
    meter.swept(5, now_s=now_s)
    for _ in range(misses):
        now_s += 30
        meter.swept(1, now_s=now_s)
    meter.swept(0, now_s=now_s + 30)
    return meter, now_s + 30


def test_what_is_there_at_first_was_not_missed() -> None:
    """Nobody was listening when it came."""
    meter, _ = a_meter()

    assert 0 == meter.missed


def test_three_misses_end_belief() -> None:
    """One may be chance: two folders made in a hurry."""
    believed = [a_meter(misses=number)[0].swept(0, now_s=2000) for number in range(MISSES + 1)]

    assert [True, True, True, False] == believed
    assert MISSES == a_meter(misses=MISSES)[0].missed


def test_an_announced_file_is_no_miss() -> None:
    """Nor is what the looks soon after an event find."""
    meter, now_s = a_meter(misses=MISSES - 1)
    for _ in range(5):
        now_s += 100
        meter.rang(now_s=now_s)
        meter.swept(1, now_s=now_s + 0.1)
        meter.swept(1, now_s=now_s + ANNOUNCED_S)

    assert meter.swept(0, now_s=now_s + 100)


def test_an_event_may_come_a_little_late() -> None:
    """The timer's look may be quicker than the bell, but not by much."""
    meter, now_s = a_meter(misses=MISSES - 1)
    meter.swept(1, now_s=now_s)
    meter.rang(now_s=now_s + LATE_S)
    punctual = meter.swept(0, now_s=now_s + 30)
    meter.swept(1, now_s=now_s + 60)
    meter.swept(1, now_s=now_s + 61)
    meter.rang(now_s=now_s + 60 + 2 * LATE_S)

    assert punctual
    assert not meter.swept(0, now_s=now_s + 90)


def test_misses_are_forgotten_after_an_hour() -> None:
    """Three in a year are no pattern."""
    meter, now_s = a_meter(misses=MISSES - 1)
    meter.swept(1, now_s=now_s + WINDOW_S)

    assert meter.swept(0, now_s=now_s + WINDOW_S + 30)


def test_belief_comes_back_with_an_event() -> None:
    """Not for silence alone: nothing may have been dropped."""
    meter, now_s = a_meter(misses=MISSES)
    silent = meter.swept(0, now_s=now_s + WINDOW_S)
    meter.rang(now_s=now_s + WINDOW_S)

    assert not silent
    assert meter.swept(1, now_s=now_s + WINDOW_S)


def test_a_folder_watched_afresh_begins_anew() -> None:
    """It may be another file system altogether."""
    meter, now_s = a_meter(misses=MISSES)
    meter.begin_anew()

    assert meter.swept(3, now_s=now_s)
    assert 0 == meter.missed
