"""Download links that end, and cannot be made up."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from dropglow.sandbox.signing import Verdict, check_link, sign_link

AT = 1_795_000_000.0


def verdict(link: str, *, now: float = AT, changes: dict[str, str] | None = None) -> Verdict:
    """Return what the check says about a link, perhaps a changed one."""
    parts = urlsplit(link)
    return check_link(parts.path, dict(parse_qsl(parts.query)) | (changes or {}), now=now, key=b"k")


@pytest.fixture
def link() -> str:
    return sign_link("/results/1/0.jpg", at=AT, life_s=60, key=b"k")


def test_a_fresh_link_is_good(link: str) -> None:
    """A link works until its last second."""
    assert verdict(link, now=AT + 59) is Verdict.GOOD


def test_a_link_ends(link: str) -> None:
    """A link does not work after its life."""
    assert verdict(link, now=AT + 60) is Verdict.EXPIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Amz-Expires": "9999"},
        {"X-Amz-Date": "20300101T000000Z"},
        {"X-Amz-Signature": "0"},
        {"X-Amz-Signature": "ü"},
    ],
)
def test_a_changed_link_is_forged(link: str, changes: dict[str, str]) -> None:
    """Nobody can prolong a link."""
    assert verdict(link, changes=changes) is Verdict.FORGED


def test_another_path_is_forged(link: str) -> None:
    """A signature is good for one picture."""
    assert verdict(link.replace("/0.jpg", "/1.jpg")) is Verdict.FORGED


def test_no_query_is_forged() -> None:
    """A bare path opens nothing."""
    assert verdict("/results/1/0.jpg") is Verdict.FORGED
