"""Read the values of faults: how often one strikes, for how long, with which words.

Pure. The messages of the errors are fit for a user.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = [
    "NEVER",
    "Choice",
    "Rate",
    "Span",
    "StatusChoice",
    "one_of",
    "read_amount",
    "read_count",
    "read_number",
    "read_rate",
    "read_span",
    "read_word",
    "status_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Say how often a fault strikes: a share of all calls, the first few calls, or every so many calls."""

    share: float = 0.0
    first: int = 0
    every: int = 0

    def strikes(self, *, call: int, roll: Callable[[], float]) -> bool:
        """Return whether the fault strikes at the given call, counted from one.

        The dice are rolled only where chance decides, so that an unused fault does not shift the others.
        """
        if call <= self.first:
            return True
        if self.every and call % self.every == 0:
            return True
        if self.share >= 1:
            return True
        return self.share > 0 and roll() < self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hold a range of seconds from which a duration is drawn evenly."""

    low_s: float
    high_s: float


NEVER: Final = Rate()


def read_rate(text: str) -> Rate:
    """Return how often a fault strikes, from a share, ``first:N`` or ``every:N``.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    kind, colon, number = text.partition(":")
    if colon:
        if kind not in {"first", "every"} or not number.isascii() or not number.isdigit():
            raise ValueError("a share from 0 to 1, first:N or every:N is needed")
        return Rate(first=int(number)) if kind == "first" else Rate(every=int(number))
    try:
        share = float(text)
    except ValueError:
        raise ValueError("a share from 0 to 1, first:N or every:N is needed") from None
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    return Rate(share=share)


def read_number(text: str) -> float:
    """Return a number of reasonable size.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number is needed") from None
    if not -1e9 < number < 1e9:
        raise ValueError("a number of reasonable size is needed")
    return number


def read_amount(text: str) -> float:
    """Return a number from 0 up.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    number = read_number(text)
    if number < 0:
        raise ValueError("a number from 0 up is needed")
    return number


def read_count(text: str) -> int:
    """Return a whole number from 1 up.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("a whole number from 1 up is needed")
    return int(text)


def read_span(text: str) -> Span:
    """Return a range of seconds, from ``3`` or ``2-4``.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    low, dash, high = text.partition("-")
    span = Span(low_s=read_amount(low), high_s=read_amount(high if dash else low))
    if span.high_s < span.low_s:
        raise ValueError("the range begins above its end")
    return span


def read_word(text: str) -> str:
    """Return any word.

    Raises:
        ValueError: The text is something else; the message says what is needed.
    """
    if not text:
        raise ValueError("a word is needed")
    return text


@dataclass(frozen=True, slots=True)
class Choice:
    """Read one word out of a few."""

    words: tuple[str, ...]

    def __call__(self, text: str) -> str:
        """Return the word.

        Raises:
            ValueError: It is none of them; the message names them.
        """
        if text not in self.words:
            raise ValueError(f"one of {', '.join(self.words)} is needed")
        return text


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """Read one HTTP status out of a few."""

    words: tuple[str, ...]

    def __call__(self, text: str) -> int:
        """Return the status.

        Raises:
            ValueError: It is none of them; the message names them.
        """
        return int(Choice(self.words)(text))


def one_of(*words: str) -> Choice:
    """Return a reader that takes these words only."""
    return Choice(words)


def status_of(*codes: int) -> StatusChoice:
    """Return a reader that takes these HTTP statuses only."""
    return StatusChoice(tuple(str(code) for code in codes))
