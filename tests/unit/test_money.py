"""Budgets: what fits, which day is being spent from, what is abnormal, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.events import Postponed
from dropglow.lifecycle import advance
from dropglow.model import DeliveryPlan, DropKey, Failure, Job, JobKey, Order, RuleName, Stage
from dropglow.money import (
    BRAKE_ORDERS,
    PATIENCE,
    WAITS_FOR_APPROVAL,
    WAITS_FOR_MONEY,
    Amount,
    Booking,
    Budget,
    Budgets,
    Ceiling,
    Fate,
    Limit,
    Period,
    Turn,
    Unit,
    abnormal,
    as_it_stands,
    cost,
    held_failure,
    labels,
    parked,
    refused,
    spent_failure,
    turned,
    woken_failure,
)

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ART, OTHER = RuleName("art"), RuleName("other")
DAILY = Ceiling(period=Period.DAY, rule=None, limit=Limit(most=100))
ORDER = Order(
    operation="generate",
    body={},
    images=8,
    results=4,
    delivery=DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}"),
)


def day(shift: int) -> str:
    return f"{NOON + timedelta(days=shift):%Y-%m-%d}"


def after(known: Turn | None, days: float, *, shown: int) -> Turn:
    return turned(Period.DAY, day(shown), NOON + timedelta(days=days), known)


def test_a_ceiling_counts_in_its_unit() -> None:
    """An order of four pictures that cost eight operations takes four of the ones and eight of the others."""
    spent, more = Amount(images=96, operations=93), cost(ORDER)
    operations = replace(DAILY, limit=Limit(most=100, unit=Unit.OPERATIONS))

    assert (True, False) == (DAILY.fits(spent, more), operations.fits(spent, more))
    assert (4, 7) == (DAILY.left(spent), operations.left(spent))
    assert 0 == DAILY.left(Amount(images=101))
    assert Amount(images=100, operations=101) == spent + more


def test_limits_and_ceilings_are_said_in_words() -> None:
    """One image is singular, and a rule is named."""
    own = Ceiling(period=Period.MONTH, rule=ART, limit=Limit(most=1, unit=Unit.OPERATIONS))

    assert ("the budget, 100 images a day", "the budget of rule art, 1 operation a month") == (
        str(DAILY),
        str(own),
    )


def test_an_order_answers_to_its_rule_and_to_all() -> None:
    """Both budgets of a rule stand over it, and the common ones; another rule knows the common ones only."""
    own = Budget(per_day=Limit(most=5), per_month=Limit(most=9))
    budgets = Budgets(common=Budget(per_day=Limit(most=100)), by_rule={ART: own})

    assert [(ART, 5), (ART, 9), (None, 100)] == [(each.rule, each.limit.most) for each in budgets.over(ART)]
    assert (DAILY,) == budgets.over(OTHER)
    assert 3 == len(list(budgets.ceilings()))
    assert () == Budgets().over(ART)


def test_a_rule_may_lift_the_hold_of_all() -> None:
    """What a rule says of `hold_over`, `off` too, goes before what is said for all."""
    by_rule = {ART: Budget(says_hold_over=True), OTHER: Budget(per_day=Limit(most=1))}
    budgets = Budgets(common=Budget(hold_over=7), by_rule=by_rule)

    assert (None, 7, 7) == tuple(budgets.hold_over(RuleName(name)) for name in ("art", "other", "third"))


def test_a_moment_has_its_day_and_month() -> None:
    """They are labels that sort as they follow each other."""
    assert ("2026-11-29", "2026-11") == labels(NOON)
    booking = Booking(day="d", month="m")
    assert ("d", "m") == (booking.label(Period.DAY), booking.label(Period.MONTH))


def test_a_later_day_begins_at_once() -> None:
    """The clock shows a later day: that is spent from, and nothing is asked."""
    first = after(None, 0, shown=0)

    assert day(0) == first.label
    assert first == after(first, 0.4, shown=0)
    assert Turn(label=day(1), seen_at=NOON + timedelta(days=1)) == after(first, 1, shown=1)


def test_a_clock_set_back_goes_on_with_the_later_day() -> None:
    """A minute, or a month: the day that was begun goes on, and comes again as what it is."""
    known = after(None, 0, shown=0)

    back = after(known, -30, shown=-30)

    assert (day(0), NOON + timedelta(days=-30)) == (back.label, back.seen_at)
    assert back == after(back, -29.5, shown=-30)
    assert day(0) == after(back, 0, shown=0).label


def test_a_clock_that_was_ahead_costs_one_day_and_not_years() -> None:
    """After a day of its own time the clock is believed: a day that was never true does not block for ever."""
    ahead = after(None, 1200, shown=1200)
    noticed = after(ahead, 0, shown=0)

    believed = after(noticed, 1, shown=1)

    assert (day(1200), day(1)) == (noticed.label, believed.label)
    assert day(2) == after(believed, 2, shown=2).label


def test_a_month_is_believed_after_four_weeks() -> None:
    """What a clock shows of months is believed as slowly."""
    known = Turn(label="2026-12", seen_at=NOON)

    assert known == turned(Period.MONTH, "2026-11", NOON + timedelta(days=27), known)
    assert "2026-11" == turned(Period.MONTH, "2026-11", NOON + PATIENCE[Period.MONTH], known).label


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 120)), max_size=11))
def test_however_often_a_clock_is_set_back_no_earlier_day_begins(jumps: list[tuple[int, int]]) -> None:
    """Within a day of true time, clocks that are set back by hours or years lead to no day before the one begun."""
    known = after(None, 0, shown=0)
    now, seen = NOON, [known.label]
    for back_h, passed_min in jumps:
        now += timedelta(minutes=passed_min) - timedelta(hours=back_h)
        known = turned(Period.DAY, labels(now)[0], now, known)
        seen.append(known.label)

    assert seen == sorted(seen)
    assert set(seen) <= {day(0), day(1)}


def job(**changes: Any) -> Job:
    fresh = Job(
        key=JobKey("drop.1"),
        drop=DropKey("drop"),
        rule=ART,
        inbox="/in",
        source="a.txt",
        order=ORDER,
        created_at=NOON,
    )
    return replace(fresh, **changes)


@pytest.mark.parametrize(
    ("code", "expected"), [(WAITS_FOR_MONEY, True), ("DiskFull", False)], ids=["money", "disk"]
)
def test_a_job_is_parked_that_waits_for_nothing_but_money(code: str, expected: bool) -> None:
    """The reason that it carries says so."""
    waiting = advance(job(), Postponed(until=NOON, failure=Failure(code=code, what="it waits")))

    assert expected is parked(waiting)
    assert not parked(job())


@pytest.mark.parametrize(
    ("twin", "expected"),
    [
        (None, "there is money for it again"),
        (JobKey("first.1"), "there is money again for job first.1, which buys the same"),
    ],
)
def test_a_woken_job_waits_for_its_turn_and_is_promised_its_money(twin: JobKey | None, expected: str) -> None:
    """It no longer says that a budget is spent, but is parked until it begins."""
    spent = Failure(code=WAITS_FOR_MONEY, what="it is spent", why="3 of 3", hint="tomorrow", twin=twin)

    woken = woken_failure(spent)

    assert (expected, "it goes on by itself", twin) == (woken.what, woken.hint, woken.twin)
    assert parked(advance(job(), Postponed(until=NOON, failure=woken)))


@pytest.mark.parametrize(
    ("twin", "expected"),
    [
        (None, "it waits for its turn: its budget began anew"),
        (JobKey("first.1"), "it waits for job first.1, which buys the same: its budget began anew"),
    ],
)
def test_a_job_whose_day_came_waits_for_its_turn(twin: JobKey | None, expected: str) -> None:
    """Nobody woke it, and what it carries is what was so before; one that waits still is left as it is."""
    spent = Failure(code=WAITS_FOR_MONEY, what="it is spent", why="3 of 3", hint="tomorrow", twin=twin)
    waiting = advance(job(), Postponed(until=NOON, failure=spent))

    due = as_it_stands(waiting, now=NOON).failure

    assert due is not None
    assert expected == f"{due.what}: {due.why}"
    assert (WAITS_FOR_MONEY, "it goes on by itself", twin) == (due.code, due.hint, due.twin)
    assert waiting == as_it_stands(waiting, now=NOON - timedelta(seconds=1))


def test_what_else_a_job_says_stands() -> None:
    """It was woken, waits for something else, or for nothing."""
    spent = Failure(code=WAITS_FOR_MONEY, what="it is spent")
    failures = (woken_failure(spent), Failure(code="DiskFull", what="it is full"))
    jobs = [job(), *(advance(job(), Postponed(until=NOON, failure=each)) for each in failures)]

    assert jobs == [as_it_stands(each, now=NOON) for each in jobs]


@pytest.mark.parametrize(
    ("stage", "code", "expected"),
    [
        (Stage.CANCELLED, WAITS_FOR_APPROVAL, True),
        (Stage.CANCELLED, WAITS_FOR_MONEY, False),
        (Stage.HELD, WAITS_FOR_APPROVAL, False),
    ],
)
def test_a_job_is_refused_that_was_cancelled_instead_of_approved(
    stage: Stage, code: str, expected: bool
) -> None:
    """Only a job that nobody ever let go on is refused."""
    assert expected is refused(replace(job(), stage=stage, failure=Failure(code=code, what="it waits")))
    assert not refused(replace(job(), stage=Stage.CANCELLED))


def test_what_is_spent_is_explained() -> None:
    """The words name the budget, how much is gone, how much is needed, and when it goes on."""
    told = spent_failure(DAILY, ORDER, spent=Amount(images=98), until="at midnight")
    monthly = spent_failure(replace(DAILY, period=Period.MONTH), ORDER, spent=Amount(images=98), until="then")

    assert (WAITS_FOR_MONEY, "the budget, 100 images a day, is spent for today") == (told.code, told.what)
    assert "98 of 100 are gone, and this order needs 4" == told.why
    assert "at midnight" in told.hint
    assert monthly.what.endswith("is spent for this month")


def test_an_order_beyond_its_budget_is_told_apart() -> None:
    """No day will ever have room for it, so no time is named."""
    tiny = replace(DAILY, limit=Limit(most=3))

    told = spent_failure(tiny, ORDER, spent=Amount(), until="at midnight")

    assert "the budget, 3 images a day, is too small for this order" == told.what
    assert "midnight" not in told.hint


def test_what_is_held_is_explained() -> None:
    """The words name the limit, what waits, and the way on."""
    told = held_failure(ART, most=100, waiting=98, more=4)

    assert "more than 100 unpaid images would wait under rule art" == told.what
    assert "dropglow approve" in told.hint


@pytest.mark.parametrize(
    ("bad", "fate", "stops"),
    [
        (11, Fate.FAILED, True),
        (11, Fate.IN_DOUBT, True),
        (10, Fate.FAILED, False),
    ],
)
def test_the_brake_looks_at_the_latest_orders(bad: int, fate: Fate, stops: bool) -> None:
    """More than half of them that may be billed and brought nothing are too many."""
    fates = (fate,) * bad + (Fate.BOUGHT,) * (BRAKE_ORDERS - bad)

    assert stops is bool(abnormal(fates))


def test_the_brake_is_in_no_hurry() -> None:
    """Fewer orders than that prove nothing."""
    assert "" == abnormal((Fate.FAILED,) * (BRAKE_ORDERS - 1))
