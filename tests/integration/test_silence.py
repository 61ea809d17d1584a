"""When a single run waits for nothing but good answers of Adobe's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from dropglow.ledger.memory import MemoryLedger
from dropglow.model import Failure, Order, Stage
from dropglow.money import WAITS_FOR_MONEY
from dropglow.pacing import TRIES, Gate
from dropglow.retry import Repeats
from dropglow.runtime.silence import LONG_S, Silence
from tests.drops import PLAN, drop_of, job_of

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
NEW: Final[dict[str, Any]] = {}
SHORT: Final = {
    "failure": Failure(code=WAITS_FOR_MONEY, what="the budget is spent"),
    "not_before": NOW + HOUR,
}
ITS_TURN: Final = {**SHORT, "not_before": NOW}
BEING_SENT: Final = {"stage": Stage.SUBMITTING}
ACCEPTED: Final = {"stage": Stage.RUNNING}
ASKED: Final = {
    "stage": Stage.RUNNING,
    "trips": TRIES,
    "failure": Failure(code="500", what="it cannot be asked"),
}
ORDERS: Final = "no order is taken"
ASKED_ONCE: Final = {**ASKED, "trips": 1}
PUT_OFF: Final = {**ASKED_ONCE, "not_before": NOW + HOUR}
QUESTIONS: Final = "it cannot be asked"


async def said(*jobs: dict[str, Any], ill: str = "orders and questions", stopped: bool = False) -> str:
    """Return what is said where *jobs* are left, and what is *ill* fails since long."""
    ledger, repeats = MemoryLedger(), Repeats(places=4)
    gate = Gate.of(per_minute=None, per_day=None)
    gate.stopped = stopped
    for number, changes in enumerate(jobs):
        drop = drop_of(f"d{number}", at=NOW)
        order = Order(operation="generate", body={}, delivery=PLAN)
        await ledger.admit(drop, [job_of(drop, order, **changes)])
    for at_s in (0.0, 100.0, LONG_S):
        if "orders" in ill:
            gate.setback(at_s, pause_s=50.0, reason=ORDERS, who="a.1")
        if "questions" in ill:
            repeats.book_s(at_s)
    reason = await Silence(ledger=ledger, gate=gate, repeats=repeats).reason(LONG_S, now=NOW)
    return reason.removeprefix("Adobe has not given a good answer for 5 minutes: ")


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([NEW], ORDERS),
        ([NEW, SHORT], ORDERS),
        ([ITS_TURN], ORDERS),
        ([ASKED], QUESTIONS),
        ([NEW, ASKED, ASKED], f"{ORDERS}; {QUESTIONS}"),
        ([SHORT, ASKED], QUESTIONS),
        ([PUT_OFF], QUESTIONS),
    ],
)
async def test_what_is_left_waits_for_adobe(jobs: list[dict[str, Any]], expected: str) -> None:
    """Orders wait for orders, and what was accepted for questions and downloads."""
    assert expected == await said(*jobs)


@pytest.mark.parametrize(
    "jobs",
    [
        [],
        [SHORT],
        [BEING_SENT],
        [NEW, BEING_SENT],
        [ACCEPTED],
        [ASKED, ACCEPTED],
        [NEW, ACCEPTED],
        [ASKED_ONCE],
    ],
)
async def test_something_else_may_happen(jobs: list[dict[str, Any]]) -> None:
    """Nothing is left, it waits for money, an order may be on the wire, or a job was not asked about yet, or hardly.

    That others failed, which may have ended since, says nothing of one that failed once.
    """
    assert "" == await said(*jobs)


@pytest.mark.parametrize(
    ("jobs", "ill"),
    [([NEW, ASKED], "orders"), ([NEW, ASKED], "questions"), ([NEW], ""), ([NEW], "questions")],
)
async def test_half_of_it_goes_on(jobs: list[dict[str, Any]], ill: str) -> None:
    """Results that come, or orders that are taken, are waited for."""
    assert "" == await said(*jobs, ill=ill)


async def test_nobody_waits_for_orders_while_spending_is_paused() -> None:
    """Then it is not Adobe that they wait for; what was accepted waits for Adobe still."""
    assert ("", QUESTIONS) == (await said(NEW, stopped=True), await said(NEW, ASKED, stopped=True))


@pytest.mark.parametrize(("pause_s", "expected"), [(3600.0, ORDERS), (10.0, "")])
async def test_one_refusal_is_enough_that_asks_for_long_patience(pause_s: float, expected: str) -> None:
    """Adobe may name an hour: the next tries, which would tell for certain, are hours away."""
    ledger, gate = MemoryLedger(), Gate.of(per_minute=None, per_day=None)
    await ledger.admit(
        drop := drop_of("d0", at=NOW), [job_of(drop, Order(operation="generate", body={}, delivery=PLAN))]
    )
    gate.setback(0.0, pause_s=pause_s, reason=ORDERS, who="a.1")

    reason = await Silence(ledger=ledger, gate=gate, repeats=Repeats(places=4)).reason(LONG_S, now=NOW)

    assert expected == reason.removeprefix("Adobe has not given a good answer for 5 minutes: ")
