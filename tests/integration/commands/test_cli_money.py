"""``approve``, ``pause``, ``resume``, ``costs``, and what ``status``, ``jobs`` and ``explain`` say about money."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.cli.exits import Exit

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Desk

BUDGETS = """
budget: {per_day: 3, hold_over: 2}
prices: {generate: 2}
"""


def documents(desk: Desk, *words: str) -> Any:
    return json.loads(desk.run(*words, "--json").stdout)


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def limit(desk: Desk, text: str = BUDGETS) -> None:
    """Add *text* to the configuration."""
    path = desk.folder / "dropglow.yaml"
    path.write_text(path.read_text() + text)


def test_what_is_held_goes_on_once_approved(desk: Desk) -> None:
    """By its drop's id: the job is queued, and its file is back in work."""
    desk.drop("aaaa000001", "held")
    before = desk.files()

    result = desk.run("approve", "aaaa000001")

    assert ["_held/beach.jpg", "_held/beach.jpg.held.txt"] == before
    assert (0, ["queued"], []) == (result.exit_code, desk.stages("aaaa000001"), desk.files())
    assert "job aaaa000001.1 approved" in result.stdout


def test_a_rules_name_means_all_that_it_holds(desk: Desk) -> None:
    """Everything that is held under the rule goes on, and each is answered for."""
    desk.drop("aaaa000001", "held", "delivered", "held")
    desk.drop("aaaa000002", "held")

    answers = documents(desk, "approve", "sizes")

    assert [True, True, True] == [each["ok"] for each in answers]
    assert {"aaaa000001.1", "aaaa000001.3", "aaaa000002.1"} == {each["target"] for each in answers}
    assert (["queued", "delivered", "queued"], ["queued"]) == (
        desk.stages("aaaa000001"),
        desk.stages("aaaa000002"),
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("sizes", "nothing is held under a rule 'sizes'"), ("aaaa000001", "nothing of it is held for approval")],
)
def test_what_is_not_held_needs_no_approval(desk: Desk, name: str, words: str) -> None:
    """It is said what there is, and the exit code is 1."""
    desk.drop("aaaa000001", "queued")

    result = desk.run("approve", name)

    assert (Exit.TROUBLED, ["queued"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert words in result.stderr


def test_what_is_held_can_be_cancelled(desk: Desk) -> None:
    """The file goes to `_failed` with a report that it was not billed, and its old report is gone."""
    desk.drop("aaaa000001", "held")

    desk.run("cancel", "aaaa000001")

    assert ["cancelled"] == desk.stages("aaaa000001")
    assert ["_failed/beach.jpg", "_failed/beach.jpg.error.txt"] == desk.files()
    assert "Billed:        no" in (desk.photos / "_failed" / "beach.jpg.error.txt").read_text()


def test_an_id_that_fits_several_is_not_called_unknown(desk: Desk) -> None:
    """Whoever typed too little of an id hears that, and not that there is none."""
    desk.drop("aaaa000001", "held")
    desk.drop("aaaa000002", "held")

    result = desk.run("approve", "aaaa")

    assert (Exit.TROUBLED, ["held"]) == (result.exit_code, desk.stages("aaaa000001"))
    assert "'aaaa' fits more than one" in result.stderr


def test_retry_does_not_approve(desk: Desk) -> None:
    """A held job was never tried, so trying it again makes no sense."""
    desk.drop("aaaa000001", "held")

    result = desk.run("retry", "aaaa000001")

    assert (Exit.TROUBLED, ["held"]) == (result.exit_code, desk.stages("aaaa000001"))


def test_spending_is_paused_and_goes_on(desk: Desk) -> None:
    """Without a service the ledger remembers; a second time is no fault; `status` says since when and why."""
    desk.drop("aaaa000001", "queued")

    paused = documents(desk, "pause", "--reason", "end of quarter")
    again = desk.run("pause")
    status = documents(desk, "status")["money"]
    page = desk.run("status").stdout
    resumed = documents(desk, "resume")

    assert (True, "command", "end of quarter") == (paused["ok"], paused["by"], paused["paused"]["reason"])
    assert (0, "spending was paused already\n") == (again.exit_code, again.stdout)
    assert "end of quarter" == status["paused"]["reason"]
    assert "Spending is paused since" in page
    assert "dropglow resume" in page
    assert (True, None) == (resumed["ok"], resumed["paused"])
    assert "spending was not paused\n" == desk.run("resume").stdout
    assert documents(desk, "status")["money"]["paused"] is None


def test_costs_are_told_by_what_is_asked(desk: Desk) -> None:
    """By rule unless said otherwise; what is in doubt counts, what was declined does not."""
    desk.drop("aaaa000001", "delivered", "in doubt", "declined")
    desk.drop("aaaa000002", "delivered")

    told = documents(desk, "costs")
    by_day = documents(desk, "costs", "--by", "day", "--by", "folder", "--by", "operation")
    page = desk.run("costs").stdout

    sums = {fate: each["orders"] for fate, each in told["total"].items()}
    assert {"bought": 2, "in_doubt": 1, "failed": 0, "returned": 1, "spent": 3} == sums
    assert [("sizes", 3)] == [(each["rule"], each["spent"]["images"]) for each in told["lines"]]
    (line,) = by_day["lines"]
    assert (str(desk.photos), "expand") == (line["folder"], line["operation"])
    assert ["day", "folder", "operation"] == by_day["by"]
    assert "may be billed, so it counts as spent" in page
    assert "sizes" in page


def test_costs_of_some_days_or_a_rule(desk: Desk) -> None:
    """Days are limits, both included; nothing is said in words."""
    desk.drop("aaaa000001", "delivered")

    found = documents(desk, "costs", "--since", "month", "--until", "today", "--rule", "sizes")
    other = documents(desk, "costs", "--rule", "art")
    older = desk.run("costs", "--until", "2001-01-31")

    assert [1, 0] == [each["total"]["spent"]["orders"] for each in (found, other)]
    assert "Nothing was ordered.\n" == older.stdout
    assert Exit.USAGE == desk.run("costs", "--since", "sometime").exit_code
    assert 0 == desk.run("costs", "--since", "yesterday").exit_code


def test_costs_before_the_first_run(desk: Desk) -> None:
    """Without a ledger nothing was ordered."""
    assert "Nothing was ordered.\n" == desk.run("costs").stdout
    assert [] == documents(desk, "costs")["lines"]


def test_several_rules_have_a_sum(desk: Desk) -> None:
    """More than one line ends with all of them together."""
    desk.drop("aaaa000001", "delivered")
    desk.drop("aaaa000002", "delivered", rule="art")

    lines = desk.run("costs").stdout.splitlines()

    assert ["RULE", "art", "sizes", "all"] == [line.split()[0] for line in lines]


def test_status_says_how_the_money_stands(desk: Desk) -> None:
    """Each budget with what is left, what waits for it, and what is held with the way on."""
    desk.drop("aaaa000001", "delivered", "delivered", "delivered", "short", age=timedelta())
    desk.drop("aaaa000002", "held")
    limit(desk)

    money = documents(desk, "status")["money"]
    page = desk.run("status").stdout

    (budget,) = money["budgets"]
    assert ("day", today(), None, 3, "images", 3, 0) == tuple(
        budget[name] for name in ("period", "of", "rule", "limit", "unit", "spent", "left")
    )
    assert datetime.fromisoformat(budget["turns_at"]) - datetime.now(UTC) <= timedelta(days=1)
    assert (1, {"sizes": 1}) == (money["waiting"], money["held"])
    assert f"all rules, day {today()}: 3 of 3 images spent, 0 left; goes on at" in page
    assert "1 job waiting for it" in page
    assert "1 job of sizes: dropglow approve sizes" in page


def test_jobs_lists_what_is_held(desk: Desk) -> None:
    """The state is one to ask for, and the reason stands in the list."""
    desk.drop("aaaa000001", "held", "queued")

    result = desk.run("jobs", "--state", "held")

    assert "aaaa000001.1" in result.stdout
    assert "aaaa000001.2" not in result.stdout
    assert "too many" in result.stdout


@pytest.mark.parametrize(
    ("stages", "outlook"),
    [
        (("delivered",), "bought"),
        (("delivered", "delivered", "delivered"), "waits"),
        (("queued",) * 2, "held"),
    ],
)
def test_explain_says_what_budgets_mean(desk: Desk, stages: tuple[str, ...], outlook: str) -> None:
    """Bought at once, later, or held: with the reasons, and the price by the corrected table."""
    limit(desk)
    desk.drop("aaaa000001", *stages, rule="art", age=timedelta())

    (inbox,) = documents(desk, "explain", "inbox/prompts/fox.txt", "--inbox", "inbox/prompts")["inboxes"]
    page = desk.run("explain", "fox.txt", "--inbox", "inbox/prompts").stdout

    assert (2, outlook) == (inbox["images"], inbox["money"]["outlook"])
    assert "It needs 1 image" in page
    assert "Price: 2 operations for 1 image" in page
    assert inbox["money"]["reasons"]


def test_explain_says_that_spending_is_paused(desk: Desk) -> None:
    """A pause holds whatever the budgets say."""
    desk.run("pause")

    (inbox,) = documents(desk, "explain", "fox.txt", "--inbox", "inbox/prompts")["inboxes"]

    assert "waits" == inbox["money"]["outlook"]
    assert "dropglow resume" in desk.run("explain", "fox.txt", "--inbox", "inbox/prompts").stdout


def test_explain_needs_no_ledger_for_it(desk: Desk) -> None:
    """A ledger that cannot be read is no reason to explain nothing."""
    desk.state.mkdir()
    (desk.state / "ledger.sqlite3").write_bytes(b"no database at all, but long enough to be looked into")

    (inbox,) = documents(desk, "explain", "fox.txt", "--inbox", "inbox/prompts")["inboxes"]

    assert inbox["money"] is None


def test_a_folder_of_budgets_is_checked(desk: Desk) -> None:
    """Every wrong word about money is told with its place."""
    limit(
        desk,
        "budget: {per_day: lots, hold_over: -1, per_hour: 3, brake: maybe}\n"
        "prices: {generate: {image5: x}, video: {4k: 3}, draw: 1}\n",
    )

    result = desk.run("check")

    assert Exit.CONFIGURATION == result.exit_code
    told = result.stdout + result.stderr
    for words in (
        "per_day should be a number of images like 100, or 100 operations, or off, not 'lots'",
        "hold_over",
        "per_hour",
        "brake should be on or off, not 'maybe'",
        "image5",
        "video should name the lines of a clip, 540, 720 or 1080, not '4k'",
        "draw",
    ):
        assert words in told
