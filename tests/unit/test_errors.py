"""The tree of errors: what each keeps, and whose problem it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dropglow import errors
from dropglow.errors import (
    AuthError,
    ConfigError,
    DropglowError,
    FireflyError,
    ProtocolError,
    RequestRefused,
    RuleError,
    Throttled,
    Unavailable,
    Verdict,
)


def test_every_error_descends_from_ours() -> None:
    """Whoever catches ``DropglowError`` catches everything that is raised on purpose."""
    ours = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
    ]

    assert all(issubclass(error, DropglowError) for error in ours)


def test_the_drawing_names_every_error() -> None:
    """The tree at the top of the module is complete."""
    ours = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]

    assert [] == [name for name in ours if name not in (errors.__doc__ or "")]


def test_an_error_says_what_and_what_to_do() -> None:
    """Message and hint are kept apart, and the text is the message."""
    error = DropglowError("the outbox is gone", hint="is it mounted?")

    assert ("the outbox is gone", "is it mounted?", "the outbox is gone") == (
        error.message,
        error.hint,
        str(error),
    )


def test_a_configuration_error_keeps_all_faults() -> None:
    """Every fault is told at once, each with its place."""
    faults = ("a.yaml:1:1: unknown key", "a.yaml:2:1: duplicate key")

    error = RuleError("two faults", faults=faults, hint="edit the file")

    assert isinstance(error, ConfigError)
    assert (faults, "edit the file") == (error.faults, error.hint)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (FireflyError, Verdict.UNKNOWN),
        (AuthError, Verdict.LATER),
        (RequestRefused, Verdict.NO),
        (Throttled, Verdict.LATER),
        (Unavailable, Verdict.UNKNOWN),
        (ProtocolError, Verdict.UNKNOWN),
    ],
)
def test_each_failed_call_has_a_verdict(kind: type[FireflyError], verdict: Verdict) -> None:
    """Where nothing else is known, a failed call means what its class says."""
    assert verdict is kind("no").verdict


def test_a_verdict_can_be_known_better() -> None:
    """Whoever raises may know more than the class, for one error only."""
    error = Unavailable("never sent", verdict=Verdict.LATER)

    assert (Verdict.LATER, Verdict.UNKNOWN) == (error.verdict, Unavailable("no answer").verdict)


def test_a_failed_call_keeps_what_is_known() -> None:
    """Code, status, time and reach are there for whoever decides."""
    at = datetime(2026, 5, 4, tzinfo=UTC)

    error = Throttled("too many", code="429001", status=429, retry_at=at, service_wide=True)

    assert ("429001", 429, at, True) == (error.code, error.status, error.retry_at, error.service_wide)


def test_a_failed_call_may_know_nothing() -> None:
    """Without an answer there is no status, no code, no time, and no reason to stop the others."""
    error = Unavailable("connection lost")

    assert ("", None, None, False) == (error.code, error.status, error.retry_at, error.service_wide)
