"""Give what root makes in a state folder to the folder's owner.

An operator may run a command as root while the service runs as nobody
special; a file that the service cannot read would be lost on it.
"""

from __future__ import annotations

import os
from pathlib import Path


def hand_over(descriptor: int, folder: Path) -> None:
    """Give an open file to the owner of *folder*; do nothing unless we are root.

    Raises:
        OSError: The file system refused.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_folder(folder: Path) -> None:
    """Make *folder* for its owner's eyes only, who is the owner of the folder around it.

    Raises:
        OSError: The file system refused.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        hand_over(descriptor, folder.parent)
    finally:
        os.close(descriptor)
