"""``dropglow approve``: let go on what is held until a person approves.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropglow.cli.asking import Meant
    from dropglow.errors import UnknownKey
    from dropglow.ledger.base import Reader

MANY = 100_000


@click.command()
@click.argument("names", metavar="RULE|ID…", nargs=-1, required=True, shell_complete=completing.held)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON entry for each drop or job: what became of it."
)
@click.pass_obj
def command(option: str | None, *, names: tuple[str, ...], as_json: bool) -> None:
    """Let go on what is held because too many unpaid images waited (`hold_over`). It is ordered, and billed.

    A RULE means everything that is held under it. An ID is a drop's, a job's, or
    the beginning of one. Budgets still hold: what they have no room for waits.
    """
    from dropglow.cli.asking import carry_out
    from dropglow.cli.ledger_access import asked, state_folder
    from dropglow.ledger.mailbox import Verb

    state = state_folder(option)
    carry_out(state, Verb.APPROVE, asked(state, lambda reader: _meant(reader, names)), as_json=as_json)


async def _meant(reader: Reader, names: Sequence[str]) -> tuple[Meant, ...]:
    """Return what is meant: everything held under each name that is a rule's, and the rest by its id."""
    from dropglow.cli.asking import Meant, meant
    from dropglow.ledger.base import Query
    from dropglow.model import RuleName, Stage

    found: dict[str, Meant] = {}
    for name in names:
        query = Query(stages=frozenset({Stage.HELD}), rule=RuleName(name), limit=MANY)
        held = await reader.find(query)
        jobs = [Meant(typed=job.key, drop=job.drop, job=job.key) for job in reversed(held)]
        for each in jobs or await meant(reader, [name]):
            told = each if each.unknown is None else replace(each, unknown=_nothing(name, each.unknown))
            found.setdefault(told.target or told.typed, told)
    return tuple(found.values())


def _nothing(name: str, unknown: UnknownKey) -> UnknownKey:
    from dropglow.errors import UnknownKey
    from dropglow.naming import shown

    return UnknownKey(
        f"nothing is held under a rule {shown(name)!r}, and {unknown.message}",
        hint="see what is held: dropglow jobs --state held",
    )
