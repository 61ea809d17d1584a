"""The file system's type decides whether events can be believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropglow.intake.mounts import (
    file_system_type,
    is_remote,
    mount_at,
    mount_of,
    point_of,
    unmounted_point,
    watching_mode,
)
from dropglow.intake.plan import InboxPlan, WatchMode


@pytest.fixture
def mountinfo(tmp_path: Path) -> str:
    lines = [
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
        "30 27 0:40 / /mnt/nas rw,relatime shared:7 master:1 - nfs4 nas:/share rw",
        "31 27 0:41 / /mnt/my\\040share rw - cifs //nas/share rw",
        "32 27 0:42 / /mnt/twice rw - ext4 /dev/vdb rw",
        "33 32 0:43 / /mnt/twice rw - fuse.sshfs host: rw",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/inbox", "ext4"),
        ("/mnt/nas/inbox", "nfs4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/my share/in", "cifs"),
        ("/mnt/twice/in", "fuse.sshfs"),
    ],
)
def test_the_innermost_latest_mount_decides(mountinfo: str, folder: str, kind: str) -> None:
    """Mounts cover each other by path and by time."""
    assert kind == file_system_type(folder, mountinfo=mountinfo)


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.rclone", "vboxsf", "ceph"]
)
def test_a_share_is_remote(kind: str) -> None:
    """Whoever writes on the server rings no bell here."""
    assert is_remote(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "exfat", "fuseblk"])
def test_a_local_disk_is_not_remote(kind: str) -> None:
    """Its kernel sees every writer."""
    assert not is_remote(kind)


def test_a_local_inbox_is_notified(mountinfo: str) -> None:
    """Auto uses events where they can be believed, and scans now and then all the same."""
    watching = watching_mode(InboxPlan(folder="/srv/inbox"), mountinfo=mountinfo)

    assert watching.notify
    assert 30.0 == watching.every_s
    assert "ext4" in watching.reason


def test_a_share_is_polled_more_often(mountinfo: str) -> None:
    """Without events the default period would be felt."""
    watching = watching_mode(InboxPlan(folder="/mnt/nas/inbox"), mountinfo=mountinfo)

    assert not watching.notify
    assert 5.0 == watching.every_s
    assert "nfs4" in watching.reason


def test_a_chosen_period_stands(mountinfo: str) -> None:
    """Who asks for a slow poll gets one."""
    plan = InboxPlan(folder="/mnt/nas/inbox", watch=WatchMode.POLL, rescan_s=120.0)

    assert 120.0 == watching_mode(plan, mountinfo=mountinfo).every_s


def test_notify_can_be_forced(mountinfo: str) -> None:
    """The operator knows better, and the reason says who decided."""
    plan = InboxPlan(folder="/mnt/nas/inbox", watch=WatchMode.NOTIFY)
    watching = watching_mode(plan, mountinfo=mountinfo)

    assert watching.notify
    assert "rule" in watching.reason


def test_an_unknown_type_counts_as_local(tmp_path: Path) -> None:
    """Where the system does not tell, events are used and the scan makes up for them."""
    watching = watching_mode(InboxPlan(folder="/srv/inbox"), mountinfo=str(tmp_path / "none"))

    assert watching.notify
    assert "unknown" in watching.reason


def test_a_mount_tells_what_it_comes_from(mountinfo: str) -> None:
    """Enough to know it again."""
    mount = mount_of("/mnt/my share/in", mountinfo=mountinfo)

    assert mount is not None
    assert ("/mnt/my share", "//nas/share", True) == (mount.point, mount.source, mount.remote)


@pytest.mark.parametrize(
    ("folder", "point"),
    [
        ("/mnt/absent/in", "/mnt/absent"),
        ("/mnt/my stick", "/mnt/my stick"),
        ("/mnt/nas/in", None),
        ("/srv/in", None),
        ("/mnt/absentee", None),
    ],
)
def test_a_share_that_should_be_mounted_is_missed(
    tmp_path: Path, mountinfo: str, folder: str, point: str | None
) -> None:
    """A new configuration must make nothing below a bare mount point either."""
    table = tmp_path / "fstab"
    table.write_text(
        "# <file system> <mount point> <type>\n\n/dev/vda / ext4 defaults 0 1\n/dev/vdc none swap sw 0 0\n"
        "nas:/share /mnt/nas/ nfs4 defaults 0 0\nnas:/other /mnt/absent nfs4 noauto\n"
        "LABEL=stick /mnt/my\\040stick vfat\n"
    )

    assert point == unmounted_point(folder, table=str(table), mountinfo=mountinfo)


def test_without_tables_nothing_is_missed(tmp_path: Path, mountinfo: str) -> None:
    """Containers have neither, mostly."""
    none = str(tmp_path / "none")
    (tmp_path / "fstab").write_text("nas:/other /mnt/absent nfs4\n")

    assert unmounted_point("/mnt/absent", table=none, mountinfo=mountinfo) is None
    assert unmounted_point("/mnt/absent", table=str(tmp_path / "fstab"), mountinfo=none) is None


def test_the_mount_of_a_spelling_is_found_without_asking_anybody(tmp_path: Path) -> None:
    """The innermost that the path is spelled below; where nobody knows, the root."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 1 0:1 / / rw - ext4 /dev/vda rw\n"
        "2 1 0:2 / /mnt/nas rw - nfs4 nas:/ rw\n"
        "3 2 0:3 / /mnt/nas/deep rw - nfs4 nas:/deep rw\n"
    )

    points = [
        point_of(path, mountinfo=str(table))
        for path in ("/mnt/nas/in", "/mnt/nas/deep/in", "/mnt/nasty", "/mnt/nas")
    ]

    assert ["/mnt/nas", "/mnt/nas/deep", "/", "/mnt/nas"] == points
    assert "/" == point_of("/mnt/nas/in", mountinfo=str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("/srv/inbox", "/"),
        ("/mnt/nas/not/there", "/mnt/nas"),
        ("/mnt/nasty", "/"),
        ("/mnt/my share", "/mnt/my share"),
    ],
)
def test_the_mount_at_a_path_is_told_by_the_list_alone(mountinfo: str, path: str, point: str) -> None:
    """Nothing has to be there, and no file system is asked."""
    found = mount_at(path, mountinfo=mountinfo)

    assert found is not None
    assert point == found.point


def test_a_link_is_followed_only_by_who_may_meet_one(tmp_path: Path, mountinfo: str) -> None:
    """A path that is said to be without links is taken at its word."""
    (tmp_path / "link").symlink_to("/mnt/nas")
    path = f"{tmp_path}/link/in"
    followed, literal = mount_of(path, mountinfo=mountinfo), mount_at(path, mountinfo=mountinfo)

    assert followed is not None
    assert literal is not None
    assert ("/mnt/nas", "/") == (followed.point, literal.point)


def test_a_list_that_is_longer_than_one_read_is_read_whole(tmp_path: Path) -> None:
    """Machines with many containers have thousands of mounts."""
    lines = [f"{number} 1 0:40 / /mnt/{number:05} rw - nfs4 nas:/{number} rw" for number in range(4_000)]
    (tmp_path / "mountinfo").write_text("\n".join(lines) + "\n")

    found = mount_at("/mnt/03999/in", mountinfo=str(tmp_path / "mountinfo"))

    assert found is not None
    assert ("/mnt/03999", "nas:/3999") == (found.point, found.source)


def test_a_list_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    """Be it missing, or no file."""
    assert mount_at("/srv", mountinfo=str(tmp_path)) is None
    assert mount_at("/srv", mountinfo=str(tmp_path / "missing")) is None
