"""Remember four numbers of each of very many files, in 43 to 86 bytes a file. Pure.

A dictionary of objects takes ten times as much, and a folder may hold some
hundred thousand files that wait. This is a hash table of plain columns; whoever
keeps it reads and writes them by row.
"""

from __future__ import annotations

from array import array
from typing import Final

_LEAST_ROWS: Final = 8


class Roll:
    """A table with a row for each key, which is any number but 0. A row whose ``marks`` are 0 is free."""

    __slots__ = ("_mask", "_used", "keys", "marks", "prints", "since_s")

    def __init__(self) -> None:
        """Start empty."""
        self._allot(_LEAST_ROWS)

    def row(self, key: int) -> int:
        """Return the row of *key*, or the free one where a search for it ends."""
        keys, mask = self.keys, self._mask
        row = key & mask
        while (held := keys[row]) and held != key:
            row = (row + 1) & mask
        return row

    def enter(self, key: int, row: int) -> int:
        """Write *key*, which has no row, into the free *row* that was found for it, and return where it is; mark it at once.

        Moves all rows where room ran short.
        """
        if 4 * self._used >= 3 * len(self.keys):
            self._rebuild()
            row = self.row(key)
        self._used += not self.keys[row]
        self.keys[row] = key
        return row

    def _allot(self, rows: int) -> None:
        self.keys = array("q", [0]) * rows
        self.prints = array("q", [0]) * rows
        self.since_s = array("d", [0.0]) * rows
        self.marks = array("Q", [0]) * rows
        self._mask = rows - 1
        self._used = 0  # keys that are written down; those without marks go when the table is rebuilt

    def _rebuild(self) -> None:
        """Make room: let go of keys without marks, and have more rows where those with marks need them."""
        keys, prints, since_s, marks = self.keys, self.prints, self.since_s, self.marks
        live = [row for row, mark in enumerate(marks) if mark]
        rows = _LEAST_ROWS
        while 8 * len(live) > 3 * rows:
            rows *= 2
        self._allot(rows)
        self._used = len(live)
        new_keys, mask = self.keys, self._mask
        for old in live:
            key = keys[old]
            new = key & mask
            while new_keys[new]:
                new = (new + 1) & mask
            new_keys[new] = key
            self.prints[new] = prints[old]
            self.since_s[new] = since_s[old]
            self.marks[new] = marks[old]
