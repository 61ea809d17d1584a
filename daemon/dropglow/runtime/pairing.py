"""Know which files of one inbox belong together, by their names and as the last sweep saw them.

Decides and touches nothing. How long anything waits is decided in ``sorting``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dropglow.intake.claiming import Partner
from dropglow.intake.sweep import Sweep
from dropglow.model import FolderSighting, Sighting
from dropglow.rules.beside import Owner, owner_keys, owners, partners
from dropglow.rules.globs import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What of a drop's partners lies beside it."""

    partners: tuple[Partner, ...]
    missing: tuple[str, ...]  # below the inbox, as the rules spell them


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Which of a drop's markers are there. A marker need not lie still: that it is there says all."""

    found: tuple[Partner, ...]
    missing: tuple[str, ...]  # below the inbox, as the rules spell them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """What a path alone tells."""

    keys: tuple[str, str]
    owners: tuple[tuple[Owner, ...], ...]  # for each rule with belongings
    marks: bool  # it is a marker of one of them


class Pairing:
    """Pair the files of one inbox. Belongs to the inbox's thread."""

    def __init__(self, templates: Sequence[tuple[str, ...]], *, markers: Sequence[str] = ()) -> None:
        """Pair by the *templates* of each rule with belongings, in the order of the rules; *markers* are among them."""
        self._templates = tuple(templates)
        self._marking = tuple(markers)
        self._names: dict[str, _Name] = {}
        self._partners: dict[str, Sighting] = {}  # settled files that are somebody's by their names
        self._spelled: dict[str, list[str]] = {}  # the same, by their folded paths
        self._markers: dict[str, Sighting] = {}  # files that are markers by their names, settled or not
        self._markers_spelled: dict[str, list[str]] = {}  # the same, by their folded paths
        self._possible: tuple[dict[str, list[str]], ...] = ()  # possible drops of each rule, by their keys
        self._accompanied: set[str] = set()  # partners whose drop is there
        self._drops: set[str] = set()  # files that could be the drops of those
        self._renewed: dict[
            str, set[str]
        ] = {}  # partners that nobody took yet, and what could be their drops
        self._taken: set[str] = set()  # since the last sweep

    @property
    def partners_only(self) -> set[str]:
        """Return the settled files that are somebody's, and are no drops themselves."""
        return self._partners.keys() - self._drops

    @property
    def renewed(self) -> dict[str, set[str]]:
        """Return, for each settled partner that was not taken before, the files that could be its drop."""
        return self._renewed

    def learn(self, sweep: Sweep, *, left: Collection[str]) -> None:
        """Bring names, partners and possible drops up to date; what no rule takes, *left*, is nobody's drop.

        A whole folder is neither: what belongs to its files is in it.
        """
        self._taken = set()
        self._names = {path: self._names.get(path) or self._named(path) for path in sweep.paths}
        lying = _files((*sweep.stayed, *sweep.settled))
        self._partners = {each.path: each for each in lying if any(self._names[each.path].owners)}
        there = (*lying, *_files(sweep.settling))
        self._markers = {each.path: each for each in there if self._names[each.path].marks}
        self._spelled, self._markers_spelled = _by_spelling(self._partners), _by_spelling(self._markers)
        self._bring_together(left)
        new = self._partners.keys() - {each.path for each in sweep.stayed}
        self._renewed = {path: drops for path, drops in self._renewed.items() if path in new}

    def alone(self, path: str) -> bool:
        """Return whether a settled file is somebody's by its name, and that drop is not there."""
        return path in self._partners and path not in self._accompanied and path not in self._drops

    def owners(self, path: str) -> tuple[tuple[Owner, ...], ...]:
        """Return whose a file of the last sweep is, for each rule with companions."""
        return self._names[path].owners

    def free(self, path: str) -> bool:
        """Return whether a file was not taken since the last sweep."""
        return path not in self._taken

    def take(self, path: str) -> None:
        """Give a file to its drop: nobody else gets it."""
        self._taken.add(path)

    def match(self, sighting: Sighting, templates: Iterable[str]) -> Match:
        """Return which of the partners that *templates* name lie still beside a drop."""
        exact = self._has_rival(sighting)
        found = {
            path: self._found(path, self._partners, self._spelled, exact=exact)
            for path in partners(templates, sighting.path)
        }
        return Match(
            partners=tuple(
                Partner(path=path, sighting=each) for path, each in found.items() if each is not None
            ),
            missing=tuple(path for path, each in found.items() if each is None),
        )

    def marks(self, sighting: Sighting, templates: Iterable[str]) -> Marks:
        """Return which of the markers that *templates* name are beside a drop."""
        exact = self._has_rival(sighting)
        found = {
            path: self._found(path, self._markers, self._markers_spelled, exact=exact)
            for path in partners(templates, sighting.path)
        }
        return Marks(
            found=tuple(
                Partner(path=path, sighting=each, marker=True)
                for path, each in found.items()
                if each is not None
            ),
            missing=tuple(path for path, each in found.items() if each is None),
        )

    def _bring_together(self, left: Collection[str]) -> None:
        """Find each partner's possible drops, by their names.

        Two rules may each call the drop of the other a partner. Then the first rule has its way, as ever.
        """
        self._accompanied, self._drops, self._renewed = set(), set(), {}
        possible = []
        for number in range(len(self._templates)):
            files: dict[str, list[str]] = {}
            belonging = []
            for path, name in self._names.items():
                if name.owners[number]:
                    belonging.append(path)
                elif path not in left and path not in self._accompanied:
                    for key in name.keys:
                        files.setdefault(key, []).append(path)
            for path in belonging:
                drops = [
                    drop for each in self._names[path].owners[number] for drop in files.get(each.key, ())
                ]
                if drops and path not in self._drops:
                    self._accompanied.add(path)
                    self._drops.update(drops)
                    self._renewed.setdefault(path, set()).update(drops)
            possible.append(files)
        self._possible = tuple(possible)

    def _named(self, path: str) -> _Name:
        whose = tuple(owners(templates, path) for templates in self._templates)
        return _Name(keys=owner_keys(path), owners=whose, marks=bool(owners(self._marking, path)))

    def _has_rival(self, sighting: Sighting) -> bool:
        """Return whether another file's stem differs from this one's in case or normal form only."""
        stem = posixpath.splitext(sighting.path)[0]
        same = (
            path
            for possible in self._possible
            for key in owner_keys(sighting.path)
            for path in possible.get(key, ())
        )
        return any(posixpath.splitext(path)[0] != stem for path in same)

    def _found(
        self, path: str, files: Mapping[str, Sighting], spelled: Mapping[str, list[str]], *, exact: bool
    ) -> Sighting | None:
        """Return the one of *files* with this path that is nobody's yet; with *exact*, spelled like this only."""
        if path in files and path not in self._taken:
            return files[path]
        alike = [each for each in spelled.get(folded(path), ()) if each not in self._taken]
        return files[alike[0]] if len(alike) == 1 and not exact else None


def _files(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    return tuple(each for each in sightings if not isinstance(each, FolderSighting))


def _by_spelling(paths: Iterable[str]) -> dict[str, list[str]]:
    spelled: dict[str, list[str]] = {}
    for path in paths:
        spelled.setdefault(folded(path), []).append(path)
    return spelled
