"""``dropglow doctor``: look at everything that a service needs, and say what to do where something is wrong.

Nothing is spent, and nothing is left behind. ``daemon/json.md`` describes its JSON.

Exit codes: 0 nothing must be done; 1 something must be; 78 there is no configuration to look at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from dropglow.cli.findings import Finding
    from dropglow.cli.lost_orders import LostOrder
    from dropglow.config import Survey

_MARKS: Final = {"fine": ("ok", "green"), "advice": ("note", "yellow"), "wrong": ("WRONG", "red")}


@click.command()
@click.option("--offline", is_flag=True, help="Do not ask Adobe.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: ok, findings, in_doubt.")
@click.pass_obj
def command(option: str | None, *, offline: bool, as_json: bool) -> None:
    """Look at credentials, clock, disk, rights and watches; say what to do about what is wrong.

    Run it as the user of the service. For each order in doubt it says by what it may be found at Adobe, what Adobe took
    about the same time, and the three commands one of which settles it. Exit code 1 when something must be done.
    """
    from dropglow.cli.exits import Exit
    from dropglow.cli.findings import Grade
    from dropglow.cli.lost_orders import lost_document, show_lost
    from dropglow.cli.tables import console
    from dropglow.config import survey_config

    survey = survey_config(option, environ=os.environ, cwd=str(Path.cwd()))
    found, doubts = [*_findings(survey, offline=offline)], _doubts(survey)
    ill = bool(doubts) or any(each.grade is Grade.WRONG for each in found)
    base_url = survey.config.api.base_url
    if as_json:
        _print_document(
            found, [lost_document(each, base_url=base_url, option=option) for each in doubts], ok=not ill
        )
    else:
        out = console()
        for finding in found:
            _show_finding(finding, out)
        for doubt in doubts:
            show_lost(doubt, out, base_url=base_url, option=option)
        _show_verdict(out, ill=ill)
    if ill:
        raise click.exceptions.Exit(Exit.TROUBLED)


def _findings(survey: Survey, *, offline: bool) -> Iterator[Finding]:
    from dropglow.cli.folder_findings import folders
    from dropglow.cli.machine_findings import machine, watches
    from dropglow.cli.receiver_findings import receivers
    from dropglow.intake.mounts import watching_mode

    yield _configuration(survey)
    yield from machine(os.environ)
    yield from folders(survey.config)
    watched = [plan.folder for plan in survey.config.inboxes if watching_mode(plan).notify]
    yield watches(watched)
    yield from receivers(survey.config.notify, os.environ)
    if not offline:
        from dropglow.cli.adobe_findings import adobe

        yield from adobe(survey.config)


def _configuration(survey: Survey) -> Finding:
    from dropglow.cli.findings import fine, wrong
    from dropglow.cli.tables import counted

    config, refusal = survey.config, survey.refusal
    if refusal is not None:
        return wrong(
            "configuration", f"{counted(len(refusal.faults), 'fault')} in {config.path}", "dropglow check"
        )
    return fine("configuration", f"{config.path}: {counted(len(config.rules), 'rule')}")


def _doubts(survey: Survey) -> tuple[LostOrder, ...]:
    """Return the orders in doubt, oldest first; none where the ledger cannot be read, which is told elsewhere."""
    from dropglow.cli.ledger_access import asked
    from dropglow.cli.lost_orders import lost_orders
    from dropglow.errors import LedgerError

    try:
        return asked(Path(survey.config.state), lost_orders)
    except LedgerError:
        return ()


def _print_document(found: Sequence[Finding], doubts: Sequence[dict[str, Any]], *, ok: bool) -> None:
    from dataclasses import asdict

    from dropglow.cli.tables import print_json

    print_json({"ok": ok, "findings": [asdict(each) for each in found], "in_doubt": list(doubts)})


def _show_verdict(out: Console, *, ill: bool) -> None:
    from dropglow.cli.tables import line

    line("", console=out)
    if ill:
        line("Something must be done: see above.", console=out, style="red")
    else:
        line("Nothing must be done.", console=out, style="green")


def _show_finding(finding: Finding, out: Console) -> None:
    from dropglow.cli.facts import fact

    mark, colour = _MARKS[finding.grade]
    fact(
        finding.subject,
        f"{mark}: {finding.what}",
        console=out,
        indent=0,
        style="" if mark == "ok" else colour,
    )
    if finding.todo:
        fact("", f"-> {finding.todo}", console=out, indent=0)
