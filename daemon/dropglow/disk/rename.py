"""Rename without replacing, by whatever means the file system has. Syncs nothing."""

# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH112, PTH114, PTH119, PTH120, PTH121, PTH208 - beside ``os.link`` and ``os.lstat`` a ``Path`` only hides what happens

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from dropglow.disk.refusals import translated_naming
from dropglow.errors import DiskError
from dropglow.naming import shown

# What a file system says that cannot rename without replacing (some NFS, FUSE and SMB).
UNSUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
# rclone's mounts say EIO. Where the disk itself fails, the next attempt says so.
_LINKLESS: Final = UNSUPPORTED | {errno.EPERM, errno.EMLINK, errno.EIO}
_RENAME_NOREPLACE: Final = 1  # linux/fs.h
_AT_FDCWD: Final = -100  # fcntl.h


def rename(source: str, target: str) -> None:
    """Rename without replacing, by whatever means the file system has. Syncs nothing."""
    with translated_naming("move to", target, source=source):
        try:
            _rename_noreplace(source, target)
        except FileExistsError:
            # The kernel says so without asking the file system, also where we have to move by a second name.
            _finish(source, target)
            return
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        else:
            return
        if os.path.isdir(source) and not os.path.islink(source):
            _make_and_rename(source, target)
            return
        _link_and_unlink(source, target)


def _link_and_unlink(source: str, target: str) -> None:
    """Move by a second name: linking never replaces either."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        _finish(source, target)
        return
    except OSError as error:
        if error.errno not in _LINKLESS:
            raise
        raise DiskError(
            f"cannot move to {shown(target)}: this file system can neither rename without replacing nor link",
            hint="use a folder on another file system; some network shares need other mount options",
        ) from error
    os.unlink(source)


def _finish(source: str, target: str) -> None:
    """Remove *source* where *target* is a second name of it: from before a crash, or NFS repeated a call that had succeeded.

    Raises:
        FileExistsError: It is another file, or the same name in other words.
    """
    first, second = os.lstat(source), os.lstat(target)
    if first.st_nlink < 2 or stat.S_ISDIR(first.st_mode) or not os.path.samestat(first, second):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    if _are_one_name(source, target):  # the second one is somewhere else: a backup may have made it
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.unlink(source)


def _are_one_name(first: str, second: str) -> bool:
    """Return whether both say the same name: by a link to its folder, or where capitals and small letters are alike."""
    folder = os.path.dirname(first) or "."
    if not os.path.samefile(folder, os.path.dirname(second) or "."):
        return False
    names = {os.path.basename(first), os.path.basename(second)}
    return len(names) == 1 or not names <= set(os.listdir(folder))


def _make_and_rename(source: str, target: str) -> None:
    """Move a folder: making one never replaces anything, and renaming replaces an empty folder, which ours is."""
    os.mkdir(target)
    try:
        os.rename(source, target)
    except OSError:
        with suppress(OSError):  # somebody put something into it
            os.rmdir(target)
        raise


def _find_renameat2() -> Callable[..., int] | None:
    """Return the C library's renameat2, which Python does not offer; None where it is missing."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:  # pragma: no cover - an old C library
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function  # type: ignore[no-any-return]  # ctypes has no types for what it finds


_renameat2 = _find_renameat2()


def _rename_noreplace(source: str, target: str) -> None:
    if _renameat2 is None:  # pragma: no cover - an old C library
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if not _renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE):
        return
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
