"""Tell what the process uses: processor time, memory, open files, and room on a disk.

Read from ``/proc/self``, which a locked-up service sees as well; what cannot be read is left out.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_DESCRIPTORS: Final = Path("/proc/self/fd")
_RESIDENT: Final = 1  # the second field, in pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the process uses now; None where nobody can say."""

    cpu_s: float
    memory_bytes: int | None
    open_files: int | None


def usage() -> Usage:
    """Return what this process uses now."""
    return Usage(cpu_s=time.process_time(), memory_bytes=_memory_bytes(), open_files=_open_files())


def free_bytes(folder: Path) -> int | None:
    """Return how much room the disk of *folder* has for us, or None where it cannot be asked. May block."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _memory_bytes() -> int | None:
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[_RESIDENT])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int | None:
    try:
        return len(os.listdir(_DESCRIPTORS))  # noqa: PTH208 - a count, and no paths
    except OSError:
        return None
