"""What of a secret is kept out of quotations."""

from __future__ import annotations

from dropglow.notify.discretion import forms_of_login, lines_of, parts_of_address, quoted


def test_the_root_of_a_host_is_no_secret() -> None:
    """Nor is a word that stands in every second sentence; what a server cannot know it does not quote."""
    parts = parts_of_address("https://hub.example/api/token%2Dabc?x=1")

    assert {"/api/token%2Dabc?x=1", "/api/token-abc?x=1", "token%2Dabc", "token-abc", "x=1"} <= parts
    assert {"/", "api", "1", ""}.isdisjoint(parts)
    assert {"https://hub.example/"} == parts_of_address("https://hub.example/")


def test_nobody_who_logs_in_has_no_password_to_hide() -> None:
    """An empty text would be found between all letters."""
    assert frozenset() == forms_of_login("", "")
    assert frozenset({"one", "two"}) == lines_of("one\n\n two \n")


def test_a_password_is_known_in_every_form_that_a_mail_server_is_sent() -> None:
    """Some repeat the line that they were sent, in base64."""
    plain, login = "AG1lAGh1c2g=", "aHVzaA=="

    assert {"hush", plain, login} == forms_of_login("me", "hush")


def test_what_is_cut_off_loses_as_much_as_a_secret_may_have_left() -> None:
    """The beginning of a secret is no longer it, and still too much of it."""
    assert "no …, no" == quoted({"token-abc"}, "no token-abc,\n no token-ab", whole=False)
    assert "no token-ab" == quoted({"token-abc"}, "no token-ab")
    assert "all" == quoted((), "all", whole=False)
