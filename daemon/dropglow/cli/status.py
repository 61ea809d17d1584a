"""``dropglow status``: the service, its inboxes, and what needs a person.

Works with and without a running service. Files in an inbox are counted by the running service alone:
without one they are not known. ``daemon/json.md`` describes its JSON.
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document with everything.")
@click.pass_obj
def command(option: str | None, *, as_json: bool) -> None:
    """Show the service, its inboxes, and what needs a person.

    Every job in doubt is listed with the ways to settle it, and the latest
    failures with their reasons. Exit code 0, whatever there is to tell.
    """
    from dropglow.cli.ledger_access import asked, holder, snapshot, surveyed
    from dropglow.cli.standing import document, gather
    from dropglow.clock import RealClock

    survey = surveyed(option)
    state = Path(survey.config.state)
    held_by = holder(state)
    told = snapshot(state, held_by)
    now = RealClock().now()
    standing = asked(state, lambda reader: gather(reader, survey, holder=held_by, snapshot=told, now=now))
    if as_json:
        from dropglow.cli.tables import print_json

        print_json(document(standing))
        return
    from dropglow.cli.status_page import show
    from dropglow.cli.tables import console

    show(standing, console())
