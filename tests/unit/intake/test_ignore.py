"""Names that are never drops, and names that only look like them."""

from __future__ import annotations

import pytest

from dropglow.intake.ignore import (
    Ignored,
    is_ignored_file,
    is_ignored_folder,
    is_unfinished_file,
    is_unfinished_folder,
)


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.jpg", "._beach.jpg", ".DS_Store", ".beach.jpg.Xy12Ab", ".in.beach.jpg.", ".nfs000012", ".~lock.a.txt#",
        "~$letter.txt", "Thumbs.db", "ehthumbs.db", "Desktop.INI", "Icon\r", "a.lnk", "beach.jpg.part", "a.jpg.filepart",
        "a.jpg.crdownload", "a.jpg.aria2", "a.jpg.aria2__temp", "a.TMP", "a.temp", "a.swp", "a.bak", "a.jpg~", "#a.txt#",
        "a.jpg_exiftool_tmp", "a.icloud", "~syncthing~a.jpg.tmp", "a.lock", "beach.jpg.error.txt", "beach.jpg.held.txt",
        "beach.jpg:Zone.Identifier", ":2e_beach.jpg", "beach.jpg@SynoEAStream", "a.jpg.!ut", "a.jpg.uploading",
    ],
)  # fmt: skip
def test_a_temporary_or_housekeeping_file_is_ignored(name: str) -> None:
    """Other programs' files, and our own notes, are no drops."""
    assert is_ignored_file(name)


@pytest.mark.parametrize(
    "name",
    ["beach.jpg", "#1.jpg", "tmp.png", "part.txt", "errors.txt", "~beach.jpg", "caf\udce9.jpg", "a.tmp.jpg"],
)
def test_an_ordinary_name_is_not_ignored(name: str) -> None:
    """What merely resembles a temporary name is taken."""
    assert not is_ignored_file(name)


@pytest.mark.parametrize(
    "name",
    [
        ".stfolder",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "lost+found",
        "__MACOSX",
        "beach.jpg.download",
        "Family.photoslibrary",
    ],
)
def test_a_housekeeping_folder_is_ignored(name: str) -> None:
    """NAS and desktop systems keep copies and thumbnails there."""
    assert is_ignored_folder(name)


@pytest.mark.parametrize("name", ["holiday", "recycled art", "snapshot"])
def test_an_ordinary_folder_is_not_ignored(name: str) -> None:
    """Anybody may name a folder nearly like that."""
    assert not is_ignored_folder(name)


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("beach.psd", True),
        ("shoes/red/BEACH.PSD", True),
        ("proofs/a/beach.jpg", True),
        ("shoes/proofs/beach.jpg", False),
        ("beach.jpg", False),
        ("beach.jpg.part", True),
        ("Cafe\u0301.jpg", True),
    ],
)
def test_an_operators_globs_come_on_top(path: str, *, ignored: bool) -> None:
    """Without a slash in any folder, with one from the inbox on; the usual list goes on."""
    known = Ignored(["*.psd", "proofs/**", "caf\u00e9.jpg"])

    assert ignored is known.file(path, path.rpartition("/")[2])


def test_a_folder_that_a_glob_takes_is_not_looked_into() -> None:
    """Neither is what everybody leaves alone."""
    known = Ignored(["drafts"])

    assert [True, True, False] == [
        known.folder(path, path.rpartition("/")[2]) for path in ("a/drafts", "@eaDir", "a")
    ]


@pytest.mark.parametrize(
    ("name", "unfinished"),
    [
        ("beach.jpg.part", True),
        ("a.TMP", True),
        ("a.jpg.crdownload", True),
        (".beach.jpg.Xy12Ab", True),
        (".in.beach.jpg.", True),
        (".nfs000012", True),
        ("a.icloud", True),
        ("._beach.sketch", False),
        (".DS_Store", False),
        ("Thumbs.db", False),
        ("a.jpg~", False),
        ("shoot.report.txt", False),
    ],
)
def test_some_names_tell_that_somebody_is_still_writing(name: str, *, unfinished: bool) -> None:
    """All of them are no drops; only these hold back the folder that they are in."""
    assert is_ignored_file(name)
    assert unfinished is is_unfinished_file(name)


@pytest.mark.parametrize(
    ("name", "unfinished"),
    [(".~tmp~", True), (".rsync-partial", True), ("a.download", True), ("@eaDir", False)],
)
def test_some_folders_hold_what_is_still_written(name: str, *, unfinished: bool) -> None:
    """Those of rsync and of browsers, and not those of a NAS."""
    assert is_ignored_folder(name)
    assert unfinished is is_unfinished_folder(name)
