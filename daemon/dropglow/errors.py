"""Every error that Dropglow raises on purpose.

First level: whose problem it is. Second level: what to do now::

    DropglowError                  message, hint
    ├── ConfigError                the operator edits a file; exit 78
    │   └── RuleError              … in a rule file
    ├── LedgerError
    │   ├── LeaseLost              another host owns the work: let go quietly
    │   ├── Conflict               the row changed meanwhile: read again
    │   ├── UnknownKey             no drop or job has this id
    │   ├── OverBudget             the order does not fit the budget: it waits
    │   ├── SpendingStopped        somebody paused spending: the order waits
    │   └── LedgerUnavailable      pause intake, stay alive, try again
    ├── FireflyError               carries a verdict: NO, LATER or UNKNOWN
    │   ├── AuthError              LATER: credentials or entitlement
    │   ├── RequestRefused         NO: read and declined
    │   ├── Throttled              LATER, ``retry_at`` says when
    │   ├── Unavailable            no usable answer
    │   └── ProtocolError          an answer that makes no sense
    ├── DiskError
    │   ├── NameTaken              the target exists and is not replaced
    │   ├── FileGone               the source is no longer there
    │   └── DiskFull               no room, or a quota
    ├── DeliveryError              the outbox refuses a result
    ├── SourceFault                the dropped file itself cannot be used
    │   └── Unfinished             … and may be whole soon: look again when it changed
    ├── InstallationError          the machine refused a step of installing, or of undoing it
    ├── SecretError                a secret is missing, empty or unreadable
    ├── NotTold                    a receiver of notifications did not take a message
    └── IllegalTransition          our bug, or a wish that makes no sense now

Nothing is logged where it is raised; whoever decides about it logs it once.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class DropglowError(Exception):
    """Say what happened, and what to do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep *message* (one line: what and why) and *hint* (one line: what to do)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(DropglowError):
    """Tell the operator which line of which file to edit."""

    def __init__(self, message: str, *, hint: str = "", faults: tuple[str, ...] = ()) -> None:
        """Keep all *faults* at once, each as ``file:line:column: message``."""
        super().__init__(message, hint=hint)
        self.faults = faults


class RuleError(ConfigError):
    """Tell the operator which line of a rule file to edit."""


class LedgerError(DropglowError):
    """Report that the ledger did not do what was asked."""


class LeaseLost(LedgerError):
    """Report that another host owns this work now."""


class Conflict(LedgerError):
    """Report that the row is newer than the one in hand: read again."""


class UnknownKey(LedgerError):
    """Report that no drop or job has the id that was given."""


class OverBudget(LedgerError):
    """Report that an order would exceed a budget; nothing was booked."""


class SpendingStopped(LedgerError):
    """Report that spending is paused; nothing was booked."""


class LedgerUnavailable(LedgerError):
    """Report that the ledger cannot be read or written at present."""


class Verdict(StrEnum):
    """Say what a failed call means for the order that it carried."""

    NO = "no"  # read and declined: asking again is pointless
    LATER = "later"  # certainly not accepted: asking again is safe
    UNKNOWN = "unknown"  # it may stand: asking again may buy twice


class FireflyError(DropglowError):
    """Report a call to Adobe that did not end well."""

    verdict = Verdict.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        status: int | None = None,
        verdict: Verdict | None = None,
        retry_at: datetime | None = None,
        service_wide: bool = False,
    ) -> None:
        """Keep what is known.

        Args:
            message: What happened, without secrets or signed queries.
            hint: What the operator can do.
            code: Adobe's ``error_code``, or a short one of ours.
            status: HTTP status, or None where no answer came.
            verdict: Overrides the class's own.
            retry_at: Earliest sensible time to ask again (aware, UTC).
            service_wide: True if every other order would meet the same fate now.
        """
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status
        self.verdict = verdict or type(self).verdict
        self.retry_at = retry_at
        self.service_wide = service_wide


class AuthError(FireflyError):
    """Report credentials that Adobe does not accept, or a missing entitlement."""

    verdict = Verdict.LATER


class RequestRefused(FireflyError):
    """Report that Adobe read the request and said no."""

    verdict = Verdict.NO


class Throttled(FireflyError):
    """Report that Adobe asks for patience; ``retry_at`` says how much."""

    verdict = Verdict.LATER


class Unavailable(FireflyError):
    """Report that no usable answer came. The order may or may not stand."""

    verdict = Verdict.UNKNOWN


class ProtocolError(FireflyError):
    """Report an answer that does not make sense."""

    verdict = Verdict.UNKNOWN


class DiskError(DropglowError):
    """Report that the file system refused."""


class NameTaken(DiskError):
    """Report that the target name exists; nothing was replaced."""


class FileGone(DiskError):
    """Report that the file is no longer where it was."""


class DiskFull(DiskError):
    """Report that there is no room, or that a quota is used up."""


class DeliveryError(DropglowError):
    """Report that a result could not be put into its outbox."""


class SourceFault(DropglowError):
    """Report that a dropped file cannot be used, in words for its owner."""


class Unfinished(SourceFault):
    """Report that a dropped file is not whole. Somebody may be writing it still."""


class InstallationError(DropglowError):
    """Report that Dropglow could not be put onto the machine, or taken away from it."""


class SecretError(DropglowError):
    """Report that a secret is missing, empty or unreadable."""


class NotTold(DropglowError):
    """Report that a receiver of notifications did not take a message."""


class IllegalTransition(DropglowError):
    """Report a wish that makes no sense at this stage, or a bug of ours."""
