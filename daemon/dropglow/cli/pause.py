"""``dropglow pause``: stop spending; what was bought is still fetched and delivered.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

import click


@click.command()
@click.option("--reason", metavar="TEXT", default="", help="Why, for whoever reads `status`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: what became of it.")
@click.pass_obj
def command(option: str | None, *, reason: str, as_json: bool) -> None:
    """Stop spending: nothing is ordered or uploaded. What was bought is still fetched and delivered.

    Holds across restarts, until `dropglow resume`. With or without a running service.
    """
    from dropglow.cli.ledger_access import state_folder
    from dropglow.cli.switching import switch
    from dropglow.ledger.mailbox import Verb

    switch(state_folder(option), Verb.PAUSE, argument=reason, as_json=as_json)
