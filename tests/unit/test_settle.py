"""From repeated looks to settled: the quiet period and everything that restarts it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.model import FolderSighting, Sighting
from dropglow.settle import MOST_ASKED, MOST_TOLD, Outlook, Watches, oldest, quiet_s


def sighting(path: str = "beach.jpg", *, size_bytes: int = 7, mtime_ns: int = 1) -> Sighting:
    return Sighting(path=path, device=1, inode=2, size_bytes=size_bytes, mtime_ns=mtime_ns, ctime_ns=3)


@pytest.fixture
def watches() -> Watches:
    return Watches()


def look(watches: Watches, *seen: Sighting, at_s: float, settle_s: float = 2.0) -> Outlook:
    return watches.observe(seen, now_s=at_s, settle_s=settle_s)


def test_a_file_seen_once_waits(watches: Watches) -> None:
    """One look proves nothing."""
    outlook = look(watches, sighting(), at_s=100)
    assert () == outlook.settled
    assert 1 == outlook.waiting
    assert 2.0 == outlook.next_look_s


def test_a_file_that_lay_still_long_enough_is_settled(watches: Watches) -> None:
    """Two equal looks, a quiet period apart, settle a file."""
    look(watches, sighting(), at_s=100)
    outlook = look(watches, sighting(), at_s=102)

    assert (sighting(),) == outlook.settled
    assert 0 == outlook.waiting
    assert outlook.next_look_s is None


def test_a_look_too_early_changes_nothing(watches: Watches) -> None:
    """A look within the quiet period says how much of it is left."""
    look(watches, sighting(), at_s=100)
    outlook = look(watches, sighting(), at_s=101.5)

    assert () == outlook.settled
    assert 0.5 == outlook.next_look_s


def test_without_a_quiet_period_two_looks_are_still_asked_for(watches: Watches) -> None:
    """Even ``settle: 0s`` does not take a file at first sight."""
    first = look(watches, sighting(), at_s=100, settle_s=0)
    second = look(watches, sighting(), at_s=100, settle_s=0)

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
def test_any_change_starts_the_quiet_period_anew(watches: Watches, changed: Sighting, wait_s: float) -> None:
    """Whatever differs between two looks, the file is still being worked on; one that is written to waits longer."""
    look(watches, sighting(), at_s=100)
    outlook = look(watches, changed, at_s=102)

    assert () == outlook.settled
    assert wait_s == outlook.next_look_s


def test_a_writer_with_pauses_is_waited_for(watches: Watches) -> None:
    """From the second change on a file has to lie still for four quiet periods, and never for more."""
    for at_s in range(100, 110):
        look(watches, sighting(size_bytes=at_s), at_s=at_s)

    early = look(watches, sighting(size_bytes=109), at_s=116)
    late = look(watches, sighting(size_bytes=109), at_s=117)

    assert () == early.settled
    assert (sighting(size_bytes=109),) == late.settled


def test_the_first_bytes_are_no_change(watches: Watches) -> None:
    """A name that was made empty and is filled in one go waits no longer than any other."""
    look(watches, sighting(size_bytes=0), at_s=100)
    outlook = look(watches, sighting(), at_s=101)

    assert 2.0 == outlook.next_look_s


def test_a_settled_file_is_told_again(watches: Watches) -> None:
    """What nobody has claimed yet is offered by every look."""
    look(watches, sighting(), at_s=100)
    look(watches, sighting(), at_s=102)

    assert (sighting(),) == look(watches, sighting(), at_s=103).settled


def test_a_settled_file_that_changes_waits_again(watches: Watches) -> None:
    """Somebody who saves over a file that lies still starts from the beginning."""
    look(watches, sighting(), at_s=100)
    look(watches, sighting(), at_s=102)

    outlook = look(watches, sighting(size_bytes=8), at_s=103)

    assert () == outlook.settled
    assert 1 == outlook.waiting


def test_a_file_that_vanished_is_forgotten(watches: Watches) -> None:
    """A file that comes back is a new arrival."""
    look(watches, sighting(), at_s=100)
    look(watches, at_s=101)
    known = len(watches)
    back = look(watches, sighting(), at_s=102)

    assert 0 == known
    assert (1, ()) == (back.arrived, back.settled)


def test_an_empty_file_waits_much_longer() -> None:
    """Many programs make the name first and the content later."""
    assert 30.0 == quiet_s(0.2, empty=True, changes=0)
    assert 50.0 == quiet_s(5.0, empty=True, changes=0)
    assert 0.2 == quiet_s(0.2, empty=False, changes=0)


def test_an_empty_file_settles_at_last(watches: Watches) -> None:
    """A file that stays empty must end somewhere too."""
    empty = sighting(size_bytes=0)

    look(watches, empty, at_s=100)
    waiting = look(watches, empty, at_s=129)
    settled = look(watches, empty, at_s=130)

    assert () == waiting.settled
    assert (empty,) == settled.settled


def test_the_oldest_comes_first(watches: Watches) -> None:
    """Settled files are told by their modification time, then by path."""
    files = [sighting("c", mtime_ns=1), sighting("b", mtime_ns=2), sighting("a", mtime_ns=2)]

    look(watches, *files, at_s=100)
    outlook = look(watches, *files, at_s=102)

    assert ["c", "a", "b"] == [each.path for each in outlook.settled]


def test_the_next_look_is_for_the_first_that_can_settle(watches: Watches) -> None:
    """The loop is to wake for the earliest file, not for the latest."""
    look(watches, sighting("early"), at_s=100)
    outlook = look(watches, sighting("early"), sighting("late"), at_s=101)

    assert 1.0 == outlook.next_look_s


def test_a_late_look_leaves_no_negative_wait(watches: Watches) -> None:
    """A file that changed while nobody looked has its whole quiet period before it."""
    look(watches, sighting(), at_s=100)
    outlook = look(watches, sighting(size_bytes=9), at_s=500)

    assert 4.0 == outlook.next_look_s


@given(steps=st.lists(st.tuples(st.floats(0.1, 5), st.integers(1, 3)), max_size=30))
def test_nothing_settles_that_changed_within_the_quiet_period(steps: list[tuple[float, int]]) -> None:
    """Whenever a file is settled, every look of the last two seconds saw it as it is."""
    watches, now_s = Watches(), 0.0
    looks: list[tuple[float, Sighting]] = []
    for pause_s, size_bytes in steps:
        now_s += pause_s
        seen = sighting(size_bytes=size_bytes)
        outlook = look(watches, seen, at_s=now_s)
        looks.append((now_s, seen))

        if outlook.settled:
            assert all(earlier == seen for at_s, earlier in looks if now_s - at_s < 2.0)
            assert any(earlier == seen for at_s, earlier in looks if now_s - at_s >= 2.0)


def test_what_was_left_is_not_told_until_it_changes(watches: Watches) -> None:
    """A file that nobody wants does not stand in the way of those that somebody does."""
    look(watches, sighting(), sighting("hill.jpg"), at_s=100)
    look(watches, sighting(), sighting("hill.jpg"), at_s=102)
    watches.leave(sighting())
    watches.leave(sighting())
    watches.leave(sighting("hill.jpg", size_bytes=99))  # not as it is
    left = (watches.left, watches.is_left("beach.jpg"), watches.is_left("hill.jpg"))

    told = look(watches, sighting(), sighting("hill.jpg"), at_s=103)
    in_full = watches.observe([sighting()], now_s=104, settle_s=2, in_full=True)
    look(watches, sighting(mtime_ns=2), at_s=105)

    assert (1, True, False) == left
    assert (sighting("hill.jpg"),) == told.settled
    assert (sighting(),) == in_full.settled
    assert (0, False) == (watches.left, watches.is_left("beach.jpg"))


def test_what_was_left_and_is_gone_is_not_counted(watches: Watches) -> None:
    """``status`` tells what lies there now."""
    look(watches, sighting(), sighting("hill.jpg"), at_s=100)
    watches.leave(sighting())
    watches.leave(sighting("hill.jpg"))

    look(watches, sighting("hill.jpg"), at_s=102)
    watches.forget("hill.jpg")
    watches.forget("hill.jpg")

    assert (0, 0) == (watches.left, len(watches))


def test_what_rests_is_not_told(watches: Watches) -> None:
    """It settled, and is not to be tried now."""
    look(watches, sighting(), sighting("hill.jpg"), at_s=100)

    outlook = watches.observe(
        [sighting(), sighting("hill.jpg")], now_s=102, settle_s=2, resting=lambda seen: seen == sighting()
    )

    assert (["hill.jpg"], 0) == ([each.path for each in outlook.settled], outlook.beyond)


def test_a_few_of_very_many_are_told(watches: Watches) -> None:
    """The oldest come first, and the folder keeps the others for later looks."""
    files = [sighting(f"{number}.jpg", mtime_ns=number) for number in range(5 * MOST_TOLD)]
    shuffled = sorted(files, key=lambda each: each.path)
    look(watches, *shuffled, at_s=100)

    outlook = look(watches, *shuffled, at_s=102)
    in_full = watches.observe(shuffled, now_s=103, settle_s=2, in_full=True)

    assert tuple(files[:MOST_TOLD]) == outlook.settled
    assert 4 * MOST_TOLD == outlook.beyond
    assert (tuple(files), 0) == (in_full.settled, in_full.beyond)
    assert 5 * MOST_TOLD == len(watches)


def test_a_file_that_one_look_tells_twice_is_one(watches: Watches) -> None:
    """A listing of a folder that changes meanwhile may do that."""
    first = look(watches, sighting(), sighting(), at_s=100)
    look(watches, sighting(), sighting("hill.jpg"), at_s=101)

    look(watches, sighting(), sighting(), at_s=102)

    assert (1, 1) == (first.arrived, len(watches))
    assert "hill.jpg" not in watches


def test_a_look_that_failed_changes_nothing(watches: Watches) -> None:
    """A share that went away between two looks takes nobody's patience with it."""
    look(watches, sighting(), sighting("hill.jpg"), at_s=100)

    with pytest.raises(OSError, match="gone"):
        watches.observe(map(_gone, [sighting()]), now_s=101, settle_s=2)
    outlook = look(watches, sighting(), at_s=102)

    assert (sighting(),) == outlook.settled
    assert 1 == len(watches)


def _gone(_: Sighting) -> Sighting:
    raise OSError("gone")


@dataclass(frozen=True, kw_only=True)
class Plain:
    """What the compact memory has to amount to: all of the file, and nothing clever."""

    sighting: Sighting
    since_s: float
    settled: bool = False
    changes: int = 0


def plainly(watch: Plain | None, seen: Sighting, now_s: float) -> Plain:
    if watch is None or watch.sighting.inode != seen.inode:
        return Plain(sighting=seen, since_s=now_s)
    if watch.sighting != seen:
        before = watch.sighting
        written = before.size_bytes != 0 and (before.size_bytes, before.mtime_ns) != (
            seen.size_bytes,
            seen.mtime_ns,
        )
        return Plain(sighting=seen, since_s=now_s, changes=min(2, watch.changes + written))
    quiet = quiet_s(2.0, empty=seen.size_bytes == 0, changes=watch.changes)
    return replace(watch, settled=watch.settled or now_s - watch.since_s >= quiet)


FILES = st.builds(
    Sighting,
    path=st.sampled_from([f"{number}.jpg" for number in range(20)]),
    device=st.just(1),
    inode=st.integers(1, 2),
    size_bytes=st.integers(0, 2),
    mtime_ns=st.integers(1, 2),
    ctime_ns=st.integers(1, 2),
)
LOOKS = st.lists(
    st.tuples(st.sampled_from([0.5, 2.0, 4.0, 30.0]), st.lists(FILES, unique_by=lambda seen: seen.path)),
    max_size=12,
)


@given(looks=LOOKS)
def test_the_compact_memory_is_as_good_as_a_whole_one(
    looks: list[tuple[float, list[Sighting]]],
) -> None:
    """Whatever comes, changes and goes, it leads to what keeping every sighting would lead to."""
    watches, now_s = Watches(), 0.0
    plain: dict[str, Plain] = {}
    for pause_s, files in looks:
        now_s += pause_s
        outlook = look(watches, *files, at_s=now_s)
        arrived = sum(seen.path not in plain for seen in files)
        plain = {seen.path: plainly(plain.get(seen.path), seen, now_s) for seen in files}
        settled = [watch.sighting for watch in plain.values() if watch.settled]

        assert sorted(settled, key=lambda seen: (seen.mtime_ns, seen.path)) == list(outlook.settled)
        assert (len(files) - len(settled), arrived) == (outlook.waiting, outlook.arrived)
        assert len(plain) == len(watches)
        assert all(path in watches and watches.same(watch.sighting) for path, watch in plain.items())


def test_the_first_look_that_saw_a_file_so_is_known(watches: Watches) -> None:
    """Of one that is not as the last look saw it, nothing is known."""
    look(watches, sighting(), at_s=100)
    look(watches, sighting(), at_s=105)

    assert 100.0 == watches.since_s(sighting())
    assert watches.since_s(sighting(mtime_ns=2)) is None
    assert watches.since_s(sighting("other.jpg")) is None


def test_unsettled_files_are_told_in_full_only(watches: Watches) -> None:
    """Otherwise their number has to do."""
    brief = watches.observe([sighting()], now_s=100, settle_s=2)
    full = watches.observe([sighting()], now_s=101, settle_s=2, in_full=True)

    assert ((), (sighting(),)) == (brief.settling, full.settling)
    assert 1 == brief.waiting == full.waiting


def known_look(watches: Watches, *seen: Sighting, at_s: float, in_full: bool = False) -> Outlook:
    return watches.observe(seen, now_s=at_s, settle_s=2.0, keeps=True, in_full=in_full)


def test_where_originals_stay_a_settled_file_is_asked_about_first(watches: Watches) -> None:
    """Only once somebody said that it was not taken before is it told as one to be taken."""
    known_look(watches, sighting(), at_s=100)

    unasked = known_look(watches, sighting(), at_s=102)
    watches.answer(sighting(), known=False)
    answered = known_look(watches, sighting(), at_s=103)

    assert ((), (sighting(),)) == (unasked.settled, unasked.unasked)
    assert ((sighting(),), ()) == (answered.settled, answered.unasked)


def test_what_was_taken_and_stays_is_counted_until_it_changes(watches: Watches) -> None:
    """It is told in full only; another content under its name is asked about anew."""
    known_look(watches, sighting(), at_s=100)
    known_look(watches, sighting(), at_s=102)
    watches.answer(sighting(), known=True)

    brief = known_look(watches, sighting(), at_s=103)
    in_full = known_look(watches, sighting(), at_s=104, in_full=True)
    known_look(watches, sighting(mtime_ns=2), at_s=105)
    changed = known_look(watches, sighting(mtime_ns=2), at_s=109)

    assert (1, (), (), ()) == (brief.known, brief.stayed, brief.settled, brief.unasked)
    assert (1, (sighting(),), ()) == (in_full.known, in_full.stayed, in_full.settled)
    assert (0, (sighting(mtime_ns=2),)) == (changed.known, changed.unasked)


def test_an_answer_about_a_file_that_changed_meanwhile_is_none(watches: Watches) -> None:
    """What is there now has to be asked about itself."""
    known_look(watches, sighting(mtime_ns=2), at_s=100)

    watches.answer(sighting(), known=True)

    assert (sighting(mtime_ns=2),) == known_look(watches, sighting(mtime_ns=2), at_s=102).unasked


def test_a_great_many_are_asked_about_in_turn(watches: Watches) -> None:
    """The memory for it is bounded; those beyond are told as such, and come with later looks."""
    files = [sighting(f"{number}.jpg") for number in range(MOST_ASKED + 10)]
    known_look(watches, *files, at_s=100)

    outlook = known_look(watches, *files, at_s=102)
    in_full = known_look(watches, *files, at_s=102, in_full=True)

    assert (MOST_ASKED, 10) == (len(outlook.unasked), outlook.beyond)
    assert (len(files), 0) == (len(in_full.unasked), in_full.beyond)


def test_the_oldest_come_first() -> None:
    """By the time that they were written, and by their names where that is the same."""
    files = [sighting("b", mtime_ns=2), sighting("c"), sighting("a", mtime_ns=2)]

    assert ["c", "a", "b"] == [each.path for each in oldest(files)]


def folder(*sizes_bytes: int, mtime_ns: int = 1) -> FolderSighting:
    return FolderSighting(
        path="shoot",
        device=1,
        inode=2,
        size_bytes=sum(sizes_bytes),
        mtime_ns=mtime_ns,
        ctime_ns=3,
        members=tuple(
            sighting(f"shoot/{number}.jpg", size_bytes=size) for number, size in enumerate(sizes_bytes)
        ),
    )


def test_a_folder_settles_as_a_whole(watches: Watches) -> None:
    """A change of one file in it is a change of all, also where its size and its times are as before."""
    look(watches, folder(5, 7), at_s=100)
    early = look(watches, folder(7, 5), at_s=102)
    late = look(watches, folder(7, 5), at_s=104)

    assert () == early.settled
    assert (folder(7, 5),) == late.settled


def test_a_folder_with_an_empty_file_waits_like_one(watches: Watches) -> None:
    """Some programs make all names first, and write afterwards."""
    look(watches, folder(5, 0), at_s=100)

    assert () == look(watches, folder(5, 0), at_s=104).settled
    assert (folder(5, 0),) == look(watches, folder(5, 0), at_s=130).settled
