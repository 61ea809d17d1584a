"""Say why the ledger did not do what was asked: the same words for every kind of ledger. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dropglow.errors import Conflict, IllegalTransition, LeaseLost, LedgerError, UnknownKey
from dropglow.model import Job

CANDIDATES: Final = 8  # of a beginning that is too short, so many are named


def unknown(noun: str, key: str) -> UnknownKey:
    """Return the refusal of a key that nothing has."""
    return UnknownKey(f"there is no {noun} {key!r}", hint="see: dropglow jobs")


def ambiguous(text: str, keys: Sequence[str]) -> UnknownKey:
    """Return the refusal of a beginning that more than one thing has, with some of their *keys*, in order.

    One of them more than ``CANDIDATES`` says that there are others.
    """
    named = ", ".join(keys[:CANDIDATES])
    others = ", …" if len(keys) > CANDIDATES else ""
    return UnknownKey(
        f"{text!r} fits more than one drop or job",
        hint=f"type more of it: {named}{others}; see: dropglow jobs",
    )


def taken_key(key: str) -> Conflict:
    """Return the refusal of a key that is in the ledger already."""
    return Conflict(f"drop {key} is in the ledger already, or one of its jobs is", hint="use a new key")


def newer(what: str) -> Conflict:
    """Return the refusal of a change to something that changed meanwhile."""
    return Conflict(f"{what} changed meanwhile", hint="read it again")


def no_arrow(before: Job, after: Job) -> IllegalTransition:
    """Return the refusal of a step that the lifecycle does not know."""
    return IllegalTransition(
        f"job {before.key} cannot go from {before.stage.value} to {after.stage.value}",
        hint="please report this as a bug",
    )


def refusal(before: Job, *, stored_revision: int, stored_owner: str | None, owner: str | None) -> LedgerError:
    """Return why *before* could not be replaced: somebody else has the job in hand, or it changed.

    A job that nobody has in hand and that changed was ended by a wish: whoever
    had it reads it again and finds out.
    """
    lost = owner is not None and stored_owner != owner
    if lost and (stored_owner is not None or stored_revision == before.revision):
        return LeaseLost(f"job {before.key} is not in hand any more", hint="leave it to its new owner")
    return newer(f"job {before.key}")
