"""Say where in a state folder the ledger lives, and whether a file system is one that it may live on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from dropglow.errors import LedgerError

LEDGER_FILE: Final = "ledger.sqlite3"  # in the state folder
# Locks and shared memory do not work as SQLite needs them across a network.
_NETWORK: Final = frozenset(
    {
        "afs",
        "cifs",
        "davfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def refuse_network(folder: Path, *, mounts: Path = _MOUNTS) -> None:
    """Refuse a folder on a network file system; where the system does not tell, accept it.

    Raises:
        LedgerError: It is on one.
    """
    try:
        told = os.fsdecode(mounts.read_bytes())
    except OSError:
        return
    kind = file_system_of(os.path.realpath(folder), told)
    if kind in _NETWORK:
        raise LedgerError(
            f"the state folder {folder} is on a network file system ({kind}), where a ledger is not safe",
            hint="set `state:` to a folder on a disk of this machine; inboxes and outboxes may stay where they are",
        )


def file_system_of(path: str, mounts: str) -> str:
    """Return the type of the file system that holds *path*, told by the text of ``/proc/self/mountinfo``."""
    best, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # A later mount over the same point hides the earlier one.
        if inside and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind
