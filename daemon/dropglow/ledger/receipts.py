"""Know which submissions may still cost or bring something, and which job ids mean the same job. Pure."""

from __future__ import annotations

import re
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
_UUID_AT_THE_END: Final = re.compile(
    r"(?:\A|:)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.IGNORECASE | re.ASCII
)
UUID_LENGTH: Final = 36


def uuid_of(remote_id: str) -> str:
    """Return what a job id of Adobe's has in common with its other spelling, the bare UUID; nothing if it has none."""
    found = _UUID_AT_THE_END.search(remote_id)
    return "" if found is None else found[1].lower()
