"""Tell which of several drops consist of the same files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from dropglow.model import Drop

MOST_ALIKE: Final = 50  # whoever asks wants the latest; a test picture may have been dropped a thousand times


def of_original(drops: Iterable[Drop], companions: Sequence[str]) -> Drop | None:
    """Return the first of *drops* whose original stays in its inbox and whose companions have these SHA-256."""
    wanted = list(companions)
    same = (drop for drop in drops if list(drop.contents) == wanted)
    return next((drop for drop in same if drop.after.workshop), None)


def with_companions(drops: Iterable[Drop], companions: Sequence[str]) -> tuple[Drop, ...]:
    """Return the first fifty of *drops* whose companions have these SHA-256, in their order."""
    wanted = tuple(companions)
    same = (drop for drop in drops if drop.contents == wanted)
    return tuple(islice(same, MOST_ALIKE))
