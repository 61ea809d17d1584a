"""Which file system holds a path."""

from __future__ import annotations

from typing import Final

import pytest

from dropglow.ledger.place import file_system_of

MOUNTS: Final = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/share rw - cifs //nas/share rw
31 22 0:41 / /mnt/my\\040share rw shared:2 master:1 - nfs4 nas:/x rw
32 22 0:42 / /srv rw - nfs nas:/y rw
33 32 8:2 / /srv rw - xfs /dev/sdb1 rw
a line that means nothing
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/state", "ext4"),
        ("/mnt/share", "cifs"),
        ("/mnt/share/state", "cifs"),
        ("/mnt/shared", "ext4"),
        ("/mnt/my share/state", "nfs4"),
        ("/srv/state", "xfs"),
    ],
)
def test_the_nearest_and_latest_mount_counts(path: str, kind: str) -> None:
    """The longest mount point above a path holds it; mounted over, the later one."""
    assert kind == file_system_of(path, MOUNTS)


def test_nothing_known_is_nothing_said() -> None:
    """Without any mounts there is no type."""
    assert "" == file_system_of("/x", "")
