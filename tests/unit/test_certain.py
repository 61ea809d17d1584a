"""A file that is not found is lost only where its share is there, and was while it was looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dropglow.errors import DiskError
from dropglow.model import Drop
from dropglow.runtime.certain import for_certain
from tests.drops import drop_of

FOUND = replace(drop_of("abc", at=datetime(2026, 1, 31, tzinfo=UTC)), place="/in/_done/fox.txt")
LOST = replace(FOUND, place="")


class Share:
    """What is found on a share at one look after the other, and whether it is there after each."""

    def __init__(self, *finds: Drop, away: bool = False) -> None:
        self.finds = list(finds)
        self.asked = 0
        self._away = away

    async def move(self) -> Drop:
        return self.finds.pop(0)

    async def away(self) -> DiskError | None:
        self.asked += 1
        return DiskError("the share is away") if self._away else None


@pytest.mark.parametrize(
    ("finds", "expected", "asked"),
    [((FOUND,), FOUND, 0), ((LOST, FOUND), FOUND, 1), ((LOST, LOST), LOST, 2)],
    ids=["there", "back again", "lost"],
)
async def test_what_is_not_found_is_looked_for_again(
    finds: tuple[Drop, ...], expected: Drop, asked: int
) -> None:
    """A share that went and came back at that moment is found out by the second look; nobody looks a third time."""
    share = Share(*finds)

    assert expected == await for_certain(share.move, share.away)
    assert (asked, []) == (share.asked, share.finds)


async def test_nothing_is_concluded_while_the_share_is_away() -> None:
    """Why it is, is what comes of it."""
    share = Share(LOST, away=True)

    with pytest.raises(DiskError, match="the share is away"):
        await for_certain(share.move, share.away)
