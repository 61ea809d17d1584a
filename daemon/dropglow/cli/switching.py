"""What ``pause`` and ``resume`` share: one wish about spending as a whole, and its answer as text or JSON.

``daemon/json.md`` describes the JSON of both.

Exit codes: 0 it is so; 75 the service did not answer, or the ledger cannot be reached.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from dropglow.cli.documents import instant
from dropglow.cli.exits import Exit
from dropglow.cli.ledger_access import asked
from dropglow.cli.tables import print_json, readable
from dropglow.cli.wishing import Wisher, wish_for
from dropglow.clock import RealClock
from dropglow.ledger.mailbox import Verb
from dropglow.naming import storable


def switch(state: Path, verb: Verb, *, argument: str = "", as_json: bool) -> None:
    """Have spending stopped or let go on at *state*, tell what became of it, and exit accordingly.

    Raises:
        LedgerUnavailable: The ledger or the mailbox cannot be used.
        Exit: Nobody answered.
    """
    clock = RealClock()
    wish = wish_for(verb, "", argument=argument, at=clock.now())
    (outcome,) = asyncio.run(Wisher(state, clock=clock).ask((wish,)))
    failed = outcome.code is not Exit.DONE
    if as_json:
        found = asked(state, lambda reader: reader.switch())
        paused = found if found is not None and found.stopped else None
        print_json(
            {
                "ok": not failed,
                "text": storable(outcome.text),
                "hint": storable(outcome.hint),
                "by": outcome.by,
                "paused": None
                if paused is None
                else {"since": instant(paused.at), "reason": storable(paused.reason)},
            }
        )
    else:
        text = f"{'Error: ' if failed else ''}{readable(outcome.text)}"
        click.echo(f"{text}\n  {readable(outcome.hint)}" if outcome.hint else text, err=failed)
    if failed:
        raise click.exceptions.Exit(outcome.code)
