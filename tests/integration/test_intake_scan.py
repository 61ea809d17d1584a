"""The walk over an inbox: what is told, what is passed over, and what never happens."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dropglow.errors import DiskError
from dropglow.intake.ignore import Ignored
from dropglow.intake.scan import MAX_DEPTH, Snag, scan
from dropglow.model import Sighting


def paths(root: Path, reserved: frozenset[str] = frozenset()) -> list[str]:
    return sorted(found.path for found in scan(str(root), reserved=reserved) if isinstance(found, Sighting))


def snags(root: Path) -> list[Snag]:
    return sorted((found for found in scan(str(root)) if isinstance(found, Snag)), key=lambda snag: snag.path)


def test_files_are_told_with_their_identity(tmp_path: Path) -> None:
    """A sighting carries what stillness is judged by."""
    (tmp_path / "beach.jpg").write_bytes(b"1234567")
    found = (tmp_path / "beach.jpg").stat()

    assert [
        Sighting(
            path="beach.jpg",
            device=found.st_dev,
            inode=found.st_ino,
            size_bytes=7,
            mtime_ns=found.st_mtime_ns,
            ctime_ns=found.st_ctime_ns,
        )
    ] == list(scan(str(tmp_path)))


def test_sub_folders_are_walked(tmp_path: Path) -> None:
    """A folder dropped whole is as good as its files."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.jpg").touch()
    (tmp_path / "a" / "high.jpg").touch()

    assert ["a/b/deep.jpg", "a/high.jpg"] == paths(tmp_path)


def test_reserved_and_ignored_folders_are_not_walked(tmp_path: Path) -> None:
    """What is done, hidden, or a NAS's own, never comes round again."""
    for folder in ("_done", "sub/_done", ".dropglow/work", "@eaDir", "_donedone"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "beach.jpg").touch()

    assert ["_donedone/beach.jpg", "sub/_done/beach.jpg"] == paths(tmp_path, reserved=frozenset({"_done"}))


def test_what_an_operator_ignores_is_passed_over_in_silence(tmp_path: Path) -> None:
    """Files and whole folders, and nothing is said of them."""
    for path in ("beach.jpg", "beach.psd", "drafts/deep/beach.jpg", "a/b.psd"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    found = list(scan(str(tmp_path), ignored=Ignored(["*.psd", "drafts"])))

    assert ["beach.jpg"] == [each.path for each in found]


def test_temporary_names_are_passed_over_in_silence(tmp_path: Path) -> None:
    """Copies under way are nobody's business."""
    for name in (".beach.jpg.Xy12", "beach.jpg.part", "Thumbs.db"):
        (tmp_path / name).touch()

    assert [] == list(scan(str(tmp_path)))


def test_links_are_never_followed(tmp_path: Path) -> None:
    """A link may point anywhere, and is told instead."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").touch()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "file.txt").symlink_to(tmp_path / "secret" / "key.txt")

    assert [] == paths(tmp_path / "in")
    assert ["file.txt", "folder"] == [snag.path for snag in snags(tmp_path / "in")]
    assert all("link" in snag.reason for snag in snags(tmp_path / "in"))


def test_an_inbox_that_is_a_link_itself_is_walked(tmp_path: Path) -> None:
    """The operator named it; only what is dropped is mistrusted."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "beach.jpg").touch()
    (tmp_path / "in").symlink_to(tmp_path / "real")

    assert ["beach.jpg"] == paths(tmp_path / "in")


def test_pipes_and_sockets_are_told_and_not_opened(tmp_path: Path) -> None:
    """Opening a pipe would wait for its other end."""
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(tmp_path / "ear.txt"))

        assert [] == paths(tmp_path)
        assert ["ear.txt", "pipe.txt"] == [snag.path for snag in snags(tmp_path)]


def test_names_that_are_no_utf8_make_the_journey(tmp_path: Path) -> None:
    """The raw name comes back out of the path."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))).touch()

    assert [b"caf\xe9.jpg"] == [os.fsencode(path) for path in paths(tmp_path)]


def test_too_deep_a_tree_is_told(tmp_path: Path) -> None:
    """A tree without end must not eat every file descriptor."""
    deep = tmp_path.joinpath(*["d"] * MAX_DEPTH)
    deep.mkdir(parents=True)
    (deep / "beach.jpg").touch()
    (deep.parent / "reached.jpg").touch()

    assert ["reached.jpg"] == [path.rsplit("/", 1)[-1] for path in paths(tmp_path)]
    assert ["deep" in snag.reason for snag in snags(tmp_path)] == [True]


def test_a_missing_inbox_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    """From "nothing is known" nothing may be concluded."""
    with pytest.raises(DiskError, match="cannot be read"):
        list(scan(str(tmp_path / "none")))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """A daemon walks a million times."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.jpg").touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        list(scan(str(tmp_path)))

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_folder_that_vanishes_during_the_walk_is_no_snag(tmp_path: Path) -> None:
    """People tidy up while we look."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "beach.jpg").touch()
    walk = scan(str(tmp_path))
    first = next(walk)
    other = "b" if first.path.startswith("a") else "a"
    (tmp_path / other / "beach.jpg").unlink()
    (tmp_path / other).rmdir()

    assert [] == list(walk)
