"""Look up whether a file's content was bought before under the rules that would take it. Reads the ledger only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropglow.cli.ledger_access import asked
from dropglow.disk import sha256_of
from dropglow.errors import LedgerError
from dropglow.model import Drop, DropState

if TYPE_CHECKING:
    from dropglow.cli.forecast import Forecast
    from dropglow.cli.subject import Subject
    from dropglow.config import Config
    from dropglow.ledger.base import Reader


def bought_before(config: Config, subject: Subject, forecast: Forecast) -> Drop | None:
    """Return the latest drop of this content under the rules of *forecast* that did not fail, if any.

    Of a drop with files beside it nothing is said: which of them come with it is known when they are taken.
    """
    rules = [purchase.rule for purchase in forecast.purchases if not purchase.fault]
    if not rules or subject.size_bytes is None or any(rule.companions for rule in rules):
        return None
    try:
        with Path(subject.file).open("rb") as stream:
            sha256 = sha256_of(stream)
    except OSError:
        return None

    async def question(reader: Reader) -> tuple[Drop, ...]:
        return await reader.same_content(
            inbox=forecast.plan.folder,
            sha256=sha256,
            companions=(),
            rule=rules[0].name,
            rule_digest="+".join(rule.digest for rule in rules),
        )

    try:
        found = asked(Path(config.state), question)
    except LedgerError:
        return None  # explaining needs no ledger
    return next((drop for drop in found if drop.state is not DropState.FAILED), None)
