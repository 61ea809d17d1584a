"""Tell whether a folder is the one that it was. Pure.

A share that goes away leaves the empty folder behind that it was mounted over,
and one that comes back may carry other device and inode numbers. So a folder is
known by three things: a mark that we left in it, where it lies, and what is
mounted there. A file system that is taken away uncovers the one below, never
one above: that tells an unmounted share from a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Say what a folder is for; one folder may be remembered for both."""

    INBOX = "inbox"
    OUTBOX = "outbox"


class Recognition(StrEnum):
    """Say what a look at a known folder told."""

    SAME = "same"
    REMADE = "remade"  # another folder in its place, on the same file system or on one mounted over it
    ANOTHER = "another"  # what lies below the mount point, or something that is not ours to take


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of the kernel's list of mounts."""

    point: str  # absolute
    kind: str  # as ``mount`` prints it
    source: str  # a device, a server's share, or a word
    remote: bool  # others may write to it behind this kernel's back


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A folder as it was at one moment."""

    device: int
    inode: int
    place: str = ""  # absolute, with links resolved
    file_system: int = 0  # as statvfs tells it; 0 where it does not
    mount: Mount | None = None  # None where the system keeps no list
    mark: str = ""  # what we left in it; empty: nothing, or it is not there
    invited: bool = False  # somebody says by hand that this is the folder


def recognise(known: Landmark, found: Landmark) -> Recognition:
    """Return whether *found*, which stands in the place of *known*, is that folder."""
    if known.mark and found.mark:
        return Recognition.SAME if known.mark == found.mark else Recognition.ANOTHER
    if found.invited:
        return Recognition.SAME
    if not _on_same_mount(known, found):
        return Recognition.REMADE if _covers(known, found) else Recognition.ANOTHER
    if not known.mark or known.inode == found.inode:
        return Recognition.SAME
    # A server that lost its own disk shows an empty folder through the same mount.
    return Recognition.ANOTHER if found.mount is not None and found.mount.remote else Recognition.REMADE


def _on_same_mount(known: Landmark, found: Landmark) -> bool:
    if known.mount is None or found.mount is None:
        return known.device == found.device
    if (known.mount.point, known.mount.kind) != (found.mount.point, found.mount.kind):
        return False
    # Disks are named anew at a start, network shares are numbered anew at each mount.
    return (
        known.mount.source == found.mount.source
        or known.device == found.device
        or 0 != known.file_system == found.file_system
    )


def _covers(known: Landmark, found: Landmark) -> bool:
    """Return whether something was mounted over the place where *known* was."""
    if known.mount is None or found.mount is None:
        return False
    point = found.mount.point
    return len(point) > len(known.mount.point) and f"{known.place}/".startswith(f"{point}/")


class Memory:
    """What is known of the folders of one configuration, for as long as this object lives."""

    def __init__(self, known: Mapping[tuple[Role, str], Landmark] | None = None) -> None:
        """Begin with *known*, by role and absolute folder."""
        self._known = dict(known or {})

    def known(self, role: Role, folder: str) -> Landmark | None:
        """Return how the folder was when it was last held; None for one that was never there."""
        return self._known.get((role, folder))

    def folders(self, role: Role) -> tuple[str, ...]:
        """Return every folder that is known in this role."""
        return tuple(folder for known, folder in list(self._known) if known is role)

    def remember(self, role: Role, folder: str, landmark: Landmark) -> None:
        """Take *landmark* for the folder from now on."""
        self._known[role, folder] = landmark
