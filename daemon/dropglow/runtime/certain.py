"""Take a file for lost only once that is certain: the share that it lies on may go, and come back, at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.ledger.base import Ledger
from dropglow.model import Drop
from dropglow.runtime import places


async def for_certain(
    move: Callable[[], Awaitable[Drop]], away: Callable[[], Awaitable[DiskError | None]]
) -> Drop:
    """Return what *move* returns: a drop with the places of its files, empty where one is nowhere.

    What is nowhere is looked for again, and the folder has to be there after each look; *away* says why it is not.

    Raises:
        DiskError: It is away, or the file system refused.
    """
    moved = await move()
    if not places.are_known(moved):
        await prove_presence(away)
        # A share that went and came back during the first look does not do so during the next.
        moved = await move()
    if not places.are_known(moved):
        await prove_presence(away)
    return moved


async def known_by_content(
    drop: Drop, placed: Drop, *, disk: Disk, ledger: Ledger, taken: Collection[str] = ()
) -> Drop:
    """Return *placed*, which *drop* is in its last folder, with the place of its file if only its content tells it.

    It went there before a crash, and a share numbered its files anew. What another drop has, or is to have by *taken*, is
    not this one's. Nothing is moved for a guess.

    Raises:
        DiskError: The file system refused.
        LedgerUnavailable: Ask again.
    """
    if placed.place or not drop.place:
        return placed
    for found in await asyncio.to_thread(lambda: list(places.alike(disk, drop, placed.state))):
        if found.place in taken or await ledger.has_place(place=found.place, sha256=drop.sha256):
            continue
        pairs = zip(placed.companions, found.companions, strict=True)
        companions = tuple(replace(each, place=each.place or other.place) for each, other in pairs)
        return replace(placed, place=found.place, companions=companions)
    return placed


async def prove_presence(away: Callable[[], Awaitable[DiskError | None]]) -> None:
    """Raise why a folder is *away*, if it is.

    Raises:
        DiskError: It is.
    """
    if (absence := await away()) is not None:
        raise absence
