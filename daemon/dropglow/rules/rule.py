"""The rule as the program knows it: checked, absolute, ready to decide.

No YAML, no positions, no files: ``load.py`` makes these from text that was
found free of faults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from dropglow.model import After, Collision, Duplicates, Format, Kind, OnDoubt, RuleName
from dropglow.money import Budget
from dropglow.rules.parameters import Parameters
from dropglow.rules.pricing import USUAL, Prices
from dropglow.rules.prompts import Split
from dropglow.rules.source import Beside


def companions_of(parameters: Parameters) -> tuple[str, ...]:
    """Return the templates of the files beside the drop that *parameters* name, each once."""
    said = parameters.said_prompt
    prompts = (said.sidecar,) if isinstance(said, Beside) else ()
    pictures = (picture.source.sidecar for picture in parameters.pictures())
    return tuple(dict.fromkeys((*prompts, *(template for template in pictures if template is not None))))


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
    split: Split = Split.WHOLE  # of prompt files
    prepared: bool = True  # False: pictures that Firefly would refuse are refused, and never converted
    stripped: bool = False  # True: EXIF and GPS data do not leave the house
    patience_s: float = 600.0  # how long a drop waits for the files that belong to it
    give_up_s: float = 600.0  # how long a drop that is not whole may lie still before it fails
    ready: str | None = None  # template of the marker beside each drop, without which it is not taken
    folders: bool = False  # True: each sub-folder of the inbox is one drop, and files beside them are none
    also: bool = False  # True: the next rule may have the file too
    keeps: bool = False  # True: originals stay in the inbox, and nothing is written into it
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
    duplicates: Duplicates = Duplicates.REUSE  # what happens to content that was bought before
    budget: Budget = field(default_factory=Budget)
    prices: Prices = field(default_factory=lambda: USUAL)
    digest: str  # changes exactly when what is bought changes

    @property
    def companions(self) -> tuple[str, ...]:
        """Return the templates of the files that are dropped beside each drop of this rule."""
        return companions_of(self.parameters)

    @property
    def belongings(self) -> tuple[str, ...]:
        """Return the templates of everything that goes with each drop of this rule: its companions and its marker."""
        return self.companions if self.ready is None else (*self.companions, self.ready)
