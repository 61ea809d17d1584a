"""What the service asks a decoding process, what it answers, and how both are written. Pure.

The two directions are not trusted alike. Questions come from the service, and are
pickled. Answers come from a process that may have fallen to a picture: they are
JSON, and read as strictly as anything from outside.

A message is a frame: two lengths, then a text, then bytes. The picture's open file travels beside a question.
"""

from __future__ import annotations

import json
import pickle
import struct
from dataclasses import asdict, dataclass
from typing import Any, Final, assert_never

from dropglow.model import Colours, Facts, Format, Kind
from dropglow.preparing import Copy, Stripped

FRAME: Final = struct.Struct(">II")  # bytes of text, bytes of data
MAX_TEXT_BYTES: Final = 1 << 16
MAX_DATA_BYTES: Final = 1 << 29  # a copy is encoded before it is known to be too large
_MEGA: Final = 1_000_000
_MAX_SIDE: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much one decoding process may use."""

    memory_bytes: int = 3 << 30  # of address space; the largest picture that is taken needs 1.2 GB
    least_cpu_s: int = 30  # for the smallest picture; larger ones and copies get more


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Ask what the header tells."""

    picture: Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Decode:
    """Ask whether the picture decodes to its end."""

    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Develop:
    """Ask for a copy."""

    facts: Facts
    wanted: Copy | Stripped


Question = Look | Decode | Develop


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Say that everything is loaded and the limits are set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Tell what a header told."""

    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Tell that a picture is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Developed:
    """Hand over a copy."""

    picture: Format
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """Tell what is wrong with a picture."""

    message: str
    hint: str
    unfinished: bool = False  # it may be whole soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Tell what the disk said."""

    number: int  # errno
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Starved:
    """Tell that the memory did not suffice. The process ends then."""


Answer = Ready | Looked | Decoded | Developed | Faulty | Unreadable | Starved


class GarbledAnswer(ValueError):
    """Say that a decoding process does not speak sense any more."""


def pixels_of(question: Question) -> int:
    """Return how many pixels are going to be in memory, as far as it is known."""
    match question:
        case Look():
            return 0
        case Decode(facts=facts) | Develop(facts=facts):
            return (facts.width or 0) * (facts.height or 0)
        case _:
            assert_never(question)


def cpu_s(question: Question, allowance: Allowance) -> int:
    """Return how many seconds of computing an answer may take, on the slowest machine that is thought of."""
    base_s = allowance.least_cpu_s + pixels_of(question) // _MEGA
    return 4 * base_s if isinstance(question, Develop) else base_s


def deadline_s(question: Question, allowance: Allowance) -> float:
    """Return how long to wait for an answer at most. What takes longer waits for a disk, or for its turn."""
    return 60.0 + 4 * cpu_s(question, allowance)


def fits(answer: Answer, question: Question) -> bool:
    """Return whether *answer* is one to *question*."""
    if isinstance(answer, Faulty | Unreadable | Starved):
        return True
    match question:
        case Look():
            return isinstance(answer, Looked)
        case Decode():
            return isinstance(answer, Decoded)
        case Develop():
            return isinstance(answer, Developed)
        case _:
            assert_never(question)


def question_text(question: Question) -> bytes:
    """Return a question as it is sent."""
    return pickle.dumps(question)


def question_from(text: bytes) -> Question:
    """Return the question that was sent."""
    question: Question = pickle.loads(text)  # noqa: S301 - the service wrote it
    return question


def answer_text(answer: Answer) -> bytes:
    """Return an answer as it is sent; the bytes of a copy go behind it."""
    fields = {key: value for key, value in asdict(answer).items() if key != "data"}
    return json.dumps({"answer": type(answer).__name__, **fields}).encode()


def answer_from(text: bytes, data: bytes) -> Answer:
    """Return the answer that was sent.

    Raises:
        GarbledAnswer: It is none.
    """
    try:
        return _answer(json.loads(text), data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GarbledAnswer("this is no answer") from error


def _answer(fields: dict[str, Any], data: bytes) -> Answer:
    match fields["answer"]:
        case "Ready":
            return Ready()
        case "Looked":
            return Looked(facts=_facts(fields["facts"]))
        case "Decoded":
            return Decoded()
        case "Developed":
            return Developed(picture=Format(fields["picture"]), data=data)
        case "Faulty":
            message, hint = _words(fields["message"]), _words(fields["hint"])
            return Faulty(message=message, hint=hint, unfinished=bool(fields["unfinished"]))
        case "Unreadable":
            return Unreadable(number=_number(fields["number"]), reason=_words(fields["reason"]))
        case "Starved":
            return Starved()
        case _:
            raise ValueError("an unknown answer")


def _facts(fields: dict[str, Any]) -> Facts:
    """Return what a header told. The rest of what facts there are is never a decoder's to tell."""
    colours = fields["colours"]
    return Facts(
        kind=Kind.IMAGE,
        format=Format(fields["format"]),
        width=_side(fields["width"]),
        height=_side(fields["height"]),
        colours=None if colours is None else Colours(colours),
        bits=_number(fields["bits"]),
        frames=_number(fields["frames"]),
        orientation=_number(fields["orientation"]),
        transparent=bool(fields["transparent"]),
        located=bool(fields["located"]),
    )


def _side(value: Any) -> int | None:
    return None if value is None else _number(value)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MAX_SIDE:
        raise ValueError("no number of ours")
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no words")
    return value
