"""Where a picture or a prompt comes from: a file, a file beside the drop, an address."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.rules.source import LONGEST_ADDRESS, PictureSource, picture_source, readable_address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a.png", PictureSource(path="a.png")),
        ({"source": "a.png"}, PictureSource(path="a.png")),
        ({"sidecar": "{stem}.png"}, PictureSource(sidecar="{stem}.png")),
        ({"source": {"sidecar": "{name}.png"}}, PictureSource(sidecar="{name}.png")),
        ("https://a.b/c", PictureSource(url="https://a.b/c")),
        (PictureSource(path="x"), PictureSource(path="x")),
    ],
)
def test_a_picture_can_be_written_in_several_ways(written: Any, meant: Any) -> None:
    """The API's own ``source`` may be written out, and means nothing more."""
    assert meant == picture_source(written)


@pytest.mark.parametrize("written", ["a.png", {"sidecar": "{stem}.png"}, "https://a.b/c"])
def test_what_is_written_again_means_the_same(written: Any) -> None:
    """A picture survives being laid over by front matter."""
    assert written == picture_source(written).written()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "should be the path of a picture"),
        (7, "should be the path of a picture"),
        ("a\x00b", "should be the path of a picture"),
        ({"source": "a.png", "x": 1}, "should be the path of a picture"),
        ({"sidecar": "{stem}.png", "x": 1}, "should be the path of a picture"),
        ({"sidecar": 7}, "should name a file beside the drop"),
        ({"sidecar": "mask.png"}, "should have {stem} in the sidecar's name"),
        ({"sidecar": "{size}.png"}, "knows {stem} and {name}, and not {size}"),
        ({"sidecar": "a/{stem}.png"}, "should be a plain name beside the drop"),
        ({"sidecar": ".{stem}.png"}, "should be a plain name beside the drop"),
        ({"sidecar": "{name}"}, "should be a plain name beside the drop"),
        ("http://a.b/c", "should be an https address"),
        (f"https://a.b/{'c' * LONGEST_ADDRESS}", "may have at most 2,083 characters, not"),
        ("https://a.b/c d", "without blanks and special characters"),
        ("https://a.b/é", "without blanks and special characters"),
    ],
)
def test_what_names_no_picture_is_refused(written: Any, words: Any) -> None:
    """The message says what would be right."""
    with pytest.raises(ValueError) as caught:
        picture_source(written)

    assert words in str(caught.value)


def test_an_address_may_be_as_long_as_adobe_reads() -> None:
    """The limit itself is allowed."""
    longest = "https://a.b/".ljust(LONGEST_ADDRESS, "c")

    assert longest == picture_source(longest).url


def test_an_address_does_not_print() -> None:
    """It is signed, and whoever has it may read the picture."""
    assert "secret" not in repr(picture_source("https://a.b/c?secret"))


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("https://bucket.s3.amazonaws.com/a.png?x=1", True),
        ("https://amazonaws.com/a.png", True),
        ("https://B.Blob.Core.Windows.Net./a.png", True),
        ("https://storage.googleapis.com:443/a.png", True),
        ("https://storage.googleapis.com:8443/a.png", False),
        ("https://storage.googleapis.com:80/a.png", False),
        ("https://storage.googleapis.com:port/a.png", False),
        ("http://amazonaws.com/a.png", False),
        ("https://amazonaws.com.evil.example/a.png", False),
        ("https://evilamazonaws.com/a.png", False),
        ("https://amazonaws.com@evil.example/a.png", False),
        ("https://user:word@amazonaws.com/a.png", False),
        ("https:///a.png", False),
    ],
)
def test_only_addresses_that_adobe_reads_are_readable(url: Any, readable: Any) -> None:
    """The host is compared whole: a name that only begins or ends alike is another one."""
    assert readable is readable_address(url)
