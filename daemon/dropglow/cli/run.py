"""``dropglow run``: the service in the foreground."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropglow.cli.exits import Exit, Told

if TYPE_CHECKING:
    from dropglow.config import Config
    from dropglow.runtime.service import Outcome
    from dropglow.sandbox.world import World


@click.command()
@click.option("--once", is_flag=True, help="Exit when every inbox is drained and every job rests.")
@click.option("--sandbox", is_flag=True, help="With a pretend Adobe inside; no credentials, no costs.")
@click.option("--verbose", is_flag=True, help="Log every step of every job.")
@click.pass_obj
def command(option: str | None, once: bool, sandbox: bool, verbose: bool) -> None:  # noqa: FBT001
    """Serve the inboxes until stopped (SIGTERM or Ctrl-C). Remote jobs go on and are resumed at the next start.

    Exit codes with --once: 0 everything was delivered; 1 something failed, is held or is in doubt;
    75 try again later; 78 the configuration or the credentials need a person.
    """
    from dropglow.config import load_config
    from dropglow.ops.logging import set_up

    config = load_config(option, environ=os.environ, cwd=str(Path.cwd()))
    set_up(level=logging.DEBUG if verbose else logging.INFO)
    world = None
    if sandbox:
        from dropglow.sandbox.world import World

        world = World()
    outcome = asyncio.run(_serve(config, once=once, world=world))
    if outcome.needs_person:
        raise Told(
            outcome.gave_up, hint="nothing is lost: mend that and run it again", code=Exit.CONFIGURATION
        )
    if outcome.gave_up:
        raise Told(outcome.gave_up, hint="nothing is lost: run it again", code=Exit.LATER)
    if once and outcome.troubled:
        raise click.exceptions.Exit(Exit.TROUBLED)


async def _serve(config: Config, *, once: bool, world: World | None) -> Outcome:
    from dropglow.app import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stopping, stop, number)
    loop.add_signal_handler(signal.SIGHUP, _hung_up, stop)
    return await serve(config, stop, once=once, sandbox=world)


def _stopping(stop: asyncio.Event, number: signal.Signals) -> None:
    from dropglow import vocabulary
    from dropglow.runtime.telling import log

    log.info(vocabulary.SERVICE_STOPPING, reason=number.name)
    stop.set()


def _hung_up(stop: asyncio.Event) -> None:
    """End with the terminal; without one, somebody asks for a reload, which needs a restart for now."""
    from dropglow import vocabulary
    from dropglow.runtime.telling import log

    if sys.stderr.isatty():
        stop.set()
        return
    log.warning(vocabulary.SERVICE_NOTE, note="reloading is not available yet: restart to use changed rules")
