"""Prompt files are read strictly, and refused with a line number."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.errors import SourceFault, Unfinished
from dropglow.intake.prompts import MAX_PROMPT_BYTES, read_prompt


@pytest.mark.parametrize(
    "data",
    [
        "Ein Hügel".encode(),
        codecs.BOM_UTF8 + "Ein Hügel".encode(),
        "Ein Hügel".encode("utf-16"),
        codecs.BOM_UTF16_BE + "Ein Hügel".encode("utf-16-be"),
        "Ein Hu\u0308gel".encode(),
        "  Ein Hügel\t\n\n".encode(),
    ],
)
def test_every_marked_encoding_gives_the_same_text(data: bytes) -> None:
    """UTF-8, UTF-16 with a mark, composed or not, with space around: one text."""
    assert "Ein Hügel" == read_prompt(data)


def test_blank_lines_before_the_text_are_kept() -> None:
    """Faults name the line that an editor shows."""
    assert "\n\na boat" == read_prompt(b"\r\n \n  a boat\n")


def test_line_ends_become_line_feeds() -> None:
    """Windows and old Macs end their lines differently."""
    assert "a\nb\nc" == read_prompt(b"a\r\nb\rc")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"one\ntwo\ncaf\xe9 au lait", "line 3 is not UTF-8 text (byte 0xE9)"),
        (b"one\r\ncaf\xe9", "line 2 is not UTF-8"),
        ("one\ntwo".encode("utf-16-le"), "line 1 holds a NUL byte"),
        (codecs.BOM_UTF16_LE + b"a\x00\n\x00\x00\xd8b\x00", "line 2 is not UTF-16"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "line 1 is not UTF-16"),
        (b"one\n\x1b[31mred", "line 2 holds the control character U+001B"),
        (b"\n\t \r\n", "the file holds no text"),
        (codecs.BOM_UTF8, "the file holds no text"),
        (b"x" * (MAX_PROMPT_BYTES + 1), "a prompt file may have 1048576"),
    ],
)
def test_what_is_no_text_is_refused_in_words(data: bytes, words: str) -> None:
    """The message names the line, and the hint what to do."""
    with pytest.raises(SourceFault) as caught:
        read_prompt(data)

    assert words in caught.value.message
    assert "drop" in caught.value.hint


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    """Nothing but a fault of the file ever comes out, and no control character goes in."""
    try:
        text = read_prompt(data)
    except SourceFault:
        return

    assert text.lstrip("\n") == text.strip()
    assert all(char in "\t\n" or char.isprintable() or ord(char) > 0x9F for char in text)


@pytest.mark.parametrize(
    ("data", "unfinished"),
    [
        (b"a caf\xc3", True),
        ("a red fox \N{FOX FACE}".encode()[:-1], True),
        (codecs.BOM_UTF16_LE + b"a\x00b", True),
        (codecs.BOM_UTF16_LE + b"a\x00\x3e\xd8", True),
        (b"a red fox" + bytes(500), True),
        (bytes(2), True),
        (b"caf\xe9 au lait", False),
        (codecs.BOM_UTF16_LE + b"a\x00\n\x00\x00\xd8b\x00", False),
        ("one\ntwo".encode("utf-16-le"), False),
        (b"a" + bytes(9) + b"b", False),
        (b"a\x07", False),
        (b" \n", False),
    ],
)
def test_a_text_that_stops_in_its_middle_may_be_finished_yet(data: bytes, unfinished: bool) -> None:
    """Half a character, or room that is not filled yet; another encoding will never be UTF-8."""
    with pytest.raises(SourceFault) as caught:
        read_prompt(data)

    assert unfinished == isinstance(caught.value, Unfinished)
