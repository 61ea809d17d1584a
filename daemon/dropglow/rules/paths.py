"""Make absolute paths of those that people write. Pure but for the home folder."""

from __future__ import annotations

import os


def resolved(base: str, path: str) -> str:
    """Return *path* as an absolute one, relative to *base*; ``~`` is the home folder."""
    return os.path.normpath(os.path.join(base, os.path.expanduser(path)))  # noqa: PTH111, PTH118
