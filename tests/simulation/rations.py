"""What differs between seeds in the configuration: how photos are taken, and what may be bought.

Of budgets it is said how many images they let through at most, whatever the clock shows.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dropglow.config import Config, load_config

CONFIGURATION: Final = """
state: ./state
budget: %(common)s
limits: {in_flight: 3, requests_per_minute: off, requests_per_day: off, poll: {min: 1s, max: 15s}, job_timeout: 5m}
rules:
  - name: prompts
    inbox: in/prompts
    outbox: out/prompts
    settle: 1s
    rescan: 60s
    watch: poll
    sidecar: true
    delivery: {name: "{stem}{ext}"}
    match: {kind: prompt}
    generate: {size: 1024x1024}
    budget: %(prompts)s
  - name: photos
    inbox: in/photos
    outbox: out/photos
    settle: 1s
    rescan: 60s
    watch: poll
    %(photos)s
    on_doubt: resubmit
    duplicates: buy
    delivery: {name: "{stem}{ext}"}
    match: {kind: image}
    expand: {sizes: [64x48, 48x64]}
"""
NO_LIMIT: Final = 10**9


class Manner(StrEnum):
    """How photos are taken, as their rule says it."""

    DELETED = "done: delete"  # one by one, and removed once they are delivered
    FOLDERS = "drop: folder"
    KEPT = "done: keep"  # they stay where they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """The budgets of one seed."""

    common: str = ""  # for all rules, as it stands in the configuration
    prompts: str = ""  # for one of them
    per_day: int = NO_LIMIT
    per_month: int = NO_LIMIT
    prompts_per_day: int = NO_LIMIT
    approved: bool = False  # nothing goes on without a person

    @property
    def limited(self) -> bool:
        """Return whether something has to wait until its day or month is over."""
        return min(self.per_day, self.per_month, self.prompts_per_day) < NO_LIMIT


FREE: Final = Ration()
RATIONS: Final = (
    Ration(common="{per_day: 2}", per_day=2),
    Ration(common="{per_month: 3 operations}", per_month=3),
    Ration(prompts="{per_day: 1}", prompts_per_day=1),
    Ration(common="{hold_over: 0}", approved=True),
    Ration(
        common="{per_day: 3, per_month: 4, hold_over: 1}",
        prompts="{per_day: 2 operations}",
        per_day=3,
        per_month=4,
        prompts_per_day=2,
    ),
)


@functools.lru_cache(maxsize=32)
def configuration(root: str, ration: Ration, manner: Manner) -> Config:
    """Return the configuration for *root*, which is the same for every seed of this kind."""
    path = Path(root, "dropglow.yaml")
    said = {"common": ration.common or "{}", "prompts": ration.prompts or "{}", "photos": manner.value}
    path.write_text(CONFIGURATION % said, encoding="utf-8")
    return load_config(str(path), environ={}, cwd=root)
