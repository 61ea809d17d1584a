"""Folders that go away at any moment and come back: shares that are unmounted, renamed away or refuse everything.

A share is a real folder of the machine below. While it is away its tree is kept elsewhere, and people on other
machines still use it there; in its place is the bare folder that it was mounted over, or nothing. Each call of the
product below a share is a point at which it may go, or be back.
"""

# ruff: noqa: PTH103, PTH104, PTH112, PTH113, PTH115, PTH119, PTH120, PTH123
# The calls of ``os`` are what is pretended here.

from __future__ import annotations

import errno
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dropglow.intake.mounts import is_remote
from dropglow.intake.work import HIDDEN
from dropglow.landmarks import Mount

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.loop import SimLoop

FOLDERS: Final = ("in/prompts", "in/photos", "out/prompts", "out/photos")  # which the rules name
TABLE: Final = "/etc/fstab"
DEVICE: Final = 7_000_000  # no device of the real machine has such a number
EPOCH_INODES: Final = 1 << 40
REPORTS: Final = (".error.txt", ".held.txt", ".report.txt")
HAUNTED: Final = 0.5  # how often somebody writes under a bare mount point


class Way(StrEnum):
    """Say how a share is away."""

    UNMOUNTED = "unmounted"
    MISSING = "missing"
    REFUSING = "refusing"


class Numbering(StrEnum):
    """Say by what a share numbers its files."""

    LASTING = "as ever"
    RENEWED = "anew"  # each time it comes back
    BY_NAME = "by name"  # so that a rename changes the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What kind of share it is."""

    top: str  # a folder that rules name, or one above them; below the machine's root
    kind: str = ""  # its file system's; empty: an ordinary folder of the machine's own
    listed: bool = False  # in /etc/fstab
    numbering: Numbering = Numbering.LASTING
    linking: bool = False  # it cannot rename without replacing
    moving: bool = False  # it has another device number each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One time that a share is away: from a moment on, or from the how-manieth call of a kind."""

    way: Way
    at_s: float = 0.0  # after the beginning of a life; 0: by calls
    verb: str = ""  # which calls count; empty: all of them
    number: int = 1
    lasts_calls: int = 0  # it is back at that call; 0: after a time alone
    lasts_s: float = 60.0
    error: int = errno.EIO  # what a refusing share answers


@dataclass(slots=True, kw_only=True)
class Share:
    """One share, and how it is now."""

    root: str
    number: int
    nature: Nature
    outages: list[Outage] = field(default_factory=list)
    away: Way | None = None
    error: int = 0
    mounted: int = 0  # how often it came back
    calls: int = 0  # those that count for the next outage, or until it is back
    back_at_s: float = 0.0
    ghosts: dict[str, bytes] = field(default_factory=dict)  # what somebody wrote under its bare mount point
    tops: tuple[str, ...] = ()  # folders of rules that it has

    @property
    def top(self) -> str:
        """Return where it is."""
        return f"{self.root}/{self.nature.top}"

    @property
    def kept(self) -> str:
        """Return where its tree is while it is away."""
        return f"{self.root}/.shares/{self.number}"

    @property
    def bare(self) -> str:
        """Return where the folder is, below which it is mounted, while it is there."""
        return f"{self.root}/.shares/{self.number}-bare"

    @property
    def elsewhere(self) -> bool:
        """Return whether its tree is not where the rules look for it."""
        return self.away in {Way.UNMOUNTED, Way.MISSING}

    def holds(self, path: str) -> bool:
        """Return whether *path* is in it, or it itself."""
        return path.startswith(self.top) and path[len(self.top) : len(self.top) + 1] in {"", "/"}

    def numbers(self, path: str, inode: int) -> tuple[int, int]:
        """Return the device and inode numbers that it tells of *path*, which really has *inode*."""
        device = DEVICE + 1000 * self.number + (self.mounted if self.nature.moving else 0)
        match self.nature.numbering:
            case Numbering.BY_NAME:
                return device, zlib.crc32(path.removeprefix(self.top).encode("utf-8", "surrogateescape")) + 1
            case Numbering.RENEWED:
                return device, inode + self.mounted * EPOCH_INODES
            case _:
                return device, inode


class Shares:
    """All shares of one seed's machine."""

    def __init__(self, root: str, dice: Random, counts: Counter[str], note: Callable[[str], None]) -> None:
        """Have none; by *dice* people haunt bare mount points."""
        self._root = root
        self._real = os.path.realpath(root)
        self._dice = dice
        self._counts = counts
        self._note = note
        self._loop: SimLoop | None = None
        self.all: list[Share] = []
        self.well: set[int] = set()  # those that go when nothing else goes wrong any more
        self.broken: list[str] = []  # promises
        self.begun: set[str] = set()  # what was begun in outboxes when they went, and only a start removes
        self.settle: Callable[[], None] = _nothing  # what happened before is durable
        self.is_dead: Callable[[], bool] = bool
        self.gone: Callable[[Share, float], None] = _nobody  # told which one went, and for how long
        self.knows: Callable[[Share], bool] = _everything  # whether the service has seen its folders

    def add(self, nature: Nature, outages: list[Outage]) -> None:
        """Have one more, which goes away as *outages* say."""
        share = Share(
            root=self._root,
            number=len(self.all),
            nature=nature,
            outages=outages,
            tops=tuple(f"{self._root}/{each}" for each in FOLDERS if f"{each}/".startswith(f"{nature.top}/")),
        )
        self.all.append(share)
        os.makedirs(share.bare)
        self._counts["seed with shares"] += len(self.all) == 1
        self._counts[f"share numbering {nature.numbering}"] += 1
        self._counts["share that cannot rename without replacing"] += nature.linking

    # Lives.

    def begin(self, loop: SimLoop, *, remembered: Callable[[str], bool]) -> None:
        """Begin a life: what was to be back by now is; what the service's own files do not remember cannot be away."""
        self._loop = loop
        for share in self.all:
            share.calls = 0
            if share.elsewhere and not self._may_be_away(share, remembered):
                self._counts["share back for want of memory"] += 1
                self._come(share)
            if share.away is not None:
                self._come_later(share)
            elif share.outages and share.outages[0].at_s:
                loop.call_later(share.outages[0].at_s, self._go_at_last, share, len(share.outages))

    def _may_be_away(self, share: Share, remembered: Callable[[str], bool]) -> bool:
        mounted = share.nature.listed and share.away is not Way.MISSING
        return mounted or all(remembered(folder) for folder in share.tops)

    def _may_go(self, share: Share) -> bool:
        """Return whether the service can know that it is away: one that was never there is made, unless it is to be mounted."""
        return self.knows(share) or (share.nature.listed and share.outages[0].way is not Way.MISSING)

    def _go_at_last(self, share: Share, left: int) -> None:
        if self.is_dead() or share.away is not None or len(share.outages) != left:
            return
        if self._may_go(share):
            self._go(share)

    def calm(self) -> None:
        """Have everything back, and nothing go away any more."""
        for share in self.all:
            share.outages.clear()
            if share.away is not None:
                self._come(share)

    def back(self, share: Share) -> None:
        """Have *share* back."""
        self._come(share)

    @property
    def all_back(self) -> bool:
        """Return whether none is away."""
        return all(share.away is None for share in self.all)

    # Coming and going.

    def reach(self, verb: str, path: str) -> None:
        """Go past a call on *path*, at which its share may go, be back, or refuse.

        Raises:
            OSError: It refuses.
        """
        for share in self.all:
            if share.holds(path):
                self._touch(share, verb)
                if share.away is Way.REFUSING:
                    raise OSError(share.error, os.strerror(share.error), path)

    def removing(self, path: str) -> None:
        """Note that *path* is not removed whose share is away for this one call or a few: nobody notices, or tries again."""
        if any(share.holds(path) and share.elsewhere and share.calls for share in self.all):
            self.begun.add(path)

    def _touch(self, share: Share, verb: str) -> None:
        if self.is_dead():
            return
        if share.away is not None:
            if share.calls > 0:
                share.calls -= 1
                if not share.calls:
                    self._counts["share back between two calls"] += 1
                    self._come(share)
            return
        if not share.outages or share.outages[0].at_s:
            return
        outage = share.outages[0]
        if outage.verb in {"", verb} and self._may_go(share):
            share.calls += 1
            if share.calls >= outage.number:
                self._counts[f"share gone at {verb}"] += 1
                self._counts["share gone between two calls"] += 1
                self._go(share)

    def _go(self, share: Share) -> None:
        outage = share.outages.pop(0)
        self.settle()
        self._counts[f"share {outage.way}"] += 1
        self._counts["share gone while all was well"] += share.number in self.well
        self._note(f"share {share.nature.top} {outage.way}")
        share.away, share.calls, share.error = outage.way, outage.lasts_calls, outage.error
        assert self._loop is not None, "shares go while the service lives"
        self.begun.update(_probes(share.top))
        share.back_at_s = self._loop.time() + outage.lasts_s
        if share.elsewhere:
            os.rename(share.top, share.kept)
        if share.away is Way.UNMOUNTED:
            os.rename(share.bare, share.top)
            if self._dice.random() < HAUNTED:
                self._haunt(share)
        self._come_later(share)
        self.gone(share, outage.lasts_s)

    def _come_later(self, share: Share) -> None:
        loop, mounted = self._loop, share.mounted
        assert loop is not None, "a life has begun"

        def come() -> None:
            if not self.is_dead() and share.away is not None and share.mounted == mounted:
                self._come(share)

        loop.call_at(max(share.back_at_s, loop.time()), come)

    def _come(self, share: Share) -> None:
        self.settle()
        if share.away is Way.UNMOUNTED:
            self._inspect(share, share.top)
            os.rename(share.top, share.bare)
        elif share.away is Way.MISSING and os.path.lexists(share.top):
            self.broken += [
                f"I5: {path} was made where a share was missing" for path in self._made(share, share.top)
            ]
            os.rename(share.top, f"{share.kept}-made-{share.mounted}")
        if share.elsewhere:
            os.rename(share.kept, share.top)
        share.away, share.calls = None, 0
        share.mounted += 1
        self._note(f"share {share.nature.top} is back")
        self._counts["share back"] += 1
        self._counts["share back in a service that runs"] += (
            self._loop is not None and not self._loop.is_closed()
        )
        self._counts["share back with other inodes"] += share.nature.numbering is Numbering.RENEWED
        self._counts["share back with another device"] += share.nature.moving
        if share.outages and (at_s := share.outages[0].at_s) and self._loop is not None:
            self._loop.call_later(at_s, self._go_at_last, share, len(share.outages))

    def _haunt(self, share: Share) -> None:
        """Let somebody, who does not know that the share is away, write where it should be."""
        folder = self._dice.choice(share.tops)
        below = folder.removeprefix(share.top)
        name = f"{below}/ghost{self._dice.randrange(3)}.txt"
        content = f"ghost {self._dice.random()}".encode()
        os.makedirs(f"{share.top}{below}", exist_ok=True)
        share.ghosts[name] = content
        with open(f"{share.top}{name}", "wb") as file:
            file.write(content)
        self._counts["ghost under a bare mount point"] += 1

    def _inspect(self, share: Share, folder: str) -> None:
        for name, content in share.ghosts.items():
            path = f"{folder}{name}"
            if not os.path.isfile(path) or _read(path) != content:
                self.broken.append(f"I5: {share.nature.top}{name}, under a bare mount point, was touched")
        for path in self._made(share, folder):
            if self._may_be_left(f"{self._root}/{path}"):
                self._counts["left under a bare mount point"] += 1
            else:
                self.broken.append(f"I5: {path} was made under a bare mount point")

    def _may_be_left(self, path: str) -> bool:
        """Return whether a share that goes between two calls may leave this behind in its place."""
        name = os.path.basename(path)
        if os.path.isdir(path):
            return name != HIDDEN
        if f"/{HIDDEN}/" in path:
            return False
        about_original = name.endswith(REPORTS) and path.startswith(f"{self._root}/out/")
        return name.startswith(".dropglow-") or about_original

    def _made(self, share: Share, folder: str) -> Iterator[str]:
        theirs = {os.path.dirname(name) for name in share.ghosts} | set(share.ghosts)
        for parent, folders, names in os.walk(folder):
            for name in sorted((*folders, *names)):
                below = f"{parent}/{name}".removeprefix(folder)
                if below not in theirs:
                    yield f"{share.nature.top}{below}"

    # What the operating system says.

    def where(self, path: str) -> str:
        """Return where what the rules call *path* is now."""
        for share in self.all:
            if share.elsewhere and share.holds(path):
                return share.kept + path[len(share.top) :]
        return path

    def renumbers(self, path: str) -> bool:
        """Return whether *path* is on a share where a file does not keep its number."""
        return any(
            share.holds(path) and share.nature.numbering is not Numbering.LASTING for share in self.all
        )

    def logical(self, path: str) -> str:
        """Return what the rules call what is now at *path*."""
        for share in self.all:
            if share.elsewhere and path.startswith(share.kept) and path[len(share.kept) :][:1] in {"", "/"}:
                return share.top + path[len(share.kept) :]
        return path

    def numbers(self, path: str, inode: int) -> tuple[int, int] | None:
        """Return which device and inode the share tells that the real *path* is on; None: none has it."""
        name = self.logical(path)
        for share in self.all:
            if share.holds(name) and (name != path or not share.elsewhere):
                return share.numbers(name, inode)
        return None

    def opened(self, descriptor: int) -> str:
        """Return where the file is really that is open under this number."""
        found = os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")
        return self._root + found.removeprefix(self._real)

    def mounts(self, base: tuple[Mount, ...]) -> tuple[Mount, ...]:
        """Return the kernel's list of mounts, which is *base* without the shares."""
        return (
            *base,
            *(
                Mount(
                    point=share.top,
                    kind=share.nature.kind,
                    source=f"nas:/{share.nature.top}",
                    remote=is_remote(share.nature.kind),
                )
                for share in self.all
                if share.nature.kind and not share.elsewhere
            ),
        )

    def table(self) -> str:
        """Return what /etc/fstab says."""
        listed = (share for share in self.all if share.nature.listed)
        return "".join(
            f"nas:/{share.nature.top} {share.top} {share.nature.kind} defaults 0 0\n" for share in listed
        )

    def crossing(self, verb: str, source: str, target: str) -> None:
        """Go past a call on two names.

        Raises:
            OSError: A share refuses, or they are on two file systems.
        """
        self.reach(verb, source)
        self.reach(verb, target)
        if self._system_of(source) != self._system_of(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)

    def cannot_rename(self, target: str) -> bool:
        """Return whether the share of *target* cannot rename without replacing."""
        return any(share.nature.linking and share.holds(target) and not share.elsewhere for share in self.all)

    def _system_of(self, path: str) -> int | None:
        for share in self.all:
            if share.holds(path) and share.nature.kind and not share.elsewhere:
                return share.number
        return None


def _probes(top: str) -> Iterator[str]:
    for folder, _, names in os.walk(top):
        yield from (f"{folder}/{name}" for name in names if name.startswith(".dropglow-probe-"))


def _nothing() -> None:
    """Do nothing."""


def _nobody(_share: Share, _lasts_s: float) -> None:
    """Do nothing."""


def _everything(_share: Share) -> bool:
    """Return that it was seen."""
    return True


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
