"""``dropglow demo``: the whole story in one minute, with a pretend Adobe inside.

Everything happens in this process: the sandbox, the real service, and the
one who drops the files. Exit codes: 0 everything was delivered; 1 it was not.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dropglow.cli.exits import Exit, Told
from dropglow.errors import LedgerError

if TYPE_CHECKING:
    from dropglow.cli.demo_folder import Sample
    from dropglow.cli.demo_show import Show
    from dropglow.config import Config
    from dropglow.ledger.sqlite import SqliteReader
    from dropglow.model import Drop, Job

    Ended = tuple[tuple[Drop, ...], tuple[Job, ...]]

FOLDER: Final = "dropglow-demo"
LOG_FILE: Final = "demo.log"
JOB_SECONDS: Final = (2.0, 4.0)
LOOK_S: Final = 0.2
BETWEEN_DROPS_S: Final = 0.6
LIMIT_S: Final = 120.0


@click.command()
@click.argument("folder", metavar="[DIR]", default=FOLDER, type=click.Path(path_type=Path))
def command(*, folder: Path) -> None:
    """Show the whole story in one minute, with a pretend Adobe: no credentials, no costs.

    Makes the folder DIR (./dropglow-demo if absent) with rules, inboxes and
    outboxes, runs the service on it, drops a photo and three prompts, and
    tells what came of them and where to look.
    """
    from dropglow.cli.demo_folder import make
    from dropglow.cli.demo_show import closing, opening, show
    from dropglow.config import load_config
    from dropglow.ops.logging import set_up

    place, samples = make(folder)
    config = load_config(str(place), environ={}, cwd=str(Path.cwd()))
    opening(place, samples)
    with (place / LOG_FILE).open("a", encoding="utf-8") as log:
        set_up(stream=log, json=True)
        with show() as shown:
            drops, jobs = asyncio.run(_play(config, samples, shown))
    if not closing(place, config, drops, jobs, expected=len(samples)):
        raise Told(
            "the demo ended before everything was delivered",
            hint=f"{place / LOG_FILE} says what happened; `dropglow demo` begins anew",
            code=Exit.TROUBLED,
        )


async def _play(config: Config, samples: tuple[Sample, ...], shown: Show) -> Ended:
    """Return drops and jobs as they ended, or as they stood when somebody had enough."""
    from dropglow.app import serve
    from dropglow.sandbox.faults import Faults, Span
    from dropglow.sandbox.world import World

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    world = World(faults=Faults(duration=Span(low_s=JOB_SECONDS[0], high_s=JOB_SECONDS[1])))
    serving = asyncio.create_task(serve(config, stop, sandbox=world), name="service")
    dropping = asyncio.create_task(_drop(samples, shown), name="drops")
    serving.add_done_callback(lambda _: stop.set())
    try:
        ended = await _watch(config, shown, stop, expected=len(samples))
    finally:
        dropping.cancel()
        stop.set()
        await serving
    return ended


async def _drop(samples: tuple[Sample, ...], shown: Show) -> None:
    for sample in samples:
        await asyncio.sleep(BETWEEN_DROPS_S)
        sample.inbox.joinpath(sample.name).write_bytes(sample.data)
        shown.dropped(sample)


async def _watch(config: Config, shown: Show, stop: asyncio.Event, *, expected: int) -> Ended:
    """Look into the ledger until every drop has ended, *stop* is set, or it takes too long."""
    from dropglow.ledger.base import Query
    from dropglow.model import DropState

    drops: tuple[Drop, ...] = ()
    jobs: tuple[Job, ...] = ()
    async with contextlib.AsyncExitStack() as stack:
        reader = None
        for _ in range(round(LIMIT_S / LOOK_S)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)
            reader = reader or await _opened(config, stack)
            if reader is not None:
                drops = (await reader.drops())[::-1]
                jobs = (await reader.find(Query()))[::-1]
                shown.jobs(jobs)
            ended = [drop for drop in drops if drop.state is not DropState.OPEN]
            if stop.is_set() or len(ended) == expected:
                break
    return drops, jobs


async def _opened(config: Config, stack: contextlib.AsyncExitStack) -> SqliteReader | None:
    """Return a reader, or None as long as the service has not made its ledger."""
    from dropglow.ledger.place import LEDGER_FILE
    from dropglow.ledger.sqlite import SqliteReader

    try:
        reader = SqliteReader.open(Path(config.state) / LEDGER_FILE)
    except LedgerError:
        return None
    stack.push_async_callback(reader.close)
    return reader
