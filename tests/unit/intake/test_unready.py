"""Files that are not whole wait until they change, and are said once."""

from __future__ import annotations

from dataclasses import replace

from dropglow.intake.unready import SAY_AFTER_S, Unready
from dropglow.model import Sighting

BEACH = Sighting(path="beach.jpg", device=1, inode=2, size_bytes=7, mtime_ns=1, ctime_ns=3)
NOW_S = 1000.0


def waiting(*, give_up_s: float = 600.0) -> Unready:
    """Return the memory of an inbox in which a picture waits that was seen first five seconds ago."""
    unready = Unready()
    assert unready.put_off(BEACH, "cut off", since_s=NOW_S - 5, give_up_s=give_up_s, now_s=NOW_S)
    return unready


def test_a_file_waits_from_the_first_look_that_saw_it_so() -> None:
    """Not from the look inside."""
    unready = waiting()

    assert unready.waits(BEACH, now_s=NOW_S + 594)
    assert not unready.waits(BEACH, now_s=NOW_S + 595)
    assert not unready.put_off(BEACH, "cut off", since_s=NOW_S, give_up_s=600, now_s=NOW_S + 595)


def test_a_file_that_came_back_has_waited_all_the_while() -> None:
    """A claim in vain changes its ctime, and nobody wrote."""
    unready = waiting()
    back = replace(BEACH, ctime_ns=9)

    unready.put_off(back, "damaged", since_s=NOW_S + 100, give_up_s=600, now_s=NOW_S + 100)

    assert [NOW_S + 595] == [each.until_s for each in unready.told(now_s=NOW_S + 100)]


def test_a_changed_file_is_a_new_one() -> None:
    """It is looked into again, and its time begins anew."""
    unready, grown = waiting(), replace(BEACH, size_bytes=8)

    unready.see(BEACH)
    told = unready.told(now_s=NOW_S)
    unready.see(grown)

    assert ["cut off"] == [each.reason for each in told]
    assert not unready.waits(grown, now_s=NOW_S)
    assert () == unready.told(now_s=NOW_S)
    assert not unready


def test_another_file_of_the_same_name_does_not_wait_for_the_first() -> None:
    """Whatever was not seen to change in between."""
    unready = waiting()

    assert not unready.waits(replace(BEACH, inode=3), now_s=NOW_S)
    assert unready.put_off(
        replace(BEACH, inode=3), "cut off", since_s=NOW_S + 50, give_up_s=600, now_s=NOW_S + 50
    )
    assert [NOW_S + 650] == [each.until_s for each in unready.told(now_s=NOW_S + 50)]


def test_a_file_is_said_once_however_often_it_grows() -> None:
    """Not at once, since uploads pause; and no line for each pause."""
    unready = waiting()
    said = [unready.to_say(now_s=at_s) for at_s in (NOW_S, NOW_S - 5 + SAY_AFTER_S, NOW_S + 20)]
    grown = replace(BEACH, size_bytes=8)
    unready.see(grown)
    unready.put_off(grown, "cut off", since_s=NOW_S + 30, give_up_s=600, now_s=NOW_S + 30)

    assert [0, 1, 0] == [len(each) for each in said]
    assert () == unready.to_say(now_s=NOW_S + 60)


def test_a_file_that_is_gone_is_forgotten() -> None:
    """And said again, if it comes back."""
    unready = waiting()
    unready.to_say(now_s=NOW_S + 10)
    unready.keep_only({"beach.jpg"})
    kept = len(unready)
    unready.keep_only(set())
    unready.put_off(BEACH, "cut off", since_s=NOW_S, give_up_s=600, now_s=NOW_S)

    assert 1 == kept
    assert 1 == len(unready.to_say(now_s=NOW_S + 10))


def test_what_is_due_next_is_known() -> None:
    """First the line in the log, then the end of the wait, then nothing."""
    unready = waiting()
    before = unready.next_look_s(now_s=NOW_S)
    unready.to_say(now_s=NOW_S + 5)

    assert 5.0 == before
    assert 590.0 == unready.next_look_s(now_s=NOW_S + 5)
    assert unready.next_look_s(now_s=NOW_S + 600) is None
