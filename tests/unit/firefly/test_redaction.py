"""What must not be shown is taken out of texts."""

from __future__ import annotations

import pytest

from dropglow.firefly.redaction import redact, shortened


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("see https://h.example/a/b?X-Amz-Signature=1&x=2 now", "see https://h.example/a/b?… now"),
        ("Authorization: Bearer abc.def/ghi==", "Authorization: Bearer …"),
        ("token eyJhbGciOiJSUzI1.eyJpZCI6.sig-x here", "token … here"),
        ("/a?X-Amz-Credential=AK%2F1&b=1", "/a?X-Amz-Credential=…&b=1"),
        ('{"client_secret": "s3cr3t"}', '{"client_secret": "…"}'),
        ("nothing to hide?", "nothing to hide?"),
    ],
)
def test_redaction_takes_queries_and_tokens(text: str, safe: str) -> None:
    """What is left still says where and what."""
    assert safe == redact(text, ["", "unseen"])


def test_a_shortened_text_is_one_printable_line() -> None:
    """Control characters become spaces, and a long text ends in an ellipsis."""
    assert "a b" == shortened(" a\nb ")
    assert "abc…" == shortened("abcdefgh", 4)


def test_a_stand_in_for_credentials_garbles_no_words() -> None:
    """Whoever tries the sandbox with ``any`` as a secret can still read what happened."""
    assert "many answers" == redact("many answers", ["any", "a", ""])
    assert "the … is out" == redact("the secret is out", ["secret"])
