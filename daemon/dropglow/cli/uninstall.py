"""``dropglow uninstall``: undo what ``dropglow install`` did, and nothing else.

Exit codes: 0 it is done; 1 there is nothing to undo, or something stands in the way; 2 wrong usage, or nobody agreed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropglow.model import RuleName, Stage

BEFORE: Final = "let the service finish them, or settle them: dropglow jobs"
AFTER: Final = "it is stopped: start it again and let it finish them, or settle them: dropglow jobs"


@click.command()
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--with-ledger",
    is_flag=True,
    help="Also remove the ledger: all that is known of orders. Every job has to be over, or held.",
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
    from dropglow.installation.wanted import STATE

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
        _refuse_losses(asyncio.run(_open_jobs(site.at(STATE))), hint=BEFORE)
    show("To uninstall Dropglow", described(plan), plan.notes)
    if agreed(yes=yes, dry_run=dry_run):
        carried_out(plan, site, record, manager=machine.manager, spare=_spare)


def _spare(state: Path) -> None:
    """Look once more, now that nothing can be bought: it could be until the service was stopped.

    Raises:
        InstallationError: Somebody still uses the ledger in *state*, or needs what is in it.
    """
    from dropglow.errors import InstallationError
    from dropglow.ledger.lock import Busy

    try:
        open_jobs = asyncio.run(_last_open_jobs(state))
    except Busy as busy:
        raise InstallationError(busy.message, hint="stop that one, and say the same again") from busy
    _refuse_losses(open_jobs, hint=AFTER)


def _refuse_losses(open_jobs: int, *, hint: str) -> None:
    """Refuse to forget what waits in the inboxes' work folders, what was bought and did not come yet, or may have been bought.

    Raises:
        InstallationError: There is such work.
    """
    from dropglow.errors import InstallationError

    if open_jobs:
        raise InstallationError(
            f"the ledger holds jobs that wait, are bought and not delivered, or in doubt: {open_jobs}",
            hint=hint,
        )


async def _open_jobs(state: Path) -> int:
    """Return how many jobs of the ledger in *state* are not over, without touching it."""
    from dropglow.ledger.place import LEDGER_FILE
    from dropglow.ledger.sqlite import SqliteReader

    if not (state / LEDGER_FILE).exists():
        return 0
    reader = SqliteReader.open(state / LEDGER_FILE)
    try:
        return _counted(await reader.unfinished())
    finally:
        await reader.close()


async def _last_open_jobs(state: Path) -> int:
    """Return the same as its only user, with the receipts that did not reach the ledger."""
    from dropglow.holding import own

    async with own(state) as owned:
        return _counted(await owned.ledger.unfinished())


def _counted(unfinished: Mapping[tuple[RuleName, Stage], int]) -> int:
    from dropglow.model import Stage

    # What is held lies in the inbox's `_held`, where people see it, and nothing was bought for it.
    return sum(count for (_, stage), count in unfinished.items() if stage is not Stage.HELD)
