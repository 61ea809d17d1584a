"""Claim what belongs together: into the work folder in one batch, all files of a drop or none.

A claim is a rename without replacing into a hidden work folder of the same file
system; from then on the file is ours, and the hash and the full examination
concern what was claimed, whatever the sweep had seen. A power cut may come
between two renames: what is in the work folder then belongs to no drop that the
ledger knows, and goes back at the next start. What the disk does not sync is not
claimed: it might lie in the inbox again, beside its drop.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar

from dropglow.disk import Disk, refusal, sha256_of
from dropglow.errors import DiskError, NameTaken
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.ignore import Ignored
from dropglow.intake.inspect import examine
from dropglow.intake.root import Root
from dropglow.intake.scan import scan_all
from dropglow.intake.wholes import manifest, same_whole, together
from dropglow.intake.work import WorkFolder
from dropglow.model import DropKey, Facts, FolderSighting, Sighting

Answer = TypeVar("Answer")
NOTHING_ELSE: Final = Ignored()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A file that lies beside a drop and is wanted with it."""

    path: str  # below the inbox, as the drop's rule spells it
    sighting: Sighting  # as it lies there
    marker: bool = False  # it is only there, and is not looked into


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A drop with its partners, to be claimed under one key."""

    key: DropKey
    drop: Sighting
    partners: tuple[Partner, ...] = ()
    give_up_s: float = 0.0  # how long each of its files may lie there without being whole

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Return all of its files, the drop first."""
        return (self.drop, *(each.sighting for each in self.partners))

    @property
    def markers(self) -> frozenset[str]:
        """Return the paths of those of its files that nobody looks into."""
        return frozenset(each.sighting.path for each in self.partners if each.marker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPartner:
    """A drop's partner that is ours now, hashed and examined."""

    path: str  # below the inbox, as the drop's rule spells it
    sighting: Sighting  # as it was in the inbox
    place: str  # absolute
    sha256: str  # hexadecimal
    facts: Facts
    marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMember:
    """A file of a folder that is ours now, hashed and examined."""

    sighting: Sighting  # as it was in the inbox
    sha256: str  # hexadecimal
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A file that is ours now, hashed and examined, with its partners; or a whole folder.

    The content of a folder is told by that of all its members, and by their paths in it.
    """

    key: DropKey
    sighting: Sighting  # as it was in the inbox
    place: str  # absolute
    sha256: str  # hexadecimal
    facts: Facts
    partners: tuple[ClaimedPartner, ...] = ()
    members: tuple[ClaimedMember, ...] = ()  # of a folder, by path


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A party that was not claimed, and why."""

    moved: tuple[tuple[DropKey, Sighting], ...] = ()  # in the work folder, or perhaps there: to be given back
    culprit: Sighting | None = None  # the file that did not come, or could not be read
    error: DiskError | None = None  # what the disk said; None: the file changed, and may be whole soon
    unsynced: bool = False  # all of it came, and a power cut might undo that


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a file, or in a folder, that is ours now."""

    sha256: str  # hexadecimal
    facts: Facts  # none of a marker
    members: tuple[ClaimedMember, ...] = ()


class Claiming:
    """Claim parties in one inbox. Gives nothing back: whoever asked knows where things belong."""

    def __init__(
        self,
        folder: str,
        *,
        disk: Disk,
        work: WorkFolder,
        root: Root,
        decoder: Decoder = IN_PROCESS,
        ignored: Ignored = NOTHING_ELSE,
    ) -> None:
        """Move files from *folder* (absolute) into *work* by *disk*; *root* knows whether inodes hold.

        *ignored* knows what of a folder is none of our business.
        """
        self._decoder = decoder
        self._ignored = ignored
        self._folder = folder
        self._disk = disk
        self._work = work
        self._root = root

    def claim(self, parties: Sequence[Party]) -> list[Claimed | Spoiled]:
        """Move, hash and examine; return for each party what came of it. Never raises; syncs once."""
        made: set[str] = set()
        unprepared = [self._prepared(party, made) for party in parties]
        ready = [party for party, error in zip(parties, unprepared, strict=True) if error is None]
        outcomes = iter(self._disk.move_many([move for party in ready for move in self._moves(party)]))
        answers: list[Claimed | Spoiled] = []
        for party, spoiled in zip(parties, unprepared, strict=True):
            if spoiled is not None:
                answers.append(spoiled)
                continue
            answers.append(self._settled(party, [next(outcomes) for _ in party.sightings]))
        return answers

    def _prepared(self, party: Party, made: set[str]) -> Spoiled | None:
        """Make the folders that are not among those *made* for this batch already; most parties share one."""
        for sighting in party.sightings:
            folder = posixpath.dirname(self._work.place(party.key, sighting.path))
            if folder in made:
                continue
            try:
                self._work.prepare(party.key, sighting.path)
                made.add(folder)
            except DiskError as error:
                return Spoiled(culprit=sighting, error=error)
        return None

    def _moves(self, party: Party) -> list[tuple[str, str]]:
        return [
            (posixpath.join(self._folder, each.path), self._work.place(party.key, each.path))
            for each in party.sightings
        ]

    def _settled(self, party: Party, outcomes: Sequence[DiskError | None]) -> Claimed | Spoiled:
        pairs = list(zip(party.sightings, outcomes, strict=True))
        stands = {each.path: self._stands(party.key, each, outcome) for each, outcome in pairs}
        moved = tuple(
            (party.key, each) for each, outcome in pairs if stands[each.path] or _may_have_moved(outcome)
        )
        for sighting, outcome in pairs:
            if not stands[sighting.path]:
                return Spoiled(moved=moved, culprit=sighting, error=outcome)
        for sighting, outcome in pairs:
            if outcome is not None:
                return Spoiled(moved=moved, culprit=sighting, error=outcome, unsynced=True)
        contents: list[Contents] = []
        for sighting in party.sightings:
            try:
                found = self._looked_into(party.key, sighting, marker=sighting.path in party.markers)
            except DiskError as error:
                return Spoiled(moved=moved, culprit=sighting, error=error)
            if found is None:
                return Spoiled(moved=moved, culprit=sighting)
            contents.append(found)
        return claimed(party, contents, work=self._work)

    def _stands(self, key: DropKey, sighting: Sighting, outcome: DiskError | None) -> bool:
        """Return whether the file is in the work folder, synced or not."""
        if outcome is None:
            return True
        try:
            return self._disk.look(self._work.place(key, sighting.path)) is not None
        except DiskError:
            return False

    def _looked_into(self, key: DropKey, sighting: Sighting, *, marker: bool) -> Contents | None:
        """Return what the claimed file or folder holds; None when it is not, or no longer, what was sighted."""
        place = self._work.place(key, sighting.path)
        if isinstance(sighting, FolderSighting):
            return self._folder_examined(place, sighting)
        return self._examined(place, sighting, marker=marker)

    def _folder_examined(self, place: str, sighting: FolderSighting) -> Contents | None:
        if not self._stands_still(place, sighting):
            return None
        members: list[ClaimedMember] = []
        for each in sighting.members:
            below = each.path.removeprefix(f"{sighting.path}/")
            found = self._examined(posixpath.join(place, below), each, marker=False)
            if found is None:
                return None
            members.append(ClaimedMember(sighting=each, sha256=found.sha256, facts=found.facts))
        if not self._stands_still(place, sighting):
            return None
        sha256 = manifest({each.sighting.path: each.sha256 for each in members}, below=sighting.path)
        return Contents(sha256=sha256, facts=Facts(), members=tuple(members))

    def _stands_still(self, place: str, sighting: FolderSighting) -> bool:
        """Return whether the folder at *place* holds what was sighted, and nothing that came since."""
        found = scan_all(place, below=sighting.path, ignored=self._ignored)
        now = next((each for each in together(found) if isinstance(each, FolderSighting)), None)
        return now is not None and same_whole(sighting, now, inodes_hold=self._root.inodes_hold)

    def _examined(self, place: str, sighting: Sighting, *, marker: bool) -> Contents | None:
        inodes_hold = self._root.inodes_hold
        with self._disk.open_read(place) as stream:
            if not same(sighting, stream, inodes_hold=inodes_hold):
                return None
            sha256 = reading(lambda: sha256_of(stream), place)
            stream.seek(0)
            facts = Facts()
            if not marker:
                facts = reading(lambda: examine(stream, sighting.path, decoder=self._decoder), place)
            if not same(sighting, stream, inodes_hold=inodes_hold):
                return None
        return Contents(sha256=sha256, facts=facts)


def _may_have_moved(outcome: DiskError | None) -> bool:
    """Return whether a file was perhaps moved, whatever its share, which may have gone meanwhile, shows now.

    Where moving is linking, a file that is gone may have got its second name before.
    """
    return not isinstance(outcome, NameTaken)


def claimed(party: Party, contents: Sequence[Contents], *, work: WorkFolder) -> Claimed:
    """Return *party* as it lies in its *work* folder, where *contents* are those of its sightings."""
    main, *others = contents
    return Claimed(
        key=party.key,
        sighting=party.drop,
        place=work.place(party.key, party.drop.path),
        sha256=main.sha256,
        facts=main.facts,
        members=main.members,
        partners=tuple(
            ClaimedPartner(
                path=each.path,
                sighting=each.sighting,
                place=work.place(party.key, each.sighting.path),
                sha256=found.sha256,
                facts=found.facts,
                marker=each.marker,
            )
            for each, found in zip(party.partners, others, strict=True)
        ),
    )


def same(sighting: Sighting, stream: BinaryIO, *, inodes_hold: bool) -> bool:
    """Return whether the open file is what was sighted. Its ctime does not matter: the rename of a claim changes it."""
    found = os.fstat(stream.fileno())
    if (found.st_size, found.st_mtime_ns) != (sighting.size_bytes, sighting.mtime_ns):
        return False
    return not inodes_hold or (found.st_dev, found.st_ino) == (sighting.device, sighting.inode)


def reading(ask: Callable[[], Answer], path: str) -> Answer:
    """Return what *ask* reads from the file at *path*.

    Raises:
        DiskError: It cannot be read.
    """
    try:
        return ask()
    except OSError as error:
        raise refusal("read", path, error) from error
