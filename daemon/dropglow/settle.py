"""Decide from repeated looks which files lie still. Pure: the clock is an argument.

A file is settled when everything that a look tells about it (path, device,
inode, size, mtime, ctime) was the same on two looks at least ``settle_s``
apart. One that was seen to change waits twice as long, and four times from the
second change on: whoever writes with pauses will pause again. Only our own
monotonic clock counts: the times that a file carries may come from a camera, an
archive or a NAS with a clock of its own. A folder that is one drop settles as a
whole: a change of anything in it is a change.

The queue is the folder and not this memory: of a file that waits, no more is kept than
it takes to know it again, and only the oldest are told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from dropglow.model import FolderSighting, Sighting
from dropglow.roll import Roll

# Several programs create the name first and the content much later.
EMPTY_FACTOR: Final = 10.0
EMPTY_AT_LEAST_S: Final = 30.0
_MOST_DOUBLINGS: Final = 2  # a copy of an hour is not to be waited for much longer than one of a minute

# Told by one look. More than what is taken between two looks over a folder that is so big.
MOST_TOLD: Final = 2000
# Asked about after one look, where originals stay: at a start, all of them are to be known soon.
MOST_ASKED: Final = 20_000

_KNOWN: Final = 1
_TURN: Final = 2  # flips with every look: who has the old one was not seen
_SETTLED: Final = 4
_LEFT: Final = 8
_EMPTY: Final = 16
_PATIENCE: Final = 4  # from this bit on, _EMPTY and two bits more
_ONE_CHANGE: Final = 32  # two bits: how often its content was seen to change, no further than it matters
_ASKED: Final = 128  # somebody said whether it was taken before
_STAYS: Final = 256  # it was, and stays where it is
_INODE: Final = 9  # from this bit on, a few bits of it; as many of its content's fingerprint follow
_CONTENT: Final = 36
_FEW_BITS: Final = (1 << 27) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a look over a whole inbox led to.

    A settled file is told again by every look for as long as it stays as it is, and nobody left it. Where originals
    stay, whether it was taken before is to be answered first, once; those that were are not told any more.
    """

    settled: tuple[Sighting, ...]  # oldest first: by mtime, then by path
    beyond: int  # settled too, but younger than as many as are told
    settling: tuple[Sighting, ...]  # not settled yet; none unless asked for in full
    waiting: int  # how many those are, asked for or not
    arrived: int  # not seen by the look before
    next_look_s: float | None  # seconds until the first waiting file can be settled
    unasked: tuple[Sighting, ...] = ()  # settled, and nobody said yet whether they were taken before
    known: int = 0  # taken before, and staying as they are
    stayed: tuple[Sighting, ...] = ()  # these, if they were asked for


class Watches:
    """What is remembered of every file of an inbox between looks.

    Files are known by fingerprints of 64 bits. Two paths that share one would never settle; among 200,000
    files that is as likely as one in a thousand million, and the next start gives them other ones.
    """

    __slots__ = ("_count", "_left", "_roll", "_turn")

    def __init__(self) -> None:
        """Know no file."""
        self._roll = Roll()
        self._turn = _TURN
        self._count = 0
        self._left = 0

    def __len__(self) -> int:
        """Return how many files are known."""
        return self._count

    def __contains__(self, path: object) -> bool:
        """Return whether the last look saw a file at *path*, below the inbox."""
        return self._roll.marks[self._roll.row(_key(path))] != 0

    @property
    def left(self) -> int:
        """Return how many files were left where they are."""
        return self._left

    def same(self, sighting: Sighting) -> bool:
        """Return whether the last look saw this file just like this."""
        row = self._roll.row(_key(sighting.path))
        return self._roll.marks[row] != 0 and self._roll.prints[row] == hash(sighting)

    def since_s(self, sighting: Sighting) -> float | None:
        """Return when the first look saw this file just like this; None where the last one did not."""
        return self._roll.since_s[self._roll.row(_key(sighting.path))] if self.same(sighting) else None

    def leave(self, sighting: Sighting) -> None:
        """Tell this file no more until it changes: nobody wants it."""
        if self.same(sighting) and not self.is_left(sighting.path):
            self._roll.marks[self._roll.row(_key(sighting.path))] |= _LEFT
            self._left += 1

    def is_left(self, path: str) -> bool:
        """Return whether the file at *path* was left, and is as it was then."""
        return self._roll.marks[self._roll.row(_key(path))] & _LEFT != 0

    def answer(self, sighting: Sighting, *, known: bool) -> None:
        """Note whether this file was taken before and stays, until it changes."""
        if self.same(sighting):
            row = self._roll.row(_key(sighting.path))
            self._roll.marks[row] |= _ASKED | (_STAYS if known else 0)

    def forget(self, path: str) -> None:
        """Know nothing of *path* any more: what is found there next is new."""
        self._strike(self._roll.row(_key(path)))

    def observe(
        self,
        sightings: Iterable[Sighting],
        *,
        now_s: float,
        settle_s: float,
        resting: Callable[[Sighting], bool] | None = None,
        in_full: bool = False,
        keeps: bool = False,
    ) -> Outlook:
        """Return what *sightings*, all made at *now_s*, mean after the looks before.

        Files that were not seen this time are forgotten: if they come back, their quiet period begins anew. The
        ``MOST_TOLD`` oldest of the settled files are told, without those left and those *resting*; all of them,
        the left ones and the unsettled too, with *in_full*. With *keeps*, those taken before are told apart.
        """
        roll, oldest, patience_s = self._roll, _Oldest(None if in_full else MOST_TOLD), _patience_s(settle_s)
        stock = _Stock(in_full=in_full) if keeps else None
        turn = self._turn ^ _TURN
        settling: list[Sighting] = []
        known, seen_count, waiting, settled, due_in_s = self._count, 0, 0, 0, math.inf
        for seen in sightings:
            row = roll.row(_key(seen.path))
            before = roll.marks[row]
            seen_count += not before or before & _TURN != turn  # a listing that changes may tell a file twice
            if not before or roll.prints[row] != hash(seen):
                row, marks = self._renew(row, seen, now_s)
            elif before & _SETTLED or now_s - roll.since_s[row] < patience_s[before >> _PATIENCE & 7]:
                marks = before
            else:
                marks = before | _SETTLED
            roll.marks[row] = marks & ~_TURN | turn
            if not marks & _SETTLED:
                waiting += 1
                if in_full:
                    settling.append(seen)
                due_in_s = min(due_in_s, roll.since_s[row] + patience_s[marks >> _PATIENCE & 7] - now_s)
            elif (in_full or not marks & _LEFT) and not (resting and resting(seen)):
                if stock is not None and stock.takes(seen, marks):
                    continue
                settled += 1
                oldest.add(seen)
        arrived = self._count - known
        if seen_count < self._count:
            self._forget_unseen(turn)
        self._turn = turn
        told = oldest.told()
        return Outlook(
            settled=told,
            beyond=settled - len(told) + (stock.beyond if stock else 0),
            settling=tuple(settling),
            waiting=waiting,
            arrived=arrived,
            next_look_s=max(0.0, due_in_s) if waiting else None,
            unasked=tuple(stock.unasked) if stock else (),
            known=stock.known if stock else 0,
            stayed=tuple(stock.stayed) if stock else (),
        )

    def _renew(self, row: int, seen: Sighting, now_s: float) -> tuple[int, int]:
        """Note a file that is new or has changed; return its row, and its marks."""
        roll = self._roll
        before = roll.marks[row]
        if not before:
            row = roll.enter(_key(seen.path), row)
            self._count += 1
        self._left -= before & _LEFT != 0
        roll.prints[row], roll.since_s[row] = hash(seen), now_s
        return row, _changed(before, _first(seen)) if before else _first(seen)

    def _forget_unseen(self, turn: int) -> None:
        for row, marks in enumerate(self._roll.marks):
            if marks and marks & _TURN != turn:
                self._strike(row)

    def _strike(self, row: int) -> None:
        marks = self._roll.marks[row]
        self._count -= marks != 0
        self._left -= marks & _LEFT != 0
        self._roll.marks[row] = 0


class _Stock:
    """Set apart, of the settled files of one look, what was taken before and stays, and what nobody was asked about."""

    def __init__(self, *, in_full: bool) -> None:
        self._in_full = in_full
        self.unasked: list[Sighting] = []
        self.stayed: list[Sighting] = []
        self.known = 0
        self.beyond = 0  # unasked too, but more than are asked about at once

    def takes(self, sighting: Sighting, marks: int) -> bool:
        """Return whether the file is one of these."""
        if marks & _STAYS:
            self.known += 1
            if self._in_full:
                self.stayed.append(sighting)
        elif not marks & _ASKED:
            if self._in_full or len(self.unasked) < MOST_ASKED:
                self.unasked.append(sighting)
            else:
                self.beyond += 1
        return marks & (_STAYS | _ASKED) != _ASKED


def oldest(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return *sightings*, the oldest first: by mtime, then by path."""
    return tuple(sorted(sightings, key=lambda sighting: (sighting.mtime_ns, sighting.path)))


class _Oldest:
    """Keep the oldest of many settled files, without keeping many."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._kept: list[Sighting] = []
        self._youngest_ns = math.inf  # what is younger need not be looked at

    def add(self, sighting: Sighting) -> None:
        if sighting.mtime_ns <= self._youngest_ns:
            self._kept.append(sighting)
            if self._most is not None and len(self._kept) >= 2 * self._most:
                self._kept = list(self.told())
                self._youngest_ns = self._kept[-1].mtime_ns

    def told(self) -> tuple[Sighting, ...]:
        self._kept.sort(key=lambda sighting: (sighting.mtime_ns, sighting.path))
        return tuple(self._kept[: self._most])


def quiet_s(settle_s: float, *, empty: bool, changes: int) -> float:
    """Return for how many seconds a file must lie still after *changes* were seen; an empty one much longer."""
    if empty:
        return max(EMPTY_AT_LEAST_S, EMPTY_FACTOR * settle_s)
    return settle_s * 2.0 ** min(changes, _MOST_DOUBLINGS)


def _patience_s(settle_s: float) -> tuple[float, ...]:
    """Return how long a file must lie still, by the three bits of its marks that decide it: emptiness, and changes."""
    return tuple(quiet_s(settle_s, empty=bool(bits & 1), changes=bits >> 1) for bits in range(8))


def _key(path: object) -> int:
    return hash(path) or 1


def _first(seen: Sighting) -> int:
    """Return the marks of a file that is seen for the first time."""
    inode = seen.inode & _FEW_BITS
    content = hash((seen.size_bytes, seen.mtime_ns)) & _FEW_BITS
    return _KNOWN | (_EMPTY if _hollow(seen) else 0) | inode << _INODE | content << _CONTENT


def _hollow(seen: Sighting) -> bool:
    """Return whether a file is empty, or one of a folder's."""
    files = seen.members if isinstance(seen, FolderSighting) else (seen,)
    return any(not file.size_bytes for file in files)


def _changed(before: int, now: int) -> int:
    """Return the marks of a file that is not what it was, from what they were and what they are without a past.

    Another file that has the name now has its own patience. New permissions, or the first bytes, are no pause of a writer.
    """
    if (before ^ now) >> _INODE & _FEW_BITS:
        return now
    changes = before // _ONE_CHANGE & 3
    written = not before & _EMPTY and (before ^ now) >> _CONTENT != 0
    return now | _ONE_CHANGE * min(changes + written, _MOST_DOUBLINGS)
