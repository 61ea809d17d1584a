"""Take what belongs together by copying it: into the work folder in the state folder, all files of a drop or none.

For an inbox whose originals stay. The copy is hashed while it is written and is all that is looked into, uploaded
and ordered from; the original is opened twice, for a look and for the copy. Whoever writes into it meanwhile is
noticed: it has to lie still again. Until its admission a copy belongs to nobody, and the next start removes it.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO, Final

from dropglow.disk import Disk, NewFile, Stat
from dropglow.errors import DiskError
from dropglow.intake.claiming import Claimed, Contents, Party, Spoiled, claimed, reading, same
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.inspect import examine
from dropglow.intake.work import WorkFolder
from dropglow.model import DropKey, Facts, Sighting

BLOCK_BYTES: Final = 1 << 20


class Copying:
    """Copy parties out of one inbox."""

    def __init__(self, folder: str, *, disk: Disk, work: WorkFolder, decoder: Decoder = IN_PROCESS) -> None:
        """Copy files from *folder* (absolute) into *work* by *disk*."""
        self._folder = folder
        self._disk = disk
        self._work = work
        self._decoder = decoder

    def claim(self, parties: Sequence[Party]) -> list[Claimed | Spoiled]:
        """Copy, hash and examine; return for each party what came of it. Never raises, leaves nothing of what failed.

        Each file is synced, and each folder once.
        """
        answers = [self._taken(party) for party in parties]
        unsynced = self._synced([each for each in answers if isinstance(each, Claimed)])
        return [
            replace(self._undone(party, answer.sighting, unsynced[party.key]), unsynced=True)
            if isinstance(answer, Claimed) and party.key in unsynced
            else answer
            for party, answer in zip(parties, answers, strict=True)
        ]

    def _taken(self, party: Party) -> Claimed | Spoiled:
        contents: list[Contents] = []
        for sighting in party.sightings:
            try:
                found = self._copied(party.key, sighting, marker=sighting.path in party.markers)
            except DiskError as error:
                return self._undone(party, sighting, error)
            if found is None:
                return self._undone(party, sighting, None)
            contents.append(found)
        return claimed(party, contents, work=self._work)

    def _copied(self, key: DropKey, sighting: Sighting, *, marker: bool) -> Contents | None:
        """Return what the copy of an original holds; None when that is not, or no longer, what was sighted."""
        place = self._work.place(key, sighting.path)
        self._work.prepare(key, sighting.path)
        with self._disk.open_read(posixpath.join(self._folder, sighting.path)) as source:
            if not same(sighting, source, inodes_hold=False):
                return None
            before = _times(source)
            written, sha256 = copy(self._disk, source, place)
            if _times(source) != before or written.size_bytes != sighting.size_bytes:
                return None
        if marker:
            return Contents(sha256=sha256, facts=Facts())
        with self._disk.open_read(place) as stream:
            facts = reading(lambda: examine(stream, sighting.path, decoder=self._decoder), place)
        return Contents(sha256=sha256, facts=facts)

    def _synced(self, taken: Sequence[Claimed]) -> dict[DropKey, DiskError]:
        """Sync every folder with new copies once; return for which drops that failed."""
        folders: dict[str, set[DropKey]] = {}
        for each in taken:
            for place in (each.place, *(one.place for one in each.partners)):
                folders.setdefault(posixpath.dirname(place), set()).add(each.key)
        failed: dict[DropKey, DiskError] = {}
        for folder, keys in folders.items():
            try:
                self._disk.sync_folder(folder)
            except DiskError as error:
                failed |= dict.fromkeys(keys, error)
        return failed

    def _undone(self, party: Party, culprit: Sighting, error: DiskError | None) -> Spoiled:
        """Remove what was copied of a party; what refuses is removed at the next start."""
        for sighting in party.sightings:
            with suppress(DiskError):
                self._disk.remove(self._work.place(party.key, sighting.path))
        self._work.forget(party.key)
        return Spoiled(culprit=culprit, error=error)


def copy(disk: Disk, source: BinaryIO, place: str) -> tuple[Stat, str]:
    """Write all of *source* to *place*, synced, and return what the copy is and its SHA-256. Nothing is left after a failure.

    The folder is not synced.

    Raises:
        NameTaken: Something is at *place*.
        DiskFull: There is no room.
        DiskError: It cannot be read, or not be written.
    """
    file = disk.create(place)
    try:
        digest = _poured(source, file)
        return file.finish(), digest
    finally:
        file.discard()


def _poured(source: BinaryIO, file: NewFile) -> str:
    digest = hashlib.sha256()
    while block := reading(lambda: source.read(BLOCK_BYTES), file.path):
        digest.update(block)
        file.write(block)
    return digest.hexdigest()


def _times(source: BinaryIO) -> tuple[int, int, int]:
    found = os.fstat(source.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
