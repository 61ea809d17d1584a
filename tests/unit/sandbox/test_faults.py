"""What may go wrong on request, and how it is written."""

from __future__ import annotations

import random

import pytest

from dropglow.sandbox.faults import FAULT_HELP, NEVER, Faults, Rate, Span, parse_faults


def test_no_words_mean_no_faults() -> None:
    """Without words nothing goes wrong."""
    assert Faults() == parse_faults([])


def test_every_kind_of_value_is_read() -> None:
    """Ranges, shares, counts, numbers and words become what they stand for."""
    faults = parse_faults(
        ["duration=2-4", "submit_lost=0.5", "empty=first:3", "fewer=every:2", "shape=B", "link_life=9"]
    )

    assert Span(low_s=2, high_s=4) == faults.duration
    assert Rate(share=0.5) == faults.submit_lost
    assert Rate(first=3) == faults.empty
    assert Rate(every=2) == faults.fewer
    assert faults.shape == "B"
    assert faults.link_life == 9


def test_one_number_is_a_fixed_duration() -> None:
    """A duration without a dash is a range of one value."""
    assert Span(low_s=0.5, high_s=0.5) == parse_faults(["duration=0.5"]).duration


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A slip of the pen is corrected."""
    with pytest.raises(ValueError, match="did you mean 'submit_lost'"):
        parse_faults(["submit_lots=1"])


@pytest.mark.parametrize(
    "word",
    [
        "duration", "duration=", "duration=4-2", "duration=-1", "duration=nan", "duration=inf", "submit_lost=2",
        "submit_lost=often", "submit_lost=first:x", "submit_lost=last:2", "per_minute=0", "per_minute=1.5", "shape=D",
        "accept_status=201", "submit_error=200", "retry_after=-1", "cancel_error=done", "job_failed_code=", "unsafe_word=", "forbidden=no", "clock_skew=x", "=", "",
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused(word: str) -> None:
    """Every value is checked when it is read, not when it strikes."""
    with pytest.raises(ValueError, match=r"fault|called"):
        parse_faults([word])


def test_every_fault_has_a_meaning() -> None:
    """Help knows every name, in one line."""
    assert all(meaning and "\n" not in meaning for meaning in FAULT_HELP.values())
    assert {"duration", "submit_lost", "submit_502", "pictures", "clock_skew"} <= set(FAULT_HELP)


def test_help_names_the_words_that_a_fault_takes() -> None:
    """Unless its meaning names them already."""
    assert FAULT_HELP["cancel_error"].endswith("runtime_error, model_not_loaded)")
    assert FAULT_HELP["upload_error"].endswith("(400, 403, 415, 451, 502, 503)")
    assert "(A, B, C)" not in FAULT_HELP["shape"]


def test_words_and_statuses_are_read() -> None:
    """As what they are."""
    faults = parse_faults(["cancel_error=job_timeout", "submit_error=529", "status_word=done"])

    assert ("job_timeout", 529, "done") == (faults.cancel_error, faults.submit_error, faults.status_word)


def test_the_first_calls_are_struck() -> None:
    """first:2 strikes twice and never again."""
    rate = Rate(first=2)

    assert [True, True, False, False] == [rate.strikes(call=call, roll=lambda: 1.0) for call in (1, 2, 3, 4)]


def test_every_second_call_is_struck() -> None:
    """every:2 spares the odd calls."""
    rate = Rate(every=2)

    assert [False, True, False, True] == [rate.strikes(call=call, roll=lambda: 1.0) for call in (1, 2, 3, 4)]


def test_dice_are_rolled_only_where_chance_decides() -> None:
    """A fault that is off or certain leaves the dice alone, so that it does not shift the others."""
    dice = random.Random(1)
    before = dice.getstate()

    assert not NEVER.strikes(call=1, roll=dice.random)
    assert Rate(share=1.0).strikes(call=1, roll=dice.random)
    assert before == dice.getstate()
