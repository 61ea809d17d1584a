"""Let go of what was opened by a number."""

from __future__ import annotations

import os
from contextlib import suppress


def let_go(descriptor: int) -> None:
    """Close *descriptor*, whatever a share says that is just going: it is closed all the same.

    For what was opened to look, lock or sync. What was written may be told not to be stored when it is closed.
    """
    with suppress(OSError):
        os.close(descriptor)
