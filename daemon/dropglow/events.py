"""What can happen to a job: one class for each event, nothing else.

*Event* means this and nothing else: the file system gives hints, logging has
records. What an event makes of a job is decided in ``lifecycle.py`` and written by ``effects.py``; every event
that happened is a row of the ledger's history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dropglow.model import Artifact, Failure, JobKey, Output, Submission, Upload
from dropglow.money import Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Every picture that the order needs is in Adobe's storage."""

    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The same order was bought before by *twin*, and its results stand in the outbox still."""

    twin: JobKey
    submission: Submission
    uploads: tuple[Upload, ...]
    artifacts: tuple[Artifact, ...]
    paths: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """The same order was bought before by *twin*; its results are fetched once more, by its receipt."""

    twin: JobKey
    submission: Submission
    uploads: tuple[Upload, ...]
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """The intent to buy. Durable before the order is sent, together with what is booked for it.

    Without a *booking* the order counts on the day of *at*, in UTC, and no budget is asked.
    """

    at: datetime
    booking: Booking | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person has to approve of the order before it is placed."""

    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Somebody lets an order go on that was held for approval."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Adobe took the order and gave a receipt."""

    submission: Submission
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The order was certainly not accepted; it may be sent again later.

    ``counts`` is False where the service, not this order, was the trouble. ``anew`` is True where its pictures
    have to be uploaded again.
    """

    failure: Failure
    until: datetime
    counts: bool
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """Nobody knows whether the order stands."""

    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The remote job succeeded; its results can be fetched."""

    outputs: tuple[Output, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RanLate:
    """The remote job takes longer than ``job_timeout``. It is still awaited."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Every result is on disk, complete and verified, under a temporary name."""

    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksExpired:
    """The result links died. Asking for the status gives new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLost:
    """A temporary file vanished before it was delivered: fetch again what does not stand under its final name."""

    standing: tuple[Artifact, ...] = ()  # results that do: nobody is to find them there twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Every result stands in the outbox under its final name."""

    paths: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Something outside stands in the way; ask again at *until*."""

    until: datetime
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """The job ends without results, for the reason given."""

    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked:
    """Somebody wants this job not to happen."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSent:
    """Adobe has been asked to cancel; its status will tell what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelConfirmed:
    """Adobe says that the job is cancelled."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAsked:
    """Somebody wants a failed or cancelled job done after all."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResubmitAsked:
    """Somebody accepts that a job in doubt may be bought twice."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """Somebody gives a job in doubt up; it stays counted as spent."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Somebody found the receipt of a job in doubt."""

    submission: Submission
    at: datetime


Event = (
    Prepared
    | Kept
    | Borrowed
    | Held
    | Approved
    | Began
    | Accepted
    | Declined
    | Doubted
    | Completed
    | RanLate
    | Fetched
    | LinksExpired
    | SpoolLost
    | Delivered
    | Postponed
    | GaveUp
    | CancelAsked
    | CancelSent
    | CancelConfirmed
    | RetryAsked
    | ResubmitAsked
    | Abandoned
    | Attached
)
