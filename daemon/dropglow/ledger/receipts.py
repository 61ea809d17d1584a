"""Know which submissions may still cost or bring something. Pure."""

from __future__ import annotations

from typing import Final

from dropglow.model import Stage

# A submission ends when its job leaves these stages: nothing can come of it any more.
BOUGHT: Final = frozenset(
    {
        Stage.SUBMITTING,
        Stage.RUNNING,
        Stage.CANCELLING,
        Stage.FETCHING,
        Stage.DELIVERING,
        Stage.IN_DOUBT,
    }
)
