"""``dropglow install``: put Dropglow onto this machine as a service of systemd's.

Exit codes: 0 it is done, or nothing had to be; 1 something stands in the way; 2 wrong usage, or nobody agreed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropglow.installation.machine import Site
    from dropglow.installation.plan import Machine, Plan
    from dropglow.installation.record import Record
    from dropglow.installation.wanted import Item

ASKED: Final = (("client id", False), ("client secret", True))  # and whether it is hidden while it is typed


@click.command()
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--http", is_flag=True, help="Also open 127.0.0.1:9817, where it says how it is.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    metavar="DIR",
    help="Install into the system below DIR, which does not run: an image that is being made.",
)
def command(*, yes: bool, dry_run: bool, http: bool, root: Path) -> None:
    """Install the service: user, folders, units, a first configuration and a first rule.

    Shows what it will do, and asks, before it does anything. What somebody else made or changed stays as it is, and
    running it again does only what is missing. `dropglow uninstall` undoes it. Only root may do it; --dry-run may
    be anybody's.
    """
    from dropglow.cli.agreeing import agreed, carried_out, show
    from dropglow.installation.machine import Site
    from dropglow.installation.plan import described, installing
    from dropglow.installation.record import Record

    site = Site(root=root.resolve())
    record = site.record() or Record()
    items = _items(site, http=http)
    if not (yes or dry_run):
        items = (*items, *_credentials(site, items, record))
    machine = site.looked_at(items, record)
    plan = installing(items, machine, record)
    _refuse(plan, site)
    show("To install Dropglow", described(plan), plan.notes)
    if plan.steps and agreed(yes=yes, dry_run=dry_run):
        carried_out(plan, site, record, manager=machine.manager)
        machine = site.looked_at(items, record)
    if not dry_run:
        _say_what_is_left(site, machine, plan)


def _items(site: Site, *, http: bool) -> tuple[Item, ...]:
    from dropglow.installation.machine import program, shipped, systemd_version
    from dropglow.installation.wanted import wanted

    return wanted(shipped(), program=program(), http=http, systemd=systemd_version() if site.here else 0)


def _credentials(site: Site, items: Sequence[Item], record: Record) -> list[Item]:
    """Return the files of Adobe's credentials, if somebody is there who types them in."""
    from dropglow.installation.wanted import CREDENTIAL_FILES, File

    if not sys.stdin.isatty() or os.geteuid() != 0:
        return []
    seen = site.looked_at(items, record).seen
    found: list[Item] = []
    for path, (what, hidden) in zip(CREDENTIAL_FILES, ASKED, strict=True):
        if path in seen:
            continue
        typed = click.prompt(
            f"Adobe's {what} (empty: later)", default="", show_default=False, hide_input=hidden
        )
        if not typed.strip():
            return []
        found.append(File(path=path, content=f"{typed.strip()}\n".encode(), edited=True, mode=0o600))
    return found


def _refuse(plan: Plan, site: Site) -> None:
    """Refuse what cannot come to a good end, before anything is done.

    Raises:
        InstallationError: Something stands in the way.
    """
    from dropglow.errors import InstallationError
    from dropglow.installation.machine import program, unreachable

    faults = list(plan.faults)
    if site.here and (hidden := unreachable(program())):
        faults.append(hidden)
    if faults:
        raise InstallationError("\n".join(faults), hint="nothing was done")


def _say_what_is_left(site: Site, machine: Machine, plan: Plan) -> None:
    from dropglow.installation.machine import program
    from dropglow.installation.plan import next_steps

    lines = [*next_steps(machine, plan, image="" if site.here else str(site.root))]
    if not site.at(program()).exists():
        lines.insert(0, f"put the program itself into it, as {program()}")
    if lines:
        click.echo("\nWhat is left to do:\n" + "\n".join(f"  {line}" for line in lines))
