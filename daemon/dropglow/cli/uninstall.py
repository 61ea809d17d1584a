"""``dropglow uninstall``: undo what ``dropglow install`` did, and nothing else.

Exit codes: 0 it is done; 1 there is nothing to undo, or something stands in the way; 2 wrong usage, or nobody agreed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dropglow.installation.machine import Site


@click.command()
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--with-ledger",
    is_flag=True,
    help="Also remove the ledger: all that is known of orders, bought ones and those in doubt included.",
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    metavar="DIR",
    help="Uninstall from the system below DIR, which does not run.",
)
def command(*, yes: bool, dry_run: bool, with_ledger: bool, root: Path) -> None:
    """Stop the service, and remove what `dropglow install` made, as far as nobody changed it since.

    What people dropped and what came of it always stays, and the ledger stays unless --with-ledger is said. Shows what it will
    do, and asks, before it does anything. The program itself is removed by whatever installed it: pipx, uv or pip.
    """
    from dropglow.cli.agreeing import agreed, carried_out, show
    from dropglow.errors import InstallationError
    from dropglow.installation.machine import Site
    from dropglow.installation.plan import described, uninstalling

    site = Site(root=root.resolve())
    record = site.record()
    if record is None:
        raise InstallationError(
            "there is nothing to undo: Dropglow was not installed by `dropglow install`",
            hint="what was installed by hand is removed by hand: systemd/README.md lists it",
        )
    machine = site.looked_at((), record)
    plan = uninstalling(machine, record, with_ledger=with_ledger)
    if plan.faults:
        raise InstallationError("\n".join(plan.faults), hint="nothing was done")
    if with_ledger:
        _refuse_losses(site)
    show("To uninstall Dropglow", described(plan), plan.notes)
    if agreed(yes=yes, dry_run=dry_run):
        carried_out(plan, site, record, manager=machine.manager)


def _refuse_losses(site: Site) -> None:
    """Refuse to forget what was bought and did not come yet, or may have been bought.

    Raises:
        InstallationError: There is such work.
    """
    from dropglow.errors import InstallationError
    from dropglow.installation.wanted import STATE

    if open_jobs := asyncio.run(_spent_and_open(site.at(STATE))):
        raise InstallationError(
            f"the ledger holds jobs that are bought and not delivered, or in doubt: {open_jobs}",
            hint="let the service finish them, or settle them: dropglow jobs",
        )


async def _spent_and_open(state: Path) -> int:
    """Return how many jobs of the ledger in *state* cost something and are not over."""
    from dropglow.ledger.place import LEDGER_FILE
    from dropglow.ledger.sqlite import SqliteReader
    from dropglow.model import Stage

    if not (state / LEDGER_FILE).exists():
        return 0
    reader = SqliteReader.open(state / LEDGER_FILE)
    try:
        unfinished = await reader.unfinished()
    finally:
        await reader.close()
    unspent = {Stage.QUEUED, Stage.HELD}
    return sum(count for (_, stage), count in unfinished.items() if stage not in unspent)
