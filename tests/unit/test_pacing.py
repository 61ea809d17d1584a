"""Windows over requests, pauses, and turns between inboxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.pacing import DAY_S, MINUTE_S, PROBE_S, STOPPED_S, UNTRIED_S, Gate, Window

# Whole seconds, so that sums are exact.
SECONDS = st.integers(min_value=0, max_value=600).map(float)


# ---------------------------------------------------------------- windows


def test_a_window_lets_its_limit_through_at_once() -> None:
    """Four requests in the same instant fit a limit of four; the fifth waits for the span."""
    window = Window(4, MINUTE_S)

    waits = []
    for _ in range(4):
        waits.append(window.wait_s(100.0))
        window.take(100.0)

    assert [0.0] * 4 == waits
    assert MINUTE_S == window.wait_s(100.0)


def test_a_request_leaves_the_window_after_the_span() -> None:
    """At the very end of the span the next request fits, and not before."""
    window = Window(1, MINUTE_S)
    window.take(100.0)

    assert 1.0 == window.wait_s(159.0)
    assert 0.0 == window.wait_s(160.0)


def test_no_limit_means_no_wait_and_no_memory() -> None:
    """Without a limit nothing is counted, however many come."""
    window = Window(None, MINUTE_S)
    for _ in range(1000):
        window.take(100.0)

    assert (0.0, 0) == (window.wait_s(100.0), window.used(100.0))


def test_a_window_tells_how_full_it_is() -> None:
    """Only requests of the present span count."""
    window = Window(4, MINUTE_S)
    for at_s in (0.0, 30.0, 50.0):
        window.take(at_s)

    assert 2 == window.used(60.0)


def test_a_lowered_limit_waits_for_enough_to_leave() -> None:
    """A window that holds more than its limit waits until it holds less, not until its oldest is gone."""
    window = Window(4, MINUTE_S)
    for at_s in (0.0, 10.0, 20.0, 30.0):
        window.take(at_s)

    window.limit = 2

    assert 50.0 == window.wait_s(30.0)


@pytest.mark.parametrize(("wanted", "expected"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_a_window_tells_how_many_fit(wanted: int, expected: int) -> None:
    """No more are free than are wanted, and no more than fit."""
    window = Window(4, MINUTE_S)
    window.take(0.0)
    window.take(0.0)

    assert expected == window.free(1.0, wanted=wanted)


def test_an_over_full_window_has_nothing_free() -> None:
    """A limit that was lowered leaves nothing, rather than less than nothing."""
    window = Window(4, MINUTE_S)
    for _ in range(4):
        window.take(0.0)

    window.limit = 2

    assert 0 == window.free(1.0, wanted=5)


def test_without_a_limit_everything_is_free() -> None:
    """Who has no limit gets what is wanted."""
    assert 1000 == Window(None, MINUTE_S).free(0.0, wanted=1000)


@given(
    limit=st.none() | st.integers(min_value=1, max_value=6),
    count=st.integers(min_value=0, max_value=30),
    wanted=st.integers(min_value=1, max_value=9),
)
def test_what_is_free_needs_no_wait(limit: int | None, count: int, wanted: int) -> None:
    """Something is free exactly when there is nothing to wait for."""
    window = filled(limit, count)

    assert (window.free(float(count), wanted=wanted) > 0) == (window.wait_s(float(count)) == 0.0)


@given(limit=st.integers(min_value=1, max_value=6), pauses=st.lists(SECONDS, max_size=60))
def test_no_span_ever_holds_more_than_the_limit(limit: int, pauses: list[float]) -> None:
    """Whoever waits as told never exceeds the limit in any span, wherever it begins."""
    window = Window(limit, MINUTE_S)
    now_s, taken = 0.0, []
    for pause_s in pauses:
        now_s += pause_s % 30.0
        now_s += window.wait_s(now_s)
        window.take(now_s)
        taken.append(now_s)

    assert all(sum(1 for at_s in taken if start <= at_s < start + MINUTE_S) <= limit for start in taken)


def filled(limit: int | None, count: int) -> Window:
    """Return a window with one request in each of the first *count* seconds."""
    window = Window(limit, MINUTE_S)
    for number in range(count):
        window.take(float(number))
    return window


@given(limit=st.integers(min_value=1, max_value=6), count=st.integers(min_value=0, max_value=30))
def test_waiting_as_told_is_enough(limit: int, count: int) -> None:
    """After the wait that was named the request fits, and half a second before it did not."""
    wait_s = filled(limit, count).wait_s(float(count))

    assert 0.0 == filled(limit, count).wait_s(count + wait_s)
    assert 0.0 == wait_s or filled(limit, count).wait_s(count + wait_s - 0.5) > 0.0


# ---------------------------------------------------------------- the gate


def test_a_fresh_gate_is_open() -> None:
    """Nothing was asked for yet, so nothing stands in the way."""
    gate = Gate.of(per_minute=4, per_day=9000)

    assert (0.0, "") == (gate.wait_s(1.0), gate.trouble(1.0))


def test_a_gate_remembers_what_was_before_it() -> None:
    """Requests made before a restart still count."""
    gate = Gate.of(per_minute=2, per_day=None, past_s=(0.0, 50.0))

    assert 1.0 == gate.wait_s(59.0)
    assert 0.0 == gate.wait_s(60.0)


def test_the_day_may_be_full_while_the_minute_is_not() -> None:
    """The longer of both waits holds."""
    gate = Gate.of(per_minute=4, per_day=2)
    gate.take(0.0)
    gate.take(100.0)

    assert DAY_S - 200.0 == gate.wait_s(200.0)


def test_a_pause_holds_everything_back_and_says_why() -> None:
    """While somebody asked for a pause, nothing goes through, and the reason is told."""
    gate = Gate.of(per_minute=None, per_day=None)

    gate.pause(130.0, "Adobe asks for patience")

    assert (30.0, "Adobe asks for patience") == (gate.wait_s(100.0), gate.trouble(100.0))
    assert (0.0, "") == (gate.wait_s(130.0), gate.trouble(130.0))


def test_a_gate_lets_through_what_both_windows_allow() -> None:
    """The smaller of both windows decides how many may go at once."""
    gate = Gate.of(per_minute=4, per_day=5, past_s=(0.0, 1.0, 2.0))

    assert [1, 2] == [gate.free(10.0, wanted=9), gate.free(100.0, wanted=9)]


def test_a_paused_gate_lets_nothing_through() -> None:
    """During a pause nothing is free, and afterwards everything is."""
    gate = Gate.of(per_minute=None, per_day=None)
    gate.pause(130.0, "Adobe asks for patience")

    assert [0, 5] == [gate.free(100.0, wanted=5), gate.free(130.0, wanted=5)]


def test_a_pause_tells_whether_a_person_is_needed() -> None:
    """A pause that time alone does not end says so; one that it does end does not."""
    gate = Gate.of(per_minute=None, per_day=None)

    gate.pause(130.0, "the credentials are not accepted", needs_person=True)
    assert gate.needs_person

    gate.pause(140.0, "too many requests")
    assert not gate.needs_person


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    """The longest pause that was asked for holds, with its own reason."""
    gate = Gate.of(per_minute=None, per_day=None)
    gate.pause(200.0, "out of quota")

    gate.pause(150.0, "too many requests")

    assert (100.0, "out of quota") == (gate.wait_s(100.0), gate.trouble(100.0))


def test_a_longer_pause_replaces_a_shorter_one() -> None:
    """A pause can be made longer, and the newer reason is told."""
    gate = Gate.of(per_minute=None, per_day=None)
    gate.pause(150.0, "too many requests")

    gate.pause(200.0, "out of quota")

    assert (100.0, "out of quota") == (gate.wait_s(100.0), gate.trouble(100.0))


# ---------------------------------------------------------------- a service that is unwell


def unlimited() -> Gate:
    return Gate.of(per_minute=None, per_day=None)


def test_after_a_setback_nothing_goes_out_for_a_while() -> None:
    """The pause holds everybody back, and says why."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")

    assert (0, 4.0, "500") == (gate.free(100.0, wanted=8), gate.wait_s(100.0), gate.trouble(100.0))


def test_after_the_pause_one_request_goes_alone() -> None:
    """One order tries whether the service is well; the others wait for it."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")

    before = gate.free(104.0, wanted=8)
    gate.take(104.0)

    assert (1, 0) == (before, gate.free(105.0, wanted=8))
    assert gate.wait_s(105.0) > 0


def test_a_good_answer_lets_everybody_follow() -> None:
    """Once the probe was taken, the queue goes on at full width."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")
    gate.take(104.0)

    gate.answered()

    assert (8, 0.0) == (gate.free(105.0, wanted=8), gate.wait_s(105.0))


def test_trouble_lasts_until_something_is_answered() -> None:
    """Neither the end of the pause nor a probe that is out is a recovery; a good answer is."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")

    after_the_pause = gate.trouble(104.0)
    gate.take(104.0)
    while_it_is_tried = gate.trouble(105.0)
    gate.answered()

    assert ("500", "500", "") == (after_the_pause, while_it_is_tried, gate.trouble(105.0))


def test_trouble_tells_what_to_do_about_it() -> None:
    """Whoever reads it sees both in one line."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", hint="ask Adobe", who="a.1")

    assert ("500 (ask Adobe)", "500") == (gate.trouble(101.0), gate.reason)


def test_a_good_answer_does_not_end_a_pause() -> None:
    """An order that was out as well was taken: the others wait as long as was asked for, and it is told why."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="429", who="a.1")

    gate.answered()

    assert ("429", "") == (gate.trouble(103.0), gate.trouble(104.0))


def test_trouble_tells_its_latest_kind() -> None:
    """What is another sort of trouble can be told from what is the same with other words."""
    gate = unlimited()

    gate.setback(100.0, pause_s=4.0, reason="500, request 1", who="a.1", kind="unavailable")
    first = gate.kind
    gate.setback(104.0, pause_s=4.0, reason="no credentials", who="a.2", kind="credentials")

    assert ("unavailable", "credentials") == (first, gate.kind)


def test_a_trouble_that_nobody_tries_is_noticed() -> None:
    """Where no order waits, nobody would ever learn that the service is well again."""
    gate = unlimited()
    never = gate.untried(1e6)
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")

    soon, late = gate.untried(103.0 + UNTRIED_S), gate.untried(104.0 + UNTRIED_S)
    gate.take(200.0)
    tried = gate.untried(104.0 + UNTRIED_S)
    gate.answered()

    assert (False, False, True, False, False) == (never, soon, late, tried, gate.untried(1e6))


def test_a_gate_tells_for_how_long_every_try_failed() -> None:
    """From the first of at least three in a row, and only between two tries: the next one may go well."""
    gate = unlimited()
    told = []
    for at_s in (100.0, 110.0, 120.0):
        gate.setback(at_s, pause_s=4.0, reason="500", who="a.1")
        told.append(gate.unwell_s(at_s + 1.0))
    due = gate.unwell_s(124.0)
    gate.answered()
    gate.setback(130.0, pause_s=4.0, reason="500", who="a.1")

    assert ([0.0, 0.0, 21.0], 0.0, 0.0) == (told, due, gate.unwell_s(131.0))


def test_a_probe_without_an_answer_does_not_block_for_ever() -> None:
    """If nobody ever tells what became of the probe, another may go after a while."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")
    gate.take(104.0)

    assert 1 == gate.free(104.0 + PROBE_S, wanted=8)


def test_requests_that_fail_together_make_one_setback() -> None:
    """Eight orders that were out at once do not make the pause eight times as long."""
    gate = unlimited()
    for number in range(8):
        gate.setback(100.0 + number / 100, pause_s=4.0, reason="500", who=f"a.{number}")

    assert 1 == gate.setbacks


def test_an_outage_counts_against_one_order_only() -> None:
    """The first order that failed may be the bad one; the others fail with the service."""
    gate = unlimited()

    counted = [
        gate.setback(100.0 + 10 * turn, pause_s=4.0, reason="500", who=who)
        for turn, who in enumerate(["a.1", "a.2", "a.3", "a.1"])
    ]

    assert [True, False, False, True] == counted


def test_an_upload_is_no_probe() -> None:
    """An upload that works says nothing about orders."""
    gate = unlimited()
    gate.setback(100.0, pause_s=4.0, reason="500", who="a.1")
    gate.count(104.0)

    assert 1 == gate.free(104.0, wanted=8)


def test_a_gate_that_a_person_stopped_lets_nothing_through() -> None:
    """However free the limits are, nothing goes out until somebody lets it go on; then everything does."""
    gate = Gate.of(per_minute=None, per_day=None)
    gate.stopped = True
    stopped = gate.free(0.0, wanted=5), gate.wait_s(0.0)
    gate.stopped = False

    assert (0, STOPPED_S) == stopped
    assert (5, 0.0) == (gate.free(0.0, wanted=5), gate.wait_s(0.0))


def test_new_limits_count_what_was_before_them() -> None:
    """A limit that replaces none knows the past all the same; a pause stands."""
    gate = Gate.of(per_minute=None, per_day=None)
    gate.pause(90.0, "it is unwell")

    gate.limit(per_minute=2, per_day=100, past_s=[80.0, 85.0])

    assert (2, 2) == (gate.minute.used(90.0), gate.day.used(90.0))
    assert (50.0, "it is unwell") == (gate.wait_s(90.0), gate.trouble(89.0))
