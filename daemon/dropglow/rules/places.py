"""What one look at a path tells, so that nothing more has to be asked of a disk that may not answer.

One folder has many names: links, mounts, letter case. So it is compared by its
name with links resolved, and by device and inode.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# A path with more links than this leads in a circle.
_MOST_LINKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path, as one look saw it."""

    path: str  # absolute
    real: str  # the same without links; of a silent one, as far as they were seen
    there: bool = True  # a link that leads nowhere is there too
    found: os.stat_result | None = None  # what it leads to
    error: str = ""  # why that is unknown
    identities: tuple[tuple[int, int] | None, ...] = ()  # device and inode of it, and of each folder above
    writable: bool = True  # whoever asks may make and remove names in it
    neighbours: bool = True  # the folder that it is in, or would be in, is there
    silent: bool = False  # nobody answered; what else is said here is a guess


Look = Callable[[str], Place]


def look(path: str, *, progress: Callable[[str], object] = str) -> Place:
    """Return what *path* (absolute) is. Blocks, on a dead share for ever.

    What is known of its name without links is told to *progress* meanwhile.
    """
    real = _resolved(path, progress)
    found, error = _found(real)
    return Place(
        path=path,
        real=real,
        there=os.path.lexists(path),
        found=found,
        error=error,
        identities=tuple(_identity(each) for each in _upwards(real)),
        writable=os.access(real, os.W_OK | os.X_OK),
        neighbours=os.path.isdir(os.path.dirname(path)),  # noqa: PTH112, PTH120  # a path is text here
    )


def silence(path: str, *, real: str) -> Place:
    """Return what is said of a *path* that did not answer."""
    return Place(path=path, real=real, error="it does not answer; is its server there?", silent=True)


def lies_inside(path: str, folder: str, *, seen: Look = look) -> bool:
    """Return whether *path* is *folder* or lies below it, however either is spelled, as *seen* saw them.

    Device and inode see through bind mounts and file systems that do not mind case. Of what is
    silent, only the name tells.
    """
    inner, outer = seen(path), seen(folder)
    if inner.real == outer.real or inner.real.startswith(outer.real.rstrip("/") + "/"):
        return True
    wanted = next(iter(outer.identities), None)
    return wanted is not None and wanted in inner.identities


def device(place: Place) -> int | None:
    """Return the device of *place*, or of the nearest folder above it that exists; None where it is silent."""
    return next((each[0] for each in place.identities if each is not None), None)


def _resolved(path: str, progress: Callable[[str], object]) -> str:
    """Return *path* without links, step by step: what a dead share does not tell is taken as it is spelled."""
    done, ahead, links = "/", path.strip("/").split("/"), 0
    while ahead:
        progress(os.path.join(done, *ahead))  # noqa: PTH118
        here = os.path.join(done, ahead.pop(0))  # noqa: PTH118
        target = _link(here) if links < _MOST_LINKS else None
        if target is None:
            done = os.path.normpath(here)
            continue
        links += 1
        ahead = [*target.strip("/").split("/"), *ahead]
        done = "/" if target.startswith("/") else done
    return done


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return None


def _found(path: str) -> tuple[os.stat_result | None, str]:
    try:
        return os.stat(path), ""  # noqa: PTH116  # a path is text here
    except OSError as error:
        return None, error.strerror or errno.errorcode.get(error.errno or 0, "it cannot be reached")


def _identity(path: str) -> tuple[int, int] | None:
    found, _ = _found(path)
    return None if found is None else (found.st_dev, found.st_ino)


def _upwards(path: str) -> Iterator[str]:
    yield path
    while path != (path := os.path.dirname(path)):  # noqa: PTH120
        yield path
