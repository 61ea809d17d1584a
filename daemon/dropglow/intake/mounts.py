"""Tell whether a folder's file system announces changes, and if not, say so in words.

On network and FUSE file systems inotify succeeds and then reports only what
this machine itself wrote, so that no test from here can find out: only the
file system's type can.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import Final, assert_never

from dropglow.intake.plan import DEFAULT_RESCAN_S, InboxPlan, WatchMode

POLL_EVERY_S: Final = 5.0

_MOUNTINFO: Final = "/proc/self/mountinfo"
_OCTAL: Final = re.compile(r"\\([0-7]{3})")

# Somebody else may write to these behind this kernel's back.
_REMOTE: Final = frozenset({
    "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "fakeowner", "fuse", "gfs2",
    "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs",
    "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How arrivals in one inbox are noticed, and why so."""

    notify: bool  # False: by scanning alone
    every_s: float  # seconds between scans without any hint
    reason: str  # for `status` and `doctor`


def watching_mode(plan: InboxPlan, *, mountinfo: str = _MOUNTINFO) -> Watching:
    """Return how the inbox is to be watched; never raises.

    A ``rescan_s`` that somebody chose stands. The default suits a folder with events, so polling looks more often.
    """
    poll_s = POLL_EVERY_S if plan.rescan_s == DEFAULT_RESCAN_S else plan.rescan_s
    match plan.watch:
        case WatchMode.NOTIFY:
            return Watching(notify=True, every_s=plan.rescan_s, reason="the rule asks for `watch: notify`")
        case WatchMode.POLL:
            return Watching(notify=False, every_s=poll_s, reason="the rule asks for `watch: poll`")
        case WatchMode.AUTO:
            kind = file_system_type(plan.folder, mountinfo=mountinfo)
        case _:
            assert_never(plan.watch)
    if kind is None:
        reason = "the file system's type is unknown here, so it is taken for a local one"
        return Watching(notify=True, every_s=plan.rescan_s, reason=reason)
    if is_remote(kind):
        reason = f"it is on {kind}, which does not announce what others write"
        return Watching(notify=False, every_s=poll_s, reason=reason)
    return Watching(notify=True, every_s=plan.rescan_s, reason=f"it is on {kind}, which announces changes")


def file_system_type(folder: str, *, mountinfo: str = _MOUNTINFO) -> str | None:
    """Return the type of the file system that *folder* is on, as ``mount`` prints it; None where nobody knows."""
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            lines = file.readlines()
    except OSError:
        return None
    path = os.path.realpath(folder)
    best, answer = -1, None
    for line in lines:
        point, kind = _mount(line)
        # Of two mounts on one point, the later covers the earlier.
        if _is_below(path, point) and len(point) >= best:
            best, answer = len(point), kind
    return answer


def is_remote(kind: str) -> bool:
    """Return whether files on such a file system may change without an event. *kind* is as ``mount`` prints it."""
    return kind in _REMOTE or kind.startswith("fuse.")


def _mount(line: str) -> tuple[str, str]:
    # 36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw   (proc_pid_mountinfo(5))
    before, _, after = line.partition(" - ")
    point = _OCTAL.sub(lambda escape: chr(int(escape.group(1), 8)), before.split(" ")[4])
    return point, after.split(" ")[0]


def _is_below(path: str, point: str) -> bool:
    return path == point or path.startswith(posixpath.join(point, ""))
