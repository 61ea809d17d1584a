"""``dropglow check``: settings and rules, all faults at once; with ``--online`` also what Adobe says of them.

Standard output holds the faults, or else the warnings and the verdict;
standard error a summary of the faults. ``daemon/json.md`` describes its JSON.

``online`` is there once Adobe has accepted the credentials and the account;
``custom_models`` are those that rules name and Adobe knows. Nothing is spent.
Exit codes: 0 all is well, warnings or not; 75 Adobe cannot be asked just now;
78 there are faults. While there are faults in the files, Adobe is not asked.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from dropglow.cli.exits import Exit, told
from dropglow.cli.tables import console, counted, line, print_json, readable
from dropglow.errors import ConfigError, FireflyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropglow.cli.account_faults import Findings
    from dropglow.cli.online import Account
    from dropglow.config import Config

_PLACED: Final = re.compile(r"(?P<file>.*?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)


@click.command()
@click.option("--online", is_flag=True, help="Ask Adobe as well: credentials, account, custom models.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document: ok, faults, warnings, rules, inboxes, online."
)
@click.pass_obj
def command(option: str | None, *, online: bool, as_json: bool) -> None:
    """Check the settings and every rule; all faults at once, as file:line:column: message."""
    from dropglow.config import load_config

    try:
        config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
        found = _asked(config, as_json=as_json) if online else None
    except ConfigError as error:
        if as_json:
            print_json(_refused(error))
            raise click.exceptions.Exit(Exit.CONFIGURATION) from error
        for fault in error.faults:
            click.echo(readable(fault))
        raise told(ConfigError(error.message, hint=error.hint)) from error
    if as_json:
        print_json(_accepted(config, found))
        return
    out = console()
    for warning in (*config.warnings, *config.silences, *(found.warnings if found else ())):
        line(f"{readable(warning)} (a warning)", console=out, style="yellow")
    if found is not None:
        for text in _praise(config, found):
            line(readable(text), console=out)
    line(_verdict(config), console=out, style="green")


def _asked(config: Config, *, as_json: bool) -> Findings:
    """Return what Adobe says, without faults; or end the command, because Adobe cannot be asked just now."""
    from dropglow.cli.account_faults import findings, told_of_account

    try:
        found = findings(config, os.environ)
    except FireflyError as error:
        words = told_of_account(error)
        if as_json:
            print_json(_refused(ConfigError(words.message, hint=words.hint)))
            raise click.exceptions.Exit(words.exit_code) from error
        raise words from error
    if found.faults:
        raise ConfigError(
            f"orders would not go through: {counted(len(found.faults), 'fault')} in {config.path}",
            hint="mend what is named above; `dropglow check --online` asks again",
            faults=found.faults,
        )
    return found


def _praise(config: Config, found: Findings) -> Iterator[str]:
    account = found.account
    assert account is not None, "there are faults otherwise"
    yield f"{account.api} accepts the credentials, and the account may use Firefly"
    for each in _custom_models(config, account):
        base = f", trained upon {each['base_model']}" if each["base_model"] else ""
        yield f"rule {each['rule']}: the custom model {each['name']} is {each['state'] or 'there'}{base}"


def _custom_models(config: Config, account: Account) -> list[dict[str, str]]:
    from dropglow.firefly.custom_rules import custom_model_id

    models = {model.id: model for model in account.models}
    return [
        {
            "rule": rule.name,
            "id": model.id,
            "name": model.name,
            "base_model": model.base,
            "training_mode": model.training_mode,
            "state": model.state,
        }
        for rule in config.rules
        if (model := models.get(custom_model_id(rule))) is not None
    ]


def _verdict(config: Config) -> str:
    found = f"{counted(len(config.rules), 'rule')}, {counted(len(config.inboxes), 'inbox', 'inboxes')}"
    return f"{found}: all is well"


def _accepted(config: Config, found: Findings | None) -> dict[str, Any]:
    return {
        "ok": True,
        "config": config.path,
        "error": None,
        "hint": None,
        "faults": [],
        "warnings": [
            _placed(each) for each in (*config.warnings, *config.silences, *(found.warnings if found else ()))
        ],
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
        "online": _online(config, found.account if found else None),
    }


def _online(config: Config, account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return None
    return {"api": account.api, "custom_models": _custom_models(config, account)}


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
        "online": None,
    }


def _placed(fault: str) -> dict[str, str | int]:
    found = _PLACED.fullmatch(fault)
    assert found is not None
    place = found.groupdict()
    return {**place, "line": int(place["line"]), "column": int(place["column"])}
