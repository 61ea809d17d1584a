"""What the files of a whole folder come to, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from dropglow.errors import SourceFault
from dropglow.model import DropKey, Facts, Format, Kind
from dropglow.rules.members import Look, Part, companions_fault, parts, unmatched, verdicts
from dropglow.rules.rule import Rule

MakeRule = Callable[[str], Rule]

PHOTO = Facts(kind=Kind.IMAGE, format=Format.JPEG, width=1200, height=800, size_bytes=1000)
PROMPT = Facts(kind=Kind.PROMPT, text="a red boat")
BROKEN = Facts(kind=Kind.IMAGE, fault="it is damaged", hint="save it again")
MASKED = 'drop: folder\nexpand: {mask: {sidecar: "{stem}.mask.png"}}'


def look(path: str, facts: Facts = PHOTO) -> Look:
    return Look(path=path, size_bytes=1000, facts=facts)


def made(rules: Sequence[Rule], *looks: Look) -> dict[str, Part]:
    found = parts(rules, looks, drop_key=DropKey("abcdefghij"), now=datetime(2026, 1, 31, tzinfo=UTC))
    return {each.look.path: each for each in found}


def test_every_file_is_ordered_for_or_told_why_not(make_rule: MakeRule) -> None:
    """One is bought, one is damaged, one is nothing to the rule: none of them stands in another's way."""
    rule = make_rule("drop: folder\nexpand: {sizes: [800x600, 900x700]}")

    found = made([rule], look("s/a.jpg"), look("s/b.jpg", BROKEN), look("s/c.pdf", Facts()), look("s/d.jpg"))

    assert [2, 0, 0, 2] == [len(each.orders) for each in found.values()]
    assert ("it is damaged", "save it again") == (found["s/b.jpg"].fault, found["s/b.jpg"].hint)
    assert "it takes pictures; the file is neither a picture nor a prompt" == found["s/c.pdf"].passed_over
    jobs = [order.tokens["job"] for each in found.values() for _, order in each.orders]
    assert [f"abcdefghij.{number}" for number in (1, 2, 3, 4)] == jobs


def test_each_rule_has_its_say_about_what_none_takes(make_rule: MakeRule) -> None:
    """Where several rules were asked, the reason names them."""
    rules = [make_rule("drop: folder\nexpand: {}"), make_rule("drop: folder\ngenerate: {}")]

    found = made(rules, look("s/c.pdf", Facts()))

    assert found["s/c.pdf"].passed_over.startswith("test: it takes pictures")
    assert "; test: it takes prompts" in found["s/c.pdf"].passed_over


def test_partners_are_looked_for_in_the_folder(make_rule: MakeRule) -> None:
    """By the path that the rule spells, or else by one that differs in case only."""
    rule = make_rule(MASKED)

    found = made([rule], look("s/a.jpg"), look("s/A.MASK.png"), look("s/b.jpg"), look("s/b.mask.png"))

    assert ("s/A.MASK.png",) == found["s/a.jpg"].beside
    assert ("s/b.mask.png",) == found["s/b.jpg"].beside
    assert "it belongs to" in found["s/b.mask.png"].passed_over
    (order,) = (order for _, order in found["s/a.jpg"].orders)
    assert ["s/a.mask.png"] == [each.companion for each in order.references if each.companion]


def test_a_missing_partner_costs_its_own_file_only(make_rule: MakeRule) -> None:
    """Two spellings of it are as good as none."""
    rule = make_rule(MASKED)

    found = made([rule], look("s/a.jpg"), look("s/A.mask.png"), look("s/a.MASK.png"), look("s/b.jpg"))

    assert "a.mask.png is not in the folder" == found["s/a.jpg"].fault
    assert "b.mask.png is not in the folder" == found["s/b.jpg"].fault
    (verdict, *_) = verdicts([rule], [look("s/a.jpg")])
    assert ("s/a.mask.png",) == verdict.missing


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts(), "a.mask.png: it is neither a picture nor a prompt"),
        (PROMPT, "a.mask.png: it is a prompt, and the rule sends a picture there"),
        (BROKEN, "a.mask.png: it is damaged"),
    ],
)
def test_a_partner_that_cannot_be_used_is_named(make_rule: MakeRule, facts: Facts, words: str) -> None:
    """The file that it belongs to is not ordered for."""
    found = made([make_rule(MASKED)], look("s/a.jpg"), look("s/a.mask.png", facts))

    assert words == found["s/a.jpg"].fault
    assert "with the file that it belongs to" in found["s/a.jpg"].hint


def test_a_picture_in_the_place_of_a_prompt_is_named(make_rule: MakeRule) -> None:
    """A prompt beside a picture is read, so it has to be one."""
    rule = make_rule('drop: folder\nexpand: {prompt: {sidecar: "{stem}.txt"}}')

    wrong = made([rule], look("s/a.jpg"), look("s/a.txt"))
    right = made([rule], look("s/a.jpg"), look("s/a.txt", PROMPT))

    assert "a.txt: it is a picture, and the rule reads a prompt there" == wrong["s/a.jpg"].fault
    assert ["a red boat"] == [order.prompt for _, order in right["s/a.jpg"].orders]


def test_partners_without_fault_are_no_fault() -> None:
    """Nothing is said where nothing is wrong."""
    assert companions_fault({"s/a.png": Kind.IMAGE}, {"s/a.png": PHOTO}) is None


def test_also_lets_the_next_rule_have_a_file_too(make_rule: MakeRule) -> None:
    """As for single files, and the jobs are counted through."""
    rules = [make_rule("drop: folder\nalso: true\nexpand: {}"), make_rule("drop: folder\nsimilar: {}")]

    found = made(rules, look("s/a.jpg"))

    assert ["expand", "similar"] == [order.operation for _, order in found["s/a.jpg"].orders]
    assert 2 == len(found["s/a.jpg"].rules)


def test_a_folder_has_a_most_of_jobs(make_rule: MakeRule) -> None:
    """Beyond it nothing is ordered at all, before the rest of it is even looked at."""
    text = Facts(kind=Kind.PROMPT, text="\n".join(f"boat {number}" for number in range(2600)))
    rule = make_rule("drop: folder\nsplit: lines\ngenerate: {}")

    with pytest.raises(SourceFault, match="more than 5,000 jobs"):
        made([rule], look("s/a.txt", text), look("s/b.txt", text))


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["s/a.pdf"], "the file in it; a.pdf: it takes"),
        (["s/a.pdf", "s/b.pdf"], "any of its 2 files; a.pdf: "),
    ],
)
def test_a_folder_that_no_rule_wants_is_told_by_its_first_file(
    make_rule: MakeRule, paths: Any, words: str
) -> None:
    """A hundred reasons are no reason."""
    found = verdicts([make_rule("drop: folder\nexpand: {}")], [look(path, Facts()) for path in paths])

    (explanation,) = unmatched(found)
    assert f"it does not take {words}" in explanation.reason
