"""``dropglow explain FILE``: which rule takes a file and why, the exact requests, their price, the results' names.

Buys nothing and asks nobody but the file and the ledger. ``daemon/json.md`` describes its JSON: one shape for a file,
another for a folder that rules with ``drop: folder`` take whole.

Exit codes: 0 it is explained, whatever the answer; 2 there is no such inbox; 78 the configuration has faults.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from dropglow.cli.outlook import Outlook
    from dropglow.cli.starting import Start
    from dropglow.config import Config
    from dropglow.intake.plan import InboxPlan
    from dropglow.model import RuleName
    from dropglow.money import Amount


@click.command()
@click.argument("file", shell_complete=completing.files)
@click.option(
    "--inbox",
    metavar="FOLDER",
    shell_complete=completing.folders,
    help="The inbox to think of; default: the one that the file lies in, else every one.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: inboxes, rules, orders, results.")
@click.pass_obj
def command(option: str | None, *, file: str, inbox: str | None, as_json: bool) -> None:
    """Say what would happen to FILE, and why. Nothing is bought.

    FILE lies in an inbox, or anywhere else, or is only a name that a file
    could have: then everything is told that follows from the name. It may be
    a folder where a rule takes whole ones.
    """
    from dropglow.cli import folder_view
    from dropglow.cli.bought_before import bought_before
    from dropglow.cli.folder_forecast import folder_forecasts
    from dropglow.cli.forecast import forecast
    from dropglow.cli.forecast_view import document, tell
    from dropglow.cli.subject import find_subject
    from dropglow.cli.tables import console, print_json
    from dropglow.cli.taken_before import taken_before
    from dropglow.config import load_config

    cwd = str(Path.cwd())
    config = load_config(option, environ=os.environ, cwd=cwd)
    chosen = None if inbox is None else _inbox(config, inbox, cwd)
    now = datetime.now(UTC).astimezone()
    whole = folder_forecasts(config, file, cwd=cwd, inbox=chosen, now=now)
    if whole is not None:
        folder, found = whole
        told = [
            replace(
                each,
                outlook=_asked(config, each.amounts, now),
                start=_start(config, each.plan, each.amounts, None, now),
            )
            for each in found
        ]
        if as_json:
            print_json(folder_view.document(folder, told))
            return
        folder_view.tell(folder, told, out=console())
        return
    subject = find_subject(config, file, cwd=cwd, inbox=chosen)
    foreseen = (forecast(config, subject, place, now=now) for place in subject.places)
    forecasts = [
        replace(
            each,
            before=bought_before(config, subject, each),
            outlook=_asked(config, each.amounts, now),
            start=_start(config, each.plan, each.amounts, subject.file if each.place.dropped else None, now),
            known=taken_before(config, subject, each),
        )
        for each in foreseen
    ]
    if as_json:
        print_json(document(subject, forecasts))
        return
    tell(subject, forecasts, out=console())


def _asked(config: Config, wanted: dict[RuleName, tuple[Amount, ...]], now: datetime) -> Outlook | None:
    """Return what budgets say to what each rule would buy."""
    from dropglow.cli.outlook import outlook

    return outlook(Path(config.state), config.budgets, wanted, now=now) if wanted else None


def _start(
    config: Config,
    plan: InboxPlan,
    wanted: dict[RuleName, tuple[Amount, ...]],
    file: str | None,
    now: datetime,
) -> Start | None:
    """Return when what is *wanted* would be ordered; *file* is what lies in the inbox."""
    from dropglow.cli.starting import foreseen_start, touched_at

    if not wanted:
        return None
    changed_at = None if file is None else touched_at(file)
    return foreseen_start(config, plan, changed_at=changed_at, now=now)


def _inbox(config: Config, named: str, cwd: str) -> str:
    """Return the inbox meant by its path, or by the end of its path."""
    from dropglow.intake.lookout import Lookout
    from dropglow.rules.paths import resolved
    from dropglow.rules.places import lies_inside

    path, seen = resolved(cwd, named), Lookout(silent=config.silent)
    ending = "/" + named.strip("/")
    for plan in config.inboxes:
        if lies_inside(path, plan.folder, seen=seen) and lies_inside(plan.folder, path, seen=seen):
            return plan.folder
    ends = [plan.folder for plan in config.inboxes if plan.folder.endswith(ending)]
    if len(ends) == 1:
        return ends[0]
    known = ", ".join(plan.folder for plan in config.inboxes)
    raise click.BadParameter(f"{named} is no inbox; there are {known}", param_hint="--inbox")
