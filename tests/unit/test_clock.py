"""The turn of a day: where clocks are set on or back at midnight, it is when the day's name changes, and never over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dropglow.clock import next_turn
from dropglow.money import Period, labels

# Where midnight is left out on one day of the year, where it comes twice, and where a whole day was left out.
PLACES = {
    "Africa/Cairo": datetime(2026, 4, 22, tzinfo=UTC),
    "America/Santiago": datetime(2026, 9, 4, tzinfo=UTC),
    "America/Havana": datetime(2026, 10, 30, tzinfo=UTC),
    "Asia/Beirut": datetime(2026, 3, 27, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 23, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 28, tzinfo=UTC),
}


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live in this place while the test runs."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("zone", "begin"), [pytest.param(*place, id=place[0]) for place in PLACES.items()], indirect=["zone"]
)
@pytest.mark.parametrize("period", list(Period))
def test_a_turn_lies_ahead_and_is_when_the_name_changes(period: Period, begin: datetime) -> None:
    """Whoever waits until then finds another day, or month, and not one minute before."""
    column = list(Period).index(period)
    moments = [begin + timedelta(minutes=30 * step) for step in range(4 * 48)]
    for moment in moments:
        turn = next_turn(period, moment.astimezone())
        before, after = (turn + timedelta(seconds=by) for by in (-1, 0))

        assert moment < turn
        assert labels(moment.astimezone())[column] == labels(before.astimezone())[column]
        assert labels(moment.astimezone())[column] < labels(after.astimezone())[column]
