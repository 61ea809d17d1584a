"""One inbox: sweep it, look into what lies still, claim it.

What of it is left alone meanwhile says ``resting``; what has to leave the work folder again goes by ``returning``.

Blocks, and may block for minutes on a dead network share, so each inbox belongs
to one thread.

Nothing is concluded from absence: a share that went away looks like an empty
folder, and every file in it is still owed an ending.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.errors import DiskError, FileGone
from dropglow.intake.claiming import Claimed, Claiming, Party, Spoiled, reading, same
from dropglow.intake.copying import Copying
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.ignore import Ignored
from dropglow.intake.inspect import peek
from dropglow.intake.kept_root import KeptRoot
from dropglow.intake.plan import InboxPlan
from dropglow.intake.resting import Resting
from dropglow.intake.returning import Returning
from dropglow.intake.root import Root
from dropglow.intake.scan import Snag, scan, scan_all
from dropglow.intake.sweep import MAX_SNAGS, Sweep
from dropglow.intake.syncing import Syncing
from dropglow.intake.wholes import together
from dropglow.intake.work import WorkFolder
from dropglow.landmarks import Memory
from dropglow.model import DropKey, Facts, FolderSighting, Sighting
from dropglow.settle import Watches

Found = TypeVar("Found")


class Inbox:
    """One inbox folder, and what is ``returning`` to it. Not safe to use from two threads at once."""

    def __init__(
        self,
        plan: InboxPlan,
        *,
        disk: Disk,
        clock: Clock,
        ledger_identity: str,
        memory: Memory | None = None,
        decoder: Decoder = IN_PROCESS,
    ) -> None:
        """Prepare; nothing is touched before ``open``.

        Args:
            plan: Where the inbox is and how it is looked at.
            disk: Does every rename.
            clock: Its monotonic seconds measure stillness.
            ledger_identity: Written into the inbox, so that files claimed under another ledger are known.
            memory: Knows how the folder was when it was last held; without one, it is as new.
            decoder: Looks into pictures.
        """
        self.plan = plan
        self._disk = disk
        self._clock = clock
        make_root = KeptRoot if plan.keeps else Root
        self._root = make_root(
            plan.folder, disk=disk, ledger_identity=ledger_identity, clock=clock, memory=memory
        )
        self._work = WorkFolder(plan.folder, disk=disk, workshop=plan.workshop)
        self._decoder = decoder
        self._ignored = Ignored(plan.ignore)
        self._claiming: Claiming | Copying = (
            Copying(plan.folder, disk=disk, work=self._work, decoder=decoder)
            if plan.keeps
            else Claiming(
                plan.folder,
                disk=disk,
                work=self._work,
                root=self._root,
                decoder=decoder,
                ignored=self._ignored,
            )
        )
        ours = (self._work.root, posixpath.dirname(self._work.root))
        # Where originals stay, the folder may be read-only, and is not written to.
        self._syncing = Syncing(ours if plan.keeps else (*ours, plan.folder), disk=disk)
        self._reserved: frozenset[str] = frozenset()
        self._watches = Watches()
        self._resting = Resting(watches=self._watches, syncing=self._syncing, clock=clock)
        self.returning = Returning(plan, disk=disk, work=self._work, root=self._root, watches=self._watches)
        self._back: set[str] = set()  # claimed in vain: nothing announces that they are there again
        self.progress = 0  # grows with every file that a sweep sees: one that takes long need not hang

    @property
    def foreign_owner(self) -> str | None:
        """Return the identity of the other ledger that claimed what is in the work folder, if it did."""
        return self._root.foreign_owner

    @property
    def unsafe(self) -> bool:
        """Return whether nothing is taken, because the disk would not keep it: to be asked after ``claim``."""
        return self._syncing.refuses

    def open(self) -> None:
        """Make the folder ready, lock it, and learn who owned it.

        A folder that was never there is made when its parent exists. Deal with the orphans next, by ``returning``.
        Where ``foreign_owner`` is set, they are that ledger's: hold them, then ``adopt``.

        Raises:
            DropglowError: Another service works on this inbox.
            DiskError: The folder is missing, or its work folder cannot be made.
        """
        self._root.open()
        self._work.tidy()
        self._root.settle_ownership(work_is_empty=not self.returning.orphans())
        self._reserved = _below(self.plan.folder, self.plan.reserved)

    def close(self) -> None:
        """Let go of the lock. The inbox may be opened again."""
        self._root.close()

    def sweep(self, *, in_full: bool = False) -> Sweep:
        """Look over the whole tree and return what lies still. Costs one ``lstat`` a file.

        With *in_full*, every path and every settled file is told, which takes some hundred bytes a file;
        otherwise the oldest settled files are, so that the folder is the queue and not our memory. A lost or exchanged folder is an answer and no error; it comes back by itself.
        """
        offline = self._root.offline()
        if offline is not None:
            return Sweep(offline=offline)
        self.returning.try_again()
        if (unsafe := self._syncing.trouble(now_s=self._clock.monotonic())) is not None:
            return Sweep(offline=unsafe)
        snags: list[Snag] = []
        now_s = self._clock.monotonic()
        paths: list[str] = []
        sightings = self._resting.sift(self._sightings(snags, paths if in_full else None), now_s=now_s)
        try:
            outlook = self._watches.observe(
                sightings,
                now_s=now_s,
                settle_s=self.plan.settle_s,
                resting=self._resting.question(now_s=now_s),
                in_full=in_full,
                keeps=self.plan.keeps,
            )
        except DiskError as error:
            return Sweep(offline=error.message)
        self._resting.keep_seen(now_s=now_s)
        back, self._back = len(self._back), set()
        return Sweep(
            settled=outlook.settled,
            beyond=outlook.beyond,
            settling=outlook.settling,
            waiting=outlook.waiting,
            unready=self._resting.unready(now_s=now_s),
            stuck=self._resting.stuck(now_s=now_s),
            arrived=max(0, outlook.arrived - back),
            next_look_s=_sooner(outlook.next_look_s, self._resting.next_look_s(now_s=now_s)),
            snags=(*self._resting.snags(now_s=now_s), *snags)[:MAX_SNAGS],
            seen=self._watches,
            paths=tuple(paths),
            unasked=outlook.unasked,
            known=outlook.known,
            stayed=outlook.stayed,
        )

    def recall(self, sweep: Sweep, known: AbstractSet[str]) -> Sweep:
        """Return *sweep* as it is once the unasked were asked about; *known* are the paths of those taken before.

        The answer holds for as long as a file stays as it is: what is known is not told again.
        """
        for sighting in sweep.unasked:
            self._watches.answer(sighting, known=sighting.path in known)
        return sweep.recalled(known)

    def inspect(self, sighting: Sighting, *, of: Sighting | None = None) -> Facts | None:
        """Return what a quick look into the file tells; None when it is gone or changed, or cannot be read now.

        What cannot be read is told by the following sweeps as a snag, and left out of ``settled`` for a while;
        with *of*, that is the folder which the file is a member of.
        """
        path = posixpath.join(self.plan.folder, sighting.path)
        try:
            with self._disk.open_read(path) as stream:
                if not same(sighting, stream, inodes_hold=True):
                    return None
                return reading(lambda: peek(stream, sighting.path, decoder=self._decoder), path)
        except FileGone:
            return None
        except DiskError as error:
            self._resting.refuse(of or sighting, error)
            return None

    def put_off(self, sighting: Sighting, reason: str, *, give_up_s: float) -> bool:
        """Let a file that is not whole, for this *reason*, wait until it changes; return False when it waited enough.

        It is left out of ``settled`` for *give_up_s* seconds, counted from the first look that saw it like this.
        """
        return self._resting.put_off(sighting, reason, give_up_s=give_up_s)

    def claim(self, parties: Sequence[Party]) -> tuple[Claimed, ...]:
        """Take drops with their partners into the work folder, hash and examine them, and return those that were taken.

        Where originals stay, copies are taken, and what they were taken from counts as known from now on.

        Never raises; the batch is synced once, and what is not synced goes back: see ``unsafe``. Where one file of a drop cannot be had, all of them go back. A
        file that changed since it was sighted has to lie still again; one that is gone is forgotten; one that
        cannot be moved or read stays in the inbox, is told by the following sweeps as a snag, and rests for a
        while; one that proves not to be whole is put off, unless its party's time is over. Until the caller has admitted them, claimed files are orphans, which the next start gives back.
        """
        assert self.foreign_owner is None, "adopt() comes first"
        if self.unsafe:
            return ()
        taken: list[Claimed] = []
        spoiled: list[tuple[DropKey, Spoiled]] = []
        for party, found in zip(parties, self._claiming.claim(parties), strict=True):
            answer = self._resting.if_whole(party, found)
            taken_here = isinstance(answer, Claimed)
            for sighting in party.sightings:
                if self.plan.keeps and taken_here:
                    self._watches.answer(sighting, known=True)
                else:
                    self._watches.forget(sighting.path)
            if isinstance(answer, Claimed):
                taken.append(answer)
            else:
                spoiled.append((party.key, answer))
                self._back.update(sighting.path for sighting in party.sightings)
        self.returning.undo(spoiled)
        self._resting.weigh([each for _, each in spoiled], any_taken=bool(taken))
        return tuple(taken)

    def adopt(self) -> None:
        """Write our ledger's identity into the inbox: what is claimed from now on is ours.

        Raises:
            DiskError: It cannot be written.
        """
        self._root.adopt()

    def _sightings(self, snags: list[Snag], paths: list[str] | None) -> Iterator[Sighting]:
        for found in self._drops():
            if isinstance(found, Sighting):
                if self.returning.is_due(found.path):
                    continue
                if paths is not None and not isinstance(found, FolderSighting):
                    paths.append(found.path)
                yield found
            elif len(snags) < MAX_SNAGS:
                snags.append(found)

    def _drops(self) -> Iterator[Sighting | Snag]:
        root, reserved, ignored = self.plan.folder, self._reserved, self._ignored
        if self.plan.folders:
            found = self._noted(scan_all(root, reserved=reserved, ignored=ignored))
            yield from together(found, reserved=reserved)
            return
        yield from self._noted(scan(root, reserved=reserved, ignored=ignored))

    def _noted(self, found: Iterable[Found]) -> Iterator[Found]:
        for each in found:
            self.progress += 1
            yield each


def _below(folder: str, reserved: Sequence[str]) -> frozenset[str]:
    """Return those of the absolute *reserved* folders that are inside *folder*, relative to it."""
    root = os.path.realpath(folder)
    paths = (os.path.relpath(os.path.realpath(each), root) for each in reserved)
    return frozenset(path for path in paths if path != "." and path.split("/", 1)[0] != "..")


def _sooner(one_s: float | None, other_s: float | None) -> float | None:
    return min((each for each in (one_s, other_s) if each is not None), default=None)
