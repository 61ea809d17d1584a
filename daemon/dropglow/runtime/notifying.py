"""Tell people what happened, beside everything else: nothing waits for it, and nothing fails by it.

Each receiver has a gatherer, which decides what is told when, and one message on its way at
a time. What does not arrive is tried again with growing pauses, is given up after a day, and
the next message that does arrive says so. A receiver that does not answer is said once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.errors import NotTold
from dropglow.gathering import Gatherer
from dropglow.ledger.belongings import write_private
from dropglow.notices import Message, noticed
from dropglow.notify.sending import ATTEMPT_S, Send, refusal
from dropglow.notify.settings import NotifySettings, Receiver
from dropglow.retry import Backoff
from dropglow.runtime.bell import Bell
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.telling import log

FILE_NAME: Final = "notified.json"
TASK: Final = "notifications"
AGAIN: Final = Backoff(floor_s=20.0, base_s=40.0, cap_s=1800.0)
GIVE_UP_S: Final = 86400.0
LOOK_S: Final = 600.0
GOODBYE_S: Final = 5.0  # for what is left at a stop


class NotifiedFile:
    """Remember across restarts how much each receiver was sent, so that they make no flood. A convenience."""

    def __init__(self, state: Path) -> None:
        """Keep it in the folder *state*."""
        self._path = state / FILE_NAME

    def read(self) -> Mapping[str, Any]:
        """Return what was kept; nothing where there is none that can be read."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def write(self, document: Mapping[str, Any]) -> None:
        """Keep *document*. A full disk is no reason to stop."""
        with contextlib.suppress(OSError):
            write_private(self._path, json.dumps(document, indent=1))


@dataclass(slots=True, kw_only=True)
class _Line:
    """One receiver, and what is on its way to it."""

    receiver: Receiver
    gatherer: Gatherer
    message: Message | None = None
    since_s: float = 0.0
    next_s: float = 0.0
    trips: int = 0
    trouble: str = ""  # why nothing arrives at present
    attempt: asyncio.Task[NotTold | None] | None = None

    def due_s(self) -> float | None:
        """Return when there is something to do."""
        if self.attempt is not None:
            return None
        return self.gatherer.due_s() if self.message is None else self.next_s


class Notifier:
    """Tell every receiver what it wants to hear."""

    def __init__(
        self,
        settings: NotifySettings,
        *,
        send: Send,
        clock: Clock,
        pulse: Pulse,
        chance: Callable[[], float],
        file: NotifiedFile,
        attempt_s: float = ATTEMPT_S,
        goodbye_s: float = GOODBYE_S,
    ) -> None:
        """Begin with *settings*; they may change.

        Args:
            settings: Who is told, and how much at most.
            send: Sends one message to one receiver, once.
            clock: The time of all pauses.
            pulse: Told that this task comes round.
            chance: Numbers from 0 to 1, for the pauses.
            file: Remembers what was sent in an earlier life.
            attempt_s: How long one attempt may take.
            goodbye_s: How long all that is left at a stop may take.
        """
        self._send = send
        self._clock = clock
        self._pulse = pulse
        self._chance = chance
        self._file = file
        self._attempt_s = attempt_s
        self._goodbye_s = goodbye_s
        self._bell = Bell(clock)
        self._lines: dict[str, _Line] = {}
        self._sent = False  # something was, and is not remembered yet
        self.allow(settings)
        self._remember(file.read())

    def allow(self, settings: NotifySettings) -> None:
        """Tell those in *settings* from now on; whoever stays keeps what is gathered."""
        before, self._lines = self._lines, {}
        for receiver in settings.receivers:
            line = before.pop(receiver.name, None)
            if line is None:
                gatherer = Gatherer(settings.bounds, topics=receiver.topics)
                line = _Line(receiver=receiver, gatherer=gatherer)
            line.receiver = receiver
            line.gatherer.bounds, line.gatherer.topics = settings.bounds, receiver.topics
            line.next_s = 0.0  # what did not work before may work now
            self._lines[receiver.name] = line
        for line in before.values():
            if line.attempt is not None:
                line.attempt.cancel()
        self._bell.ring()

    def troubles(self) -> dict[str, str]:
        """Return, by name, the receivers that nothing arrives at, and why."""
        return {name: line.trouble for name, line in self._lines.items() if line.trouble}

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take in an event of the log. Only from the loop's own thread; never waits."""
        notice = noticed(event, fields, at=self._clock.now())
        if notice is None:
            return
        for line in self._lines.values():
            line.gatherer.add(notice, self._clock.monotonic())
        self._bell.ring()

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        try:
            while True:
                for line in self._lines.values():
                    self._begin(line)
                if self._sent:
                    self._sent = False
                    await asyncio.to_thread(self._file.write, self._memory())
                await self._bell.wait(self._pulse.back_within(TASK, self._wait_s()))
        finally:
            attempts = [line.attempt for line in self._lines.values() if line.attempt is not None]
            for attempt in attempts:
                attempt.cancel()
            await asyncio.gather(*attempts, return_exceptions=True)

    def _wait_s(self) -> float:
        times = [time_s for line in self._lines.values() if (time_s := line.due_s()) is not None]
        return max(0.0, min(LOOK_S, min(times, default=float("inf")) - self._clock.monotonic()))

    def _begin(self, line: _Line) -> None:
        now_s = self._clock.monotonic()
        due_s = line.due_s()
        if due_s is None or due_s > now_s:
            return
        if line.message is None:
            self._put(line, line.gatherer.take(now_s))
        if line.message is None:
            return
        attempt = asyncio.create_task(
            self._refusal(line.receiver, line.message), name=f"notify-{line.receiver.name}"
        )
        attempt.add_done_callback(functools.partial(self._ended, line, line.message))
        line.attempt = attempt

    def _put(self, line: _Line, message: Message | None) -> None:
        line.message, line.since_s, line.trips = message, self._clock.monotonic(), 0

    async def _refusal(self, receiver: Receiver, message: Message) -> NotTold | None:
        return await refusal(self._send, receiver, message, patience_s=self._attempt_s)

    def _ended(self, line: _Line, message: Message, attempt: asyncio.Task[NotTold | None]) -> None:
        line.attempt = None
        self._bell.ring()
        if attempt.cancelled():
            return
        if (bug := attempt.exception()) is not None:  # of a library's, perhaps; no job suffers from it
            self._failed(line, message, NotTold(f"a fault of the program's own: {type(bug).__name__}"))
        elif (refusal := attempt.result()) is not None:
            self._failed(line, message, refusal)
        else:
            self._arrived(line)

    def _arrived(self, line: _Line) -> None:
        line.message, self._sent = None, True
        if line.trouble:
            log.info(vocabulary.NOTIFY_RECOVERED, receiver=line.receiver.name)
        line.trouble = ""

    def _failed(self, line: _Line, message: Message, refusal: NotTold) -> None:
        now_s = self._clock.monotonic()
        line.next_s = now_s + AGAIN.delay_s(line.trips, chance=self._chance())
        line.trips += 1
        said, name = refusal.message, line.receiver.name
        if not line.trouble:
            log.warning(vocabulary.NOTIFY_FAILED, receiver=name, reason=said, hint=refusal.hint)
        line.trouble = said
        if now_s - line.since_s > GIVE_UP_S:
            self._drop(line, message, said)

    def _drop(self, line: _Line, message: Message, reason: str) -> None:
        line.gatherer.lost += 1
        line.message = None
        log.warning(
            vocabulary.NOTIFY_DROPPED, receiver=line.receiver.name, title=message.title, reason=reason
        )

    async def farewell(self) -> None:
        """Send what is left before the service ends, within seconds; then remember what the next life has to know."""
        if not self._lines:
            return
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(self._say_goodbye(line))
        await asyncio.to_thread(self._file.write, self._memory())

    async def _say_goodbye(self, line: _Line) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._goodbye_s):
                await self._send_rest(line)
        if line.message is not None:
            self._drop(line, line.message, line.trouble or "the service stops")

    async def _send_rest(self, line: _Line) -> None:
        while True:
            if line.message is None:
                self._put(line, line.gatherer.rest(self._clock.monotonic()))
            if line.message is None or line.trouble:
                return
            if (refusal := await self._refusal(line.receiver, line.message)) is not None:
                self._failed(line, line.message, refusal)
                return
            self._arrived(line)

    def _memory(self) -> dict[str, Any]:
        now_s = self._clock.monotonic()
        told = {name: line.gatherer.memory(now_s) for name, line in self._lines.items()}
        return {"at": self._clock.now().isoformat(timespec="seconds"), "receivers": told}

    def _remember(self, document: Mapping[str, Any]) -> None:
        """Take up what an earlier life left; what cannot be read is left."""
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            asleep_s = (self._clock.now() - datetime.fromisoformat(document["at"])).total_seconds()
            for name, memory in document["receivers"].items():
                if (line := self._lines.get(name)) is not None:
                    line.gatherer.remember(memory, self._clock.monotonic(), asleep_s=max(0.0, asleep_s))
