"""What waits in an inbox for something that belongs to it, as plain data. Who waits is decided in ``sorting``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dropglow.model import Sighting
from dropglow.rules.beside import Owner
from dropglow.rules.rule import Rule

# Files that are copied together arrive one after the other: that is not worth a line in the log.
SAY_AFTER_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """A drop that waits for files that belong to it."""

    sighting: Sighting
    rule: Rule  # the first that takes it, or one of its files
    templates: tuple[str, ...] = ()  # of everything that belongs to it
    missing: tuple[str, ...] = ()  # of a folder: what its files miss in it, by path
    since_s: float  # monotonic: when it had settled
    until_s: float  # when its rules' patience ends
    said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmarked:
    """A drop that waits for the marker which says that it is whole."""

    sighting: Sighting
    rule: Rule  # the first that takes it
    templates: tuple[str, ...]  # of every marker that it needs
    since_s: float  # monotonic: when it had settled
    said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lonely:
    """A file that belongs to a drop which is not there."""

    sighting: Sighting
    owners: tuple[Owner, ...]
    since_s: float  # monotonic: when it had settled
    until_s: float  # when it is nobody's partner any more
    wanted: bool | None = None  # whether another rule would take it as a drop; None: nobody looked yet
    said: bool = False
    given_up: bool = False  # no drop came, and it is nothing else: it stays


Waiting = Incomplete | Unmarked | Lonely


def times(waiting: Waiting, now_s: float) -> Iterator[float]:
    """Yield when something happens to what waits, after *now_s*."""
    if not waiting.said and waiting.since_s + SAY_AFTER_S > now_s:
        yield waiting.since_s + SAY_AFTER_S
    if not isinstance(waiting, Unmarked) and waiting.until_s > now_s:
        yield waiting.until_s
