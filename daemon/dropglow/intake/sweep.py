"""What one look over an inbox showed, as plain data."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from dropglow.intake.scan import Snag
from dropglow.intake.unready import NotReady
from dropglow.model import Sighting
from dropglow.settle import MOST_TOLD, Watches, oldest

MAX_SNAGS: Final = 100  # a thousand links in an inbox need not be told one by one


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

    def recalled(self, known: AbstractSet[str]) -> Sweep:
        """Return the same, once the unasked were asked about; *known* are the paths of those taken before."""
        stayed = tuple(each for each in self.unasked if each.path in known)
        news = (each for each in self.unasked if each.path not in known)
        settled, in_full = oldest((*self.settled, *news)), bool(self.paths)
        told = len(settled) if in_full else MOST_TOLD
        return replace(
            self,
            settled=settled[:told],
            beyond=self.beyond + len(settled[told:]),
            unasked=(),
            known=self.known + len(stayed),
            stayed=(*self.stayed, *stayed) if in_full else (),
        )
