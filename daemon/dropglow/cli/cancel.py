"""``dropglow cancel``: stop what is under way, also at Adobe.

``daemon/json.md`` describes the JSON.
"""

from __future__ import annotations

import click

from dropglow.cli import completing


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True, shell_complete=completing.ids("open", "held"))
@click.option("--json", "as_json", is_flag=True, help="One JSON entry for each id: what became of it.")
@click.pass_obj
def command(option: str | None, *, ids: tuple[str, ...], as_json: bool) -> None:
    """Cancel what waits or runs, also at Adobe. What is ready there is paid for, and is delivered.

    An ID is a drop's, a job's, the beginning of one, or Adobe's job id. When all
    jobs of a file rest, it goes to _failed; `dropglow retry` brings it back. With
    no service running, Adobe is asked at the next start.
    """
    from dropglow.cli.asking import carry_out, meant
    from dropglow.cli.ledger_access import asked, state_folder
    from dropglow.ledger.mailbox import Verb

    state = state_folder(option)
    carry_out(state, Verb.CANCEL, asked(state, lambda reader: meant(reader, ids)), as_json=as_json)
