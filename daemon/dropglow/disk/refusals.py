"""What a file system says when it refuses, in our errors and in words for a person."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dropglow.errors import DiskError, DiskFull, FileGone, NameTaken
from dropglow.naming import shown

_REASONS: Final[dict[int, tuple[str, str]]] = {
    errno.ENOSPC: ("no space is left", "free some space; it is tried again by itself"),
    errno.EDQUOT: ("the quota is used up", "free some space or raise the quota; it is tried again by itself"),
    errno.EXDEV: ("the two places are on different file systems", "keep both folders on one file system"),
    errno.EROFS: ("the file system is read-only", "mount it writable, or look why it was remounted"),
    errno.EACCES: ("permission denied", "give the service's user the right to read and write there"),
    errno.EPERM: ("not permitted", "give the service's user the right to read and write there"),
    errno.EIO: ("the disk or the share reports an input/output error", "look into the system's log"),
    errno.EMFILE: ("too many files are open", "raise LimitNOFILE of the service"),
    errno.ENFILE: ("the machine has too many files open", "close programs, or raise fs.file-max"),
    errno.ENAMETOOLONG: ("the name is too long", "shorten the name"),
    errno.ESTALE: ("the share was replaced on its server", "mount it again"),
    errno.ELOOP: ("it is a link", "put the file itself there"),
    errno.ENOTDIR: ("a part of the path is no folder", "look at the path"),
    errno.ENOTEMPTY: ("the folder is not empty", "look what is in it"),
}


def refusal(doing: str, path: str, error: OSError) -> DiskError:
    """Return *error* as one of ours, in words: ``cannot <doing> <path>: <why>``."""
    number = error.errno or 0
    why, hint = _REASONS.get(number, ((error.strerror or "the file system refused").lower(), ""))
    what = f"cannot {doing} {shown(path)}"
    match number:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull(f"{what}: {why}", hint=hint)
        case errno.EEXIST:
            return NameTaken(f"{what}: the name is taken", hint="move what is there out of the way")
        case errno.ENOENT:
            return FileGone(f"{what}: it is not there", hint="was it moved or deleted, or a share unmounted?")
        case _:
            return DiskError(f"{what}: {why}", hint=hint)


@contextmanager
def translated(doing: str, path: str) -> Iterator[None]:
    """Raise what the file system says about *path* as one of ours."""
    try:
        yield
    except OSError as error:
        raise refusal(doing, path, error) from error


@contextmanager
def translated_naming(doing: str, path: str, *, source: str | None = None) -> Iterator[None]:
    """Raise what the file system says when *path* is to get a name; *source* is its present one.

    Something missing is then either the source or the folder, and only the first is ``FileGone``.
    """
    try:
        yield
    except FileNotFoundError as error:
        if source is not None and not os.path.lexists(source):
            raise refusal("find", source, error) from error
        raise DiskError(
            f"cannot {doing} {shown(path)}: its folder is not there",
            hint="was it deleted, or a share unmounted?",
        ) from error
    except OSError as error:
        raise refusal(doing, path, error) from error
