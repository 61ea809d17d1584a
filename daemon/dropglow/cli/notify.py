"""``dropglow notify``: send a test message to those who are told what happens, and say what became of it.

``daemon/json.md`` describes its JSON. Exit codes: 0 everybody took it; 1 somebody did not; 2 there is no such
receiver; 78 there is no usable configuration.
"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropglow.errors import NotTold
    from dropglow.notices import Message
    from dropglow.notify.settings import Receiver


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: receivers.")
@click.pass_obj
def command(option: str | None, *, names: tuple[str, ...], as_json: bool) -> None:
    """Send a test message to every receiver under `notify:` in the configuration, or to those named.

    It works whether a service runs or not, and counts against no bound. Run it as the user of the service,
    where the secrets are. Exit code 1 when one of them did not take it.
    """
    from dropglow.cli.exits import Exit
    from dropglow.config import load_config

    config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
    receivers = _chosen(config.notify.receivers, names)
    refusals = asyncio.run(_sent(receivers))
    outcomes = list(zip(receivers, refusals, strict=True))
    if as_json:
        from dropglow.cli.tables import print_json

        print_json({"receivers": [_document(receiver, refusal) for receiver, refusal in outcomes]})
    else:
        for receiver, refusal in outcomes:
            _show(receiver, refusal)
    if any(refusal is not None for refusal in refusals):
        raise click.exceptions.Exit(Exit.TROUBLED)


def _chosen(receivers: Sequence[Receiver], names: tuple[str, ...]) -> list[Receiver]:
    from dropglow.cli.exits import Exit, Told

    if not receivers:
        raise Told(
            "nobody is told of anything: the configuration names no receivers",
            hint='write them under notify:, as the README says in "Notifications"',
            code=Exit.CONFIGURATION,
        )
    known = {receiver.name: receiver for receiver in receivers}
    for name in names:
        if name not in known:
            raise click.BadParameter(f"there is no receiver {name}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] if names else [*receivers]


async def _sent(receivers: Sequence[Receiver]) -> list[NotTold | None]:
    from dropglow.notify.sending import Sender, refusal
    from dropglow.runtime.lane import DaemonThreads

    # A mail server that never ends what it says would keep a thread of asyncio's own, and with it the command.
    asyncio.get_running_loop().set_default_executor(DaemonThreads(len(receivers), "notify"))
    sender, message = Sender(environ=os.environ, host=socket.gethostname()), trial()
    return await asyncio.gather(*(refusal(sender.send, each, message) for each in receivers))


def trial() -> Message:
    """Return a message that says that it is none."""
    from dropglow.notices import Kind, Message

    return Message(
        kind=Kind.RECOVERY,
        title="a test",
        lines=("Somebody said `dropglow notify`. What is told here from now on is meant.",),
        counts={},
    )


def _document(receiver: Receiver, refusal: NotTold | None) -> dict[str, object]:
    return {
        "name": receiver.name,
        "way": way_of(receiver),
        "ok": refusal is None,
        "error": None if refusal is None else refusal.message,
        "hint": None if refusal is None else refusal.hint or None,
    }


def way_of(receiver: Receiver) -> str:
    """Return the way to *receiver* in the configuration's word."""
    return type(receiver.way).__name__.lower()


def _show(receiver: Receiver, refusal: NotTold | None) -> None:
    from dropglow.cli.facts import fact
    from dropglow.cli.tables import console

    out = console()
    if refusal is None:
        fact(receiver.name, f"taken ({way_of(receiver)})", console=out, indent=0, style="green")
        return
    fact(receiver.name, refusal.message, console=out, indent=0, style="red")
    if refusal.hint:
        fact("", f"-> {refusal.hint}", console=out, indent=0)
