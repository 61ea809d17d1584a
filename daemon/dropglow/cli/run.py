"""``dropglow run``: the service in the foreground."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropglow.cli.exits import Exit, Told, told
from dropglow.errors import ConfigError, DropglowError

if TYPE_CHECKING:
    from dropglow.cli.live import View
    from dropglow.config import Config
    from dropglow.frontage import Frontage
    from dropglow.runtime.bell import Bell
    from dropglow.runtime.service import Outcome
    from dropglow.sandbox.world import World


@click.command()
@click.option("--once", is_flag=True, help="Exit when every inbox is drained and every job rests.")
@click.option("--sandbox", is_flag=True, help="With a pretend Adobe inside; no credentials, no costs.")
@click.option(
    "--http",
    "address",
    metavar="ADDRESS",
    help="Answer /live, /ready, /metrics and browsers there: a port of this machine alone, or HOST:PORT.",
)
@click.option(
    "--http-name",
    "names",
    metavar="NAME[:PORT]",
    multiple=True,
    help="A name besides the address itself by which --http may be asked. May be given several times.",
)
@click.option("--plain", is_flag=True, help="On a terminal: the log, and not the live view.")
@click.option("--verbose", is_flag=True, help="Log every step of every job; no live view either.")
@click.pass_obj
def command(
    option: str | None,
    once: bool,  # noqa: FBT001
    sandbox: bool,  # noqa: FBT001
    address: str | None,
    names: tuple[str, ...],
    plain: bool,  # noqa: FBT001
    verbose: bool,  # noqa: FBT001
) -> None:
    """Serve the inboxes until stopped (SIGTERM or Ctrl-C). Remote jobs go on and are resumed at the next start.

    On a terminal it shows inboxes, jobs and money as they are, and warnings above them; elsewhere it logs.

    SIGHUP, or an edited configuration or rule file, has the configuration read again; jobs that run already
    finish as they began. A broken edit changes nothing, and `status` says so.

    Exit codes with --once: 0 everything was delivered; 1 something failed, is held or is in doubt;
    75 try again later, also where Adobe has not given a good answer for five minutes; 78 there is no usable
    configuration, or there are no credentials. Where the log is no terminal, the reason of a failure is an event of it.
    """
    from dropglow.ops.logging import set_up, writes_json
    from dropglow.ops.systemd import WATCHDOG_USEC

    set_up(level=logging.DEBUG if verbose else logging.INFO)
    if os.environ.get(WATCHDOG_USEC):
        faulthandler.enable()  # the watchdog ends a process by SIGABRT: its log is to show where it stood
    try:
        _run(option, once=once, sandbox=sandbox, live=not plain and not verbose, front=_front(address, names))
    except (DropglowError, Told) as error:
        if not writes_json(sys.stderr):
            raise
        raise click.exceptions.Exit(_logged(error)) from error


def _logged(error: DropglowError | Told) -> int:
    """Log why the service ended, and return its exit code."""
    from dropglow import vocabulary
    from dropglow.runtime.telling import log

    exit_code = (error if isinstance(error, Told) else told(error)).exit_code
    fields = {"faults": list(error.faults)} if isinstance(error, ConfigError) and error.faults else {}
    log.critical(
        vocabulary.SERVICE_FAILED, reason=error.message, hint=error.hint, exit_code=exit_code, **fields
    )
    return exit_code


def _front(address: str | None, names: tuple[str, ...]) -> Frontage | None:
    """Return where somebody may ask how the service is; None where nobody wants that: a server costs memory."""
    from dropglow.ops.systemd import passed_descriptors

    if address is None and not passed_descriptors(os.environ, pid=os.getpid()):
        if names:
            raise click.UsageError("--http-name says by which name --http is asked, and there is no --http")
        return None
    from dropglow.frontage import Frontage
    from dropglow.ops.host_header import Place
    from dropglow.ops.listening import Address

    try:
        where = None if address is None else Address.read(address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--http") from error
    places = [Place.read(name) for name in names]
    if None in places:
        wrong = names[places.index(None)]
        raise click.BadParameter(f"{wrong!r} is no NAME and no NAME:PORT", param_hint="--http-name")
    return Frontage(address=where, names=tuple(place for place in places if place is not None))


def _run(option: str | None, *, once: bool, sandbox: bool, live: bool, front: Frontage | None) -> None:
    from dropglow.config import load_config

    config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
    world = None
    if sandbox:
        from dropglow.sandbox.world import World

        world = World.anew()
    if live and _can_draw():
        from dropglow.cli.live import live_view

        with live_view(config) as view:
            outcome = asyncio.run(_serve(config, once=once, world=world, front=front, view=view))
    else:
        outcome = asyncio.run(_serve(config, once=once, world=world, front=front))
    if outcome.gave_up:
        first = "mend that and " if outcome.needs_person else ""
        raise Told(
            outcome.gave_up,
            hint=f"nothing is lost: {first}run it again; what waits, and why: dropglow jobs",
            code=Exit.LATER,
        )
    if once and outcome.troubled:
        raise click.exceptions.Exit(Exit.TROUBLED)


def _can_draw() -> bool:
    """Return whether there is a terminal, and one that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}


async def _serve(
    config: Config, *, once: bool, world: World | None, front: Frontage | None, view: View | None = None
) -> Outcome:
    from dropglow.app import serve
    from dropglow.clock import RealClock
    from dropglow.runtime.bell import Bell

    stop, reload = asyncio.Event(), Bell(RealClock())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stopping, stop, number)
    terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]
    loop.add_signal_handler(signal.SIGHUP, _hung_up, stop, reload, terminals)
    if view is None:
        return await serve(config, stop, once=once, sandbox=world, reload=reload, front=front)
    showing = asyncio.create_task(view.run(), name="view")
    try:
        return await serve(config, stop, once=once, sandbox=world, reload=reload, front=front)
    finally:
        showing.cancel()
        await asyncio.wait([showing])
        await view.close()


def _stopping(stop: asyncio.Event, number: signal.Signals) -> None:
    from dropglow import vocabulary
    from dropglow.runtime.telling import log

    log.info(vocabulary.SERVICE_STOPPING, reason=number.name)
    stop.set()


def _hung_up(stop: asyncio.Event, reload: Bell, terminals: Sequence[int]) -> None:
    """End where the log went to one of *terminals* that is gone; else somebody asks for the configuration to be read again."""
    # A terminal that was closed is none any more, by the time that this signal comes.
    if sys.stderr.fileno() in terminals and not sys.stderr.isatty():
        _write_nowhere(terminals)
        stop.set()
    else:
        reload.ring()


def _write_nowhere(terminals: Sequence[int]) -> None:
    """Let go of terminals that are gone: what is still written to them would fail, and change the exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    for terminal in terminals:
        os.dup2(nowhere, terminal)
    os.close(nowhere)
