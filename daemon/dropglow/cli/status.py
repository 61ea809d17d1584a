"""``dropglow status``: the service, its inboxes, and what needs a person.

Works with and without a running service. Files in an inbox are counted by the running service alone:
without one they are not known. ``daemon/json.md`` describes its JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from dropglow.cli.standing import Standing
    from dropglow.cli.watching import Telling
    from dropglow.sketch import Sketch


@click.command()
@click.option("--watch", is_flag=True, help="Show it again whenever something changed, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with everything.")
@click.pass_obj
def command(option: str | None, *, watch: bool, as_json: bool) -> None:
    """Show the service, its inboxes, and what needs a person.

    Every job in doubt is listed with the ways to settle it, and the latest
    failures with their reasons. Exit code 0, whatever there is to tell.
    """
    from dropglow.cli.ledger_access import Surveyor
    from dropglow.cli.watching import tell

    surveyor = Surveyor(option)
    tell(lambda: _look(surveyor.sketch()), as_json=as_json, watch=watch)


def _look(sketch: Sketch) -> Telling:
    from dropglow.cli.ledger_access import asked, holder, snapshot
    from dropglow.cli.standing import document, gather
    from dropglow.cli.watching import Telling
    from dropglow.clock import RealClock

    state = Path(sketch.state)
    held_by = holder(state)
    told = snapshot(state, held_by)
    now = RealClock().now()
    standing = asked(state, lambda reader: gather(reader, sketch, holder=held_by, snapshot=told, now=now))
    return Telling(document=lambda: document(standing), show=lambda out: _show(standing, out))


def _show(standing: Standing, out: Console) -> None:
    from dropglow.cli.status_page import show

    show(standing, out)
