"""``dropglow jobs`` and ``dropglow show``: what is listed, and what is told of one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk


def listed(desk: Desk, *options: Any) -> Any:
    """Return the ids of the jobs that are listed with these options."""
    return [job["job"] for job in json.loads(desk.run("jobs", "--json", *options).stdout)]


@pytest.fixture
def busy(desk: Desk) -> Any:
    """Return a desk with three drops: one of last week, one of three hours ago, one of now."""
    desk.drop("aaaa000001", "delivered", "failed", age=timedelta(days=8), name="Old/Beach.JPG")
    desk.drop("aaaa000002", "running", "queued", "cancelled", age=timedelta(hours=3), name="city.jpg")
    desk.drop("aaaa000003", "in doubt", name="dunes.jpg")
    return desk


def test_the_newest_come_first(busy: Any) -> None:
    """Jobs are listed from the newest to the oldest."""
    assert ["aaaa000003.1", "aaaa000002.3"] == listed(busy)[:2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--state", "open"], {"aaaa000002.1", "aaaa000002.2"}),
        (["--state", "done"], {"aaaa000001.1"}),
        (["--state", "doubt"], {"aaaa000003.1"}),
        (["--state", "failed", "--state", "cancelled"], {"aaaa000001.2", "aaaa000002.3"}),
        (["--source", "bEACH"], {"aaaa000001.1", "aaaa000001.2"}),
        (["--since", "2h"], {"aaaa000003.1"}),
        (["--since", "1d", "--state", "queued"], {"aaaa000002.2"}),
        (["--since", "2999-01-01"], set()),
        (["--rule", "art"], set()),
    ],
)
def test_filters_narrow_the_list(busy: Any, options: Any, expected: Any) -> None:
    """Every filter narrows the list; states add up."""
    assert expected == set(listed(busy, *options))


def test_a_limit_says_that_there_is_more(busy: Any) -> None:
    """Beyond the limit nothing is listed, but that there is more is said, beside the list."""
    result = busy.run("jobs", "--limit", "2")

    assert 3 == len(result.stdout.splitlines())
    assert "There are more" in result.stderr


def test_a_row_tells_what_became_of_a_job(busy: Any) -> None:
    """A row names result or reason, and Adobe's job id."""
    lines = busy.run("jobs").stdout.splitlines()

    assert any("urn:aaaa000001.1" in line and "aaaa000001.1.jpg" in line for line in lines)
    assert any("nothing was ordered: content policy" in line for line in lines)


def test_what_waited_for_its_budget_waits_for_its_turn_once_its_day_came(desk: Desk) -> None:
    """No budget is spent for it any more, whichever command tells of it."""
    desk.drop("aaaa000001", "short", age=timedelta(hours=2), name="old.jpg")
    desk.drop("aaaa000002", "short", name="new.jpg")

    old, new = (desk.run("show", key).stdout for key in ("aaaa000001", "aaaa000002"))
    rows = desk.run("jobs").stdout.splitlines()
    documents = [json.loads(desk.run("show", f"aaaa000001{each}", "--json").stdout) for each in ("", ".1")]

    assert ("it waits for its turn" in old, "it waits for its turn" in new) == (True, False)
    assert ["the budget is spent" in row for row in rows if ".jpg" in row] == [True, False]
    told = [documents[0]["jobs"][0]["failure"], documents[1]["failure"]]
    assert [("budget", "it waits for its turn", "its budget began anew")] * 2 == [
        (each["code"], each["what"], each["why"]) for each in told
    ]


def test_nothing_to_list(desk: Desk) -> None:
    """Without a ledger the list is empty, and that is no error."""
    result = desk.run("jobs")

    assert (0, "No job fits.\n") == (result.exit_code, result.stdout)
    assert [] == listed(desk)


@pytest.mark.parametrize("options", [["--since", "yesterday"], ["--state", "lost"], ["--limit", "0"]])
def test_wrong_usage_is_said(desk: Desk, options: Any) -> None:
    """What cannot be meant is refused with the exit code for wrong usage."""
    assert 2 == desk.run("jobs", *options).exit_code


def test_a_job_has_the_documented_shape(busy: Any) -> None:
    """The document of a job has the documented keys, and no link."""
    text = busy.run("jobs", "--json", "--state", "done").stdout

    assert set(json.loads(text)[0]) == {
        "job", "drop", "rule", "source", "operation", "model", "size", "content_class", "part", "prompt", "seeds", "images", "stage", "attempt",
        "job_id", "created_at", "begun_at", "accepted_at", "completed_at", "ended_at", "not_before", "results",
        "skipped", "failure", "cancel_wanted", "late", "reuses",
    }  # fmt: skip
    assert "signed" not in text


@pytest.mark.parametrize(
    "typed", ["aaaa000003", "aaaa000003.1", "aaaa000003.", "aaaa000002.1", "urn:aaaa000002.1"]
)
def test_anything_that_names_it_shows_it(busy: Any, typed: Any) -> None:
    """A drop's id, a job's, a beginning of one and Adobe's own all lead to the story."""
    document = json.loads(busy.run("show", typed, "--json").stdout)

    assert document["drop"] == typed.removeprefix("urn:")[:10]


def test_a_drop_is_shown_with_all_that_happened(busy: Any) -> None:
    """The story of a drop has its jobs, the file's place now, and its history, oldest first."""
    document = json.loads(busy.run("show", "aaaa000001", "--json").stdout)

    assert ["delivered", "failed"] == [job["stage"] for job in document["jobs"]]
    assert document["place"].endswith("_failed/Old/Beach.JPG")
    assert ("Admitted", "Closed") == (document["history"][0]["event"], document["history"][-1]["event"])


def test_a_job_is_shown_alone(busy: Any) -> None:
    """The story of a job has its drop's facts, and the history of no other job."""
    document = json.loads(busy.run("show", "aaaa000001.2", "--json").stdout)

    assert ("failed", "aaaa000001") == (document["stage"], document["of"]["drop"])
    assert {"aaaa000001.2"} == {record["job"] for record in document["history"]}


def test_the_page_says_what_matters(busy: Any) -> None:
    """For a person the page has order, prompt, seed, failure, advice and history."""
    text = busy.run("show", "aaaa000003").stdout

    for part in (
        "dunes.jpg",
        "a calm sea",
        "41",
        "the connection was cut",
        "resolve aaaa000003.1",
        "Doubted",
    ):
        assert part in text


@pytest.mark.parametrize("typed", ["nobody", "aaaa0000"])
def test_what_names_nothing_or_too_much_is_said(busy: Any, typed: Any) -> None:
    """An unknown id and one that fits several are errors in words, without a traceback."""
    result = busy.run("show", typed)

    assert 1 == result.exit_code
    assert "dropglow jobs" in result.stderr
    assert "Traceback" not in result.output


def test_what_was_paid_for_and_skipped_is_said(desk: Desk) -> None:
    """A result that was not kept, because its name was taken, is told as bought, and why it is not there."""
    desk.drop("aaaa000001", "skipped")

    page = desk.run("show", "aaaa000001").stdout
    (job,) = json.loads(desk.run("jobs", "--json").stdout)

    assert "1 result paid for and not kept: its name was taken" in page
    assert "paid for and not kept" in desk.run("jobs").stdout
    assert (1, []) == (job["skipped"], job["results"])
