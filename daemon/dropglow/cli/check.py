"""``dropglow check``: settings and rules, all faults at once.

Standard output holds the faults, or else the warnings and the verdict;
standard error a summary of the faults. With ``--json`` one document::

    {"ok": true, "config": "/…/dropglow.yaml",
     "error": null,                       what is wrong in one line, and …
     "hint": null,                        … what to do
     "faults": [{"file": …, "line": 3, "column": 5, "message": …}],
     "warnings": [the same shape],
     "rules": [{"name", "file", "line", "operation", "inbox", "outbox"}],
     "inboxes": [{"folder", "watch", "settle_s", "rescan_s"}]}

Exit codes: 0 all is well, warnings or not; 78 there are faults.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from dropglow.cli.exits import Exit, told
from dropglow.cli.tables import console, counted, line, print_json, readable
from dropglow.errors import ConfigError

if TYPE_CHECKING:
    from dropglow.config import Config

_PLACED: Final = re.compile(r"(?P<file>.*?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document: ok, faults, warnings, rules, inboxes."
)
@click.pass_obj
def command(option: str | None, *, as_json: bool) -> None:
    """Check the settings and every rule; all faults at once, as file:line:column: message."""
    from dropglow.config import load_config

    try:
        config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
    except ConfigError as error:
        if as_json:
            print_json(_refused(error))
            raise click.exceptions.Exit(Exit.CONFIGURATION) from error
        for fault in error.faults:
            click.echo(readable(fault))
        raise told(ConfigError(error.message, hint=error.hint)) from error
    if as_json:
        print_json(_accepted(config))
        return
    out = console()
    for warning in config.warnings:
        line(f"{readable(warning)} (a warning)", console=out, style="yellow")
    line(_verdict(config), console=out, style="green")


def _verdict(config: Config) -> str:
    found = f"{counted(len(config.rules), 'rule')}, {counted(len(config.inboxes), 'inbox', 'inboxes')}"
    return f"{found}: all is well"


def _accepted(config: Config) -> dict[str, Any]:
    return {
        "ok": True,
        "config": config.path,
        "error": None,
        "hint": None,
        "faults": [],
        "warnings": [_placed(warning) for warning in config.warnings],
        "rules": [
            {
                "name": rule.name,
                "file": rule.file,
                "line": rule.line,
                "operation": rule.operation,
                "inbox": rule.inbox,
                "outbox": rule.outbox,
            }
            for rule in config.rules
        ],
        "inboxes": [
            {
                "folder": plan.folder,
                "watch": plan.watch,
                "settle_s": plan.settle_s,
                "rescan_s": plan.rescan_s,
            }
            for plan in config.inboxes
        ],
    }


def _refused(error: ConfigError) -> dict[str, Any]:
    faults = [_placed(fault) for fault in error.faults]
    return {
        "ok": False,
        "config": None,
        "error": error.message,
        "hint": error.hint,
        "faults": faults,
        "warnings": [],
        "rules": [],
        "inboxes": [],
    }


def _placed(fault: str) -> dict[str, str | int]:
    found = _PLACED.fullmatch(fault)
    assert found is not None
    place = found.groupdict()
    return {**place, "line": int(place["line"]), "column": int(place["column"])}
