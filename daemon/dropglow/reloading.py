"""Read the configuration again when somebody asks for it, or edited it: whole, or not at all.

A file counts as edited when its time, size or place changed, and as finished when
two looks in a row saw the same: half a file may be a valid one with half the
rules. A broken edit changes nothing, and is told for as long as it stands.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.config import Config, Survey
from dropglow.errors import ConfigError
from dropglow.locating import Stamp, stamps
from dropglow.ops.systemd import Manager
from dropglow.runtime.bell import Bell
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.staff import Exchange
from dropglow.runtime.status import ConfigStanding
from dropglow.runtime.telling import log

WATCH_S: Final = 2.0
TASK: Final = "reload"
# Taken up at once; everything else in a configuration was built into the service at its start.
_LIVE: Final = frozenset({
    "limits", "budgets", "notify", "rules", "inboxes", "patterns", "files", "warnings", "silent", "silences",
})  # fmt: skip


class Reloader:
    """Keep the service in step with its files."""

    def __init__(
        self,
        config: Config,
        *,
        survey: Callable[[], Survey] | None,
        swap: Callable[[Config], Awaitable[Exchange]],
        clock: Clock,
        manager: Manager,
        pulse: Pulse,
        bell: Bell,
    ) -> None:
        """Begin with *config* in force.

        Args:
            config: As it was read at the start.
            survey: Reads the configuration from disk. Blocks. None: it stands as it is.
            swap: Puts a sound configuration in force.
            clock: For the time between two looks.
            manager: Told of every reload.
            pulse: Told that this task comes round.
            bell: Rung by whoever wants the configuration read again at once.
        """
        self.standing = ConfigStanding()
        self._config = config
        self._patterns = config.patterns  # of what was read last, sound or not
        self._survey = survey
        self._swap = swap
        self._clock = clock
        self._manager = manager
        self._pulse = pulse
        self._bell = bell

    @property
    def config(self) -> Config:
        """Return the configuration that is in force."""
        return self._config

    async def run(self) -> None:
        """Reload whenever that is asked for, or files changed, until cancelled."""
        if self._survey is None:
            await asyncio.get_running_loop().create_future()
        known = latest = self._config.files
        while True:
            asked = await self._bell.wait(self._pulse.back_within(TASK, WATCH_S))
            self._pulse.back_within(
                TASK, math.inf
            )  # the files may be on a share that hangs: no reason to restart
            seen = await asyncio.to_thread(stamps, self._config.path, self._patterns)
            settled, latest = seen == latest, seen
            if asked or (seen != known and settled):
                known = latest = await self._reloaded(seen)

    async def _reloaded(self, seen: tuple[Stamp, ...]) -> tuple[Stamp, ...]:
        """Reload what was *seen*, and return the stamps of what was read."""
        self._manager.reloading(monotonic_s=self._clock.monotonic())
        try:
            read = await self._read()
        finally:
            self._manager.ready()
        return seen if read is None else read

    async def _read(self) -> tuple[Stamp, ...] | None:
        assert self._survey is not None, "nothing is read again"
        try:
            survey = await asyncio.to_thread(self._survey)
        except ConfigError as refusal:  # there is no such file any more
            self._keep(refusal)
            return None
        if survey.refusal is None:
            await self._take(survey.config)
            return survey.config.files
        self._keep(survey.refusal)
        # What it should have named may come back under its old name.
        self._patterns = tuple(dict.fromkeys((*survey.config.patterns, *self._config.patterns)))
        now = await asyncio.to_thread(stamps, self._config.path, self._patterns)
        read = {stamp.file: stamp for stamp in survey.config.files}
        return tuple(read.get(stamp.file, stamp) for stamp in now)

    def _keep(self, refusal: ConfigError) -> None:
        """Keep what is in force, and say why."""
        faults = refusal.faults or (refusal.message,)
        since = self.standing.faults_since or self._clock.now()
        self.standing = replace(self.standing, faults=faults, faults_since=since)
        log.error(
            vocabulary.CONFIG_BROKEN,
            reason=f"{refusal.message}; the old one is in force",
            hint=refusal.hint,
            faults=list(faults),
        )

    async def _take(self, told: Config) -> None:
        before, now = self._config, self._clock.now()
        restart_for = needing_restart(before, told)
        config = replace(told, **_kept(before))
        exchange = await self._swap(config)
        self._config, self._patterns = config, config.patterns
        self.standing = ConfigStanding(restart_for=restart_for, read_at=now)
        log.info(
            vocabulary.CONFIG_RELOADED,
            rules=len(config.rules),
            inboxes=len(config.inboxes),
            limits=_differences(before.limits, config.limits),
            begun=list(exchange.begun),
            ended=list(exchange.ended),
            changed=list(exchange.changed),
            pending=list(exchange.pending),
        )
        for warning in config.warnings:
            if warning not in before.warnings:
                log.warning(vocabulary.CONFIG_WARNING, warning=warning)
        if restart_for:
            log.warning(vocabulary.CONFIG_NEEDS_RESTART, keys=list(restart_for))


def needing_restart(before: Config, after: Config) -> tuple[str, ...]:
    """Return the keys, spelled as in the file, whose new values only a restart takes up."""
    keys: list[str] = []
    for name in _differences(before, after):
        if name == "api":
            keys += [f"api.{each}" for each in _differences(before.api, after.api)]
        elif name not in _LIVE:
            keys.append(name)
    return tuple(keys)


def _kept(config: Config) -> Mapping[str, Any]:
    """Return what stays as it is in *config* until a restart."""
    return {each.name: getattr(config, each.name) for each in fields(config) if each.name not in _LIVE}


def _differences(before: Any, after: Any) -> list[str]:
    """Return the names of the fields in which two objects of one dataclass differ."""
    names = (each.name for each in fields(before))
    return [name for name in names if getattr(before, name) != getattr(after, name)]
