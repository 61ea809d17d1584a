"""Show a person a plan for the machine, ask, and carry it out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dropglow.installation.machine import Site
    from dropglow.installation.plan import Plan
    from dropglow.installation.record import Record


def show(heading: str, steps: Iterable[str], notes: Iterable[str]) -> None:
    """Print what will be done, and what stays."""
    lines = [f"  {line}" for line in steps]
    click.echo(f"{heading}, this will be done:" if lines else f"{heading}, nothing has to be done.")
    click.echo("\n".join(lines), nl=bool(lines))
    for note in notes:
        click.echo(f"Note: {note}")


def agreed(*, yes: bool, dry_run: bool) -> bool:
    """Return whether it may be done; False where it was only to be shown.

    Raises:
        InstallationError: Only root may do it.
        UsageError: There is nobody to ask.
        Abort: Somebody said no.
    """
    from dropglow.errors import InstallationError

    if dry_run:
        return False
    if os.geteuid() != 0:
        raise InstallationError("only root may do this", hint="say it with sudo, or only look: --dry-run")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("there is nobody to ask: say --yes to have it done, or --dry-run to only look")
    if not click.confirm("Go on?"):
        click.echo("Nothing was done.")
        raise click.exceptions.Exit(2)
    return True


def nothing_to_spare(_: Path) -> None:
    """Be content, for a plan that removes no folder with what is in it."""


def carried_out(
    plan: Plan,
    site: Site,
    record: Record,
    *,
    manager: bool,
    spare: Callable[[Path], None] = nothing_to_spare,
) -> None:
    """Carry *plan* out, and say what turned out to have to stay; *spare* is as a ``Hand`` wants it.

    Raises:
        InstallationError: The machine refused a step.
    """
    from dropglow.installation.doing import Hand

    for note in Hand(site, record, manager=manager, spare=spare).carry_out(plan):
        click.echo(f"Note: {note}")
    click.echo("Done.")
