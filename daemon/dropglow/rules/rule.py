"""The rule as the program knows it: checked, absolute, ready to decide.

No YAML, no positions, no files: ``load.py`` makes these from text that was
found free of faults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from dropglow.model import After, Collision, Format, Kind, OnDoubt, RuleName
from dropglow.rules.parameters import Parameters


class Orientation(StrEnum):
    """Say how a picture lies, as it is seen after EXIF rotation."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a file must be for a rule to take it. Absent conditions always hold."""

    kind: Kind
    names: tuple[str, ...] = ()  # as written, for explanations
    name_pattern: re.Pattern[str] | None = None  # all of ``names``, compiled for folded paths
    formats: frozenset[Format] = frozenset()
    min_size_bytes: int | None = None
    max_size_bytes: int | None = None
    orientations: frozenset[Orientation] = frozenset()
    text: re.Pattern[str] | None = None  # searched in a prompt, front matter left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what it takes, what it orders, where results and inputs go."""

    name: RuleName
    file: str  # absolute path of the file that defines it
    line: int
    inbox: str  # absolute, links resolved: one inbox has one spelling
    outbox: str  # absolute
    conditions: Conditions
    operation: str  # a key of ``operations.OPERATIONS``
    parameters: Parameters  # of that operation; file references are absolute
    also: bool = False  # True: the next rule may have the file too
    after: After
    name_template: str
    collision: Collision = Collision.UNIQUE
    mode: int | None = None  # permission bits of results
    group: str | None = None
    sidecar: bool = False
    settle_s: float = 2.0
    watch: str = "auto"  # auto, notify or poll
    rescan_s: float = 30.0
    priority: int = 0
    attempts: int = 3
    on_doubt: OnDoubt = OnDoubt.HOLD
    digest: str  # changes exactly when what is bought changes
