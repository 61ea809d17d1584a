"""Make the folders that a configuration names, where they are new."""

from __future__ import annotations

import contextlib
from pathlib import Path

from dropglow.config import Config
from dropglow.disk import Disk
from dropglow.errors import DiskError
from dropglow.intake.atlas import ATLAS_FILE, Atlas
from dropglow.intake.lookout import Lookout
from dropglow.intake.survey import not_mounted
from dropglow.landmarks import Role
from dropglow.rules.folders import is_made_at_start


def make_folders(config: Config, disk: Disk) -> None:
    """Make the inboxes and outboxes that a new configuration names. Blocks. What cannot be made is told as missing.

    One that was there before is not made again: it may be on a share that is not mounted. One that
    does not answer is left alone.
    """
    seen = Lookout(
        silent=config.silent
    )  # what answered a moment ago, when the configuration was read, may hang by now
    base = seen(str(Path(config.path).parent))
    memory = Atlas(str(Path(config.state) / ATLAS_FILE), disk)
    wanted = {(Role.INBOX, rule.inbox) for rule in config.rules if not rule.keeps}
    wanted |= {(Role.OUTBOX, rule.outbox) for rule in config.rules}
    for role, folder in sorted(wanted):
        place = seen(folder)
        if place.silent or place.there or memory.known(role, folder) is not None:
            continue
        if not_mounted(folder) is None and is_made_at_start(place, base=base):
            with contextlib.suppress(DiskError):
                disk.make_folder(folder)
