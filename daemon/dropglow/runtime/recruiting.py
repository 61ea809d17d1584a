"""Make the attendants of inboxes, at the start and whenever the rules change."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.intake.decoding import Decoder
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan
from dropglow.landmarks import Memory
from dropglow.ledger.base import Ledger
from dropglow.rules.rule import Rule
from dropglow.runtime.admission import Attendant
from dropglow.runtime.admitting import Doors
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.purse import Purse
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.staff import Post
from dropglow.runtime.turns import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruiter:
    """Everything that all attendants share."""

    ledger: Ledger
    clock: Clock
    disk: Disk
    keys: KeyMaker
    reopener: Reopener
    turns: Turns
    doors: Doors
    purse: Purse
    decoder: Decoder
    memory: Memory

    def post(self, plan: InboxPlan, rules: Sequence[Rule], *, queue_limit: int) -> Post:
        """Return the inbox of *plan* as a post: with *rules*, and at most *queue_limit* of its jobs queued."""
        # Where a rule stands in its file changes nothing for its files.
        terms = plan, [replace(rule, line=0) for rule in rules], queue_limit
        return Post(
            folder=plan.folder, terms=terms, make=functools.partial(self._attendant, plan, rules, queue_limit)
        )

    def _attendant(self, plan: InboxPlan, rules: Sequence[Rule], queue_limit: int) -> Attendant:
        inbox = Inbox(
            plan,
            disk=self.disk,
            clock=self.clock,
            ledger_identity=self.ledger.identity,
            decoder=self.decoder,
            memory=self.memory,
        )
        return Attendant(
            inbox=inbox,
            rules=rules,
            ledger=self.ledger,
            disk=self.disk,
            clock=self.clock,
            keys=self.keys,
            reopener=self.reopener,
            turns=self.turns,
            queue_limit=queue_limit,
            doors=self.doors,
            purse=self.purse,
        )
