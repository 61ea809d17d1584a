"""A folder that stands where another one stood: is it the same, a new one, or what an unmounted share left behind?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from dropglow.landmarks import Landmark, Memory, Mount, Recognition, Role, recognise

ROOT = Mount(point="/", kind="ext4", source="/dev/sda1", remote=False)
DISK = Mount(point="/srv", kind="ext4", source="/dev/sdb1", remote=False)
SHARE = Mount(point="/srv", kind="nfs4", source="nas:/work", remote=True)

INBOX = Landmark(device=11, inode=7, place="/srv/in", file_system=99, mount=DISK, mark="ours")
OUTBOX = replace(INBOX, mark="")
ON_SHARE = replace(INBOX, mount=SHARE, device=40, file_system=0)


def a_look_at(landmark: Landmark, **changes: object) -> Landmark:
    return replace(landmark, **changes)  # type: ignore[arg-type]  # a test may change anything


def test_the_mark_is_enough() -> None:
    """A share comes back under other numbers, another path of mounts, or as a copy on another disk."""
    found = Landmark(device=1, inode=1, mount=ROOT, mark="ours")

    assert Recognition.SAME is recognise(INBOX, found)


def test_the_mark_of_another_folder_is_believed() -> None:
    """Two shares that were mounted in each other's places."""
    assert Recognition.ANOTHER is recognise(INBOX, a_look_at(INBOX, mark="another"))


def test_what_an_unmounted_share_uncovers_is_another_folder() -> None:
    """Also where it lies on a file system of the same kind."""
    bare = a_look_at(INBOX, device=10, inode=3, file_system=98, mount=ROOT, mark="")

    assert Recognition.ANOTHER is recognise(INBOX, bare)
    assert Recognition.ANOTHER is recognise(OUTBOX, bare)


def test_a_bind_mount_that_went_uncovers_the_same_file_system() -> None:
    """Device and kind are equal then; the mount point is not."""
    bare = a_look_at(INBOX, inode=3, mount=replace(DISK, point="/"), mark="")

    assert Recognition.ANOTHER is recognise(INBOX, bare)


@pytest.mark.parametrize("known", [replace(INBOX, mount=ROOT), replace(OUTBOX, mount=ROOT)])
def test_what_is_mounted_over_a_folder_takes_its_place(known: Landmark) -> None:
    """A larger disk for the work: no unmounting looks like that."""
    over = a_look_at(known, device=12, inode=2, file_system=97, mount=DISK, mark="")

    assert Recognition.REMADE is recognise(known, over)


def test_a_longer_mount_point_elsewhere_covers_nothing() -> None:
    """A link to the folder leads to another disk now."""
    elsewhere = a_look_at(INBOX, device=5, file_system=1, mount=replace(DISK, point="/other"), mark="")

    assert Recognition.ANOTHER is recognise(INBOX, elsewhere)


def test_a_folder_made_again_is_remade() -> None:
    """Deleted and made anew on the same disk."""
    assert Recognition.REMADE is recognise(INBOX, a_look_at(INBOX, inode=8, mark=""))


def test_a_lost_mark_in_the_very_folder_means_nothing() -> None:
    """Somebody cleared up the hidden folder."""
    assert Recognition.SAME is recognise(INBOX, a_look_at(INBOX, mark=""))


def test_an_empty_folder_through_the_same_share_is_another() -> None:
    """The server's own disk may be what is not mounted."""
    assert Recognition.ANOTHER is recognise(ON_SHARE, a_look_at(ON_SHARE, inode=8, mark=""))


def test_an_invitation_is_believed() -> None:
    """A person says by hand that this is the folder from now on, but not where another one's mark is."""
    bare = a_look_at(INBOX, device=10, inode=3, mount=ROOT, mark="", invited=True)

    assert Recognition.SAME is recognise(INBOX, bare)
    assert Recognition.ANOTHER is recognise(INBOX, replace(bare, mark="another"))


def test_an_unmarked_folder_on_its_mount_is_the_same() -> None:
    """Outboxes have no mark, and some network file systems number their folders anew at each mount."""
    share = replace(ON_SHARE, mark="")

    assert Recognition.SAME is recognise(share, a_look_at(share, device=41, inode=1000))


@pytest.mark.parametrize("changes", [{"device": 12}, {"file_system": 0}, {"mount": DISK}])
def test_a_disk_under_another_name_is_the_same_disk(changes: dict[str, object]) -> None:
    """Names and numbers of disks may change at a start of the machine, but not all of what tells them."""
    renamed = a_look_at(OUTBOX, **{"mount": replace(DISK, source="/dev/sdc1"), **changes})

    assert Recognition.SAME is recognise(OUTBOX, renamed)


def test_another_disk_on_the_same_mount_point_is_another() -> None:
    """Somebody plugged in the wrong one."""
    wrong = a_look_at(OUTBOX, device=12, file_system=5, mount=replace(DISK, source="/dev/sdc1"))

    assert Recognition.ANOTHER is recognise(OUTBOX, wrong)


def test_file_systems_without_an_id_are_not_equal_for_that() -> None:
    """Zero is no id."""
    known = replace(OUTBOX, file_system=0)
    wrong = a_look_at(known, device=12, mount=replace(DISK, source="/dev/sdc1"))

    assert Recognition.ANOTHER is recognise(known, wrong)


def test_without_a_list_of_mounts_the_device_decides() -> None:
    """Not every system has one."""
    known = replace(OUTBOX, mount=None)

    assert Recognition.SAME is recognise(known, a_look_at(known, inode=8))
    assert Recognition.ANOTHER is recognise(known, a_look_at(known, device=12))


def test_a_marked_folder_without_a_list_of_mounts_may_be_remade() -> None:
    """It is on the same device, at least."""
    known = replace(INBOX, mount=None)

    assert Recognition.REMADE is recognise(known, a_look_at(known, inode=8, mark=""))


def test_a_memory_keeps_roles_apart() -> None:
    """One folder may be the outbox of one rule and the inbox of the next."""
    memory = Memory()
    memory.remember(Role.INBOX, "/srv/in", INBOX)

    assert INBOX == memory.known(Role.INBOX, "/srv/in")
    assert memory.known(Role.OUTBOX, "/srv/in") is None


def test_a_memory_tells_its_folders_by_role() -> None:
    """Whoever knows a place below one of them finds which."""
    memory = Memory({(Role.INBOX, "/srv/in"): INBOX})
    memory.remember(Role.OUTBOX, "/srv/out", OUTBOX)

    assert ("/srv/out",) == memory.folders(Role.OUTBOX)
