"""The nouns: frozen, slotted, and shy about secrets."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from dropglow import model
from dropglow.model import After, Companion, Drop, DropKey, Kind, Member, Original, Output, RuleName, Sighting

OURS = [
    value for value in vars(model).values() if isinstance(value, type) and value.__module__ == model.__name__
]
NOUNS = [value for value in OURS if dataclasses.is_dataclass(value)]
WORDS = [value for value in OURS if issubclass(value, Enum)]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_noun_is_plain_frozen_data(noun: type) -> None:
    """A noun cannot be changed in place, grows no attributes, and is built by names only."""
    parameters = noun.__dataclass_params__  # type: ignore[attr-defined]

    assert parameters.frozen
    assert "__slots__" in vars(noun)
    assert all(item.kw_only for item in dataclasses.fields(noun))


def test_a_link_is_not_printed() -> None:
    """A result's link is signed, so it does not show where an output is printed."""
    output = Output(index=0, seed=1, url="https://results.test/0?X-Amz-Signature=secret")

    assert "secret" not in repr(output)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_stored_words_are_the_names_in_small(words: type[Enum]) -> None:
    """What is stored for a word is its name in small letters, so that files and code agree."""
    assert [word.name.lower() for word in words] == [word.value for word in words]


DROP = Drop(
    key=DropKey("abcdefghij"),
    inbox="/in",
    path="hill.txt",
    place="/state/kept/1/abcdefghij~hill.txt",
    rule=RuleName("art"),
    rule_digest="digest",
    sha256="a" * 64,
    size_bytes=5,
    device=1,
    inode=2,
    kind=Kind.PROMPT,
    after=After(done=None, failed="/out/_failed", held="/out/_held", workshop="/state/kept/1"),
    admitted_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_drop_says_where_its_original_lies() -> None:
    """People are told of the original, and not of a copy that they cannot see."""
    moved = dataclasses.replace(DROP, after=After(done=None, failed="/in/_failed", held="/in/_held"))

    assert "/in/hill.txt" == DROP.whereabouts(DROP)
    assert DROP.place == moved.whereabouts(moved)


def test_a_marker_is_no_content_of_a_drop() -> None:
    """What only says that a drop is whole does not make it another one."""
    mask = Companion(
        path="hill.mask.png", place="", sha256="b" * 64, size_bytes=1, device=1, inode=3, kind=Kind.IMAGE
    )
    marker = dataclasses.replace(mask, path="hill.ready", sha256="c" * 64, kind=None)

    assert ("b" * 64,) == dataclasses.replace(DROP, companions=(marker, mask)).contents


@pytest.mark.parametrize(
    ("changes", "like"),
    [
        ({}, True),
        ({"device": 9, "inode": 9, "ctime_ns": 9}, True),
        ({"size_bytes": 9}, False),
        ({"mtime_ns": 9}, False),
    ],
)
def test_an_original_is_known_by_size_and_time(changes: dict[str, Any], like: bool) -> None:
    """What a share makes up when it is mounted again does not count."""
    seen = Sighting(path="a.jpg", device=1, inode=2, size_bytes=3, mtime_ns=4, ctime_ns=5)
    original = Original(inbox="/in", path="a.jpg", size_bytes=3, mtime_ns=4, drop=DropKey("abcdefghij"))

    assert like is original.is_like(dataclasses.replace(seen, **changes))


def test_a_member_is_where_its_folder_is() -> None:
    """And nowhere once that is gone."""
    member = Member(path="shoot/raw/a.jpg", sha256="1", size_bytes=1)
    drop = Drop(
        key=DropKey("abcdefghij"),
        inbox="/in",
        path="shoot",
        place="/in/_done/shoot_2",
        rule=RuleName("art"),
        rule_digest="d",
        sha256="5",
        size_bytes=1,
        device=1,
        inode=2,
        kind=Kind.IMAGE,
        members=(member,),
        after=After(done=None, failed="/f", held="/h"),
        admitted_at=datetime(2026, 1, 31, tzinfo=UTC),
    )

    assert drop.folder
    assert "/in/_done/shoot_2/raw/a.jpg" == drop.place_of(member)
    assert "" == dataclasses.replace(drop, place="").place_of(member)
