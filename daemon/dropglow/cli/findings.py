"""What ``doctor`` finds: one thing that was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """Say whether something has to be done."""

    FINE = "fine"
    ADVICE = "advice"  # it works; a person may want to know
    WRONG = "wrong"  # something must be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str  # in one or two words
    grade: Grade
    what: str
    todo: str = ""  # empty where nothing is to be done


def fine(subject: str, what: str) -> Finding:
    """Return that *subject* is as it should be."""
    return Finding(subject=subject, grade=Grade.FINE, what=what)


def advice(subject: str, what: str, todo: str) -> Finding:
    """Return what a person may want to know of *subject*."""
    return Finding(subject=subject, grade=Grade.ADVICE, what=what, todo=todo)


def wrong(subject: str, what: str, todo: str) -> Finding:
    """Return what must be done about *subject*."""
    return Finding(subject=subject, grade=Grade.WRONG, what=what, todo=todo)
