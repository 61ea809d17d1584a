"""Tell whether a folder's file system announces changes, and if not, say so in words.

On network and FUSE file systems inotify succeeds and then reports only what
this machine itself wrote, so that no test from here can find out: only the
file system's type can.
"""

from __future__ import annotations

import functools
import os
import posixpath
import re
from dataclasses import dataclass
from typing import Final, assert_never

from dropglow.disk import let_go
from dropglow.intake.plan import DEFAULT_RESCAN_S, InboxPlan, WatchMode
from dropglow.landmarks import Mount

POLL_EVERY_S: Final = 5.0

_MOUNTINFO: Final = "/proc/self/mountinfo"
_TABLE: Final = "/etc/fstab"
_TABLE_BYTES: Final = 1 << 16  # a usual table at once
_OCTAL: Final = re.compile(r"\\([0-7]{3})")

# Somebody else may write to these behind this kernel's back.
_REMOTE: Final = frozenset({
    "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "curvefs", "cvfs", "davfs", "drvfs", "fakeowner",
    "fuse", "gfs", "gfs2", "glusterfs", "gpfs", "hostfs", "lustre", "mvfs", "ncpfs", "nfs", "nfs4", "ocfs2",
    "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "v9fs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
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
    poll_s = polling_s(plan)
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


def polling_s(plan: InboxPlan) -> float:
    """Return how many seconds there are between scans where events do not come."""
    return POLL_EVERY_S if plan.rescan_s == DEFAULT_RESCAN_S else plan.rescan_s


def file_system_type(folder: str, *, mountinfo: str = _MOUNTINFO) -> str | None:
    """Return the type of the file system that *folder* is on, as ``mount`` prints it; None where nobody knows."""
    mount = mount_of(folder, mountinfo=mountinfo)
    return None if mount is None else mount.kind


def mount_of(folder: str, *, mountinfo: str = _MOUNTINFO) -> Mount | None:
    """Return what is mounted where *folder* is; None where nobody knows. Looks at each part of the path."""
    return mount_at(os.path.realpath(folder), mountinfo=mountinfo)


def mount_at(path: str, *, mountinfo: str = _MOUNTINFO) -> Mount | None:
    """Return what is mounted where *path* is, which has no links in it; None where nobody knows. Asks no file system."""
    answer = None
    for mount in _mounts(mountinfo):
        # Of two mounts on one point, the later covers the earlier.
        if _is_below(path, mount.point) and (answer is None or len(mount.point) >= len(answer.point)):
            answer = mount
    return answer


def point_of(path: str, *, mountinfo: str = _MOUNTINFO) -> str:
    """Return where the file system is mounted that *path* lies on by its spelling alone. Asks no file system."""
    points = (mount.point for mount in _mounts(mountinfo) if _is_below(path, mount.point))
    return max(points, key=len, default="/")


def unmounted_point(folder: str, *, table: str = _TABLE, mountinfo: str = _MOUNTINFO) -> str | None:
    """Return the mount point of /etc/fstab at or above *folder* where nothing is mounted now, if there is one."""
    path = os.path.realpath(folder)
    mounted = {mount.point for mount in _mounts(mountinfo)}
    if not mounted:
        return None
    for line in _text(table).split("\n"):
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith("#") or not fields[1].startswith("/"):
            continue
        point = posixpath.normpath(_unescaped(fields[1]))
        if point != "/" and _is_below(path, point) and point not in mounted:
            return point
    return None


def is_remote(kind: str) -> bool:
    """Return whether files on such a file system may change without an event. *kind* is as ``mount`` prints it."""
    return kind in _REMOTE or kind.startswith("fuse.")


def _mounts(mountinfo: str) -> tuple[Mount, ...]:
    return _parsed(_text(mountinfo))


@functools.lru_cache(maxsize=4)
def _parsed(mountinfo: str) -> tuple[Mount, ...]:
    # The table is read for every delivery, and hardly ever changes.
    return tuple(_mount(line) for line in mountinfo.split("\n") if line)


def _mount(line: str) -> Mount:
    # 36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw   (proc_pid_mountinfo(5))
    before, _, after = line.partition(" - ")
    kind, source, *_ = after.split(" ")
    point = _unescaped(before.split(" ")[4])
    return Mount(point=point, kind=kind, source=_unescaped(source), remote=is_remote(kind))


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.fsdecode(b"".join(iter(lambda: os.read(descriptor, _TABLE_BYTES), b"")))
    except OSError:
        return ""
    finally:
        let_go(descriptor)


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda escape: chr(int(escape.group(1), 8)), text)


def _is_below(path: str, point: str) -> bool:
    return path == point or path.startswith(posixpath.join(point, ""))
