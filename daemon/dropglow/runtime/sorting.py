"""Tell apart what lies in one inbox: ready, taken by no rule, waiting for a partner, a partner without its drop.

Decides by names (see ``pairing``) and times; its caller looks into files. Belongs
to the inbox's thread. Costs a few dictionary look-ups a file and sweep, and nothing
at all for partners where no rule of the inbox has companions.

A drop whose rule asks for a marker (``ready``) waits for that first, without end: as long as nobody says that it is
whole, nothing is concluded. A drop waits for its partners as long as its rules' patience, the longest of them;
then it is ready as it is, to be failed. A partner whose drop is not there is
nobody's drop for as long. After that it is what another rule makes of it; where
none takes it, it stays, said once, and still goes with its drop if that comes.

How long something waits is counted from the sweep that first saw it settled, on
our monotonic clock; a file that changes begins anew, one that was moved away and
back does not. A restart begins anew as well: nobody knows how long a file lay
there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dropglow.intake.claiming import Partner
from dropglow.intake.scan import Snag
from dropglow.intake.sweep import Sweep
from dropglow.intake.unready import NotReady
from dropglow.model import Sighting
from dropglow.rules.rule import Rule
from dropglow.runtime.pairing import Marks, Match, Pairing
from dropglow.runtime.waits import SAY_AFTER_S, Incomplete, Lonely, Unmarked, Waiting, times
from dropglow.settle import MOST_TOLD, Watches

_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """What a sweep led to."""

    ready: tuple[Sighting, ...] = ()  # to be looked into, oldest first
    beyond: int = 0  # ready too, but left to a later sweep: what waits, waits in the folder
    unjudged: tuple[Lonely, ...] = ()  # to be looked into as well: see ``Sorter.judge``
    given_up: tuple[Lonely, ...] = ()  # no drop came, and no other rule takes them: they stay
    to_say: tuple[Waiting, ...] = ()  # waiting for a while now


class Sorter:
    """Remember one inbox from sweep to sweep."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Sort by all *rules* of one inbox."""
        self.due_at_s: float | None = None  # monotonic: when what waits has to be looked at again, if ever
        # What belongs to a file of a folder is looked for in that, and not here.
        demanding = [rule for rule in rules if rule.belongings and not rule.folders]
        self._pairs = any(rule.belongings for rule in rules)
        self._pairing = Pairing([rule.belongings for rule in demanding], markers=_markers(rules))
        self._patience_s = tuple(rule.patience_s for rule in demanding)
        self._seen = Watches()
        self._snags: tuple[Snag, ...] = ()
        self._unready: tuple[NotReady, ...] = ()
        self._since: dict[str, tuple[int, int, float]] = {}  # size and mtime, and when it had settled
        self._incomplete: dict[str, Incomplete] = {}
        self._unmarked: dict[str, Unmarked] = {}
        self._lonely: dict[str, Lonely] = {}
        # Of drops that were taken and stay: which partners came since, and which of those are of no use to them.
        self._came: dict[str, set[Sighting]] = {}
        self._useless: set[tuple[str, Sighting]] = set()
        self._went: dict[str, tuple[str, float]] = {}  # which drop a partner went with, and when

    @property
    def pairs(self) -> bool:
        """Return whether a rule has companions, so that sweeps have to be in full."""
        return self._pairs

    @property
    def left(self) -> int:
        """Return how many files no rule takes."""
        return self._seen.left

    @property
    def incomplete(self) -> int:
        """Return how many drops wait for a file that belongs to them."""
        return len(self._incomplete)

    @property
    def unmarked(self) -> int:
        """Return how many drops wait for their marker."""
        return len(self._unmarked)

    @property
    def lonely(self) -> int:
        """Return how many files wait for the drop that they belong to."""
        return len(self._lonely)

    @property
    def unsettled(self) -> bool:
        """Return whether something will happen to a file here that waits, if only its patience ends."""
        wanted = (each for each in self._lonely.values() if each.wanted is not False)
        return bool(self._incomplete) or any(True for _ in wanted)

    def sort(self, sweep: Sweep, *, now_s: float) -> Sorted:
        """Return what to do about what *sweep* saw. While the inbox is away, nothing is concluded or forgotten."""
        if sweep.offline is not None:
            self.due_at_s = None
            return Sorted()
        # Not the rest of it, which may be big.
        self._seen, self._snags, self._unready = sweep.seen, sweep.snags, sweep.unready
        if not self.pairs:
            return Sorted(ready=sweep.settled, beyond=sweep.beyond)
        left = {each.path for each in sweep.settled if sweep.seen.is_left(each.path)}
        self._since = {path: since for path, since in self._since.items() if path in sweep.seen}
        self._since |= {each.path: self._moment(each, now_s) for each in sweep.settled}
        self._pairing.learn(sweep, left=left)
        incomplete = {path: each for path, each in self._incomplete.items() if self._still_waits(each, now_s)}
        unmarked = {path: each for path, each in self._unmarked.items() if self._still_unmarked(each)}
        self._incomplete, self._unmarked = incomplete, unmarked
        self._lonely = self._alone(sweep.settled, now_s)
        over = {path for path, each in self._lonely.items() if each.wanted and now_s >= each.until_s}
        rest = left | incomplete.keys() | unmarked.keys() | (self._pairing.partners_only - over)
        given_up, to_say = self._given_up(now_s), tuple(self._to_say(now_s))
        self._set_alarm(now_s)
        ready = tuple(each for each in sweep.settled if each.path not in rest)
        return Sorted(
            ready=(*self._woken(sweep), *ready[:MOST_TOLD]),
            beyond=len(ready[MOST_TOLD:]),
            unjudged=tuple(each for each in self._lonely.values() if each.wanted is None),
            given_up=given_up,
            to_say=to_say,
        )

    def judge(self, lonely: Lonely, *, wanted: bool) -> None:
        """Remember whether another rule than that of its drop would take a partner that has none."""
        known = self._lonely[lonely.sighting.path]
        self._lonely[lonely.sighting.path] = replace(known, wanted=wanted)

    def leave(self, sighting: Sighting) -> None:
        """Remember a file that no rule takes, until it changes."""
        self._seen.leave(sighting)

    def free(self, sighting: Sighting) -> bool:
        """Return whether a file was not taken since the last sweep, as another drop's partner."""
        return self._pairing.free(sighting.path)

    def match(self, sighting: Sighting, rules: Iterable[Rule]) -> Match:
        """Return which partners of a drop that *rules* take lie still beside it."""
        return self._pairing.match(sighting, (each for rule in rules for each in rule.companions))

    def marks(self, sighting: Sighting, rules: Iterable[Rule]) -> Marks:
        """Return which markers of a drop that *rules* take are beside it."""
        return self._pairing.marks(sighting, _markers(rules))

    def due(self, sighting: Sighting, partners: Iterable[Partner]) -> bool:
        """Return whether a drop is to be taken: one that was taken before is, if its rules have use for what came since."""
        came = self._came.get(sighting.path)
        if came is None or any(each.sighting in came for each in partners):
            return True
        self._useless |= {(sighting.path, each) for each in came}
        return False

    def await_marker(self, sighting: Sighting, rules: Sequence[Rule], *, now_s: float) -> None:
        """Let a drop wait for its markers."""
        waiting = Unmarked(
            sighting=sighting,
            rule=rules[0],
            templates=_markers(rules),
            since_s=self._settled_at_s(sighting, now_s),
        )
        self._unmarked[sighting.path] = waiting
        self.due_at_s = min(filter(None, (self.due_at_s, *times(waiting, now_s))), default=None)

    def wait(self, sighting: Sighting, rules: Sequence[Rule], *, now_s: float) -> bool:
        """Let a drop wait for its partners; return False when its patience has ended already."""
        demanding = [rule for rule in rules if rule.companions]
        # What comes with a marker may need to settle yet.
        markers = (each.sighting for each in self.marks(sighting, rules).found)
        marked_s = (self._seen.since_s(each) or 0.0 for each in markers)
        since_s = max(self._settled_at_s(sighting, now_s), *marked_s, 0.0)
        waiting = Incomplete(
            sighting=sighting,
            rule=rules[0],
            templates=tuple(each for rule in demanding for each in rule.companions),
            since_s=since_s,
            until_s=since_s + max(rule.patience_s for rule in demanding),
        )
        return self._waits(waiting, now_s)

    def wait_for_members(
        self, sighting: Sighting, rules: Sequence[Rule], missing: Sequence[str], *, now_s: float
    ) -> bool:
        """Let a folder wait for what its files miss by *rules*; return False when their patience has ended already."""
        since_s = self._settled_at_s(sighting, now_s)
        waiting = Incomplete(
            sighting=sighting,
            rule=rules[0],
            missing=tuple(missing),
            since_s=since_s,
            until_s=since_s + max(rule.patience_s for rule in rules),
        )
        return self._waits(waiting, now_s)

    def _waits(self, waiting: Incomplete, now_s: float) -> bool:
        if now_s >= waiting.until_s:
            return False
        self._incomplete[waiting.sighting.path] = waiting
        self.due_at_s = min(filter(None, (self.due_at_s, *times(waiting, now_s))))
        return True

    def take(self, sighting: Sighting, taken: Iterable[Partner], *, now_s: float) -> None:
        """Give a drop its partners and markers: nobody else gets them."""
        for each in taken:
            self._pairing.take(each.sighting.path)
            self._went.pop(each.path, None)
            self._went[each.path] = (sighting.path, now_s)
        while len(self._went) > _MOST_REMEMBERED:
            del self._went[next(iter(self._went))]

    def whereabouts(self, path: str, sighting: Sighting, *, now_s: float) -> str:
        """Return what became of a partner that a drop waited for in vain, as the end of a sentence."""
        taker, at_s = self._went.get(path, ("", 0.0))
        if taker and at_s >= self._settled_at_s(sighting, now_s):
            return f"which went with {posixpath.basename(taker)}"
        unready = next((each.reason for each in self._unready if each.path == path), None)
        if unready is not None:
            return f"which is there, and is not whole: {unready}"
        if path in self._seen:
            return "which is there, but never lay still, or cannot be had"
        reason = next((snag.reason for snag in self._snags if snag.path == path), None)
        return "which never came" if reason is None else f"which is not taken: {reason}"

    def _woken(self, sweep: Sweep) -> Iterator[Sighting]:
        """Yield what was taken before and stays, where a partner came, or changed, since: until it is taken with it."""
        stayed = {each.path for each in sweep.stayed}
        news = (each for each in sweep.settled if each.path in self._pairing.renewed)
        pairs = {(drop, each) for each in news for drop in self._pairing.renewed[each.path] if drop in stayed}
        self._useless &= pairs
        self._came = {}
        for drop, partner in pairs - self._useless:
            self._came.setdefault(drop, set()).add(partner)
        waiting = self._incomplete.keys() | self._unmarked.keys()
        for each in sweep.stayed:
            if each.path in self._came and each.path not in waiting and not sweep.seen.is_left(each.path):
                yield each

    def _moment(self, sighting: Sighting, now_s: float) -> tuple[int, int, float]:
        # Neither ctime nor inode: a file that was claimed in vain and given back has waited all the while.
        return sighting.size_bytes, sighting.mtime_ns, self._settled_at_s(sighting, now_s)

    def _settled_at_s(self, sighting: Sighting, now_s: float) -> float:
        size_bytes, mtime_ns, since_s = self._since.get(sighting.path, (0, 0, now_s))
        return since_s if (size_bytes, mtime_ns) == (sighting.size_bytes, sighting.mtime_ns) else now_s

    def _still_waits(self, waiting: Incomplete, now_s: float) -> bool:
        """Return whether a drop is as it was, and misses something still."""
        if not self._seen.same(waiting.sighting) or now_s >= waiting.until_s:
            return False
        if waiting.missing:
            return True  # what comes into a folder changes it
        return bool(self._pairing.match(waiting.sighting, waiting.templates).missing)

    def _still_unmarked(self, waiting: Unmarked) -> bool:
        """Return whether a drop is as it was, and a marker of it is not there."""
        if not self._seen.same(waiting.sighting):
            return False
        return bool(self._pairing.marks(waiting.sighting, waiting.templates).missing)

    def _alone(self, settled: Iterable[Sighting], now_s: float) -> dict[str, Lonely]:
        """Return the partners whose drop is not there."""
        lonely: dict[str, Lonely] = {}
        for sighting in settled:
            if not self._pairing.alone(sighting.path):
                continue
            before = self._lonely.get(sighting.path)
            known = before is not None and before.sighting == sighting
            lonely[sighting.path] = before if before and known else self._left_alone(sighting, now_s)
        return lonely

    def _left_alone(self, sighting: Sighting, now_s: float) -> Lonely:
        since_s, owners = self._settled_at_s(sighting, now_s), self._pairing.owners(sighting.path)
        patience_s = max(
            patience_s for patience_s, whose in zip(self._patience_s, owners, strict=True) if whose
        )
        return Lonely(
            sighting=sighting,
            owners=tuple(each for whose in owners for each in whose),
            since_s=since_s,
            until_s=since_s + patience_s,
        )

    def _given_up(self, now_s: float) -> tuple[Lonely, ...]:
        """Return, once each, the partners that nobody came for and that are nothing else."""
        over = [
            each
            for each in self._lonely.values()
            if each.wanted is False and not each.given_up and now_s >= each.until_s
        ]
        self._lonely |= {each.sighting.path: replace(each, given_up=True, said=True) for each in over}
        return tuple(over)

    def _to_say(self, now_s: float) -> Iterator[Waiting]:
        """Yield, once each, what waits for longer than copying files together takes."""
        for path, drop in self._incomplete.items():
            if not drop.said and now_s >= drop.since_s + SAY_AFTER_S:
                self._incomplete[path] = replace(drop, said=True)
                yield drop
        for path, unmarked in self._unmarked.items():
            if not unmarked.said and now_s >= unmarked.since_s + SAY_AFTER_S:
                self._unmarked[path] = replace(unmarked, said=True)
                yield unmarked
        for path, alone in self._lonely.items():
            if not alone.said and now_s >= alone.since_s + SAY_AFTER_S:
                self._lonely[path] = replace(alone, said=True)
                yield alone

    def _set_alarm(self, now_s: float) -> None:
        waiting: tuple[Waiting, ...] = (
            *self._incomplete.values(),
            *self._unmarked.values(),
            *self._lonely.values(),
        )
        self.due_at_s = min((at_s for each in waiting for at_s in times(each, now_s)), default=None)


def _markers(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.ready for rule in rules if rule.ready is not None))
