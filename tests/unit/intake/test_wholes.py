"""Sub-folders that are drops: put together from what a scan found, compared, and waited for."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.intake.scan import Other, Snag
from dropglow.intake.wholes import Unfinished, manifest, same_whole, together
from dropglow.model import FolderSighting, Sighting

Found = Sighting | Snag | Other


def seen(path: str, **changes: Any) -> Sighting:
    values = {"device": 1, "inode": 2, "size_bytes": 7, "mtime_ns": 5, "ctime_ns": 6, **changes}
    return Sighting(path=path, **values)


def other(path: str, *, unfinished: bool = False, **changes: Any) -> Other:
    return Other(sighting=seen(path, **changes), unfinished=unfinished)


def whole(*found: Sighting | Snag | Other) -> FolderSighting:
    """Return the one folder that was put together."""
    (folder,) = (each for each in together(found) if isinstance(each, FolderSighting))
    return folder


def test_a_folder_is_told_after_the_files_beside_it() -> None:
    """With its members by path, the size of all of them, and the latest time of anything in it."""
    found: list[Found] = [
        seen("s/b.jpg", mtime_ns=9),
        other("s", inode=8),
        seen("x.jpg"),
        seen("s/a.jpg"),
        other("s/sub"),
    ]

    single, folder = together(found)

    assert seen("x.jpg") == single
    assert isinstance(folder, FolderSighting)
    assert ("s", 8, 14, 9) == (folder.path, folder.inode, folder.size_bytes, folder.mtime_ns)
    assert ["s/a.jpg", "s/b.jpg"] == [each.path for each in folder.members]
    assert (["s/sub"], "") == ([each.path for each in folder.others], folder.obstacle)


@pytest.mark.parametrize("found", [[other("s"), other("s/sub")], [seen("s/a.jpg")], []])
def test_a_folder_without_files_is_no_drop(found: Any) -> None:
    """Neither is one that went away while it was looked into."""
    assert [] == list(together(found))


def test_what_is_still_written_holds_the_folder_back() -> None:
    """The obstacle names it; housekeeping is none."""
    folder = whole(other("s"), seen("s/a.jpg"), other("s/b.jpg.part", unfinished=True), other("s/Thumbs.db"))

    assert "by its name, b.jpg.part in it is still being written" == folder.obstacle


def test_what_cannot_be_looked_into_holds_the_folder_back() -> None:
    """Nobody knows whether it is whole; a link is known, and is left alone."""
    hidden = Snag(path="s/sub", reason="it cannot be read: no", hides=True)
    link = Snag(path="s/link", reason="it is a link")

    folder = whole(other("s"), seen("s/a.jpg"), hidden)
    told = list(together([link, Snag(path="t", reason="unreadable", hides=True)]))

    assert "s/sub in it cannot be looked into: it cannot be read: no" == folder.obstacle
    assert ["s/link", "t"] == [each.path for each in told]
    assert "" == whole(other("s"), seen("s/a.jpg"), link).obstacle


def test_a_folder_that_holds_ours_or_has_too_long_a_name_is_never_taken() -> None:
    """It is passed over, with the reason."""
    long = "n" * 241
    found: list[Found] = [other("s"), seen("s/a.jpg"), other(long), seen(f"{long}/a.jpg")]

    told = {each.path: each for each in together(found, reserved={"s/done", "x"})}

    assert all(isinstance(each, Snag) for each in told.values())
    assert {"s", long} == told.keys()


def test_a_folder_is_the_same_while_its_listing_is() -> None:
    """A rename changes its ctime; anything else is a change, inodes only where they hold."""
    before = whole(other("s"), seen("s/a.jpg"), other("s/Thumbs.db"))
    renamed = whole(other("s", ctime_ns=99), seen("s/a.jpg"), other("s/Thumbs.db"))
    grown = whole(other("s"), seen("s/a.jpg", size_bytes=8), other("s/Thumbs.db"))
    another = whole(other("s"), seen("s/a.jpg", inode=9), other("s/Thumbs.db"))
    written = whole(other("s"), seen("s/a.jpg"), other("s/Thumbs.db", unfinished=True))

    assert same_whole(before, renamed, inodes_hold=True)
    assert not same_whole(before, grown, inodes_hold=False)
    assert [False, True] == [same_whole(before, another, inodes_hold=hold) for hold in (True, False)]
    assert not same_whole(before, written, inodes_hold=True)


def test_a_manifest_is_of_contents_and_paths_in_the_folder() -> None:
    """The folder's own name does not matter, nor the order; the name of a file does, and bytes that are no text."""
    one = manifest({"s/a.jpg": "11", "s/b\udce9.jpg": "22"}, below="s")
    same = manifest({"t/b\udce9.jpg": "22", "t/a.jpg": "11"}, below="t")

    assert one == same
    assert one != manifest({"s/b.jpg": "11", "s/a.jpg": "22"}, below="s")
    assert 64 == len(one)


def test_an_unfinished_folder_is_told_once_nobody_is_at_it() -> None:
    """A minute without any change; a change begins anew, and one that is gone is forgotten."""
    unfinished = Unfinished()
    half = whole(other("s"), seen("s/a.jpg"), other("s/b.part", unfinished=True))
    more = whole(other("s"), seen("s/a.jpg"), other("s/b.part", unfinished=True, size_bytes=9))

    unfinished.note(half, now_s=0)
    unfinished.note(more, now_s=59)
    unfinished.note(more, now_s=100)
    early = unfinished.snags(now_s=100)
    unfinished.note(more, now_s=119)
    unfinished.keep_seen(at_s=119)
    (late,) = unfinished.snags(now_s=119)
    unfinished.keep_seen(at_s=120)

    assert () == early
    assert ("s", "it is not whole: by its name, b.part in it is still being written") == (
        late.path,
        late.reason,
    )
    assert () == unfinished.snags(now_s=500)
