"""A file is as it was proven where nothing of its stat is another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

import pytest

from dropglow.delivery.proven import Proven
from dropglow.disk import Stat

MANY: Final = 10_000  # more than are ever under way
STAT: Final = Stat(device=1, inode=2, size_bytes=3, mtime_ns=4, ctime_ns=5, mode=0o100644, links=1)


def test_what_is_as_it_was_proven_is_told_once() -> None:
    """Whoever asks again has it read."""
    known = Proven()
    known.note("/out/.a.part", STAT)

    assert [True, False] == [known.settle("/out/.a.part", STAT) for _ in range(2)]


@pytest.mark.parametrize("field", [field.name for field in fields(Stat)])
def test_what_differs_in_anything_is_read(field: str) -> None:
    """Its size, its times, its inode, who may read it, a second name: each may mean other bytes."""
    known = Proven()
    known.note("/out/.a.part", STAT)

    assert not known.settle("/out/.a.part", replace(STAT, **{field: getattr(STAT, field) + 1}))


def test_nothing_is_known_of_another_name() -> None:
    """Be it of the same file."""
    known = Proven()
    known.note("/out/.a.part", STAT)

    assert not known.settle("/out/.b.part", STAT)
    assert not Proven().settle("/out/.a.part", STAT)


def test_what_was_proven_last_counts() -> None:
    """A name that is used again is another file's."""
    known = Proven()
    known.note("/out/.a.part", STAT)
    known.note("/out/.a.part", replace(STAT, inode=7))

    assert known.settle("/out/.a.part", replace(STAT, inode=7))


def test_what_is_never_asked_for_is_given_up_one_day() -> None:
    """Results that are given up must not fill the memory; what came last is known all the same."""
    known = Proven()
    for number in range(MANY):
        known.note(f"/out/.{number}.part", STAT)

    assert not known.settle("/out/.0.part", STAT)
    assert known.settle(f"/out/.{MANY - 1}.part", STAT)
