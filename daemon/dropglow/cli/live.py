"""Show a running service on the terminal that it was started from, while it runs.

Drawn on standard error, where the log would be, so that whoever reads the standard
output is not disturbed; warnings of the log stand above the picture and stay there.
It looks as every command does, at the ledger and at what the service says of itself, in a
thread of its own: a view must not be what the service waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dropglow.cli.bars import Bars, new_progress
from dropglow.cli.ledger_access import asked
from dropglow.cli.live_page import Scene, picture
from dropglow.cli.rations import rations
from dropglow.cli.standing import latest_failures
from dropglow.errors import DropglowError
from dropglow.ledger.base import Query, Reader
from dropglow.lifecycle import RESTING
from dropglow.model import Stage
from dropglow.money import Amount, Budgets, Fate, as_it_stands
from dropglow.runtime.status import read_status
from dropglow.sketch import find_sketch

if TYPE_CHECKING:
    from rich.live import Live

    from dropglow.config import Config

EVERY_S: Final = 1.0
FAILURES: Final = 3
ROWS: Final = 16  # without jobs and inboxes
FEWEST_BARS: Final = 3
MOST_BARS: Final = 40
ENDED: Final = 3  # the newest of them keep a bar
_MOVING: Final = frozenset(Stage) - RESTING - {Stage.QUEUED}
_SPENT: Final = frozenset({Fate.BOUGHT, Fate.IN_DOUBT, Fate.FAILED})


@contextlib.contextmanager
def live_view(config: Config) -> Iterator[View]:
    """Yield a view of the service that runs with *config*; the log's warnings go above it meanwhile."""
    from rich.live import Live

    from dropglow.cli.tables import console
    from dropglow.ops.logging import set_up

    out = console(stderr=True)
    live = Live(console=out, auto_refresh=False, redirect_stdout=False, redirect_stderr=True)
    live.start()
    try:
        set_up(stream=sys.stderr, level=logging.WARNING)  # by now, that writes above the picture
        yield View(config, live)
    finally:
        with contextlib.suppress(OSError):  # the terminal may be gone
            live.stop()
        set_up()


class View:
    """Keep the picture as the service is."""

    def __init__(self, config: Config, live: Live) -> None:
        """Show the service of *config* in *live*."""
        self._config = config
        self._state = Path(config.state)
        self._budgets = config.budgets
        self._read_at: str | None = None
        self._live = live
        self._progress = new_progress(live.console)
        self._bars = Bars(self._progress)
        self._told: dict[str, Any] | None = None  # what the service said last of itself
        self._stopped = False

    async def run(self) -> None:
        """Draw once a second, until cancelled or until the terminal is gone."""
        with contextlib.suppress(OSError):  # the service goes on without being looked at
            while True:
                await self.draw()
                await asyncio.sleep(EVERY_S)

    async def close(self) -> None:
        """Draw how it ended; nothing where it never served: the reason comes below."""
        self._stopped = True
        with contextlib.suppress(OSError):
            if self._told is None:
                self._live.update("", refresh=True)
            else:
                await self.draw()

    async def draw(self) -> None:
        """Draw how it is now. Where the ledger cannot be read, what stands there stays.

        Raises:
            OSError: The terminal is gone.
        """
        try:
            scene = await asyncio.to_thread(self._look)
        except DropglowError:
            return
        self._bars.show(scene.jobs)
        self._bars.keep_only([job.key for job in scene.jobs])
        drawn = picture(scene, self._progress.get_renderable(), columns=self._live.console.width)
        self._live.update(drawn, refresh=True)

    def _look(self) -> Scene:
        said = read_status(self._state)
        if said is not None and said.get("pid") == os.getpid():
            self._told = said
        told = self._told
        if told is not None and told.get("config_read_at") != self._read_at:
            self._read_at = told.get("config_read_at")
            self._budgets = find_sketch(self._config.path, environ=os.environ, cwd=str(Path.cwd())).budgets
        inboxes = 0 if told is None else len(told["inboxes"])
        room = self._live.console.height - ROWS - inboxes
        rows = min(max(room, FEWEST_BARS), MOST_BARS)
        now = datetime.now(UTC)
        scene = asked(
            self._state,
            lambda reader: _scene(reader, told=told, rows=rows, budgets=self._budgets, now=now),
        )
        return replace(scene, stopped=self._stopped)


async def _scene(
    reader: Reader, *, told: dict[str, Any] | None, rows: int, budgets: Budgets, now: datetime
) -> Scene:
    moving = await reader.find(Query(stages=_MOVING, limit=rows))
    ended = await reader.find(Query(stages=RESTING, limit=ENDED))
    waiting = await reader.find(Query(stages=frozenset({Stage.QUEUED}), limit=rows))
    queued = [as_it_stands(job, now=now) for job in waiting[::-1]]
    shown = [*ended[: max(0, rows - len(moving))][::-1], *moving[::-1], *queued]
    entries = await reader.costs(since=f"{now.astimezone():%Y-%m-%d}")
    return Scene(
        at=now,
        told=told,
        counts=await reader.counts(),
        jobs=tuple(shown[:rows]),
        spent=sum((each.amount for each in entries if each.fate in _SPENT), start=Amount()),
        rations=await rations(reader, budgets, now=now),
        switch=await reader.switch(),
        failures=(await latest_failures(reader, limit=FAILURES))[:FAILURES],
    )
