"""Sweep an inbox, look into what is ready, let the rules decide, and claim what they take, with what belongs to it.

A drop whose rules have companions is claimed with all of them, or not at all
while their patience lasts. When it has ended, the drop is claimed with those
that came, to be failed: nothing of it is bought.

Everything here runs in the inbox's own thread, and nothing here logs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, SourceFault
from dropglow.intake.claiming import Claimed, Party
from dropglow.intake.inbox import Inbox
from dropglow.intake.sweep import Sweep
from dropglow.model import DropKey, Facts, FolderSighting, Sighting
from dropglow.rules import members
from dropglow.rules.match import Explanation, decide
from dropglow.rules.rule import Rule
from dropglow.rules.units import spelled
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.pairing import Match
from dropglow.runtime.reporting import may_be_reported
from dropglow.runtime.sorting import Sorter
from dropglow.runtime.waits import Lonely, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claimed file with the rules that take it, or a claimed folder with those that may take its files."""

    claimed: Claimed
    rules: tuple[Rule, ...]
    fault: SourceFault | None = None  # why nothing can be ordered: what belongs to it did not come
    reported: bool = True  # False: no report can lie there about an earlier file of this name


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A settled file that no rule takes, with every rule's reason."""

    sighting: Sighting
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """What came of looking into a batch of files."""

    taken: tuple[Taken, ...] = ()
    left: tuple[Left, ...] = ()
    complete: bool = True  # False: some could not be had now, and the next sweep tells why


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a sweep over the inbox led to."""

    sweep: Sweep
    ready: tuple[Sighting, ...]  # to be taken, oldest first
    beyond: int  # ready too, but left to a later look
    left: tuple[Left, ...]  # partners that no drop came for
    to_say: tuple[Waiting, ...]  # what waits for a while now


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A party that is about to be claimed."""

    party: Party
    rules: tuple[Rule, ...]
    fault: SourceFault | None


class _Fate(Enum):
    """Say what else can become of a file that was looked into."""

    WAITS = auto()  # for what belongs to it
    LOST = auto()  # it cannot be had now


class Taker:
    """Take files out of one inbox."""

    def __init__(
        self, *, inbox: Inbox, rules: Sequence[Rule], disk: Disk, clock: Clock, keys: KeyMaker
    ) -> None:
        """Decide by the *rules* of *inbox*, under keys made by *keys*."""
        self.sorter = Sorter(rules)
        self._inbox = inbox
        self._rules = tuple(rules)
        self._disk = disk
        self._clock = clock
        self._keys = keys

    def look(self) -> Look:
        """Sweep the inbox and sort what was seen."""
        return self.sort(self.sweep())

    def sweep(self) -> Sweep:
        """Sweep the inbox, in full where the rules have companions."""
        return self._inbox.sweep(in_full=self.sorter.pairs)

    def sort(self, sweep: Sweep) -> Look:
        """Sort what *sweep* saw. Looks once into each partner whose drop is not there."""
        found = self.sorter.sort(sweep, now_s=self._clock.monotonic())
        for lonely in found.unjudged:
            self._judge(lonely)
        left = (self._left(lonely.sighting) for lonely in found.given_up)
        return Look(
            sweep=sweep,
            ready=found.ready,
            beyond=found.beyond,
            left=tuple(each for each in left if each is not None),
            to_say=found.to_say,
        )

    def take(self, batch: Sequence[Sighting]) -> Haul:
        """Look into each file, let the rules decide, and claim what they take."""
        left: list[Left] = []
        entries: dict[DropKey, _Entry] = {}
        complete = True
        for sighting in batch:
            if not self.sorter.free(sighting):
                continue  # it went with a drop of this batch
            found = self._judged(sighting)
            match found:
                case _Entry():
                    entries[found.party.key] = found
                case Left():
                    self.sorter.leave(sighting)
                    left.append(found)
                case _Fate.WAITS:
                    pass
                case _Fate.LOST:
                    complete = False  # gone, or changed: the next sweep sees what it is now
                case _:
                    assert_never(found)
        claimed = self._inbox.claim([entry.party for entry in entries.values()])
        taken = [self._taken(file, entries[file.key]) for file in claimed]
        return Haul(taken=tuple(taken), left=tuple(left), complete=complete and len(claimed) == len(entries))

    def _taken(self, file: Claimed, entry: _Entry) -> Taken:
        failed = {rule.after.failed for rule in entry.rules}
        # Asked here, where all of a batch are at hand: to ask for each on its own would take as many turns of the thread.
        reported = any(
            may_be_reported(self._disk, self._inbox.plan, each, file.sighting.path) for each in failed
        )
        return Taken(claimed=file, rules=entry.rules, fault=entry.fault, reported=reported)

    def _judged(self, sighting: Sighting) -> _Entry | Left | _Fate:
        """Return what the rules make of a file or a folder."""
        if isinstance(sighting, FolderSighting):
            return self._folder_judged(sighting)
        facts = self._inbox.inspect(sighting)
        if facts is None:
            return _Fate.LOST
        decision = decide(self._rules, path=sighting.path, size_bytes=sighting.size_bytes, facts=facts)
        if not decision.taken:
            return Left(sighting=sighting, explanations=decision.explanations)
        if self._unmarked(sighting, decision.taken):
            return _Fate.WAITS
        if self._put_off(sighting, facts, decision.taken):
            return _Fate.LOST
        return self._entry(sighting, decision.taken) or _Fate.WAITS

    def _folder_judged(self, folder: FolderSighting) -> _Entry | Left | _Fate:
        looks: list[members.Look] = []
        for each in folder.members:
            facts = self._inbox.inspect(each, of=folder)
            if facts is None:
                return _Fate.LOST
            looks.append(members.Look(path=each.path, size_bytes=each.size_bytes, facts=facts))
        found = members.verdicts(self._rules, looks)
        if not any(each.rules for each in found):
            return Left(sighting=folder, explanations=members.unmatched(found))
        give_up_s = _give_up_s([rule for each in found for rule in each.rules])
        if any(self._half(folder, each, give_up_s) for each in found):
            return _Fate.LOST
        missing = dict.fromkeys(path for each in found for path in each.missing)
        lacking = [rule for each in found if each.missing for rule in each.rules]
        now_s = self._clock.monotonic()
        if missing and self.sorter.wait_for_members(folder, lacking, tuple(missing), now_s=now_s):
            return _Fate.WAITS
        # When their patience has ended, those that miss something are told so, and the rest is ordered.
        party = Party(key=self._keys.drop_key(self._clock.now()), drop=folder, give_up_s=give_up_s)
        return _Entry(party=party, rules=self._rules, fault=None)

    def _judge(self, lonely: Lonely) -> None:
        """Look whether a partner without a drop is something else to another rule."""
        left = self._left(lonely.sighting)
        if left is not None:
            self.sorter.judge(lonely, wanted=any(each.taken for each in left.explanations))

    def _left(self, sighting: Sighting) -> Left | None:
        facts = self._inbox.inspect(sighting)
        if facts is None:
            return None
        decision = decide(self._rules, path=sighting.path, size_bytes=sighting.size_bytes, facts=facts)
        return Left(sighting=sighting, explanations=decision.explanations)

    def _entry(self, sighting: Sighting, rules: tuple[Rule, ...]) -> _Entry | None:
        """Return the party of a drop; None: it waits for a file that belongs to it, or what came is of no use to it."""
        match = self._to_be_had(self.sorter.match(sighting, rules), rules)
        sent = {each.sighting.path for each in match.partners}  # a rule may send what is another's marker
        marks = (each for each in self.sorter.marks(sighting, rules).found if each.sighting.path not in sent)
        partners = (*match.partners, *marks)
        if not self.sorter.due(sighting, partners):
            return None
        fault = None
        if match.missing:
            if self.sorter.wait(sighting, rules, now_s=self._clock.monotonic()):
                return None
            fault = self._in_vain(sighting, rules, match)
        self.sorter.take(sighting, partners, now_s=self._clock.monotonic())
        party = Party(
            key=self._keys.drop_key(self._clock.now()),
            drop=sighting,
            partners=partners,
            give_up_s=_give_up_s(rules),
        )
        return _Entry(party=party, rules=rules, fault=fault)

    def _unmarked(self, sighting: Sighting, rules: Sequence[Rule]) -> bool:
        """Return whether a file that *rules* take waits for the marker which says that it is whole."""
        if not self.sorter.marks(sighting, rules).missing:
            return False
        self.sorter.await_marker(sighting, rules, now_s=self._clock.monotonic())
        return True

    def _half(self, folder: FolderSighting, verdict: members.Verdict, give_up_s: float) -> bool:
        """Return whether a file of a folder is not whole, and the folder waits for it."""
        facts = verdict.look.facts
        if not verdict.rules or not facts.unfinished:
            return False
        reason = f"{_name(verdict.look.path)}: {facts.fault}"
        return self._inbox.put_off(folder, reason, give_up_s=give_up_s)

    def _put_off(self, sighting: Sighting, facts: Facts, rules: Sequence[Rule]) -> bool:
        """Return whether a file that *rules* take is not whole, and waits to be."""
        if not facts.unfinished:
            return False
        return self._inbox.put_off(sighting, facts.fault or "", give_up_s=_give_up_s(rules))

    def _to_be_had(self, match: Match, rules: Sequence[Rule]) -> Match:
        """Return *match* without partners that cannot be read or are not whole: their drop is not to come and go with them."""
        lost = [each for each in match.partners if self._is_lost(each.sighting, rules)]
        if not lost:
            return match
        return Match(
            partners=tuple(each for each in match.partners if each not in lost),
            missing=(*match.missing, *(each.path for each in lost)),
        )

    def _is_lost(self, sighting: Sighting, rules: Sequence[Rule]) -> bool:
        facts = self._inbox.inspect(sighting)
        return facts is None or self._put_off(sighting, facts, rules)

    def _in_vain(self, sighting: Sighting, rules: Sequence[Rule], match: Match) -> SourceFault:
        """Return why a drop fails whose partners did not come, and what to do."""
        name = _name(sighting.path)
        patience_s = max(rule.patience_s for rule in rules if rule.companions)
        missing = " and ".join(
            f"{_name(path)}, {self._whereabouts(path, sighting)}" for path in match.missing
        )
        first = "the other files" if len(match.missing) > 1 else _name(match.missing[0])
        return SourceFault(
            f"{name} waited {spelled(patience_s)} for {missing}",
            hint=f"drop all of them again, {first} first or at the same time",
        )

    def _whereabouts(self, path: str, sighting: Sighting) -> str:
        try:
            found = self._disk.look(posixpath.join(self._inbox.plan.folder, path))
        except DiskError:
            found = None
        if found is not None and found.folder:
            return "which is a folder"
        return self.sorter.whereabouts(path, sighting, now_s=self._clock.monotonic())


def _give_up_s(rules: Sequence[Rule]) -> float:
    return max(rule.give_up_s for rule in rules)


def _name(path: str) -> str:
    return shown(posixpath.basename(path))
