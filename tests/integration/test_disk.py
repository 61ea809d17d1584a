"""The real disk, on real files: nothing is replaced, nothing is lost, and refusals are said in words."""

from __future__ import annotations

import errno
import grp
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.disk import Disk, RealDisk, refusal, rename, shown
from dropglow.errors import DiskError, DiskFull, FileGone, NameTaken

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker

ODD = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")


@pytest.fixture
def disk() -> RealDisk:
    return RealDisk()


def test_a_move_never_replaces(disk: RealDisk, tmp_path: Path) -> None:
    """A file that stands at the target stays as it is, and the source stays where it is."""
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").write_text("theirs")

    with pytest.raises(NameTaken):
        disk.move(f"{tmp_path}/a", f"{tmp_path}/b")

    assert ("mine", "theirs") == ((tmp_path / "a").read_text(), (tmp_path / "b").read_text())


def test_a_move_does_not_replace_a_dangling_link(disk: RealDisk, tmp_path: Path) -> None:
    """A link that leads nowhere is somebody's, too."""
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").symlink_to("nowhere")

    with pytest.raises(NameTaken):
        disk.move(f"{tmp_path}/a", f"{tmp_path}/b")

    assert (tmp_path / "b").is_symlink()


def test_a_name_that_is_no_utf8_survives_a_move(disk: RealDisk, tmp_path: Path) -> None:
    """Odd bytes in a name make the journey there and back."""
    disk.write(f"{tmp_path}/{ODD}", b"x")

    disk.move(f"{tmp_path}/{ODD}", f"{tmp_path}/{ODD}2")

    assert (f"{ODD}2",) == disk.names(str(tmp_path))


def test_a_missing_source_is_told_apart_from_a_missing_folder(disk: RealDisk, tmp_path: Path) -> None:
    """Only a source that is not there is gone; a missing target folder is a refusal."""
    (tmp_path / "a").write_text("x")

    with pytest.raises(FileGone):
        disk.move(f"{tmp_path}/none", f"{tmp_path}/b")
    with pytest.raises(DiskError, match="its folder is not there") as refused:
        disk.move(f"{tmp_path}/a", f"{tmp_path}/none/b")

    assert not isinstance(refused.value, FileGone)


def test_a_move_to_another_file_system_is_refused_with_a_hint(disk: RealDisk, tmp_path: Path) -> None:
    """Nothing is ever copied behind the caller's back."""
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one file system only")
    (tmp_path / "a").write_text("x")

    with pytest.raises(DiskError) as refused:
        disk.move(f"{tmp_path}/a", f"/dev/shm/dropglow-{os.getpid()}")

    assert "one file system" in refused.value.hint
    assert (tmp_path / "a").exists()


def test_a_move_syncs_the_target_before_the_source(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """After a power cut the file is at one of the two places, never at neither."""
    disk = faulty_disk()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/x").write_text("x")

    disk.move(f"{tmp_path}/a/x", f"{tmp_path}/b/x")

    assert [f"{tmp_path}/b", f"{tmp_path}/a"] == disk.synced


def test_many_moves_sync_each_folder_once(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """A hundred files cost two syncs, and each pair has its own outcome."""
    disk = faulty_disk()
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for number in range(100):
        (tmp_path / f"in/{number}").write_text("x")
    (tmp_path / "out/7").write_text("theirs")
    pairs = [(f"{tmp_path}/in/{number}", f"{tmp_path}/out/{number}") for number in [*range(100), 100]]

    outcomes = disk.move_many(pairs)

    assert 2 == len(disk.synced)
    assert 99 == outcomes.count(None)
    assert isinstance(outcomes[7], NameTaken)
    assert isinstance(outcomes[100], FileGone)
    assert "theirs" == (tmp_path / "out/7").read_text()


def test_a_folder_that_cannot_be_synced_is_told_for_each_pair(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """A move that may not survive a power cut is not reported as done."""
    disk = faulty_disk(faulty_disk.fault(verb="sync_folder"))
    (tmp_path / "a").write_text("x")

    outcomes = disk.move_many([(f"{tmp_path}/a", f"{tmp_path}/b")])

    assert isinstance(outcomes[0], DiskError)
    assert (tmp_path / "b").exists()


def test_a_folder_that_goes_is_no_file_that_is_gone(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """The file was moved, and its share unmounted before the names were synced: nobody may take it for lost."""
    gone = faulty_disk.fault(verb="sync_folder", number=errno.ENOENT, lasting=True)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("x")

    verbs: list[Callable[[Disk], object]] = [
        lambda disk: disk.move(f"{tmp_path}/b", f"{tmp_path}/b2"),
        lambda disk: disk.publish(f"{tmp_path}/c", f"{tmp_path}/c2", replace=True),
        lambda disk: disk.make_folder(f"{tmp_path}/d"),
        lambda disk: disk.remove(f"{tmp_path}/a2"),
    ]
    faults = list(faulty_disk(gone).move_many([(f"{tmp_path}/a", f"{tmp_path}/a2")]))
    for verb in verbs:
        with pytest.raises(DiskError) as told:
            verb(faulty_disk(gone))
        faults.append(told.value)

    assert [DiskError] * 5 == [type(fault) for fault in faults]


def test_moving_by_link_does_not_replace(tmp_path: Path) -> None:
    """Where the file system cannot rename without replacing, linking refuses as well."""
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").write_text("theirs")

    with pytest.raises(FileExistsError):
        rename._link_and_unlink(f"{tmp_path}/a", f"{tmp_path}/b")

    assert "theirs" == (tmp_path / "b").read_text()


def test_moving_by_link_leaves_one_name(tmp_path: Path) -> None:
    """Linking and unlinking amounts to a move."""
    (tmp_path / "a").write_text("mine")

    rename._link_and_unlink(f"{tmp_path}/a", f"{tmp_path}/b")

    assert ["b"] == [entry.name for entry in tmp_path.iterdir()]


@pytest.mark.parametrize("move", [rename._link_and_unlink, rename.rename], ids=["link", "rename"])
def test_moving_by_link_finishes_what_was_interrupted(
    tmp_path: Path, move: Callable[[str, str], None]
) -> None:
    """A crash between linking and unlinking leaves two names, and the next try makes it one.

    The kernel sees that the name is taken, and never asks the file system, which could say that it cannot rename so.
    """
    (tmp_path / "a").write_text("mine")
    os.link(tmp_path / "a", tmp_path / "b")

    move(f"{tmp_path}/a", f"{tmp_path}/b")

    assert ["b"] == [entry.name for entry in tmp_path.iterdir()]


@pytest.mark.parametrize("move", [rename._link_and_unlink, rename.rename], ids=["link", "rename"])
def test_a_move_to_where_it_is_removes_nothing(tmp_path: Path, move: Callable[[str, str], None]) -> None:
    """One name in two spellings is no second name."""
    (tmp_path / "a").write_text("mine")
    (tmp_path / "folder").mkdir()

    for name in ("a", "folder"):
        with pytest.raises((FileExistsError, DiskError)):
            move(f"{tmp_path}/{name}", f"{tmp_path}/folder/../{name}")

    assert ["a", "folder"] == sorted(entry.name for entry in tmp_path.iterdir())


@pytest.mark.parametrize("move", [rename._link_and_unlink, rename.rename], ids=["link", "rename"])
def test_a_linked_file_that_is_moved_to_where_it_is_stays(
    tmp_path: Path, move: Callable[[str, str], None]
) -> None:
    """Its folder has two names, and a backup a link to it: that is the second name, not the one that it has already."""
    for name in ("folder", "backup"):
        (tmp_path / name).mkdir()
    (tmp_path / "also").symlink_to("folder")
    (tmp_path / "folder" / "a").write_text("mine")
    os.link(tmp_path / "folder" / "a", tmp_path / "backup" / "a")

    with pytest.raises((FileExistsError, NameTaken)):
        move(f"{tmp_path}/folder/a", f"{tmp_path}/also/a")

    assert "mine" == (tmp_path / "folder" / "a").read_text()


def test_a_file_system_that_can_neither_rename_nor_link_is_named(tmp_path: Path) -> None:
    """What cannot be linked (a folder, here) is refused with a way out."""
    (tmp_path / "a").mkdir()

    with pytest.raises(DiskError, match="can neither rename without replacing nor link") as refused:
        rename._link_and_unlink(f"{tmp_path}/a", f"{tmp_path}/b")

    assert refused.value.hint


def test_a_small_file_appears_whole_and_alone(disk: RealDisk, tmp_path: Path) -> None:
    """Writing leaves no temporary file behind."""
    disk.write(f"{tmp_path}/a", b"whole")

    assert ("a",) == disk.names(str(tmp_path))
    assert b"whole" == disk.read(f"{tmp_path}/a")


def test_what_an_interrupted_try_left_is_written_over(disk: RealDisk, tmp_path: Path) -> None:
    """A temporary name that is given is ours: what stands there is the beginning of an earlier try."""
    begun = tmp_path / ".begun"
    begun.write_text("half")

    disk.write(str(tmp_path / "note"), b"whole", temporary=str(begun))

    assert [("note", "whole")] == [(path.name, path.read_text()) for path in tmp_path.iterdir()]


def test_writing_does_not_replace_unless_told(disk: RealDisk, tmp_path: Path) -> None:
    """A taken name is refused without a trace; with ``replace`` the new content takes its place."""
    disk.write(f"{tmp_path}/a", b"old")

    with pytest.raises(NameTaken):
        disk.write(f"{tmp_path}/a", b"new")
    disk.write(f"{tmp_path}/b", b"old")
    disk.write(f"{tmp_path}/b", b"new", replace=True)

    assert ("a", "b") == disk.names(str(tmp_path))
    assert (b"old", b"new") == (disk.read(f"{tmp_path}/a"), disk.read(f"{tmp_path}/b"))


@pytest.mark.parametrize("verb", ["file.write", "file.finish", "publish"])
def test_a_write_that_fails_leaves_nothing(faulty_disk: DiskMaker, tmp_path: Path, verb: str) -> None:
    """After a failure neither the file nor a temporary one is there."""
    disk = faulty_disk(faulty_disk.fault(verb=verb, number=errno.ENOSPC))

    with pytest.raises(DiskFull):
        disk.write(f"{tmp_path}/a", b"x")

    assert not list(tmp_path.iterdir())


def test_permissions_are_set_before_a_file_is_finished(disk: RealDisk, tmp_path: Path) -> None:
    """Mode and group are the ones asked for, whatever the umask says."""
    group = grp.getgrgid(os.getgid())
    file = disk.create(f"{tmp_path}/a")
    file.write(b"x")

    found = file.finish(mode=0o664, group=group.gr_name)

    assert 0o664 == stat.S_IMODE(found.mode)
    assert group.gr_gid == (tmp_path / "a").stat().st_gid


def test_an_unknown_group_is_refused_and_the_file_removed(disk: RealDisk, tmp_path: Path) -> None:
    """A file that did not get its permissions does not stay."""
    file = disk.create(f"{tmp_path}/a")

    with pytest.raises(DiskError, match="no group 'nobody-has-this'"):
        file.finish(group="nobody-has-this")

    assert not (tmp_path / "a").exists()


def test_discarding_removes_and_may_be_repeated(disk: RealDisk, tmp_path: Path) -> None:
    """Discarding twice, or after finishing, does nothing."""
    file = disk.create(f"{tmp_path}/a")
    file.discard()
    file.discard()
    kept = disk.create(f"{tmp_path}/b")
    kept.finish()
    kept.discard()

    assert ("b",) == disk.names(str(tmp_path))


def test_creating_refuses_a_taken_name_and_a_missing_folder(disk: RealDisk, tmp_path: Path) -> None:
    """A new file is new, and its folder is made by whoever wants it."""
    (tmp_path / "a").symlink_to("nowhere")

    with pytest.raises(NameTaken):
        disk.create(f"{tmp_path}/a")
    with pytest.raises(DiskError, match="its folder is not there"):
        disk.create(f"{tmp_path}/none/a")


def test_what_is_no_ordinary_file_is_not_opened(disk: RealDisk, tmp_path: Path) -> None:
    """Links, folders, pipes and sockets are refused at once; a pipe does not block."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path}/s")

    for name in ("link", "folder", "pipe", "s"):
        with pytest.raises(DiskError):
            disk.open_read(f"{tmp_path}/{name}")


def test_reading_has_a_bound(disk: RealDisk, tmp_path: Path) -> None:
    """A file that is larger than expected is refused, not loaded."""
    (tmp_path / "a").write_bytes(b"12345")

    with pytest.raises(DiskError, match="larger than 4 bytes"):
        disk.read(f"{tmp_path}/a", limit_bytes=4)

    assert b"12345" == disk.read(f"{tmp_path}/a", limit_bytes=5)


def test_a_digest_is_sha256(disk: RealDisk, tmp_path: Path) -> None:
    """The digest is what every other program says it is."""
    (tmp_path / "a").write_bytes(b"abc")

    digest = disk.digest(f"{tmp_path}/a")

    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == digest


def test_looking_never_follows_a_link(disk: RealDisk, tmp_path: Path) -> None:
    """A look tells of the name itself; nothing there is None."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")

    link, file, folder = (disk.look(f"{tmp_path}/{name}") for name in ("link", "file", ""))

    assert link is not None
    assert not link.regular
    assert file is not None
    assert file.regular
    assert folder is not None
    assert folder.folder
    assert disk.look(f"{tmp_path}/none") is None
    assert disk.look(f"{tmp_path}/file/below") is None
    with pytest.raises(DiskError, match="the name is too long"):
        disk.look(f"{tmp_path}/{'x' * 300}")


def test_folders_are_made_with_their_parents_and_synced(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """Each new folder's parent is synced; making it again is fine; a file in the way is told."""
    disk = faulty_disk()
    disk.make_folder(f"{tmp_path}/a/b")
    disk.make_folder(f"{tmp_path}/a/b")
    (tmp_path / "file").write_text("x")

    with pytest.raises(DiskError, match="no folder"):
        disk.make_folder(f"{tmp_path}/file")
    with pytest.raises(DiskError, match="no folder"):
        disk.make_folder(f"{tmp_path}/file/below")

    assert [str(tmp_path), f"{tmp_path}/a"] == disk.synced


def test_folders_are_made_within_one_that_is_there(disk: RealDisk, tmp_path: Path) -> None:
    """The root of a share that is away is not made up for."""
    share = tmp_path / "share"
    for path in (share, share / "_done", share / "a" / "b"):
        with pytest.raises(DiskError, match="share is not there") as told:
            disk.make_folder(str(path), within=str(share))
        assert type(told.value) is DiskError
    absent = not share.exists()
    share.mkdir()

    disk.make_folder(str(share), within=str(share))
    disk.make_folder(f"{share}/a/b", within=str(share))

    assert absent
    assert (share / "a" / "b").is_dir()


def test_a_folder_is_made_inside_of_the_very_one_that_was_seen(disk: RealDisk, tmp_path: Path) -> None:
    """What lies below the mount point of a share that went a moment ago stays as it is."""
    share, bare = tmp_path / "share", tmp_path / "bare"
    share.mkdir()
    bare.mkdir()
    seen = share.stat()
    for _ in range(2):
        disk.make_inside(str(share), "ours", device=seen.st_dev, inode=seen.st_ino, mode=0o700)
    share.rename(tmp_path / "away")
    with pytest.raises(FileGone):
        disk.make_inside(str(share), "more", device=seen.st_dev, inode=seen.st_ino)
    bare.rename(share)

    with pytest.raises(DiskError, match="became another folder"):
        disk.make_inside(str(share), "more", device=seen.st_dev, inode=seen.st_ino)

    assert [] == list(share.iterdir())
    assert 0o700 == stat.S_IMODE((tmp_path / "away" / "ours").stat().st_mode)


def test_a_folder_that_cannot_be_made_inside_is_told(disk: RealDisk, tmp_path: Path) -> None:
    """What the file system refuses is told in words."""
    seen = tmp_path.stat()

    with pytest.raises(DiskError, match="cannot make a folder in"):
        disk.make_inside(str(tmp_path), "a/b", device=seen.st_dev, inode=seen.st_ino)


def test_a_folder_whose_name_is_not_synced_is_not_left_there(faulty_disk: DiskMaker, tmp_path: Path) -> None:
    """Who asks a second time is not told that all is well with a folder that a power cut may take away."""
    disk = faulty_disk(faulty_disk.fault(verb="sync_folder", lasting=True))

    for _ in range(2):
        with pytest.raises(DiskError):
            disk.make_folder(str(tmp_path / "work"))

    assert not (tmp_path / "work").exists()


def test_a_file_system_that_cannot_sync_folders_is_not_asked_to(disk: RealDisk) -> None:
    """Some say EINVAL, as Linux does of this one: their server decides, and all goes on."""
    disk.sync_folder("/proc")


def test_removing_what_is_missing_is_fine(disk: RealDisk, tmp_path: Path) -> None:
    """Removal can be repeated; a folder goes only when it is empty."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("x")

    with pytest.raises(DiskError, match="not empty"):
        disk.remove_folder(f"{tmp_path}/folder")
    with pytest.raises(DiskError):
        disk.remove(f"{tmp_path}/folder")
    for _ in range(2):
        disk.remove(f"{tmp_path}/folder/file")
        disk.remove_folder(f"{tmp_path}/folder")

    assert not disk.names(str(tmp_path))


def test_free_space_is_told_in_bytes(disk: RealDisk, tmp_path: Path) -> None:
    """There is some room where the tests run; a missing place has none to tell of."""
    assert disk.free_bytes(str(tmp_path)) > 0
    with pytest.raises(FileGone):
        disk.free_bytes(f"{tmp_path}/none")
    with pytest.raises(FileGone):
        disk.names(f"{tmp_path}/none")
    with pytest.raises(FileGone):
        disk.sync_folder(f"{tmp_path}/none")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EEXIST, NameTaken),
        (errno.ENOENT, FileGone),
        (errno.EROFS, DiskError),
        (errno.EIO, DiskError),
        (errno.EMFILE, DiskError),
        (errno.ESTALE, DiskError),
    ],
)
def test_a_refusal_has_a_class_and_a_hint(number: int, expected: type[DiskError]) -> None:
    """Every error that an operator can do something about says what."""
    fault = refusal("move", "/somewhere", OSError(number, os.strerror(number)))

    assert expected is type(fault)
    assert fault.message.startswith("cannot move /somewhere: ")
    assert fault.hint


def test_paths_in_messages_are_harmless() -> None:
    """Bytes that are no UTF-8 and control characters appear as escapes."""
    assert r"/x/caf\xe9 \xff\x1b[31m" == shown(f"/x/{ODD}\x1b[31m")


def test_a_descriptor_is_not_leaked_by_refusals(disk: RealDisk, tmp_path: Path) -> None:
    """However often the disk refuses, no file stays open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(DiskError):
            disk.open_read(str(tmp_path))

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_folder_moves_where_renaming_cannot_but_replace(tmp_path: Path) -> None:
    """A folder of our own is made, and replaced: nobody else's ever is."""
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "sub" / "x").write_text("x")

    rename._make_and_rename(f"{tmp_path}/a", f"{tmp_path}/b")

    assert "x" == (tmp_path / "b" / "sub" / "x").read_text()
    assert not (tmp_path / "a").exists()


def test_a_folder_moves_to_no_name_that_is_taken_there(tmp_path: Path) -> None:
    """Not even to that of an empty folder, which a plain rename would replace."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    with pytest.raises(FileExistsError):
        rename._make_and_rename(f"{tmp_path}/a", f"{tmp_path}/b")

    assert (tmp_path / "a").is_dir()


def test_a_folder_that_cannot_move_there_leaves_nothing_behind(tmp_path: Path) -> None:
    """What was made for it goes again."""
    with pytest.raises(FileNotFoundError):
        rename._make_and_rename(f"{tmp_path}/a", f"{tmp_path}/b")

    assert [] == list(tmp_path.iterdir())


def test_a_folder_is_moved_like_a_file(tmp_path: Path) -> None:
    """Without replacing: a taken name is told."""
    disk = RealDisk()
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "taken").mkdir()

    with pytest.raises(NameTaken):
        disk.move(f"{tmp_path}/a", f"{tmp_path}/taken")
    disk.move(f"{tmp_path}/a", f"{tmp_path}/b")

    assert (tmp_path / "b" / "sub").is_dir()


def test_a_file_that_was_read_is_closed_whatever_its_share_says(tmp_path: Path) -> None:
    """One that is just being unmounted refuses even that; what was read is as good as before."""
    (tmp_path / "fox.txt").write_bytes(b"a fox")

    with RealDisk().open_read(str(tmp_path / "fox.txt")) as file:
        found = file.read()
        os.close(file.fileno())  # so that closing it once more fails

    assert b"a fox" == found
    assert file.closed
