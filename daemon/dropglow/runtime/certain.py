"""Take a file for lost only once that is certain: the share that it lies on may go, and come back, at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dropglow.errors import DiskError
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
        moved = (
            await move()
        )  # a share that went and came back during the first look does not do so during the next
    if not places.are_known(moved):
        await prove_presence(away)
    return moved


async def prove_presence(away: Callable[[], Awaitable[DiskError | None]]) -> None:
    """Raise why a folder is *away*, if it is.

    Raises:
        DiskError: It is.
    """
    if (absence := await away()) is not None:
        raise absence
