"""One fault or warning at its place in a YAML document, and what stands for a value that could not be read.

Apart from the shapes, so that who only wants to know one key of a file need not load all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault or warning at a place in a YAML document.

    ``path`` leads to the value; ``of_key`` is True where the key itself is meant.
    """

    path: tuple[str | int, ...]
    message: str
    of_key: bool = False


class Unread:
    """Stand for a value that could not be read, and whose fault has been told."""

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: there is one."""
        return self


UNREAD: Final = Unread()
