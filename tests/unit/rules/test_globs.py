"""Name patterns: case, sub-folders, anchors."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from dropglow.rules.globs import compile_globs, folded, glob_fault, may_share_a_name


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*.jpg", "a.jpg"),
        ("*.jpg", "deep/er/A.JPG"),
        ("a/*.jpg", "a/b.jpg"),
        ("/a/*.jpg", "a/b.jpg"),
        ("/*.jpg", "b.jpg"),
        ("**/b.jpg", "b.jpg"),
        ("**/b.jpg", "x/y/b.jpg"),
        ("a/**", "a/b/c.png"),
        ("a/**/c.png", "a/c.png"),
        ("photo?.png", "photo1.png"),
        ("[a-c]*.png", "bus.png"),
        ("[!a-c]*.png", "dog.png"),
        ("[^a]x", "bx"),
        ("[z-a]x", "-x"),
        ("[a.]x", ".x"),
        ("[x", "[x"),
        ("[]x", "[]x"),
        ("**.png", "ab.png"),
        ("STRASSE*", "straße.txt"),
        ("caf\u00e9.txt", unicodedata.normalize("NFD", "CAF\u00c9.txt")),
        ("a\nb*", "a\nbc"),
    ],
)
def test_a_pattern_takes_the_paths_it_means(glob: Any, path: Any) -> None:
    """Bare patterns mean the name anywhere, others are anchored; case and normal form do not matter."""
    assert compile_globs([glob]).fullmatch(folded(path))


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*.jpg", "a.jpeg"),
        ("/*.jpg", "a/b.jpg"),
        ("a/*.jpg", "x/a/b.jpg"),
        ("a/*.jpg", "a/b/c.jpg"),
        ("a/**", "a"),
        ("photo?.png", "photo.png"),
        ("[!a]x", "ax"),
        ("a?b", "a/b"),
        ("x[!a]b", "x/b"),
        ("*.jpg", "a.jpg.txt"),
    ],
)
def test_a_pattern_leaves_other_paths(glob: Any, path: Any) -> None:
    """A star stays inside its folder, and the whole path is compared."""
    assert not compile_globs([glob]).fullmatch(folded(path))


def test_several_patterns_make_one_expression() -> None:
    """Any of several patterns is enough."""
    pattern = compile_globs(["*.jpg", "*.png"])

    assert pattern.fullmatch("a.png")
    assert pattern.fullmatch("a.jpg")
    assert not pattern.fullmatch("a.gif")


@pytest.mark.parametrize(
    ("glob", "words"), [("", "empty"), (" / ", "empty"), ("a\\*.jpg", "backslash"), ("../*.jpg", "climb")]
)
def test_patterns_that_cannot_match_are_told(glob: Any, words: Any) -> None:
    """A pattern that could never match is a slip of the operator."""
    assert words in (glob_fault(glob) or "")


def test_a_good_pattern_has_no_fault() -> None:
    """Usual patterns pass."""
    assert glob_fault("a/**/*.jpg") is None


@pytest.mark.parametrize(
    ("ones", "others", "possible"),
    [
        (["*.jpg"], ["*.png"], False),
        (["*.jpg"], ["*.JPG"], True),
        (["*.jpg"], ["cat*"], True),
        (["*.jpg", "*.png"], ["*.tif", "x/*.PNG"], True),
        (["cat.jpg"], ["*.jpg"], True),
        (["cat.jpg"], ["dog.jpg"], False),
        (["*_cat.jpg"], ["*.jpg"], True),
        (["[ab].jpg"], ["?.png"], False),
        (["shoes/**"], ["*.png"], True),
        ([], ["*.png"], True),
        (["*.png"], [], True),
    ],
)
def test_patterns_that_end_differently_share_no_name(
    ones: list[str],
    others: list[str],
    possible: bool,
) -> None:
    """What cannot be told apart by its end may be the same file."""
    assert possible is may_share_a_name(ones, others)
