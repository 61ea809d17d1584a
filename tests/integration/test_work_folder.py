"""Where claimed files lie, and what of that goes with their drop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from dropglow.disk import RealDisk
from dropglow.errors import DiskError
from dropglow.intake.work import WorkFolder
from dropglow.model import DropKey

KEY: Final = DropKey("abc")
LONG: Final = "n" * 252  # too long behind a drop's key


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    (tmp_path / ".dropglow").mkdir()  # whoever holds an inbox has it made
    return WorkFolder(str(tmp_path), disk=RealDisk())


def folders(work: WorkFolder) -> list[str]:
    return sorted(
        path.relative_to(work.root).as_posix() for path in Path(work.root).rglob("*") if path.is_dir()
    )


def test_nothing_is_made_in_what_is_no_inbox(tmp_path: Path) -> None:
    """A bare mount point, whose share went a moment ago, has no hidden folder; one of ours there would say: this is it."""
    with pytest.raises(DiskError, match="is not there"):
        WorkFolder(str(tmp_path), disk=RealDisk()).prepare(KEY, "a/fox.jpg")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("paths", "made"),
    [
        (["fox.jpg"], []),
        (["a/fox.jpg"], ["abc", "abc/a"]),
        (["fox.jpg", "a/fox.mask.png"], ["abc", "abc/a"]),
        ([LONG], ["abc"]),
        (["a/fox.jpg", "b/fox.mask.png"], ["abc", "abc/a", "abc/b"]),
    ],
    ids=["flat", "below", "only its companion", "long", "two"],
)
def test_the_folders_of_a_drop_go_with_its_files(work: WorkFolder, paths: list[str], made: list[str]) -> None:
    """Whichever of its files had one, and whether its files are named or not."""
    for path in paths:
        work.prepare(KEY, path)
    before = folders(work)
    work.forget(KEY, paths)
    named = folders(work)
    for path in paths:
        work.prepare(KEY, path)
    work.forget(KEY)

    assert (made, [], []) == (before, named, folders(work))


def test_a_folder_with_a_file_in_it_stays(work: WorkFolder) -> None:
    """It may be the only copy; what is empty beside it goes."""
    for path in ("a/fox.jpg", "b/fox.mask.png"):
        work.prepare(KEY, path)
    Path(work.place(KEY, "a/fox.jpg")).write_bytes(b"a fox")

    work.forget(KEY, ["a/fox.jpg", "b/fox.mask.png"])

    assert ["abc", "abc/a"] == folders(work)
    assert b"a fox" == Path(work.place(KEY, "a/fox.jpg")).read_bytes()


def test_a_link_among_its_folders_is_not_followed(work: WorkFolder, tmp_path: Path) -> None:
    """What it leads to is somebody else's."""
    (tmp_path / "theirs" / "empty").mkdir(parents=True)
    work.prepare(KEY, "a/fox.jpg")
    (Path(work.root) / KEY / "link").symlink_to(tmp_path / "theirs")

    work.forget(KEY, ["a/fox.jpg"])

    assert (tmp_path / "theirs" / "empty").is_dir()


def test_only_the_drop_s_own_folders_go(work: WorkFolder) -> None:
    """Another drop may be about to move its files into its own."""
    work.prepare(KEY, "a/fox.jpg")
    work.prepare(DropKey("abd"), "a/fox.jpg")

    work.forget(KEY, ["a/fox.jpg"])

    assert ["abd", "abd/a"] == folders(work)
