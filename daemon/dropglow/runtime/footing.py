"""Make the folders that a drop's files and its reports go to, but never what these stand on.

An inbox or an outbox that is missing is on a share that is away: a folder made in its place would hide what is there,
or be hidden by it.
"""

from __future__ import annotations

import posixpath
from contextlib import suppress

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError
from dropglow.intake.work import HIDDEN
from dropglow.model import Drop


def make_last_folder(disk: Disk, drop: Drop, folder: str) -> None:
    """Make *folder* (absolute), where a file of *drop* or a report about it is to lie.

    Raises:
        DiskError: What it stands on is not there, or the file system refused.
    """
    if drop.after.workshop:
        # Reports about originals that stay go below the outbox, which both of their folders share: one that is new is made.
        outbox = posixpath.commonpath((drop.after.failed, drop.after.held))
        disk.make_folder(folder, within=posixpath.dirname(outbox))
        return
    new = disk.look(folder) is None
    disk.make_folder(folder, within=posixpath.commonpath((drop.inbox, folder)))
    if new and disk.look(posixpath.join(drop.inbox, HIDDEN)) is None:
        # Its share went in this moment, and this lies in what it was mounted over.
        with suppress(DiskError):
            disk.remove_folder(folder)
        raise DiskError(
            f"{shown(drop.inbox)} is not there", hint="is the share mounted? it is tried again by itself"
        )
