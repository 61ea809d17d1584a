"""Put together what a scan found in each sub-folder of an inbox whose sub-folders are drops. Pure.

A folder without a file that may be of use is no drop: people make folders first and fill them later. One in which
something is still being written, or cannot be looked at, is told with that obstacle and never taken.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from dropglow.intake.scan import Other, Snag
from dropglow.model import FolderSighting, Sighting
from dropglow.naming import shown

STUCK_AFTER_S: Final = 60.0  # a folder that is not whole is worth a line only once nobody is at it any more
NAME_BYTES_MAX: Final = 240  # of 255: in the work folder the drop's key stands before it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """Since when nothing moved in a folder that is not whole."""

    fingerprint: int
    since_s: float
    seen_s: float
    obstacle: str


class Unfinished:
    """Remember the folders of an inbox that cannot be whole yet, and tell those that nobody is at any more."""

    def __init__(self) -> None:
        """Know none."""
        self._rests: dict[str, _Rest] = {}

    def note(self, folder: FolderSighting, *, now_s: float) -> None:
        """Note that a look at *now_s* saw *folder*."""
        before, fingerprint = self._rests.get(folder.path), hash(folder)
        since_s = before.since_s if before is not None and before.fingerprint == fingerprint else now_s
        self._rests[folder.path] = _Rest(
            fingerprint=fingerprint, since_s=since_s, seen_s=now_s, obstacle=folder.obstacle
        )

    def keep_seen(self, *, at_s: float) -> None:
        """Forget what the look at *at_s* did not see."""
        self._rests = {path: rest for path, rest in self._rests.items() if rest.seen_s == at_s}

    def snags(self, *, now_s: float) -> tuple[Snag, ...]:
        """Return what has not moved for so long that a person should look at it."""
        return tuple(
            Snag(path=path, reason=f"it is not whole: {rest.obstacle}")
            for path, rest in self._rests.items()
            if now_s - rest.since_s >= STUCK_AFTER_S
        )


@dataclass(slots=True)
class _Whole:
    """What was found of one sub-folder so far."""

    itself: Sighting | None = None
    members: list[Sighting] = field(default_factory=list)
    others: list[Sighting] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)


def together(
    found: Iterable[Sighting | Snag | Other], *, reserved: AbstractSet[str] = frozenset()
) -> Iterator[Sighting | Snag]:
    """Yield files beside the sub-folders and every snag as they come, and then each sub-folder that is a drop.

    *reserved* are paths below the inbox of folders of ours: a sub-folder around one is never taken.
    """
    wholes: dict[str, _Whole] = {}
    for each in found:
        path = each.sighting.path if isinstance(each, Other) else each.path
        name, inside, _ = path.partition("/")
        if isinstance(each, Snag):
            yield each
            if inside and each.hides:
                reason = f"{shown(path)} in it cannot be looked into: {each.reason}"
                wholes.setdefault(name, _Whole()).obstacles.append(reason)
        elif isinstance(each, Sighting) and not inside:
            yield each
        else:
            _add(wholes.setdefault(name, _Whole()), each, inside=bool(inside))
    for name, whole in wholes.items():
        if whole.itself is not None and whole.members:
            yield _told(name, whole, whole.itself, reserved)


def same_whole(before: FolderSighting, now: FolderSighting, *, inodes_hold: bool) -> bool:
    """Return whether a folder holds what it held. Its own name and ctime do not matter: a rename changes them."""
    if now.obstacle:
        return False
    return _listing(before, inodes_hold=inodes_hold) == _listing(now, inodes_hold=inodes_hold)


def manifest(files: Mapping[str, str], *, below: str) -> str:
    """Return the SHA-256 of what a folder holds, as 64 hexadecimal digits.

    Its own name does not matter, and neither does what of it was passed over.

    Args:
        files: The SHA-256 of each file by its path, which begins with *below*.
        below: The folder's path.
    """
    lines = sorted((_bytes(path.removeprefix(f"{below}/")), sha256) for path, sha256 in files.items())
    digest = hashlib.sha256(b"folder\n")
    for path, sha256 in lines:
        digest.update(sha256.encode() + b" " + path + b"\0")
    return digest.hexdigest()


def _add(whole: _Whole, each: Sighting | Other, *, inside: bool) -> None:
    if isinstance(each, Sighting):
        whole.members.append(each)
        return
    if not inside:
        whole.itself = each.sighting
        return
    whole.others.append(each.sighting)
    if each.unfinished:
        name = shown(posixpath.basename(each.sighting.path))
        whole.obstacles.append(f"by its name, {name} in it is still being written")


def _told(name: str, whole: _Whole, itself: Sighting, reserved: AbstractSet[str]) -> FolderSighting | Snag:
    if len(_bytes(name)) > NAME_BYTES_MAX:
        return Snag(
            path=name, reason=f"its name is longer than the {NAME_BYTES_MAX} bytes that a folder's may have"
        )
    if any(path.startswith(f"{name}/") for path in reserved):
        return Snag(
            path=name, reason="files go into a folder in it afterwards, so that it is never taken whole"
        )
    files = (*whole.members, *whole.others)
    return FolderSighting(
        path=name,
        device=itself.device,
        inode=itself.inode,
        size_bytes=sum(each.size_bytes for each in whole.members),
        mtime_ns=max(itself.mtime_ns, *(each.mtime_ns for each in files)),
        ctime_ns=itself.ctime_ns,
        members=tuple(sorted(whole.members, key=_path)),
        others=tuple(sorted(whole.others, key=_path)),
        obstacle=min(whole.obstacles, default=""),
    )


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _path(sighting: Sighting) -> str:
    return sighting.path


def _listing(folder: FolderSighting, *, inodes_hold: bool) -> list[tuple[str, tuple[int, ...]]]:
    return [
        (each.path, (each.size_bytes, each.mtime_ns, *((each.device, each.inode) if inodes_hold else ())))
        for each in (*folder.members, *folder.others)
    ]
