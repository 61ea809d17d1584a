"""Ask the kernel whether it has inotify watches left.

Watchdog stays silent when it could watch only a part of a tree.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

from dropglow.disk import let_go

_IN_CLOSE_WRITE: Final = 0x00000008  # inotify(7)


def watches_left(folder: str) -> bool:
    """Return whether one more folder could be watched now, by trying it. True where that cannot be tried."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        descriptor = libc.inotify_init1(os.O_CLOEXEC)
    except AttributeError:  # no Linux
        return True
    if descriptor < 0:
        return True
    try:
        added = libc.inotify_add_watch(descriptor, os.fsencode(folder), _IN_CLOSE_WRITE)
        return added >= 0 or ctypes.get_errno() != errno.ENOSPC
    finally:
        let_go(descriptor)
