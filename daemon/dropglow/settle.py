"""Decide from repeated looks which files lie still. Pure: the clock is an argument.

A file is settled when everything that a look tells about it (path, device,
inode, size, mtime, ctime) was the same on two looks at least ``settle_s``
apart. One that was seen to change waits twice as long, and four times from the
second change on: whoever writes with pauses will pause again. Only our own monotonic clock counts: the times that a file carries may
come from a camera, an archive or a NAS with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dropglow.model import Sighting

# Several programs create the name first and the content much later.
EMPTY_FACTOR: Final = 10.0
EMPTY_AT_LEAST_S: Final = 30.0
_MOST_DOUBLINGS: Final = 2  # a copy of an hour is not to be waited for much longer than one of a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered of one file between looks."""

    sighting: Sighting
    since_s: float  # monotonic seconds of the first look that saw it like this
    settled: bool = False
    changes: int = 0  # how often its content was seen to change; counted no further than it matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a look over a whole inbox led to.

    ``watches`` is what to hand to the next ``observe``. A settled file is told
    again by every look for as long as it stays as it is.
    """

    watches: dict[str, Watch]  # by path
    settled: tuple[Sighting, ...]  # oldest first: by mtime, then by path
    waiting: int  # seen, not settled yet
    next_look_s: float | None  # seconds until the first waiting file can be settled


def observe(
    before: Mapping[str, Watch], sightings: Iterable[Sighting], *, now_s: float, settle_s: float
) -> Outlook:
    """Return what *sightings*, all made at *now_s*, mean after *before*.

    Files that were not seen this time are forgotten: if they come back, their
    quiet period begins anew.
    """
    watches = {seen.path: _look(before.get(seen.path), seen, now_s, settle_s) for seen in sightings}
    settled = [watch.sighting for watch in watches.values() if watch.settled]
    settled.sort(key=lambda sighting: (sighting.mtime_ns, sighting.path))
    due_in_s = [
        max(0.0, watch.since_s + quiet_s(watch.sighting, settle_s, changes=watch.changes) - now_s)
        for watch in watches.values()
        if not watch.settled
    ]
    return Outlook(
        watches=watches,
        settled=tuple(settled),
        waiting=len(due_in_s),
        next_look_s=min(due_in_s, default=None),
    )


def quiet_s(sighting: Sighting, settle_s: float, *, changes: int = 0) -> float:
    """Return for how many seconds this file must lie still after *changes* were seen; an empty one much longer."""
    if sighting.size_bytes == 0:
        return max(EMPTY_AT_LEAST_S, EMPTY_FACTOR * settle_s)
    return settle_s * 2.0 ** min(changes, _MOST_DOUBLINGS)


def _look(watch: Watch | None, seen: Sighting, now_s: float, settle_s: float) -> Watch:
    if watch is None or watch.sighting.inode != seen.inode:
        return Watch(sighting=seen, since_s=now_s)  # another file has the name now, and its own patience
    if watch.sighting != seen:
        changes = min(watch.changes + _written(watch.sighting, seen), _MOST_DOUBLINGS)
        return Watch(sighting=seen, since_s=now_s, changes=changes)
    if watch.settled or now_s - watch.since_s < quiet_s(seen, settle_s, changes=watch.changes):
        return watch
    return Watch(sighting=seen, since_s=watch.since_s, settled=True, changes=watch.changes)


def _written(before: Sighting, seen: Sighting) -> bool:
    """Return whether somebody wrote into a file that had content: new permissions, or the first bytes, are no pause."""
    if before.size_bytes == 0:
        return False
    return (before.size_bytes, before.mtime_ns) != (seen.size_bytes, seen.mtime_ns)
