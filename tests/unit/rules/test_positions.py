"""YAML with the meanings of 1.2, and where everything stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.rules.positions import LARGEST_DOCUMENT, Position, parse
from dropglow.rules.problem import Problem


def value_of(text: str) -> object:
    document = parse(text, environ={})
    assert not document.problems
    return document.value


def fault_of(text: str) -> tuple[Position, str]:
    (fault,) = parse(text, environ={}).problems
    return fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16:9", "16:9"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("1920x1080", "1920x1080"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("", None),
        ("# only a comment", None),
    ],
)
def test_scalars_have_the_meanings_of_yaml_1_2(text: Any, expected: Any) -> None:
    """A word is a word, also where YAML 1.1 saw a number or a truth."""
    assert expected == value_of(text)
    assert type(expected) is type(value_of(text))


def test_keys_are_always_text() -> None:
    """``on`` as a key is the word, and so is a number."""
    assert {"on": 1, "2": "b"} == value_of("on: 1\n2: b")


def test_blocks_and_lists_are_read() -> None:
    """Blocks become dictionaries, lists become lists."""
    assert {"a": [1, {"b": None}]} == value_of("a:\n  - 1\n  - b:\n")


def test_a_value_and_its_key_have_their_places() -> None:
    """Faults about a value point at the value, those about a key at the key."""
    document = parse("a:\n  b: [1, x]\n", environ={})

    assert Position(line=2, column=10) == document.position(Problem(path=("a", "b", 1), message=""))
    assert Position(line=2, column=3) == document.position(Problem(path=("a", "b"), message="", of_key=True))
    assert Position(line=2, column=6) == document.position(Problem(path=("a", "b"), message=""))


def test_a_place_that_is_missing_is_the_nearest_around_it() -> None:
    """What is not there is told at the block where it should be."""
    document = parse("a:\n  b: 1\n", environ={})

    assert Position(line=1, column=1) == document.position(Problem(path=("a", "c"), message=""))
    assert Position(line=1, column=1) == document.position(Problem(path=("z",), message="", of_key=True))


def test_an_empty_document_has_one_place() -> None:
    """There is always a place to point at."""
    assert Position(line=1, column=1) == parse("", environ={}).position(Problem(path=("a",), message=""))


def test_a_key_that_stands_twice_is_told() -> None:
    """The later of two equal keys would win in silence elsewhere."""
    assert (Position(line=2, column=1), "the key a is here twice; the first is in line 1") == fault_of(
        "a: 1\na: 2"
    )


def test_an_unquoted_pattern_is_told_to_be_quoted() -> None:
    """A pattern that begins with a star is an alias to YAML."""
    for text in ("name: *.png", "name: *png"):
        place, message = fault_of(text)

        assert Position(line=1, column=7) == place or Position(line=1, column=8) == place
        assert "put the pattern in quotes" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &b 1", "anchors"),
        ("a: !!python/object:x 1", "the tag"),
        ("? [a]\n: 1", "a key should be a word"),
        ("a: [1", "this is not YAML"),
        ("a: 1\n---\nb: 2", "this is not YAML"),
        ("a:\n\t- b", "indent with spaces"),
        ("[" * 50 + "]" * 50, "levels deep"),
        ("a: .inf", "no number"),
        ("a: .nan", "no number"),
        ("a: " + "9" * 31, "this number has 31 characters"),
        ("a: b\x00", "the character U+0000"),
        ("a: " + "b" * LARGEST_DOCUMENT, "too large"),
    ],
)
def test_traps_are_refused_with_words(text: Any, words: Any) -> None:
    """Everything that surprises is a fault with a place."""
    _, message = fault_of(text)

    assert words in message


def test_a_bad_character_has_its_line_and_column() -> None:
    """The place is counted as editors count."""
    place, _ = fault_of("a: 1\nbc: \x01")

    assert Position(line=2, column=5) == place


def test_several_faults_are_told_at_once() -> None:
    """One reading tells every fault that can be told apart."""
    assert 3 == len(parse("a: .inf\nb: ${X}\nb: 2", environ={}).problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${N}", 5),
        ('"${N}"', "5"),
        ("a${N}b", "a5b"),
        ("$${N}", "${N}"),
        ("cost: $5", {"cost": "$5"}),
    ],
)
def test_values_may_come_from_the_environment(text: Any, expected: Any) -> None:
    """A variable gives the text that would have stood there; two dollars give one."""
    assert expected == parse(text, environ={"N": "5"}).value


def test_a_variable_that_is_not_set_is_told() -> None:
    """An unset variable is a fault at its value."""
    assert (Position(line=1, column=4), "the environment variable NOPE is not set") == fault_of("a: ${NOPE}")


def test_a_strange_variable_name_is_told() -> None:
    """What cannot be a variable's name is a slip."""
    assert "is no environment variable's name" in fault_of("a: ${1 + 1}")[1]


def test_dropped_text_reads_no_environment() -> None:
    """Without an environment values stay as they are written."""
    assert {"a": "${HOME}"} == parse("a: ${HOME}", environ=None).value


@given(st.text(alphabet=st.sampled_from("ab:-[]{}#&*!|>'\"%@`\n\t ,?0.~$"), max_size=60))
def test_any_text_gives_a_document(text: Any) -> None:
    """Whatever is written, the reading ends with a value or faults, never with a crash."""
    document = parse(text, environ={})

    assert document.problems or document.position(Problem(path=(), message="")).line >= 1
