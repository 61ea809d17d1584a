"""From repeated looks to settled: the quiet period and everything that restarts it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.model import Sighting
from dropglow.settle import Outlook, observe, quiet_s


def sighting(path: str = "beach.jpg", *, size_bytes: int = 7, mtime_ns: int = 1) -> Sighting:
    return Sighting(path=path, device=1, inode=2, size_bytes=size_bytes, mtime_ns=mtime_ns, ctime_ns=3)


def look(before: Outlook | None, *seen: Sighting, at_s: float, settle_s: float = 2.0) -> Outlook:
    return observe(before.watches if before else {}, seen, now_s=at_s, settle_s=settle_s)


def test_a_file_seen_once_waits() -> None:
    """One look proves nothing."""
    outlook = look(None, sighting(), at_s=100)

    assert () == outlook.settled
    assert 1 == outlook.waiting
    assert 2.0 == outlook.next_look_s


def test_a_file_that_lay_still_long_enough_is_settled() -> None:
    """Two equal looks, a quiet period apart, settle a file."""
    outlook = look(look(None, sighting(), at_s=100), sighting(), at_s=102)

    assert (sighting(),) == outlook.settled
    assert 0 == outlook.waiting
    assert outlook.next_look_s is None


def test_a_look_too_early_changes_nothing() -> None:
    """A look within the quiet period says how much of it is left."""
    outlook = look(look(None, sighting(), at_s=100), sighting(), at_s=101.5)

    assert () == outlook.settled
    assert 0.5 == outlook.next_look_s


def test_without_a_quiet_period_two_looks_are_still_asked_for() -> None:
    """Even ``settle: 0s`` does not take a file at first sight."""
    first = look(None, sighting(), at_s=100, settle_s=0)
    second = look(first, sighting(), at_s=100, settle_s=0)

    assert () == first.settled
    assert (sighting(),) == second.settled


@pytest.mark.parametrize(
    ("changed", "wait_s"),
    [
        (replace(sighting(), device=99), 2.0),
        (replace(sighting(), inode=99), 2.0),
        (replace(sighting(), size_bytes=99), 4.0),
        (replace(sighting(), mtime_ns=99), 4.0),
        (replace(sighting(), ctime_ns=99), 2.0),
    ],
)
def test_any_change_starts_the_quiet_period_anew(changed: Sighting, wait_s: float) -> None:
    """Whatever differs between two looks, the file is still being worked on; one that is written to waits longer."""
    outlook = look(look(None, sighting(), at_s=100), changed, at_s=102)

    assert () == outlook.settled
    assert wait_s == outlook.next_look_s


def test_a_writer_with_pauses_is_waited_for() -> None:
    """From the second change on a file has to lie still for four quiet periods, and never for more."""
    outlook = None
    for at_s in range(100, 110):
        outlook = look(outlook, sighting(size_bytes=at_s), at_s=at_s)

    early = look(outlook, sighting(size_bytes=109), at_s=116)
    late = look(early, sighting(size_bytes=109), at_s=117)

    assert () == early.settled
    assert (sighting(size_bytes=109),) == late.settled


def test_the_first_bytes_are_no_change() -> None:
    """A name that was made empty and is filled in one go waits no longer than any other."""
    outlook = look(look(None, sighting(size_bytes=0), at_s=100), sighting(), at_s=101)

    assert 2.0 == outlook.next_look_s


def test_a_settled_file_is_told_again() -> None:
    """What nobody has claimed yet is offered by every look."""
    settled = look(look(None, sighting(), at_s=100), sighting(), at_s=102)

    assert (sighting(),) == look(settled, sighting(), at_s=103).settled


def test_a_settled_file_that_changes_waits_again() -> None:
    """Somebody who saves over a file that lies still starts from the beginning."""
    settled = look(look(None, sighting(), at_s=100), sighting(), at_s=102)

    outlook = look(settled, sighting(size_bytes=8), at_s=103)

    assert () == outlook.settled
    assert 1 == outlook.waiting


def test_a_file_that_vanished_is_forgotten() -> None:
    """A file that comes back is a new arrival."""
    gone = look(look(None, sighting(), at_s=100), at_s=101)
    back = look(gone, sighting(), at_s=102)

    assert {} == gone.watches
    assert () == back.settled


def test_an_empty_file_waits_much_longer() -> None:
    """Many programs make the name first and the content later."""
    empty = sighting(size_bytes=0)

    assert 30.0 == quiet_s(empty, 0.2)
    assert 50.0 == quiet_s(empty, 5.0)
    assert 0.2 == quiet_s(sighting(), 0.2)


def test_an_empty_file_settles_at_last() -> None:
    """A file that stays empty must end somewhere too."""
    empty = sighting(size_bytes=0)

    waiting = look(look(None, empty, at_s=100), empty, at_s=129)
    settled = look(waiting, empty, at_s=130)

    assert () == waiting.settled
    assert (empty,) == settled.settled


def test_the_oldest_comes_first() -> None:
    """Settled files are told by their modification time, then by path."""
    files = [sighting("c", mtime_ns=1), sighting("b", mtime_ns=2), sighting("a", mtime_ns=2)]

    outlook = look(look(None, *files, at_s=100), *files, at_s=102)

    assert ["c", "a", "b"] == [each.path for each in outlook.settled]


def test_the_next_look_is_for_the_first_that_can_settle() -> None:
    """The loop is to wake for the earliest file, not for the latest."""
    first = look(None, sighting("early"), at_s=100)

    outlook = look(first, sighting("early"), sighting("late"), at_s=101)

    assert 1.0 == outlook.next_look_s


def test_a_late_look_leaves_no_negative_wait() -> None:
    """A file that changed while nobody looked has its whole quiet period before it."""
    outlook = look(look(None, sighting(), at_s=100), sighting(size_bytes=9), at_s=500)

    assert 4.0 == outlook.next_look_s


@given(steps=st.lists(st.tuples(st.floats(0.1, 5), st.integers(1, 3)), max_size=30))
def test_nothing_settles_that_changed_within_the_quiet_period(steps: list[tuple[float, int]]) -> None:
    """Whenever a file is settled, every look of the last two seconds saw it as it is."""
    outlook, now_s = None, 0.0
    looks: list[tuple[float, Sighting]] = []
    for pause_s, size_bytes in steps:
        now_s += pause_s
        seen = sighting(size_bytes=size_bytes)
        outlook = look(outlook, seen, at_s=now_s)
        looks.append((now_s, seen))

        if outlook.settled:
            assert all(earlier == seen for at_s, earlier in looks if now_s - at_s < 2.0)
            assert any(earlier == seen for at_s, earlier in looks if now_s - at_s >= 2.0)
