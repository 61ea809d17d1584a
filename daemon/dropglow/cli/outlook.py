"""Foresee what budgets say to a drop: bought at once, later, or held until a person approves. Reads the ledger only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dropglow.cli.ledger_access import asked
from dropglow.cli.rations import Funds, Ration, funds
from dropglow.cli.tables import counted
from dropglow.errors import LedgerError
from dropglow.ledger.base import Reader
from dropglow.model import RuleName
from dropglow.money import Amount, Budgets, held_failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How the money stands, and what that means for what each rule would order."""

    funds: Funds
    wanted: Mapping[RuleName, tuple[Amount, ...]]  # each order
    held: Mapping[RuleName, str]  # why, for the rules under which it would be held

    def short(self) -> tuple[Ration, ...]:
        """Return the budgets that have no room for all of it now."""
        return tuple(each for each in self._asked() if not each.ceiling.fits(each.spent, self._of(each)))

    def _asked(self) -> tuple[Ration, ...]:
        """Return the budgets that are asked."""
        return tuple(each for each in self.funds.rations if each.ceiling.rule in {None, *self.wanted})

    def _of(self, ration: Ration) -> Amount:
        return sum(self._orders(ration), start=Amount())

    def _orders(self, ration: Ration) -> tuple[Amount, ...]:
        """Return the orders that *ration* is asked for."""
        rule = ration.ceiling.rule
        if rule is not None:
            return self.wanted[rule]
        return tuple(each for orders in self.wanted.values() for each in orders)

    def _never(self, ration: Ration) -> int:
        """Return how many orders are larger than the whole of *ration*."""
        nothing = Amount()
        return sum(not ration.ceiling.fits(nothing, order) for order in self._orders(ration))

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return what to tell a person, each with its colour."""
        told = []
        if (paused := self.funds.paused) is not None:
            told.append((f"Spending is paused ({paused.reason}): it waits for: dropglow resume", "yellow"))
        told += [(f"It would be held: {why}; then: dropglow approve", "yellow") for why in self.held.values()]
        short = self.short()
        for each in self._asked():
            needs = counted(self._of(each).count(each.ceiling.limit.unit), each.ceiling.limit.unit.value[:-1])
            text = f"Budget of {each.words()}"
            if never := self._never(each):
                orders = counted(never, "order")
                told.append(
                    (f"{text}. It needs {needs}: {orders} can never fit, so raise the budget.", "red")
                )
            elif each in short:
                told.append((f"{text}. It needs {needs}: what does not fit waits.", "yellow"))
            else:
                told.append((f"{text}. It needs {needs}.", ""))
        return tuple(told)

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data; ``daemon/json.md`` describes its shape."""
        if any(self._never(each) for each in self._asked()):
            comes = "never"
        elif self.held:
            comes = "held"
        elif self.funds.paused is not None or self.short():
            comes = "waits"
        else:
            comes = "bought"
        return {**self.funds.document(), "outlook": comes, "reasons": [text for text, _ in self.lines()]}


def outlook(
    state: Path, budgets: Budgets, wanted: Mapping[RuleName, tuple[Amount, ...]], *, now: datetime
) -> Outlook | None:
    """Return what budgets say to an order of *wanted* by each rule; None where the ledger cannot be asked."""

    async def question(reader: Reader) -> Outlook:
        held: dict[RuleName, str] = {}
        for rule, orders in wanted.items():
            amount = sum(orders, start=Amount())
            most, waiting = budgets.hold_over(rule), await reader.unpaid(rule)
            if most is not None and waiting + amount.images > most:
                failure = held_failure(rule, most=most, waiting=waiting, more=amount.images)
                held[rule] = f"{failure.what}: {failure.why}"
        return Outlook(funds=await funds(reader, budgets, now=now), wanted=wanted, held=held)

    try:
        return asked(state, question)
    except LedgerError:
        return None  # explaining needs no ledger
