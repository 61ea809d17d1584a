"""Which addresses every program takes apart in the same way."""

from __future__ import annotations

import pytest

from dropglow.weblinks import parts_of


def test_an_address_comes_apart() -> None:
    """Scheme, host and port are told."""
    parts = parts_of("https://example.com:8443/hook?x=1")

    assert parts is not None
    assert ("https", "example.com", 8443) == (parts.scheme, parts.hostname, parts.port)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://example.com",
        "https:///path",
        "https://[::1",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://exam ple.com/",
        "https://example.com\\@evil.example/",
        "https://example.com/\u200b",
    ],
)
def test_what_programs_disagree_about_is_no_address(address: str) -> None:
    """The host that is judged is the host that is called."""
    assert parts_of(address) is None
