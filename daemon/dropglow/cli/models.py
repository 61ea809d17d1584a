"""``dropglow models``: the custom models that the account can see, and which rules use them.

``daemon/json.md`` describes its JSON. Exit codes: 0 the list was given, also where it is
empty; 75 Adobe cannot be reached, or is not well; 78 the configuration, the credentials or the account are not right.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from dropglow.firefly.custom_models import CustomModel
    from dropglow.rules.rule import Rule

COLUMNS: Final = (
    "model",
    "custom_model_id",
    "base",
    "trained on",
    "say in prompt",
    "state",
    "rules",
    "sample prompt",
)


@click.command()
@click.option("--sandbox", is_flag=True, help="Ask a pretend Adobe; no credentials.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: api, models, missing.")
@click.pass_obj
def command(option: str | None, *, sandbox: bool, as_json: bool) -> None:
    """List the custom models of the account, and which rules use them. Nothing is spent."""
    import asyncio

    from dropglow.cli.account_faults import told_of_account
    from dropglow.cli.online import asked_for_models
    from dropglow.cli.tables import print_json
    from dropglow.config import load_config
    from dropglow.errors import FireflyError
    from dropglow.firefly.custom_rules import rules_with_custom_models

    config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
    users = rules_with_custom_models(config.rules)
    try:
        api, models = asyncio.run(asked_for_models(config, sandbox=sandbox))
    except FireflyError as error:
        raise told_of_account(error) from error
    missing = {named: rules for named, rules in users.items() if named not in {model.id for model in models}}
    if as_json:
        print_json(
            {
                "api": api,
                "models": [_document(model, users) for model in models],
                "missing": [{"id": named, "rules": _names(rules)} for named, rules in missing.items()],
            }
        )
        return
    _show(models, users, missing)


def _document(model: CustomModel, users: Mapping[str, Sequence[Rule]]) -> dict[str, Any]:
    facts = asdict(model)
    facts["base_model"] = facts.pop("base_name")
    return {**facts, "rules": _names(users.get(model.id, ()))}


def _names(rules: Sequence[Rule]) -> list[str]:
    return [rule.name for rule in rules]


def _show(
    models: Sequence[CustomModel],
    users: Mapping[str, Sequence[Rule]],
    missing: Mapping[str, Sequence[Rule]],
) -> None:
    from dropglow.cli.tables import console, line, readable

    out = console()
    if models:
        _list([_row(model, users) for model in models], console=out)
    else:
        line("This account has no custom models.", console=out)
    for named, rules in missing.items():
        text = f"{', '.join(_names(rules))}: Adobe knows no custom model {named}"
        line(readable(text), console=out, style="yellow")


def _list(rows: Sequence[Sequence[str]], *, console: Console) -> None:
    """Write a table; on a terminal that is too narrow for it, a block for each model, so that ids stay whole."""
    from dropglow.cli.facts import fact, heading
    from dropglow.cli.tables import readable, table

    widths = [max(len(readable(cell)) for cell in column) for column in zip(COLUMNS, *rows, strict=True)]
    if not console.is_terminal or sum(widths) + 2 * len(widths) <= console.width:
        table(COLUMNS, rows, console=console)
        return
    for name, *texts in rows:
        heading(name, console=console)
        for column, text in zip(COLUMNS[1:], texts, strict=True):
            if text:
                fact(column, text, console=console)


def _row(model: CustomModel, users: Mapping[str, Sequence[Rule]]) -> tuple[str, ...]:
    return (
        model.name,
        model.id,
        model.base,
        model.training_mode,
        model.concept_id,
        "not published" if model.state == "never" else model.state,
        ", ".join(_names(users.get(model.id, ()))),
        model.sample_prompt,
    )
