"""The contract of every ledger: memory, SQLite, and others to come.

Ordering and durability, for all implementations:

* A verb that returns has been made durable; a verb that raises has changed nothing.
* ``save`` is compare-and-set on ``revision`` and writes one history row. It is
  the only way in which a job changes.
* A job is *in hand* of one owner at most. ``claim`` takes it, ``release`` hands it
  back, and an owner that stops renewing loses it. Owners are named by hosts.
* Money: a *Began* that carries a booking is refused with ``OverBudget`` where one of its ceilings would be
  exceeded, in the very commit that stores it: however many hosts share the ledger, none spends what another
  has spent. What was begun counts, also in doubt, until Adobe certainly did not accept it. While spending is
  paused, every *Began* is refused with ``SpendingStopped``, in the same way.
* Result links are signed: ``Output.url`` is never stored and reads back empty.

The cost of a verb is one durable commit unless it says otherwise; commits that
arrive together are made together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from dropglow.events import Event
from dropglow.model import Drop, DropKey, DropState, Job, JobKey, Original, RuleName, Stage, Upload
from dropglow.money import Amount, Booking, Fate, Period, Switch, Turn

PARKED_AT_MOST: Final = 1000  # jobs of one inbox that may wait for their budget without filling its queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How much work an owner may take in one ``claim``.

    ``open_jobs`` counts jobs that were begun already (they come first, oldest
    first); ``fresh_jobs`` counts queued ones. ``priority`` decides among fresh
    ones, then the inboxes take turns, then age.
    """

    open_jobs: int
    fresh_jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of history: what happened to a job or a drop, and when."""

    at: datetime
    drop: DropKey
    job: JobKey | None
    event: str  # the event's class name, or ``Admitted``, ``Closed``, ``Reopened``
    before: str  # stage or state
    after: str
    attempt: int
    detail: str  # one line, no secrets


def fair_share(limit: int, *, rules: int) -> int:
    """Return how many jobs of each of so many *rules* are told where *limit* are asked for, see ``Reader.parked``."""
    return max(1, limit // max(1, rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which jobs to find; None leaves a field open. Newest first."""

    stages: frozenset[Stage] | None = None
    rule: RuleName | None = None
    source: str | None = None  # part of the drop's path, case-insensitive
    drop: DropKey | None = None
    since: datetime | None = None  # created at or after
    until: datetime | None = None  # created before
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many drops and jobs stand where, in all and by inbox."""

    jobs: dict[Stage, int]
    drops: dict[DropState, int]
    open_jobs_by_inbox: dict[str, int]  # neither ended nor in doubt
    parked: int = 0  # of the open ones, those that wait for their budget, or did and were not begun since


class RequestKind(StrEnum):
    """Name what counts against Adobe's rate limit."""

    SUBMISSION = "submission"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one remote job took, for the poll schedule."""

    operation: str
    model: str | None
    size: str
    images: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the books: orders that have all of this in common, and what they came to."""

    day: str  # as it was booked
    rule: RuleName
    folder: str  # absolute: where the files were dropped
    operation: str
    model: str | None
    fate: Fate
    orders: int
    amount: Amount


class Reader(Protocol):
    """The questions that anybody may ask, also while a service runs."""

    async def job(self, key: JobKey) -> Job:
        """Return one job.

        Raises:
            UnknownKey: There is none.
        """
        ...

    async def drop(self, key: DropKey) -> Drop:
        """Return one drop.

        Raises:
            UnknownKey: There is none.
        """
        ...

    async def jobs_of(self, drop: DropKey) -> tuple[Job, ...]:
        """Return every job of *drop*, in order of their keys."""
        ...

    async def resolve_key(self, text: str) -> tuple[DropKey, JobKey | None]:
        """Return the drop, or the job, that *text* begins to name. A drop's whole key wins over job keys.

        *text* may also be Adobe's job id, whole.

        Raises:
            UnknownKey: Nothing, or more than one, fits.
        """
        ...

    async def find(self, query: Query) -> tuple[Job, ...]:
        """Return the jobs that fit, newest first, at most ``query.limit``."""
        ...

    async def drops(
        self, *, states: frozenset[DropState] | None = None, inbox: str | None = None, limit: int = 100
    ) -> tuple[Drop, ...]:
        """Return drops, newest first."""
        ...

    async def same_content(
        self,
        *,
        inbox: str,
        sha256: str,
        companions: Sequence[str],
        rule: RuleName,
        rule_digest: str,
        before: DropKey | None = None,
    ) -> tuple[Drop, ...]:
        """Return the drops of this content under this very rule, the latest admission first; at most fifty.

        *companions* are the SHA-256 of the files that belong to it, in their order. With *before*, only those
        that were admitted before that drop, in the order in which the ledger stored them: of two drops, one is
        always the earlier one, whatever their clocks said. None joins them later: where there is none, there
        never will be.
        """
        ...

    async def originals(self, inbox: str, paths: Sequence[str]) -> dict[str, Original]:
        """Return what is known of those *paths* below *inbox* that were taken and stay there, by path.

        Costs one look into an index for each path; ask for some hundred at a time.
        """
        ...

    async def same_original(
        self, *, inbox: str, path: str, sha256: str, companions: Sequence[str]
    ) -> Drop | None:
        """Return the latest drop, under whatever rule, of this very path and content whose original stays, if any.

        *companions* are the SHA-256 of the files that belong to it, in their order.
        """
        ...

    async def same_member(self, *, inbox: str, sha256: str, before: DropKey) -> tuple[Drop, ...]:
        """Return the folders of *inbox* that hold a file of this content, the latest admission first; at most fifty.

        Only those that were admitted before the drop *before*, in the order in which the ledger stored them.
        """
        ...

    async def history(self, drop: DropKey, job: JobKey | None = None) -> tuple[Record, ...]:
        """Return what happened to a drop (and all its jobs) or to one job, oldest first."""
        ...

    async def counts(self) -> Counts:
        """Return how many of everything there are. Costs a few index scans."""
        ...

    async def unfinished(self) -> dict[tuple[RuleName, Stage], int]:
        """Return how many jobs that are not over stand where, by rule. Costs a look at each of them."""
        ...

    async def requests_since(self, at: datetime) -> tuple[tuple[datetime, RequestKind], ...]:
        """Return every submission begun and every upload made at or after *at*, oldest first."""
        ...

    async def timings(self, *, limit: int = 200) -> tuple[Timing, ...]:
        """Return how long the latest completed remote jobs took, newest first."""
        ...

    async def spending(self, period: Period, label: str, rule: RuleName | None) -> Amount:
        """Return what was spent on a day or in a month, by one rule or all: all that was begun and not given back."""
        ...

    async def costs(self, *, since: str = "", until: str = "") -> tuple[Entry, ...]:
        """Return the books from day *since* to day *until*, both included; empty: no end. Costs a scan of these days."""
        ...

    async def fates(self, *, since: datetime, limit: int) -> tuple[Fate, ...]:
        """Return what became of the latest orders begun at or after *since*, newest first.

        Those that still run, that were given back, or that a person cancelled say nothing, and are passed over.
        """
        ...

    async def unpaid(self, rule: RuleName) -> int:
        """Return how many images of *rule* wait unpaid: queued, or held for a person. Costs a look at these jobs."""
        ...

    async def parked(self, *, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait for nothing but their budget, oldest first.

        Each rule that has some gets the same share of *limit*, for its oldest, and at least one. Costs what it tells.
        """
        ...

    async def unfunded(self, *, now: datetime) -> int:
        """Return how many jobs wait for their budget beyond *now*; others that did wait for their turn by now."""
        ...

    async def waiting(self, *, beyond: datetime, limit: int) -> tuple[Job, ...]:
        """Return jobs that wait until after *beyond*, and not for their budget, oldest first; in hand or not.

        Costs a look at each job that does not rest; only those that are returned are read.
        """
        ...

    async def turn_of(self, period: Period) -> Turn | None:
        """Return which day or month is being spent from, as far as anybody asked; see ``Ledger.turn``."""
        ...

    async def switch(self) -> Switch | None:
        """Return whether spending is stopped; None: nobody ever stopped it."""
        ...

    async def upload_of(self, sha256: str, *, now: datetime) -> Upload | None:
        """Return an upload of this content that is valid after *now*, whatever job made it; slot is empty."""
        ...


class Ledger(Reader, Protocol):
    """The verbs of the one service that owns this ledger, or of a command in its place."""

    @property
    def identity(self) -> str:
        """Return the ledger's own id, made when it was created. Work folders carry it."""
        ...

    async def admit(self, drop: Drop, jobs: Sequence[Job], *, originals: Sequence[Original] = ()) -> None:
        """Store a drop and all of its jobs, in one commit, with those of its files that stay in their inbox.

        Raises:
            Conflict: The key is taken.
        """
        ...

    async def claim(self, owner: str, *, now: datetime, until: datetime, grant: Grant) -> tuple[Job, ...]:
        """Take due jobs that nobody has in hand, or whose owner's lease ran out.

        Due: not resting, ``not_before`` passed. Jobs of *owner* itself that are in hand are not given again.
        Renews the owner's lease to *until*. Changes no revision. Costs nothing when nothing is due.
        """
        ...

    async def next_due(self, *, now: datetime) -> datetime | None:
        """Return when the next waiting job that nobody has in hand becomes due, or None. *now* or earlier: at once."""
        ...

    async def renew(self, owner: str, *, until: datetime) -> None:
        """Extend the lease of everything that *owner* has in hand."""
        ...

    async def release(self, owner: str, keys: Sequence[JobKey]) -> None:
        """Hand jobs back. Those that *owner* does not hold are passed over."""
        ...

    async def release_all(self, owner: str) -> None:
        """Hand everything back that *owner* holds: at a start after a crash, and at a stop."""
        ...

    async def save(self, before: Job, after: Job, event: Event, *, at: datetime, owner: str | None) -> Job:
        """Store *after* in place of *before* and write the history row; return it with its new revision, and its links.

        With an *owner*, the job must be in its hand. Without one (an operator's wish), compare-and-set alone decides,
        and a job that the wish re-opens is in nobody's hand. A job that comes to rest leaves its owner's hand.

        Raises:
            Conflict: The stored job is newer than *before*.
            LeaseLost: Somebody else has it in hand.
            OverBudget: It is a *Began* whose booking does not fit.
            SpendingStopped: It is a *Began*, and spending is paused.
            UnknownKey: There is no such job.
        """
        ...

    async def turn(self, *, booking: Booking, now: datetime) -> Booking:
        """Return *booking* on the day and month that are being spent from, given those that the clock shows.

        They differ where the clock was set back, see ``money.turned``; what was found out is kept.
        """
        ...

    async def set_switch(self, switch: Switch) -> None:
        """Store that spending is stopped, or goes on."""
        ...

    async def queued(self, inbox: str) -> int:
        """Return how many jobs of *inbox* are QUEUED, due or not. Costs one look into an index.

        Those that wait for nothing but their budget are left out, up to ``PARKED_AT_MOST``: they shall not keep
        other rules of the inbox from their turn.
        """
        ...

    async def ripe(self, *, limit: int) -> tuple[Drop, ...]:
        """Return open drops all of whose jobs rest: their file can go to its last folder. Oldest first."""
        ...

    async def reopenable(
        self, *, inbox: str, path: str, place: str, sha256: str, companions: Sequence[str], rule_digest: str
    ) -> Drop | None:
        """Return the latest drop of this very file, content and rule that ended FAILED, if any.

        A file is the same if it was dropped at *path*, or if *place* (absolute) is where it went, under another name
        where that was taken. *companions* are the SHA-256 of the files that belong to it, in their order: with
        another mask it is another drop.
        """
        ...

    async def held_content(self, *, inbox: str, sha256: str) -> tuple[Drop, ...]:
        """Return the HELD drops of this inbox and content, under whatever name and rule, latest first.

        Whatever companions they have: which of them matter is for the caller to say.
        """
        ...

    async def has_place(self, *, place: str, sha256: str) -> bool:
        """Return whether a drop of this content lies at *place* (absolute), as far as it is written down."""
        ...

    async def save_drop(
        self, before: Drop, after: Drop, *, event: str, at: datetime, detail: str = ""
    ) -> Drop:
        """Store *after* in place of *before* (compare-and-set) with a history row; return it with its new revision.

        Raises:
            Conflict: The stored drop is newer than *before*.
            UnknownKey: There is none.
        """
        ...

    async def remember_upload(self, upload: Upload, *, at: datetime) -> None:
        """Store that this content lies in Adobe's storage, for every job that needs it."""
        ...

    async def remember_originals(self, originals: Sequence[Original]) -> None:
        """Store that these files, as they are now, belong to drops that the ledger knows already."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
        ...
