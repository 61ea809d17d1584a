"""One inbox: sweep it, look into what lies still, claim it, give it back.

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
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, FileGone, NameTaken
from dropglow.intake.claiming import Claimed, Claiming, Party, Spoiled, reading, same
from dropglow.intake.copying import Copying
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.ignore import Ignored
from dropglow.intake.inspect import peek
from dropglow.intake.kept_root import KeptRoot
from dropglow.intake.plan import InboxPlan
from dropglow.intake.refused import Refused
from dropglow.intake.root import Root
from dropglow.intake.scan import Snag, scan, scan_all
from dropglow.intake.syncing import Syncing
from dropglow.intake.unready import NotReady, Unready
from dropglow.intake.wholes import Unfinished, together
from dropglow.intake.work import WorkFolder
from dropglow.landmarks import Memory
from dropglow.model import DropKey, Facts, FolderSighting, Sighting
from dropglow.settle import MOST_TOLD, Watches, oldest

MAX_SNAGS: Final = 100  # a thousand links in an inbox need not be told one by one
_MAX_NAMES: Final = 1000

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What one look over an inbox showed.

    While ``offline`` says why the folder cannot be trusted, the rest is empty and
    means nothing.
    """

    settled: tuple[
        Sighting, ...
    ] = ()  # oldest first: by mtime, then by path; told again until claimed or left
    settling: tuple[Sighting, ...] = ()  # not settled yet; only where they were asked for
    beyond: int = 0  # settled too, but younger than as many as one look tells
    waiting: int = 0  # seen, not settled yet
    unready: tuple[NotReady, ...] = ()  # still, and not whole
    stuck: tuple[NotReady, ...] = ()  # those of them that are for a while now; told once
    arrived: int = 0  # not seen by the look before
    next_look_s: float | None = None  # seconds until something is due for a file that waits
    offline: str | None = None
    snags: tuple[Snag, ...] = ()  # passed over, with reasons; at most MAX_SNAGS
    seen: Watches = field(default_factory=Watches, compare=False)  # every file, settled or not
    paths: tuple[str, ...] = ()  # of every single file, settled or not; only where they were asked for
    unasked: tuple[Sighting, ...] = ()  # settled, and nobody said yet whether they were taken before
    known: int = 0  # taken before, and lying there still as they were, because originals stay
    stayed: tuple[Sighting, ...] = ()  # these; only where they were asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A file in the work folder, as the file system alone tells it."""

    key: DropKey
    place: str  # absolute
    path: str  # below the inbox, where it was dropped


class Inbox:
    """One inbox folder. Not safe to use from two threads at once."""

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
        self._unfinished = Unfinished()
        self._watches = Watches()
        self._refused = Refused()
        self._unready = Unready()
        self._stranded: tuple[Orphan, ...] = ()
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

        A folder that was never there is made when its parent exists. Deal with ``orphans`` next. Where ``foreign_owner``
        is set, they are that ledger's: hold them, then ``adopt``.

        Raises:
            DropglowError: Another service works on this inbox.
            DiskError: The folder is missing, or its work folder cannot be made.
        """
        self._root.open()
        self._work.tidy()
        self._root.settle_ownership(work_is_empty=not self.orphans())
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
        self._give_back_stranded()
        if (unsafe := self._syncing.trouble(now_s=self._clock.monotonic())) is not None:
            return Sweep(offline=unsafe)
        snags: list[Snag] = []
        now_s = self._clock.monotonic()
        paths: list[str] = []
        sightings = self._whole(self._sightings(snags, paths if in_full else None), now_s)
        try:
            outlook = self._watches.observe(
                sightings,
                now_s=now_s,
                settle_s=self.plan.settle_s,
                resting=partial(self._rests, now_s=now_s) if self._refused or self._unready else None,
                in_full=in_full,
                keeps=self.plan.keeps,
            )
        except DiskError as error:
            return Sweep(offline=error.message)
        self._refused.keep_only(self._watches)
        self._unready.keep_only(self._watches)
        self._unfinished.keep_seen(at_s=now_s)
        back, self._back = len(self._back), set()
        return Sweep(
            settled=outlook.settled,
            beyond=outlook.beyond,
            settling=outlook.settling,
            waiting=outlook.waiting,
            unready=self._unready.told(now_s=now_s),
            stuck=self._unready.to_say(now_s=now_s),
            arrived=max(0, outlook.arrived - back),
            next_look_s=_sooner(outlook.next_look_s, self._unready.next_look_s(now_s=now_s)),
            snags=(*self._refused.snags(), *self._unfinished.snags(now_s=now_s), *snags)[:MAX_SNAGS],
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
        stayed = tuple(each for each in sweep.unasked if each.path in known)
        news = (each for each in sweep.unasked if each.path not in known)
        settled, in_full = oldest((*sweep.settled, *news)), bool(sweep.paths)
        told = len(settled) if in_full else MOST_TOLD
        return replace(
            sweep,
            settled=settled[:told],
            beyond=sweep.beyond + len(settled[told:]),
            unasked=(),
            known=sweep.known + len(stayed),
            stayed=(*sweep.stayed, *stayed) if in_full else (),
        )

    def inspect(self, sighting: Sighting, *, of: Sighting | None = None) -> Facts | None:
        """Return what a quick look into the file tells; None when it is gone or changed, or cannot be read now.

        What cannot be read is told by the following sweeps as a snag, and left out of ``settled`` for a while;
        with *of*, that is the folder which the file is a member of.
        """
        path = self._path(sighting.path)
        try:
            with self._disk.open_read(path) as stream:
                if not same(sighting, stream, inodes_hold=True):
                    return None
                return reading(lambda: peek(stream, sighting.path, decoder=self._decoder), path)
        except FileGone:
            return None
        except DiskError as error:
            self._refuse(of or sighting, error)
            return None

    def put_off(self, sighting: Sighting, reason: str, *, give_up_s: float) -> bool:
        """Let a file that is not whole, for this *reason*, wait until it changes; return False when it waited enough.

        It is left out of ``settled`` for *give_up_s* seconds, counted from the first look that saw it like this.
        """
        now_s, since_s = self._clock.monotonic(), self._watches.since_s(sighting)
        return self._unready.put_off(
            sighting, reason, since_s=now_s if since_s is None else since_s, give_up_s=give_up_s, now_s=now_s
        )

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
            answer = self._if_whole(party, found)
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
        self._return(spoiled)
        self._weigh([each for _, each in spoiled], any_taken=bool(taken))
        return tuple(taken)

    def orphans(self) -> tuple[Orphan, ...]:
        """Return every file in the work folder. Give back those whose key the ledger does not know.

        Raises:
            DiskError: The work folder cannot be read.
        """
        return tuple(Orphan(key=key, place=place, path=path) for key, place, path in self._work.files())

    def give_back(self, key: DropKey, place: str, path: str) -> str:
        """Move a claimed file back to where it was dropped and return its path below the inbox.

        Replaces nothing: if the name is taken meanwhile, the key becomes part of the name. Where originals stay,
        what was claimed is a copy, which is removed.

        Raises:
            FileGone: It is no longer at *place*.
            DiskError: It cannot be moved; it stays at *place*.
        """
        self._watches.forget(path)
        if self.plan.keeps:
            self._disk.remove(place)
            self.forget(key)
            return path
        final = self._put(place, self._path(path), key)
        self.forget(key)
        return os.path.relpath(final, self.plan.folder)

    def hold_foreign(self, key: DropKey, place: str, path: str, *, held: str) -> str:
        """Move a file that another ledger claimed into the folder *held*, with a note, and return its new place.

        It may have been bought, and only the other ledger knows.

        Raises:
            FileGone: It is no longer at *place*.
            DiskError: It cannot be moved, or there is no room for the note.
        """
        final = self._put(place, posixpath.join(held, path), key)
        note = _note(path, key, self.foreign_owner or "unknown")
        self._disk.write(f"{final}.held.txt", note.encode("utf-8", "replace"), replace=True)
        self.forget(key)
        return final

    def adopt(self) -> None:
        """Write our ledger's identity into the inbox: what is claimed from now on is ours.

        Raises:
            DiskError: It cannot be written.
        """
        self._root.adopt()

    def forget(self, key: DropKey) -> None:
        """Remove the emptied work folder of a drop. One that still holds a file stays."""
        self._work.forget(key)

    def work_place(self, key: DropKey, path: str) -> str:
        """Return the absolute place that a file of this path has while it is worked on."""
        return self._work.place(key, path)

    def _sightings(self, snags: list[Snag], paths: list[str] | None) -> Iterator[Sighting]:
        for found in self._drops():
            if isinstance(found, Sighting):
                if paths is not None and not isinstance(found, FolderSighting):
                    paths.append(found.path)
                self._unready.see(found)
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

    def _whole(self, sightings: Iterable[Sighting], now_s: float) -> Iterator[Sighting]:
        """Yield what may be whole; what is not need not lie still, either."""
        for seen in sightings:
            if isinstance(seen, FolderSighting) and seen.obstacle:
                self._unfinished.note(seen, now_s=now_s)
            else:
                yield seen

    def _if_whole(self, party: Party, answer: Claimed | Spoiled) -> Claimed | Spoiled:
        """Return *answer*, or that the party has to go back, because a file of it is not whole and may be soon."""
        if isinstance(answer, Spoiled):
            return answer
        examined = [
            (answer.sighting, answer.facts),
            *((each.sighting, each.facts) for each in answer.partners),
            *((answer.sighting, each.facts) for each in answer.members),
        ]
        put_off = [
            self.put_off(sighting, facts.fault or "", give_up_s=party.give_up_s)
            for sighting, facts in examined
            if facts.unfinished
        ]
        return Spoiled(moved=tuple((party.key, each) for each in party.sightings)) if any(put_off) else answer

    def _rests(self, sighting: Sighting, *, now_s: float) -> bool:
        return self._refused.resting(sighting, now_s=now_s) or self._unready.waits(sighting, now_s=now_s)

    def _weigh(self, spoiled: Sequence[Spoiled], *, any_taken: bool) -> None:
        """Learn whether what the disk refused is for some files, which rest, or for the whole inbox."""
        refused = [
            each for each in spoiled if each.error is not None and not isinstance(each.error, FileGone)
        ]
        if not refused:
            if any_taken:
                self._syncing.worked()
            return
        again = self._syncing.failed(now_s=self._clock.monotonic())
        for each in refused:
            if not self.unsafe and (again or not each.unsynced):
                self._let_rest(each)

    def _let_rest(self, spoiled: Spoiled) -> None:
        if spoiled.error is not None and spoiled.culprit is not None:
            self._refuse(spoiled.culprit, spoiled.error)

    def _return(self, spoiled: Sequence[tuple[DropKey, Spoiled]]) -> None:
        """Give back what is in the work folder of parties that were not claimed."""
        orphans = (
            Orphan(key=key, place=self.work_place(key, sighting.path), path=sighting.path)
            for _, each in spoiled
            for key, sighting in each.moved
        )
        self._stranded = (*self._stranded, *orphans)
        self._give_back_stranded()
        for key, _ in spoiled:
            self.forget(key)

    def _give_back_stranded(self) -> None:
        """Give back what was claimed in vain; what the disk does not let go now, the next sweep tries again."""
        left = []
        for orphan in self._stranded:
            try:
                self.give_back(orphan.key, orphan.place, orphan.path)
            except FileGone:
                self.forget(orphan.key)
            except DiskError:
                left.append(orphan)
        self._stranded = tuple(left)

    def _put(self, place: str, wanted: str, key: DropKey) -> str:
        """Move *place* to *wanted*, or to the first free name like it, and return which."""
        self._disk.make_folder(posixpath.dirname(wanted))
        for final in _candidates(wanted, key):
            try:
                self._disk.move(place, final)
            except NameTaken:
                continue
            return final
        raise NameTaken(f"no free name is left like {shown(wanted)}", hint="clear that folder up")

    def _refuse(self, sighting: Sighting, error: DiskError) -> None:
        self._refused.add(sighting, error.message, now_s=self._clock.monotonic())

    def _path(self, path: str) -> str:
        return posixpath.join(self.plan.folder, path)


def _below(folder: str, reserved: Sequence[str]) -> frozenset[str]:
    """Return those of the absolute *reserved* folders that are inside *folder*, relative to it."""
    root = os.path.realpath(folder)
    paths = (os.path.relpath(os.path.realpath(each), root) for each in reserved)
    return frozenset(path for path in paths if path != "." and path.split("/", 1)[0] != "..")


def _sooner(one_s: float | None, other_s: float | None) -> float | None:
    return min((each for each in (one_s, other_s) if each is not None), default=None)


def _candidates(wanted: str, key: DropKey) -> Iterator[str]:
    yield wanted
    stem, extension = posixpath.splitext(wanted)
    yield f"{stem}.{key}{extension}"
    for number in range(2, _MAX_NAMES):
        yield f"{stem}.{key}.{number}{extension}"


def _note(path: str, key: DropKey, owner: str) -> str:
    return (
        f"{shown(path)} is held.\n\n"
        f"What: it was found half done in the work folder of this inbox, as drop {key}.\n"
        f"Why:  the service that took it kept its books in another state folder (ledger {owner}),\n"
        "      so nobody here can tell whether its results were ordered and paid for.\n"
        "Do:   start the service with its former state folder to see, or move the file back\n"
        "      into the inbox to order it (again).\n"
    )
