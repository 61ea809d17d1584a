"""What the service and a decoding process say to each other arrives as it was meant, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.intake.darkroom.messages import (
    Allowance,
    Answer,
    Decode,
    Decoded,
    Develop,
    Developed,
    Faulty,
    GarbledAnswer,
    Look,
    Looked,
    Question,
    Ready,
    Starved,
    Unreadable,
    answer_from,
    answer_text,
    cpu_s,
    deadline_s,
    fits,
    pixels_of,
    question_from,
    question_text,
)
from dropglow.model import Colours, Facts, Format, Kind
from dropglow.preparing import Copy, Encoding, Stripped

FACTS = Facts(
    kind=Kind.IMAGE,
    format=Format.TIFF,
    width=6000,
    height=4000,
    colours=Colours.CMYK,
    bits=16,
    frames=2,
    orientation=6,
    transparent=True,
    located=True,
)
COPY = Copy(
    width=600,
    height=400,
    to_srgb=True,
    encodings=(Encoding(format=Format.JPEG, quality=90),),
    largest_bytes=1000,
    recipe="r",
    reasons=("it is too large",),
)
QUESTIONS: list[Question] = [
    Look(picture=Format.PNG),
    Decode(facts=FACTS),
    Develop(facts=FACTS, wanted=COPY),
    Develop(facts=FACTS, wanted=Stripped(recipe="r", reasons=("it tells a place",))),
]
ANSWERS: list[Answer] = [
    Ready(),
    Looked(facts=FACTS),
    Looked(facts=Facts(kind=Kind.IMAGE, format=Format.JXL)),
    Decoded(),
    Developed(picture=Format.WEBP, data=b"RIFF"),
    Faulty(message="it is an EPS", hint="save it as JPEG"),
    Faulty(message="it is cut off", hint="copy it again", unfinished=True),
    Unreadable(number=5, reason="Input/output error"),
    Starved(),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_arrives_as_it_was_asked(question: Question) -> None:
    """Nothing of it is lost on the way."""
    assert question == question_from(question_text(question))


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_arrives_as_it_was_given(answer: Answer) -> None:
    """The bytes of a copy travel behind the text."""
    data = answer.data if isinstance(answer, Developed) else b""

    assert answer == answer_from(answer_text(answer), data)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"answer": "Looked"}',
        b'{"answer": "Bought"}',
        b'{"answer": "Developed", "picture": "exe"}',
        b'{"answer": "Faulty", "message": 1, "hint": ""}',
        b'{"answer": "Unreadable", "number": -1, "reason": ""}',
        b'{"answer": "Unreadable", "number": true, "reason": ""}',
        b"[" * 60_000,
    ],
)
def test_what_is_no_answer_is_refused(text: bytes) -> None:
    """The process that wrote it may belong to somebody else by now."""
    with pytest.raises(GarbledAnswer):
        answer_from(text, b"")


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_a_strange_width_is_refused_or_a_number(width: object) -> None:
    """Whatever comes, it is a number of pixels or nothing at all."""
    fields = json.loads(answer_text(Looked(facts=FACTS)))
    fields["facts"]["width"] = width
    try:
        answer = answer_from(json.dumps(fields).encode(), b"")
    except GarbledAnswer:
        return

    assert isinstance(answer, Looked)
    assert answer.facts.width is None or answer.facts.width >= 0


@pytest.mark.parametrize("question", QUESTIONS)
def test_only_its_own_kind_of_answer_fits_a_question(question: Question) -> None:
    """Besides those that say why there is none."""
    fitting = {type(answer) for answer in ANSWERS if fits(answer, question)}

    own = {Look: Looked, Decode: Decoded, Develop: Developed}[type(question)]
    assert {own, Faulty, Unreadable, Starved} == fitting


def test_a_large_picture_gets_more_time_than_a_small_one_and_a_copy_more_than_a_look() -> None:
    """24 megapixels, on the slowest machine that is thought of."""
    look, decode, develop, _ = QUESTIONS
    allowance = Allowance(least_cpu_s=30)

    assert [0, 24_000_000] == [pixels_of(look), pixels_of(decode)]
    assert [30, 54, 216] == [cpu_s(each, allowance) for each in (look, decode, develop)]
    assert deadline_s(look, allowance) > cpu_s(look, allowance)
