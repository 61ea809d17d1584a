"""``dropglow resolve``: settle jobs of which nobody knows whether Adobe took the order.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from dropglow.cli.asking import Meant
    from dropglow.ledger.base import Reader
    from dropglow.ledger.mailbox import Verb
    from dropglow.model import Job


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True, shell_complete=completing.ids("in_doubt"))
@click.option("--job-id", metavar="URN", help="It is there: this is Adobe's job id; take its results.")
@click.option(
    "--resubmit", is_flag=True, help="It is not there: order again. If it was, it is paid for twice."
)
@click.option("--abandon", is_flag=True, help="Give it up; it stays counted as spent.")
@click.option("--yes", is_flag=True, help="With --resubmit on a terminal: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON entry for each id: what became of it.")
@click.pass_obj
def command(
    option: str | None,
    *,
    ids: tuple[str, ...],
    job_id: str | None,
    resubmit: bool,
    abandon: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Settle jobs in doubt: look at Adobe first, then say what is true, in exactly one of three ways.

    An ID is a drop's, a job's, or the beginning of one; `dropglow status` lists
    them. --resubmit asks for confirmation on a terminal only. With --job-id Adobe
    is asked about that job first; with no service running, at the next start.
    """
    from dropglow.cli.asking import carry_out, meant
    from dropglow.cli.ledger_access import asked, state_folder

    verb = _verb(job_id=job_id, resubmit=resubmit, abandon=abandon, ids=ids)
    state = state_folder(option)
    targets = asked(state, lambda reader: meant(reader, ids))
    if resubmit and not yes and sys.stdin.isatty():
        _confirm(asked(state, lambda reader: _doubted(reader, targets)))
    carry_out(state, verb, targets, argument=job_id or "", as_json=as_json)


def _verb(*, job_id: str | None, resubmit: bool, abandon: bool, ids: tuple[str, ...]) -> Verb:
    from dropglow.firefly.hosts import job_id_like
    from dropglow.ledger.mailbox import Verb

    if (job_id is not None) + resubmit + abandon != 1:
        raise click.UsageError("Say exactly one of --job-id URN, --resubmit and --abandon.")
    if job_id is None:
        return Verb.RESUBMIT if resubmit else Verb.ABANDON
    if len(ids) > 1:
        raise click.UsageError("A job id belongs to one job: name only that one.")
    if not job_id_like(job_id):
        raise click.BadParameter(
            f"{job_id!r} is not a job id of Adobe's: one looks like urn:ff:jobs:<shard>:<uuid>, or is the UUID alone.",
            param_hint="--job-id",
        )
    return Verb.ATTACH


async def _doubted(reader: Reader, targets: tuple[Meant, ...]) -> tuple[Job, ...]:
    from dropglow.cli.asking import jobs_meant
    from dropglow.model import Stage

    every = [job for each in targets for job in await jobs_meant(reader, each)]
    return tuple(job for job in every if job.stage is Stage.IN_DOUBT)


def _confirm(jobs: tuple[Job, ...]) -> None:
    from dropglow.cli.tables import readable
    from dropglow.cli.words import bill_words

    if not jobs:
        return
    for job in jobs:
        click.echo(f"{job.key}  {readable(job.source)}  {job.order.operation} {job.order.size}", err=True)
    click.confirm(
        f"If Adobe took what was sent first, {bill_words(job.order for job in jobs)} will be paid for twice. Order again?",
        abort=True,
        err=True,
    )
