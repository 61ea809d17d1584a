"""Look up whether a file that stays in its inbox was taken already, as it is now. Reads the ledger only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dropglow.cli.ledger_access import asked
from dropglow.errors import LedgerError
from dropglow.model import Drop

if TYPE_CHECKING:
    from dropglow.cli.forecast import Forecast
    from dropglow.cli.subject import Subject
    from dropglow.config import Config
    from dropglow.ledger.base import Reader


def taken_before(config: Config, subject: Subject, forecast: Forecast) -> Drop | None:
    """Return the drop that this very file was taken as, if it stays in its inbox and was not written since."""
    plan, place = forecast.plan, forecast.place
    if not (plan.keeps and place.dropped and subject.exists):
        return None
    try:
        found = os.lstat(subject.file)
    except OSError:
        return None

    async def question(reader: Reader) -> Drop | None:
        original = (await reader.originals(plan.folder, [place.path])).get(place.path)
        if original is None or (original.size_bytes, original.mtime_ns) != (found.st_size, found.st_mtime_ns):
            return None
        return await reader.drop(original.drop)

    try:
        return asked(Path(config.state), question)
    except LedgerError:
        return None  # explaining needs no ledger
