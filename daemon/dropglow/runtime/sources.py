"""Find the files that a job is about: the drop and what was dropped beside it, or some of a folder. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dropglow.model import Companion, Drop, Job, Kind, Member
from dropglow.rules.globs import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was dropped, as it was then."""

    path: str  # below the inbox, as it was dropped
    place: str  # absolute path where it is now; empty once it is gone
    sha256: str
    size_bytes: int
    kind: Kind | None


def files_of(drop: Drop, job: Job | None = None) -> tuple[File, ...]:
    """Return the file that *job* is about, and after it those that belong to it; without a job, every file of *drop*."""
    if not drop.folder:
        return (_file(drop, drop.place), *(_file(each, each.place) for each in drop.companions))
    members = {each.path: each for each in drop.members}
    paths: Iterable[str] = members if job is None else job.members
    return tuple(_file(members[path], drop.place_of(members[path])) for path in paths)


def beside(drop: Drop, job: Job, path: str) -> File | None:
    """Return the file that belongs to that of *job* and is called *path* by its rule; None: it did not come."""
    files = files_of(drop, job)[1:]
    exact = [each for each in files if each.path == path]
    alike = exact or [each for each in files if folded(each.path) == folded(path)]
    return alike[0] if alike else None


def _file(each: Drop | Companion | Member, place: str) -> File:
    return File(path=each.path, place=place, sha256=each.sha256, size_bytes=each.size_bytes, kind=each.kind)
