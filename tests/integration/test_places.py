"""A drop's file on its way into its last folder and back, on real folders."""

from __future__ import annotations

import errno
import hashlib
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.disk import RealDisk
from dropglow.errors import DiskError, NameTaken
from dropglow.model import After, Companion, Drop, DropKey, DropState, Kind, RuleName
from dropglow.naming import candidates
from dropglow.runtime import places, taking_back
from dropglow.runtime.reporting import write_report

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker

LONG = "n" * 246 + ".txt"


def failed_drop(inbox: Path, name: str = "fox.txt", text: bytes = b"a fox", key: str = "abc") -> Drop:
    """Return a drop that failed: its file and its report stand in ``_failed``."""
    place = inbox / "_failed" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    (inbox / ".dropglow").mkdir(exist_ok=True)
    place.write_bytes(text)
    found = place.stat()
    drop = Drop(
        key=DropKey(key),
        inbox=str(inbox),
        path=name,
        place=str(place),
        rule=RuleName("art"),
        rule_digest="d",
        sha256=hashlib.sha256(text).hexdigest(),
        size_bytes=len(text),
        device=found.st_dev,
        inode=found.st_ino,
        kind=Kind.PROMPT,
        after=After(done=str(inbox / "_done"), failed=str(inbox / "_failed"), held=str(inbox / "_held")),
        state=DropState.FAILED,
        admitted_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    write_report(RealDisk(), drop, DropState.FAILED, "it failed")
    return drop


def test_a_file_with_a_long_name_comes_back(tmp_path: Path) -> None:
    """The report beside a name that leaves no room for its ending is found and removed, too."""
    drop = failed_drop(tmp_path, LONG)

    back = taking_back.take_back(RealDisk(), drop)

    assert b"a fox" == Path(back.place).read_bytes()
    assert [] == list((tmp_path / "_failed").iterdir())


@pytest.mark.parametrize("state", [DropState.FAILED, DropState.HELD])
def test_the_beginning_of_a_report_goes_with_the_next_one(
    tmp_path: Path, faulty_disk: DiskMaker, state: DropState
) -> None:
    """Who dies over a report leaves its beginning; whatever the drop's next report says, it takes that away."""
    drop = replace(failed_drop(tmp_path), place="")
    disk = faulty_disk(faulty_disk.fault(verb="file.finish", number=None))
    with pytest.raises(faulty_disk.power_cut):
        write_report(disk, drop, DropState.FAILED, "it failed again")

    write_report(RealDisk(), drop, state, "it failed again")

    assert [] == [path.name for path in tmp_path.rglob(".dropglow-*")]
    assert "it failed again" in {path.read_text() for path in tmp_path.rglob("*.txt")}


def test_the_beginning_of_a_report_goes_with_its_file(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """It is not left behind in a folder that nobody writes to again."""
    drop = failed_drop(tmp_path)
    disk = faulty_disk(faulty_disk.fault(verb="file.finish", number=None))
    with pytest.raises(faulty_disk.power_cut):
        write_report(disk, drop, DropState.FAILED, "it failed again")

    taking_back.take_back(RealDisk(), drop)

    assert [] == list((tmp_path / "_failed").iterdir())


def test_the_beginning_of_a_report_goes_where_none_is_due_any_more(
    tmp_path: Path, faulty_disk: DiskMaker
) -> None:
    """Who died over the report of a failure may find that the drop is done: what was begun does not stay."""
    drop = failed_drop(tmp_path)
    disk = faulty_disk(faulty_disk.fault(verb="file.finish", number=None))
    with pytest.raises(faulty_disk.power_cut):
        write_report(disk, drop, DropState.FAILED, "it failed")

    known = places.take_up(RealDisk(), replace(drop, place=f"{tmp_path}/.dropglow/work/fox.txt"))
    places.put_away(RealDisk(), known, DropState.DONE)

    assert [] == list((tmp_path / "_failed").glob(".dropglow-*"))


def test_a_file_that_cannot_come_back_keeps_its_report(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """A full disk refuses the move: what lies in its last folder still says why."""
    drop = failed_drop(tmp_path)
    disk = faulty_disk(faulty_disk.fault(verb="move", number=errno.ENOSPC))

    with pytest.raises(DiskError):
        taking_back.take_back(disk, drop)

    assert ["fox.txt", "fox.txt.error.txt"] == sorted(path.name for path in (tmp_path / "_failed").iterdir())


def test_a_file_that_is_not_exchanged_keeps_its_report(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """The same was dropped once more, and the service dies before it has the file: what lies there still says why."""
    drop = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work" / "new~fox.txt"
    work.parent.mkdir(parents=True)
    work.write_bytes(b"a fox")
    disk = faulty_disk(faulty_disk.fault(verb="move", number=None))

    with pytest.raises(faulty_disk.power_cut):
        taking_back.exchange(disk, drop, replace(drop, key=DropKey("new"), place=str(work)))

    assert ["fox.txt", "fox.txt.error.txt"] == sorted(path.name for path in (tmp_path / "_failed").iterdir())


def test_a_pair_that_is_not_synced_is_not_exchanged(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """After a power cut it could lie under its former name, for which somebody else would buy once more."""
    drop = a_pair(tmp_path)
    claimed = replace(drop, key=DropKey("new"))
    disk = faulty_disk(faulty_disk.fault(verb="sync_folder", number=errno.EIO, lasting=True))

    with pytest.raises(DiskError):
        taking_back.exchange(disk, replace(drop, key=DropKey("old")), claimed)

    assert all(Path(each.place).is_file() for each in parts(claimed))


def test_what_cannot_go_back_either_is_exchanged(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """Nobody would look for it where it is not."""
    drop = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work" / "new~fox.txt"
    work.parent.mkdir(parents=True)
    work.write_bytes(b"a fox")
    fault = faulty_disk.fault
    disk = faulty_disk(fault(verb="sync_folder"), fault(verb="move", nth=2))

    back = taking_back.exchange(disk, drop, replace(drop, key=DropKey("new"), place=str(work)))

    assert b"a fox" == Path(back.place).read_bytes()


def test_a_file_that_was_copied_into_the_inbox_keeps_its_report(tmp_path: Path) -> None:
    """It lies in its last folder still, and says why."""
    drop = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work" / "new~fox.txt"
    work.parent.mkdir(parents=True)
    work.write_bytes(b"a fox")

    back = taking_back.exchange(RealDisk(), drop, replace(drop, key=DropKey("new"), place=str(work)))

    assert b"a fox" == Path(back.place).read_bytes()
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(path.name for path in (tmp_path / "_failed").iterdir())


def test_nothing_is_exchanged_for_what_has_the_name_in_work(tmp_path: Path) -> None:
    """Both stay where they are."""
    drop = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work"
    work.mkdir(parents=True)
    for key in ("abc", "new"):
        (work / f"{key}~fox.txt").write_text(key)

    with pytest.raises(DiskError):
        taking_back.exchange(
            RealDisk(), drop, replace(drop, key=DropKey("new"), place=str(work / "new~fox.txt"))
        )

    assert {"abc~fox.txt": "abc", "new~fox.txt": "new"} == {
        each.name: each.read_text() for each in work.iterdir()
    }


def test_a_file_that_came_back_is_synced_before_it_goes_on(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """Asked a second time, a disk that refuses to sync refuses again: the file may be where it was after a power cut."""
    drop = failed_drop(tmp_path)
    (tmp_path / ".dropglow" / "work").mkdir(parents=True)
    disk = faulty_disk(faulty_disk.fault(verb="sync_folder", number=errno.EIO, lasting=True))

    for _ in range(2):
        with pytest.raises(DiskError):
            taking_back.take_back(disk, drop)

    assert b"a fox" == Path(taking_back.take_back(RealDisk(), drop).place).read_bytes()


def test_a_report_that_cannot_be_removed_keeps_no_file_from_coming_back(
    tmp_path: Path, faulty_disk: DiskMaker
) -> None:
    """The file is in work by then, and has to go on."""
    drop = failed_drop(tmp_path)
    disk = faulty_disk(faulty_disk.fault(verb="remove", number=errno.EIO))

    back = taking_back.take_back(disk, drop)

    assert b"a fox" == Path(back.place).read_bytes()


def test_a_long_name_moved_back_is_exchanged(tmp_path: Path) -> None:
    """Moved back into the inbox by hand, it goes on in its own drop, and its report goes."""
    drop = failed_drop(tmp_path, LONG)
    work = tmp_path / ".dropglow" / "work" / "new" / LONG
    work.parent.mkdir(parents=True)
    Path(drop.place).rename(work)

    back = taking_back.exchange(RealDisk(), drop, replace(drop, key=DropKey("new"), place=str(work)))

    assert b"a fox" == Path(back.place).read_bytes()
    assert [] == list((tmp_path / "_failed").iterdir())


def test_another_file_of_the_same_name_is_not_taken(tmp_path: Path) -> None:
    """Where the drop's own file was taken away, the one that failed later under its name stays, and its report."""
    drop = failed_drop(tmp_path)
    failed_drop(tmp_path, text=b"another fox")

    back = taking_back.take_back(RealDisk(), drop)

    assert "" == back.place
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(path.name for path in (tmp_path / "_failed").iterdir())


def test_the_file_of_its_own_place_moves_although_the_first_one_is_found(tmp_path: Path) -> None:
    """Two files of one content changed names: the drop has the other one now, which must not stay in work."""
    drop = failed_drop(tmp_path)
    twin = tmp_path / ".dropglow" / "work" / "abc~fox.txt"
    twin.parent.mkdir(parents=True)
    twin.write_bytes(b"a fox")

    after = places.put_away(RealDisk(), replace(drop, place=str(twin)), DropState.FAILED)

    assert str(tmp_path / "_failed" / "fox_2.txt") == after.place
    assert [] == list(twin.parent.iterdir())
    assert b"a fox" == Path(after.place).read_bytes() == Path(drop.place).read_bytes()


def test_a_file_with_two_names_keeps_none_in_work(tmp_path: Path) -> None:
    """Where moving means linking, a crash in between leaves both names."""
    drop = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work" / "abc~fox.txt"
    work.parent.mkdir(parents=True)
    work.hardlink_to(drop.place)

    after = places.put_away(RealDisk(), replace(drop, place=str(work)), DropState.FAILED)

    assert b"a fox" == Path(after.place).read_bytes()
    assert [] == list(work.parent.iterdir())


def test_a_file_that_is_gone_has_no_place(tmp_path: Path) -> None:
    """Somebody took it away while its drop was closed: what gets its name later is another file."""
    drop = failed_drop(tmp_path)
    Path(drop.place).unlink()

    back = taking_back.take_back(RealDisk(), drop)

    assert "" == back.place


def test_a_file_that_is_in_work_already_is_found_there(tmp_path: Path) -> None:
    """A crash came between: the file was moved, and nobody wrote it down."""
    drop = failed_drop(tmp_path)
    taking_back.take_back(RealDisk(), drop)

    back = taking_back.take_back(RealDisk(), drop)

    assert b"a fox" == Path(back.place).read_bytes()


def test_nobody_else_s_file_is_deleted(tmp_path: Path) -> None:
    """Where done files are deleted, one of another content that has the name of ours stays."""
    drop = failed_drop(tmp_path)
    drop = replace(drop, after=replace(drop.after, done=None))
    failed_drop(tmp_path, text=b"another fox")

    placed = places.put_away(RealDisk(), drop, DropState.DONE)

    assert "" == placed.place
    assert b"another fox" == (tmp_path / "_failed" / "fox.txt").read_bytes()


# ---------------------------------------------------------------- files that belong together


def a_pair(inbox: Path, names: tuple[str, str] = ("fox.jpg", "fox.mask.png")) -> Drop:
    """Return a drop with a companion, both in work."""
    work = inbox / ".dropglow" / "work" / "abc"
    work.mkdir(parents=True, exist_ok=True)
    for name in names:
        (work / name).write_bytes(name.encode())
    drop = replace(failed_drop(inbox), path=names[0], state=DropState.OPEN, **facts(work / names[0]))
    shutil.rmtree(inbox / "_failed")
    return replace(drop, companions=(Companion(path=names[1], kind=Kind.IMAGE, **facts(work / names[1])),))


def parts(drop: Drop) -> list[Drop | Companion]:
    return [drop, *drop.companions]


def facts(file: Path) -> dict[str, Any]:
    found, data = file.stat(), file.read_bytes()
    return {
        "place": str(file),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
        "device": found.st_dev,
        "inode": found.st_ino,
    }


def visible(inbox: Path) -> list[str]:
    return sorted(str(path.relative_to(inbox)) for path in inbox.glob("_*/**/*") if path.is_file())


def put(disk: RealDisk, drop: Drop, state: DropState) -> list[str]:
    """Put the files away, and return where the drop says that they are."""
    placed = places.put_away(disk, drop, state)
    inbox = Path(drop.inbox)
    return [str(Path(each.place).relative_to(inbox)) for each in parts(placed)]


@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_a_pair_is_put_away_is_healed(
    tmp_path: Path, faulty_disk: DiskMaker, nth: int, after: bool
) -> None:
    """Whatever was moved already is found where it went, and the rest follows."""
    drop = a_pair(tmp_path)
    (tmp_path / "_done").mkdir()
    (tmp_path / "_done" / "fox.mask.png").write_text("another mask")
    with suppress(faulty_disk.power_cut):
        places.put_away(
            faulty_disk(faulty_disk.fault(nth=nth, number=None, after=after)), drop, DropState.DONE
        )

    placed = put(RealDisk(), drop, DropState.DONE)

    assert ["_done/fox_2.jpg", "_done/fox_2.mask.png"] == placed
    assert ["_done/fox.mask.png", *placed] == visible(tmp_path)


@pytest.mark.parametrize(
    ("names", "again"),
    [
        (("fox.jpg", "fox.mask.png"), ("fox_2.jpg", "fox_2.mask.png")),
        (("fox.jpg", "fox.jpg.txt"), ("fox_2.jpg", "fox_2.jpg.txt")),
        (("fox.jpg", "mask of fox.png"), ("fox_2.jpg", "mask of fox_2.png")),
        (("fox.a note", "fox.txt"), ("fox.a note_2", "fox_2.txt")),
        (("fox.jpg", f"fox.{'m' * 247}.png"), ("fox_2.jpg", f"fox.{'m' * 190}_2.png")),
    ],
)
def test_taken_names_are_changed_alike(
    tmp_path: Path, names: tuple[str, str], again: tuple[str, str]
) -> None:
    """Moved back into the inbox, they still belong together, wherever a file system has room for it."""
    put(RealDisk(), a_pair(tmp_path, names), DropState.DONE)

    placed = put(RealDisk(), a_pair(tmp_path, names), DropState.DONE)

    assert [f"_done/{name}" for name in again] == placed


def test_a_pair_that_rests_already_stays(tmp_path: Path) -> None:
    """Putting away is repeated after a crash, and changes nothing then."""
    drop = places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD)

    assert drop == places.put_away(RealDisk(), drop, DropState.HELD)


def test_a_companion_that_was_left_behind_follows(tmp_path: Path) -> None:
    """The drop rests under the number that it got; its mask gets the same."""
    drop = a_pair(tmp_path)
    (tmp_path / "_done").mkdir()
    rests = tmp_path / "_done" / "fox_7.jpg"
    Path(drop.place).rename(rests)

    assert ["_done/fox_7.jpg", "_done/fox_7.mask.png"] == put(
        RealDisk(), replace(drop, place=str(rests)), DropState.DONE
    )


def test_a_companion_that_somebody_took_leaves_an_empty_place(tmp_path: Path) -> None:
    """The drop goes where it belongs all the same."""
    drop = a_pair(tmp_path)
    Path(drop.companions[0].place).unlink()

    placed = places.put_away(RealDisk(), drop, DropState.FAILED)

    assert ["_failed/fox.jpg"] == visible(tmp_path)
    assert "" == placed.companions[0].place


def test_a_faster_hand_at_a_name_moves_both_on(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """A name that is taken in the last moment changes both names."""
    drop = a_pair(tmp_path)
    stranger = tmp_path / "_done" / "fox.mask.png"
    fault = faulty_disk.fault(verb="move", nth=2, deed=lambda: stranger.write_text("mine"))

    placed = put(faulty_disk(fault), drop, DropState.DONE)

    assert ["_done/fox_2.jpg", "_done/fox_2.mask.png"] == placed
    assert "mine" == stranger.read_text()


def test_a_pair_is_deleted_together(tmp_path: Path) -> None:
    """Where the rule deletes originals, it deletes what belongs to them."""
    drop = a_pair(tmp_path)
    drop = replace(drop, after=replace(drop.after, done=None))

    placed = places.put_away(RealDisk(), drop, DropState.DONE)

    assert ("", "") == (placed.place, placed.companions[0].place)
    assert [] == list((tmp_path / ".dropglow" / "work" / "abc").iterdir())


@pytest.mark.parametrize("fault", [{"verb": "move", "nth": 2}, {"verb": "make_folder", "nth": 2}])
def test_a_pair_is_taken_back_whole_or_not_at_all(
    tmp_path: Path, faulty_disk: DiskMaker, fault: dict[str, Any]
) -> None:
    """Nobody would look into the hidden work folder for the one of which the other was refused."""
    failed = places.put_away(RealDisk(), a_pair(tmp_path), DropState.FAILED)
    write_report(RealDisk(), failed, DropState.FAILED, "it failed")
    before = visible(tmp_path)

    with pytest.raises(DiskError):
        taking_back.take_back(faulty_disk(faulty_disk.fault(**fault)), failed)

    assert ["_failed/fox.jpg", "_failed/fox.jpg.error.txt", "_failed/fox.mask.png"] == before
    assert before == visible(tmp_path)


@pytest.mark.parametrize("names", [("fox.jpg", "fox.mask.png"), ("fox_2.jpg", "fox_2.mask.png")])
def test_a_pair_is_taken_from_where_somebody_moved_it_into_the_inbox(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """Whoever moves files back and asks for their drop as well asks for one thing; no report of before stays."""
    if names[0] == "fox_2.jpg":
        places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD)
    held = replace(places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD), state=DropState.HELD)
    write_report(RealDisk(), held, DropState.HELD, "a report about drop abc, which is held")
    for each in parts(held):
        Path(each.place).rename(tmp_path / Path(each.place).name)

    back = taking_back.take_back(RealDisk(), held)

    assert names == tuple(Path(each.place).name for each in parts(held))
    assert [b"fox.jpg", b"fox.mask.png"] == [Path(each.place).read_bytes() for each in parts(back)]
    assert [] == [path for path in tmp_path.iterdir() if path.is_file()]
    assert [] == list(tmp_path.glob("_held/*.txt"))


def test_a_pair_is_taken_from_another_folder_of_the_inbox(tmp_path: Path) -> None:
    """It was held with the folder that it was dropped in, and moved back without."""
    pair = a_pair(tmp_path)
    held = replace(places.put_away(RealDisk(), pair, DropState.HELD), state=DropState.HELD)
    (tmp_path / "sub").mkdir()
    for each in parts(held):
        Path(each.place).rename(tmp_path / "sub" / Path(each.place).name)

    back = taking_back.take_back(RealDisk(), held)

    assert [b"fox.jpg", b"fox.mask.png"] == [Path(each.place).read_bytes() for each in parts(back)]
    assert [] == list((tmp_path / "sub").iterdir())


def test_nothing_is_taken_from_the_inbox_while_its_place_in_work_is_taken(tmp_path: Path) -> None:
    """A crash left the drop's file in work, and another drop's has its former name: what lies in the inbox is a copy."""
    drop = failed_drop(tmp_path)
    taking_back.take_back(RealDisk(), drop)
    failed_drop(tmp_path, text=b"another fox")
    (tmp_path / "fox.txt").write_bytes(b"a fox")

    back = taking_back.take_back(RealDisk(), drop)

    assert "" == back.place
    assert b"a fox" == (tmp_path / "fox.txt").read_bytes()


def test_another_file_in_the_inbox_is_not_taken(tmp_path: Path) -> None:
    """It has the name of ours, which somebody took away, and neither its content nor its mask."""
    held = replace(places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD), state=DropState.HELD)
    Path(held.place).unlink()
    (tmp_path / "fox.jpg").write_bytes(b"boxes!!")
    Path(held.companions[0].place).rename(tmp_path / "fox.mask.png")

    back = taking_back.take_back(RealDisk(), held)

    assert ["", ""] == [each.place for each in parts(back)]
    assert ["fox.jpg", "fox.mask.png"] == sorted(path.name for path in tmp_path.iterdir() if path.is_file())


def test_a_pair_of_which_one_is_in_work_is_taken_back_and_loses_its_report(
    tmp_path: Path, faulty_disk: DiskMaker
) -> None:
    """A crash came between: who asks again finds the one, and takes the other."""
    failed = places.put_away(RealDisk(), a_pair(tmp_path), DropState.FAILED)
    write_report(RealDisk(), failed, DropState.FAILED, "a report about drop abc, which failed")
    with pytest.raises(faulty_disk.power_cut):
        taking_back.take_back(faulty_disk(faulty_disk.fault(verb="move", nth=2, number=None)), failed)

    back = taking_back.take_back(RealDisk(), failed)

    assert [b"fox.jpg", b"fox.mask.png"] == [Path(each.place).read_bytes() for each in parts(back)]
    assert [] == visible(tmp_path)


def test_a_pair_is_taken_back_together(tmp_path: Path) -> None:
    """And a companion that is another file by now stays where it is."""
    failed = places.put_away(RealDisk(), a_pair(tmp_path), DropState.FAILED)
    back = taking_back.take_back(RealDisk(), failed)
    again = places.put_away(RealDisk(), back, DropState.FAILED)
    Path(again.companions[0].place).write_text("another mask")

    half = taking_back.take_back(RealDisk(), again)

    assert [] == [each for each in parts(back) if ".dropglow" not in each.place]
    assert (True, "") == (".dropglow" in half.place, half.companions[0].place)
    assert ["_failed/fox.mask.png"] == visible(tmp_path)


def test_a_pair_moved_back_is_exchanged(tmp_path: Path) -> None:
    """Each file goes on in the place of the one with its content."""
    failed = places.put_away(RealDisk(), a_pair(tmp_path), DropState.FAILED)
    work = tmp_path / ".dropglow" / "work"
    moved = [(Path(each.place), work / f"new~{each.path}") for each in parts(failed)]
    for source, target in moved:
        source.rename(target)
    claimed = replace(
        failed,
        key=DropKey("new"),
        place=str(moved[0][1]),
        companions=(replace(failed.companions[0], place=str(moved[1][1])),),
    )

    back = taking_back.exchange(RealDisk(), failed, claimed)

    assert [str(work / "abc~fox.jpg"), str(work / "abc~fox.mask.png")] == [each.place for each in parts(back)]
    assert [] == list(work.glob("new~*"))


def test_two_companions_of_one_content_are_both_exchanged(tmp_path: Path) -> None:
    """A file is found again once."""
    drop = a_pair(tmp_path)
    twin = Path(drop.companions[0].place).with_name("fox.twin.png")
    shutil.copy(drop.companions[0].place, twin)
    drop = replace(
        drop, companions=(*drop.companions, Companion(path=twin.name, kind=Kind.IMAGE, **facts(twin)))
    )

    known = taking_back.regained(drop, drop)

    assert drop == known


def test_a_marker_of_another_content_stands_for_the_first(tmp_path: Path) -> None:
    """One that comes again takes its place, one more goes along, and none is left in the work of another drop."""
    drop = a_pair(tmp_path, ("fox.jpg", "fox.jpg.done"))
    marker = replace(drop.companions[0], kind=None)
    came = [tmp_path / ".dropglow" / "work" / "new" / name for name in ("fox.jpg", "fox.jpg.done", "fox.ok")]
    came[0].parent.mkdir()
    for path in came:
        path.write_text("news")
    markers = tuple(Companion(path=path.name, kind=None, **facts(path)) for path in came[1:])
    claimed = replace(drop, key=DropKey("new"), **facts(came[0]), companions=markers)

    back = taking_back.exchange(RealDisk(), replace(drop, companions=(marker,)), claimed)

    assert ["abc~fox.jpg.done", "abc~fox.ok"] == [Path(each.place).name for each in back.companions]
    assert ["news", "news"] == [Path(each.place).read_text() for each in back.companions]
    assert not came[0].parent.exists()


# ---------------------------------------------------------------- names that are taken


@pytest.mark.parametrize("state", [DropState.DONE, DropState.FAILED, DropState.HELD])
def test_a_name_that_a_thousand_had_still_finds_a_place(tmp_path: Path, state: DropState) -> None:
    """A scanner calls every file the same: none of them stays hidden in work, closed and forgotten."""
    drop = a_pair(tmp_path)
    folder = tmp_path / f"_{state.value}"
    folder.mkdir()
    for name in islice(candidates("fox.jpg"), 1000):
        (folder / name).touch()

    placed = places.put_away(RealDisk(), drop, state)

    assert [f"{folder}/fox.abc.jpg", f"{folder}/fox.abc.mask.png"] == [each.place for each in parts(placed)]
    assert b"fox.jpg" == Path(placed.place).read_bytes()
    assert placed == places.put_away(RealDisk(), placed, state)


def test_the_report_about_an_original_replaces_no_other_one(tmp_path: Path) -> None:
    """A thousand others of its name failed before, and theirs are needed as well."""
    drop = failed_drop(tmp_path)
    drop = replace(drop, place="", after=replace(drop.after, workshop=str(tmp_path / "kept")))
    for name in islice(candidates("fox.txt"), 1000):
        (tmp_path / "_failed" / f"{name}.error.txt").write_text("about another one")

    write_report(RealDisk(), drop, DropState.FAILED, "it failed")

    assert "it failed" == (tmp_path / "_failed" / "fox.abc.txt.error.txt").read_text()
    assert "about another one" == (tmp_path / "_failed" / "fox.txt.error.txt").read_text()


def test_a_file_for_which_no_name_is_left_stays_in_work(tmp_path: Path) -> None:
    """It is tried again, and told; nothing is closed without its file."""
    drop = a_pair(tmp_path)
    (tmp_path / "_done").mkdir()
    for name in chain(islice(candidates("fox.jpg"), 1000), islice(candidates("fox.abc.jpg"), 1000)):
        (tmp_path / "_done" / name).touch()

    with pytest.raises(NameTaken):
        places.put_away(RealDisk(), drop, DropState.DONE)

    assert b"fox.jpg" == Path(drop.place).read_bytes()


# ---------------------------------------------------------------- what another drop has by now


def test_a_report_without_its_file_leaves_that_of_another_drop(tmp_path: Path) -> None:
    """The file was taken away and another one failed under its name: that one's report goes on saying why."""
    gone = replace(failed_drop(tmp_path), place="")
    failed_drop(tmp_path, text=b"another fox", key="other")

    write_report(RealDisk(), gone, DropState.FAILED, "it failed again, drop abc, today")
    write_report(RealDisk(), gone, DropState.FAILED, "and again, drop abc, today")

    reports = {path.name: path.read_text() for path in tmp_path.rglob("*.error.txt")}
    assert {
        "fox.txt.error.txt": "it failed",
        "fox_2.txt.error.txt": "and again, drop abc, today",
    } == reports


def test_a_report_goes_although_its_file_was_taken_away(tmp_path: Path) -> None:
    """The drop goes on; what another drop's report says there stays."""
    drop, other = failed_drop(tmp_path), failed_drop(tmp_path, "vixen.txt", key="other")
    for each, says in ((drop, "drop abc, today"), (other, "drop third, today")):
        write_report(RealDisk(), each, DropState.FAILED, says)
        Path(each.place).unlink()

    backs = [taking_back.take_back(RealDisk(), each) for each in (drop, other)]

    assert ["", ""] == [back.place for back in backs]
    assert ["vixen.txt.error.txt"] == [path.name for path in (tmp_path / "_failed").iterdir()]


def test_files_that_came_back_without_their_companion_are_exchanged(tmp_path: Path) -> None:
    """Somebody took the mask away: the drop has what there is."""
    held = places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD)
    Path(held.companions[0].place).unlink()
    claimed = moved_back(held)

    back = taking_back.exchange(RealDisk(), held, claimed)

    assert b"fox.jpg" == Path(back.place).read_bytes()
    assert "" == back.companions[0].place


def test_nobody_else_s_companion_is_exchanged(tmp_path: Path) -> None:
    """Another drop's mask has the name of the one that was taken away: it stays where it is."""
    held = places.put_away(RealDisk(), a_pair(tmp_path), DropState.HELD)
    mask = Path(held.companions[0].place)
    mask.write_text("another mask")
    claimed = moved_back(held)

    back = taking_back.exchange(RealDisk(), held, claimed)

    assert "" == back.companions[0].place
    assert "another mask" == mask.read_text()


def moved_back(drop: Drop) -> Drop:
    """Return what is claimed once the file of *drop*, and none of its companions, was moved into the inbox."""
    place = Path(drop.inbox) / ".dropglow" / "work" / f"new~{drop.path}"
    Path(drop.place).rename(place)
    return replace(drop, key=DropKey("new"), place=str(place), companions=())


def test_a_move_whose_answer_got_lost_is_known_by_the_file(tmp_path: Path, faulty_disk: DiskMaker) -> None:
    """A share may do it twice, and say of the second time that there is nothing to move."""
    drop = failed_drop(tmp_path)
    disk = faulty_disk(faulty_disk.fault(verb="move", number=errno.ENOENT, after=True))

    done = places.put_away(disk, drop, DropState.DONE)

    assert f"{tmp_path}/_done/fox.txt" == done.place
    assert b"a fox" == Path(done.place).read_bytes()


@pytest.mark.parametrize("standing", [None, b"theirs", b"a fox"], ids=["nothing", "another", "equal bytes"])
def test_a_file_that_was_taken_away_is_not_found_in_another(tmp_path: Path, standing: bytes | None) -> None:
    """What has its name in the last folder is somebody else's, whatever it holds."""
    drop = failed_drop(tmp_path)
    Path(drop.place).rename(tmp_path / "taken away")
    if standing is not None:
        (tmp_path / "_done").mkdir()
        (tmp_path / "_done" / "fox.txt").write_bytes(standing)

    done = places.put_away(RealDisk(), drop, DropState.DONE)

    assert "" == done.place
    assert standing == ((tmp_path / "_done" / "fox.txt").read_bytes() if standing is not None else None)


@pytest.mark.parametrize("reason", ["", "its end is missing"])
def test_nothing_is_looked_for_while_a_file_is_at_its_place(
    tmp_path: Path, faulty_disk: DiskMaker, reason: str
) -> None:
    """A drop that is put away for the first time costs one look, and changes nothing."""
    disk, drop = faulty_disk(), replace(failed_drop(tmp_path), reason=reason)

    assert drop == places.take_up(disk, drop)
    assert [] == disk.calls


@pytest.mark.parametrize("state", [DropState.FAILED, DropState.HELD])
def test_a_moved_file_is_known_by_its_content_where_shares_number_files_anew(
    tmp_path: Path, state: DropState
) -> None:
    """The service died between the move and the ledger, and the share came back; or each rename gives another number."""
    moved = failed_drop(tmp_path)
    (tmp_path / "_failed" / "fox.txt.error.txt").unlink()
    if state is DropState.HELD:
        (tmp_path / "_failed").rename(tmp_path / "_held")
    drop = replace(moved, place=str(tmp_path / ".dropglow" / "work" / "abc~fox.txt"), inode=moved.inode + 1)

    [after] = places.alike(RealDisk(), drop, state)

    assert str(tmp_path / f"_{state}" / "fox.txt") == after.place


def test_a_file_of_equal_content_with_the_report_of_another_drop_is_not_taken_for_it(tmp_path: Path) -> None:
    """Each drop is told where its own file is, or that it is nowhere."""
    failed_drop(tmp_path, key="twin")
    lost = failed_drop(tmp_path / "elsewhere")
    after = After(done=f"{tmp_path}/_done", failed=f"{tmp_path}/_failed", held=f"{tmp_path}/_held")
    work = str(tmp_path / ".dropglow" / "work" / "abc~fox.txt")
    drop = replace(lost, inbox=str(tmp_path), after=after, place=work)

    assert [] == list(places.alike(RealDisk(), drop, DropState.FAILED))


@pytest.mark.parametrize("state", [DropState.FAILED, DropState.DONE])
def test_what_an_interrupted_try_held_goes_where_it_belongs_by_now(tmp_path: Path, state: DropState) -> None:
    """Somebody settled its order meanwhile: neither its file nor the report stays in ``_held``."""
    drop = failed_drop(tmp_path)
    (tmp_path / "_failed").rename(tmp_path / "_held")
    (tmp_path / "_held" / "fox.txt.error.txt").unlink()
    (tmp_path / "_held" / "fox.txt.held.txt").write_text("it is held\n\ndrop abc, rule art\n")
    drop = replace(drop, place=str(tmp_path / ".dropglow" / "work" / "abc~fox.txt"))

    after = places.put_away(RealDisk(), places.take_up(RealDisk(), drop), state)

    assert str(tmp_path / f"_{state}" / "fox.txt") == after.place
    assert [] == list((tmp_path / "_held").iterdir())


def test_a_copy_that_failed_before_is_not_deleted_with_the_file_that_is_done(tmp_path: Path) -> None:
    """Asked twice whether it is gone, nobody takes another file of the same content for it."""
    copy = failed_drop(tmp_path)
    work = tmp_path / ".dropglow" / "work" / "abc~fox.txt"
    work.parent.mkdir()
    work.write_bytes(b"a fox")
    (tmp_path / "_failed" / "fox.txt.error.txt").write_text("it failed\n\ndrop abc, rule art\n")
    drop = replace(copy, place=str(work), inode=work.stat().st_ino, after=replace(copy.after, done=None))

    for _ in range(2):
        places.put_away(RealDisk(), places.take_up(RealDisk(), drop), DropState.DONE)

    assert not work.exists()
    assert b"a fox" == Path(copy.place).read_bytes()
