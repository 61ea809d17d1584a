"""``dropglow resume``: let spending go on.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document: what became of it.")
@click.pass_obj
def command(option: str | None, *, as_json: bool) -> None:
    """Let spending go on after `dropglow pause`, or after the brake stopped it.

    With or without a running service.
    """
    from dropglow.cli.ledger_access import state_folder
    from dropglow.cli.switching import switch
    from dropglow.ledger.mailbox import Verb

    switch(state_folder(option), Verb.RESUME, as_json=as_json)
