"""Remember which files lie still and are not whole, until they change or their time is over."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from dropglow.model import Sighting

# Uploads pause and go on: that is not worth a line in the log.
SAY_AFTER_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """A file that somebody may be writing still."""

    path: str  # below the inbox
    reason: str  # what is missing
    since_s: float  # monotonic: the first look that saw it like this
    until_s: float  # when it is taken as it is, to be failed
    identity: tuple[int, int, int, int]


class Unready:
    """The files of one inbox that are not whole. A changed file is a new one."""

    def __init__(self) -> None:
        """Start with none."""
        self._waiting: dict[str, NotReady] = {}
        self._said: set[str] = set()  # a file that grows with pauses is one line in the log

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._waiting)

    def put_off(
        self, sighting: Sighting, reason: str, *, since_s: float, give_up_s: float, now_s: float
    ) -> bool:
        """Let a file wait that was seen like this at *since_s*; return False where it has waited *give_up_s* seconds.

        A file that was claimed in vain and given back has waited all the while.
        """
        before = self._waiting.get(sighting.path)
        if before is not None and before.identity == sighting.identity:
            since_s = before.since_s
        waiting = NotReady(
            path=sighting.path,
            reason=reason,
            since_s=since_s,
            until_s=since_s + give_up_s,
            identity=sighting.identity,
        )
        self._waiting[sighting.path] = waiting
        return now_s < waiting.until_s

    def waits(self, sighting: Sighting, *, now_s: float) -> bool:
        """Return whether this very file was looked into, and its time is not over."""
        waiting = self._waiting.get(sighting.path)
        return waiting is not None and now_s < waiting.until_s and waiting.identity == sighting.identity

    def see(self, sighting: Sighting) -> None:
        """Forget a file that changed."""
        waiting = self._waiting.get(sighting.path)
        if waiting is not None and waiting.identity != sighting.identity:
            del self._waiting[sighting.path]

    def keep_only(self, paths: Container[str]) -> None:
        """Forget files that are no longer there."""
        self._waiting = {path: each for path, each in self._waiting.items() if path in paths}
        self._said = {path for path in self._said if path in paths}

    def told(self, *, now_s: float) -> tuple[NotReady, ...]:
        """Return what waits now."""
        return tuple(each for each in self._waiting.values() if now_s < each.until_s)

    def to_say(self, *, now_s: float) -> tuple[NotReady, ...]:
        """Return, once for each file, what waits for longer than an upload pauses."""
        due = tuple(
            each
            for each in self.told(now_s=now_s)
            if each.path not in self._said and now_s >= each.since_s + SAY_AFTER_S
        )
        self._said |= {each.path for each in due}
        return due

    def next_look_s(self, *, now_s: float) -> float | None:
        """Return in how many seconds something happens to what waits, or None."""
        waiting = self.told(now_s=now_s)
        times = [each.until_s for each in waiting]
        times += [each.since_s + SAY_AFTER_S for each in waiting if each.path not in self._said]
        return max(0.0, min(times) - now_s) if times else None
