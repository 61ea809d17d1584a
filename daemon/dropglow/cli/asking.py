"""What ``retry``, ``cancel``, ``approve`` and ``resolve`` share: ids in, wishes out, answers as text or JSON.

``daemon/json.md`` describes the JSON of all four: one entry for each id, in the order given.

Exit codes: 0 all was done; 1 something was refused, or is not known; 75 the
service did not answer, or the ledger cannot be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dropglow.cli.exits import Exit
from dropglow.cli.tables import print_json, readable
from dropglow.cli.wishing import Outcome, Wisher, wish_for
from dropglow.clock import RealClock
from dropglow.errors import UnknownKey
from dropglow.ledger.base import Reader
from dropglow.ledger.mailbox import Verb
from dropglow.model import DropKey, Job, JobKey
from dropglow.naming import shown, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What an id means: a drop, one job of it, or nothing, with the reason."""

    typed: str
    drop: DropKey | None = None
    job: JobKey | None = None
    unknown: UnknownKey | None = None

    @property
    def target(self) -> str | None:
        """Return the whole key."""
        return self.job or self.drop


async def meant(reader: Reader, ids: Sequence[str]) -> tuple[Meant, ...]:
    """Return what each of *ids* means, each thing once.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    found = [await _meant(reader, typed) for typed in dict.fromkeys(ids)]
    return tuple({each.target or each.typed: each for each in reversed(found)}.values())[::-1]


async def jobs_meant(reader: Reader, each: Meant) -> tuple[Job, ...]:
    """Return the job, or every job of the drop, that *each* means; none where it means nothing.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    if each.job is not None:
        return (await reader.job(each.job),)
    return () if each.drop is None else await reader.jobs_of(each.drop)


def carry_out(
    state: Path,
    verb: Verb,
    targets: Sequence[Meant],
    *,
    argument: str = "",
    as_json: bool,
) -> None:
    """Have *verb* done to *targets* on *state*, tell what became of it, and exit accordingly.

    Raises:
        LedgerUnavailable: The ledger or the mailbox cannot be used.
        Exit: Something was refused, is not known, or was not answered.
    """
    clock = RealClock()
    wishes = {
        each.typed: wish_for(verb, each.target, argument=argument, at=clock.now())
        for each in targets
        if each.target is not None
    }
    answered = asyncio.run(Wisher(state, clock=clock).ask(tuple(wishes.values()))) if wishes else ()
    by_id = dict(zip(wishes, answered, strict=True))
    outcomes = [(each, by_id.get(each.typed) or _unknown(each)) for each in targets]
    if as_json:
        print_json([_document(each, outcome) for each, outcome in outcomes])
    else:
        for _, outcome in outcomes:
            _tell(outcome)
    if worst := max((outcome.code for _, outcome in outcomes), default=Exit.DONE):
        raise click.exceptions.Exit(worst)


async def _meant(reader: Reader, typed: str) -> Meant:
    try:
        drop, job = await reader.resolve_key(typed)
    except UnknownKey as unknown:
        return Meant(typed=typed, unknown=unknown)
    return Meant(typed=typed, drop=drop, job=job)


def _unknown(each: Meant) -> Outcome:
    assert each.unknown is not None
    return Outcome(
        target=each.typed,
        text=each.unknown.message,
        hint=each.unknown.hint,
        by="nobody",
        code=Exit.TROUBLED,
    )


def _tell(outcome: Outcome) -> None:
    failed = outcome.code is not Exit.DONE
    lead = "Error: " if failed else ""
    text = f"{lead}{readable(outcome.text)}"
    click.echo(f"{text}\n  {readable(outcome.hint)}" if outcome.hint else text, err=failed)


def _document(each: Meant, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": shown(each.typed),
        "target": each.target,
        "ok": outcome.code is Exit.DONE,
        "text": storable(outcome.text),
        "hint": storable(outcome.hint),
        "by": outcome.by,
    }
