"""Ask Adobe for ``doctor``, without buying anything: the token, the account, and what time it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from dropglow.cli.account_faults import told_of_account
from dropglow.cli.findings import Finding, advice, fine, wrong
from dropglow.cli.online import asked_for_health
from dropglow.cli.tables import duration
from dropglow.errors import ConfigError, FireflyError

if TYPE_CHECKING:
    from dropglow.config import Config

# A signed link lives an hour and a day's limit ends at midnight: a minute does no harm.
_TOLERATED: Final = timedelta(seconds=60)


def adobe(config: Config) -> Iterator[Finding]:
    """Yield what Adobe says; nothing is spent."""
    try:
        health = asyncio.run(asked_for_health(config))
    except FireflyError as error:
        told = told_of_account(error)
        yield wrong("Adobe", told.message, told.hint)
        return
    except ConfigError as error:
        yield wrong("Adobe", error.message, error.hint)
        return
    yield fine("Adobe", f"{health.api} accepts the credentials, and the account may use Firefly")
    if health.ahead is not None:
        yield clock(health.ahead)


def clock(ahead: timedelta) -> Finding:
    """Return how this machine's clock compares with Adobe's; *ahead* is negative where it is behind."""
    if abs(ahead) <= _TOLERATED:
        return fine("clock", "this machine and Adobe agree on the time")
    way = "ahead of" if ahead > timedelta() else "behind"
    off = duration(abs(ahead).total_seconds())
    return advice(
        "clock",
        f"this machine's clock is {off} {way} Adobe's",
        "have it set by NTP: timedatectl set-ntp true",
    )
