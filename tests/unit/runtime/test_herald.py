"""What the service manager sees in its one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dropglow.runtime.herald import one_line
from dropglow.runtime.saying import InboxState
from dropglow.runtime.status import Snapshot

QUIET = Snapshot(
    pid=1,
    version="1",
    started_at=datetime(2026, 11, 2, tzinfo=UTC),
    config="/etc/dropglow/dropglow.yaml",
    sandbox=False,
    in_flight=0,
    in_flight_limit=16,
    in_hand=0,
    trouble="",
    requests_last_minute=0,
    requests_last_day=0,
    inboxes=[InboxState(folder="/a")],
)
KEPT = "the old one is in force: dropglow check"
RESTART = "needs a restart for state, api.base_url"
BUSY = replace(
    QUIET,
    in_flight=4,
    in_hand=5,
    requests_last_day=1210,
    inboxes=[InboxState(folder="/a", ready=1000, settling=2), InboxState(folder="/b", offline="gone")],
)


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        (QUIET, "1 inbox; 0 requests in the last day"),
        (BUSY, "2 inboxes, 1 offline; 1,002 waiting, 5 in hand, 4 at Adobe, 1,210 requests in the last day"),
        (
            replace(QUIET, spending_paused=True),
            "spending is paused: dropglow resume; 1 inbox; 0 requests in the last day",
        ),
        (replace(QUIET, trouble="Adobe throttles"), "Adobe throttles; 1 inbox; 0 requests in the last day"),
        (
            replace(QUIET, config_faults=["a", "b"]),
            f"the configuration on disk has 2 faults, {KEPT}; 1 inbox; 0 requests in the last day",
        ),
        (
            replace(QUIET, config_faults=["a"], restart_for=["state", "api.base_url"]),
            f"the configuration on disk has a fault, {KEPT}; {RESTART}; 1 inbox; 0 requests in the last day",
        ),
    ],
)
def test_one_line_says_trouble_first(snapshot: Snapshot, line: str) -> None:
    """What needs a person comes before what is as always."""
    assert line == one_line(snapshot)
