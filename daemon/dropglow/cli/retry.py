"""``dropglow retry``: try again what failed or was cancelled, and only that.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from dropglow.cli.asking import Meant
    from dropglow.ledger.base import Reader
    from dropglow.model import Job

FAILED_MAX = 10_000


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, shell_complete=completing.ids("failed", "cancelled"))
@click.option("--all-failed", is_flag=True, help="Every failed job, but for those given up in doubt.")
@click.option(
    "--rule", metavar="NAME", shell_complete=completing.rules, help="With --all-failed: of this rule only."
)
@click.option("--yes", is_flag=True, help="With --all-failed: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON entry for each id: what became of it.")
@click.pass_obj
def command(
    option: str | None, *, ids: tuple[str, ...], all_failed: bool, rule: str | None, yes: bool, as_json: bool
) -> None:
    """Try again what failed or was cancelled. What was delivered is not ordered again.

    An ID is a drop's, a job's, the beginning of one, or Adobe's job id. Each job
    that is tried again is a new order and is billed as one. The file goes back
    into work by itself. With or without a running service.
    """
    from dropglow.cli.asking import carry_out, meant
    from dropglow.cli.ledger_access import asked, state_folder
    from dropglow.ledger.mailbox import Verb

    if bool(ids) == all_failed:
        raise click.UsageError("Name what to retry by its ID, or say --all-failed.")
    if not all_failed and rule is not None:
        raise click.UsageError("--rule goes with --all-failed.")
    state = state_folder(option)
    if all_failed:
        targets = _every(asked(state, lambda reader: _failed(reader, rule)), yes=yes, as_json=as_json)
    else:
        targets = asked(state, lambda reader: meant(reader, ids))
    carry_out(state, Verb.RETRY, targets, as_json=as_json)


async def _failed(reader: Reader, rule: str | None) -> tuple[Job, ...]:
    from dropglow.ledger.base import Query
    from dropglow.model import RuleName, Stage

    name = None if rule is None else RuleName(rule)
    return await reader.find(Query(stages=frozenset({Stage.FAILED}), rule=name, limit=FAILED_MAX))


def _every(jobs: tuple[Job, ...], *, yes: bool, as_json: bool) -> tuple[Meant, ...]:
    """Return the failed *jobs* to retry, oldest first, once somebody at a terminal agreed."""
    import sys

    from dropglow.cli.asking import Meant
    from dropglow.cli.tables import counted
    from dropglow.cli.words import bill_words
    from dropglow.lifecycle import given_up

    # What may have been bought is ordered again one by one only, by a person who names it.
    again = [job for job in reversed(jobs) if not given_up(job)]
    left_out = len(jobs) - len(again)
    if left_out and not as_json:
        click.echo(f"Left out: {counted(left_out, 'job')} given up in doubt; name those to order them again.")
    if not again and not as_json:
        click.echo("Nothing to retry: no job has failed.")
    if again and not yes and sys.stdin.isatty():
        price = f"{counted(len(again), 'job')}, {bill_words(job.order for job in again)} to pay for"
        click.confirm(f"Try again {price}?", abort=True, err=True)
    return tuple(Meant(typed=job.key, drop=job.drop, job=job.key) for job in again)
