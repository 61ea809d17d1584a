"""Which rules take a file, and the words for why the others do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dropglow.model import Facts, Format, Kind, RuleName
from dropglow.rules.match import decide, may_share
from dropglow.rules.rule import Rule

PHOTO = Facts(kind=Kind.IMAGE, format=Format.JPEG, width=1200, height=800)
PROMPT = Facts(kind=Kind.PROMPT, text="---\nvariations: 1\n---\nA red boat")


def reason(rule: Any, *, path: Any = "a.jpg", size_bytes: Any = 1000, facts: Any = PHOTO) -> Any:
    decision = decide([rule], path=path, size_bytes=size_bytes, facts=facts)
    (explanation,) = decision.explanations
    assert explanation.taken == bool(decision.taken)
    return explanation


def test_a_rule_without_conditions_takes_its_kind(make_rule: Callable[[str], Rule]) -> None:
    """The operation decides which kind of file a rule takes."""
    rule = make_rule("expand: {}")

    assert reason(rule).taken
    assert "it takes pictures; the file is a prompt" == reason(rule, facts=PROMPT).reason
    assert "the file is neither a picture nor a prompt" in reason(rule, facts=Facts()).reason


def test_prompts_go_to_rules_that_take_prompts(make_rule: Callable[[str], Rule]) -> None:
    """A picture is no prompt."""
    rule = make_rule("generate: {}")

    assert reason(rule, facts=PROMPT).taken
    assert "it takes prompts; the file is a picture" == reason(rule).reason


@pytest.mark.parametrize(
    ("match", "path", "taken"),
    [
        ('{name: "*.jpg"}', "deep/A.JPG", True),
        ('{name: ["*.png", "x/*"]}', "a.jpg", False),
        ("{formats: [jpg, png]}", "a.jpg", True),
        ("{formats: png}", "a.jpg", False),
        ("{min_size: 1000}", "a.jpg", True),
        ("{min_size: 2KB}", "a.jpg", False),
        ("{max_size: 1000}", "a.jpg", True),
        ("{max_size: 999}", "a.jpg", False),
        ("{orientation: landscape}", "a.jpg", True),
        ("{orientation: portrait}", "a.jpg", False),
        ("{orientation: square}", "a.jpg", False),
        ("{orientation: [portrait, landscape]}", "a.jpg", True),
        ("{orientation: [portrait, square]}", "a.jpg", False),
        ('{name: "*.jpg", formats: jpeg, min_size: 1, max_size: 1MB, orientation: landscape}', "a.jpg", True),
    ],
)
def test_every_condition_decides(make_rule: Callable[[str], Rule], match: Any, path: Any, taken: Any) -> None:
    """All conditions must hold, and each has its words."""
    told = reason(make_rule(f"match: {match}\nexpand: {{}}"), path=path)

    assert taken is told.taken
    assert told.reason.startswith("it takes pictures,") is taken


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(5, 5, "square"), (5, 9, "portrait"), (9, 5, "landscape")]
)
def test_orientation_is_told_by_the_pixels(
    make_rule: Callable[[str], Rule], width: Any, height: Any, expected: Any
) -> None:
    """Equal sides are a square."""
    rule = make_rule(f"match: {{orientation: {expected}}}\nexpand: {{}}")

    assert reason(rule, facts=Facts(kind=Kind.IMAGE, width=width, height=height)).taken


def test_what_is_not_known_of_a_faulty_picture_excludes_nothing(make_rule: Callable[[str], Rule]) -> None:
    """A broken file goes to the rule it was meant for, to end with a reason."""
    rule = make_rule("match: {formats: [png], orientation: square}\nexpand: {}")
    faulty = Facts(kind=Kind.IMAGE, fault="the picture is cut off")

    assert reason(rule, facts=faulty).taken


def test_a_height_that_is_not_known_excludes_nothing(make_rule: Callable[[str], Rule]) -> None:
    """Half a size tells no orientation."""
    rule = make_rule("match: {orientation: square}\nexpand: {}")

    assert reason(rule, facts=Facts(kind=Kind.IMAGE, width=7)).taken


@pytest.mark.parametrize(
    ("pattern", "taken"), [("boat$", True), ("(?i)RED", True), ("variations", False), ("house", False)]
)
def test_text_is_searched_in_the_prompt_only(
    make_rule: Callable[[str], Rule], pattern: Any, taken: Any
) -> None:
    """Front matter is no part of the prompt."""
    rule = make_rule(f"match: {{text: '{pattern}'}}\ngenerate: {{}}")

    assert taken is reason(rule, facts=PROMPT).taken


def test_a_prompt_that_cannot_be_read_is_taken_all_the_same(make_rule: Callable[[str], Rule]) -> None:
    """A prompt with a fault ends in the failed folder of the rule it was meant for."""
    rule = make_rule("match: {text: boat}\ngenerate: {}")

    assert reason(rule, facts=Facts(kind=Kind.PROMPT, fault="not UTF-8")).taken


def test_a_prompt_with_open_front_matter_is_taken_all_the_same(make_rule: Callable[[str], Rule]) -> None:
    """Where the prompt begins is unknown, and what is unknown excludes nothing."""
    rule = make_rule("match: {text: house}\ngenerate: {}")

    assert reason(rule, facts=Facts(kind=Kind.PROMPT, text="---\nvariations: 2\nA boat")).taken


def test_the_first_rule_that_matches_takes_the_file(make_rule: Callable[[str], Rule]) -> None:
    """Later rules are told who came first."""
    decision = decide(
        [make_rule("match: {name: '*.png'}\nexpand: {}"), make_rule("expand: {}"), make_rule("expand: {}")],
        path="a.jpg",
        size_bytes=1,
        facts=PHOTO,
    )

    assert 1 == len(decision.taken)
    assert [False, True, False] == [explanation.taken for explanation in decision.explanations]
    assert "test comes first and has no 'also: true'" in decision.explanations[2].reason


def test_also_lets_the_next_rule_have_the_file_too(make_rule: Callable[[str], Rule]) -> None:
    """``also`` passes the file on once; the next rule may keep it."""
    rules = [make_rule("also: true\nexpand: {}"), make_rule("expand: {}"), make_rule("expand: {}")]

    decision = decide(rules, path="a.jpg", size_bytes=1, facts=PHOTO)

    assert tuple(rules[:2]) == decision.taken
    assert "the next rule may have it too" in decision.explanations[0].reason


# ---------------------------------------------------------------- what nobody knows yet


def told(rules: list[Rule], *, facts: Facts, size_bytes: int | None = None) -> list[tuple[bool, str]]:
    """Return of each rule whether it takes a file, and why."""
    decision = decide(rules, path="a.txt", size_bytes=size_bytes, facts=facts)
    return [(explanation.taken, explanation.reason) for explanation in decision.explanations]


@pytest.mark.parametrize(
    ("match", "unknown"),
    [
        ("{orientation: portrait}", "its orientation is unknown"),
        ("{formats: png}", "its format is unknown"),
        ("{formats: png, orientation: portrait}", "its format and its orientation are unknown"),
    ],
)
def test_of_a_faulty_file_nothing_is_claimed(
    make_rule: Callable[[str], Rule], match: str, unknown: str
) -> None:
    """A rule takes it, and does not say that it is what nobody could see."""
    rule = make_rule(f"match: {match}\nexpand: {{}}")
    faulty = Facts(kind=Kind.IMAGE, fault="the file is empty")

    explanation = reason(rule, size_bytes=0, facts=faulty)

    assert f"it takes pictures; {unknown}, which excludes nothing" == explanation.reason
    assert () == explanation.provided


def test_of_a_faulty_prompt_nothing_is_claimed(make_rule: Callable[[str], Rule]) -> None:
    """A text that could not be read contains nothing for certain."""
    rule = make_rule("match: {text: boat}\ngenerate: {}")

    for facts in (Facts(kind=Kind.PROMPT, fault="not UTF-8"), Facts(kind=Kind.PROMPT, text="---\nboat")):
        assert (
            "it takes prompts; its text is unknown, which excludes nothing"
            == reason(rule, facts=facts).reason
        )


def test_the_rule_after_a_faulty_file_is_certain(make_rule: Callable[[str], Rule]) -> None:
    """The service gives a faulty file to the first rule that does not refuse it."""
    rules = [make_rule("match: {orientation: square}\nexpand: {}"), make_rule("expand: {}")]

    (_, last) = told(rules, facts=Facts(kind=Kind.IMAGE, fault="cut off"), size_bytes=5)

    assert (False, "it would match, but test comes first and has no 'also: true'") == last


def test_a_file_that_is_not_there_leaves_questions_open(make_rule: Callable[[str], Rule]) -> None:
    """What only the file could answer is told as what the answer depends on."""
    rule = make_rule(
        "match: {min_size: 5KB, max_size: 1MB, formats: [png, jpg], orientation: [square, portrait]}\nexpand: {}"
    )

    (explanation,) = decide([rule], path="a.png", size_bytes=None, facts=Facts(kind=Kind.IMAGE)).explanations

    assert explanation.taken
    assert "it takes pictures" == explanation.reason
    assert (
        "has 5,000 bytes or more",
        "has 1,000,000 bytes or less",
        "is jpeg or png by its bytes",
        "lies portrait or square",
    ) == explanation.provided


def test_an_open_question_makes_the_next_rule_no_loser(make_rule: Callable[[str], Rule]) -> None:
    """Whether the first rule comes first is as open as its question."""
    rules = [
        replace(make_rule("match: {text: cat}\ngenerate: {}"), name=RuleName("cats")),
        replace(make_rule("match: {text: dog}\ngenerate: {}"), name=RuleName("dogs")),
        replace(make_rule("generate: {}"), name=RuleName("rest")),
        replace(make_rule("generate: {}"), name=RuleName("late")),
    ]

    explanations = decide(rules, path="a.txt", size_bytes=None, facts=Facts(kind=Kind.PROMPT)).explanations

    assert [
        (True, "it takes prompts", ("contains 'cat'",)),
        (False, "it takes prompts, if cats does not take it", ("contains 'dog'",)),
        (False, "it takes prompts, if neither cats nor dogs takes it", ()),
        (False, "it would match, but rest comes first and has no 'also: true'", ()),
    ] == [(each.taken, each.reason, each.provided) for each in explanations]
    assert [(), ("cats",), ("cats", "dogs"), ()] == [each.unless for each in explanations]


def test_an_open_question_of_a_rule_that_shares_costs_nobody_the_file(
    make_rule: Callable[[str], Rule],
) -> None:
    """With ``also`` the next rule has the file in any case."""
    rules = [make_rule("match: {text: cat}\nalso: true\ngenerate: {}"), make_rule("generate: {}")]

    assert [
        (True, "it takes prompts; the next rule may have it too"),
        (True, "it takes prompts"),
    ] == told(rules, facts=Facts(kind=Kind.PROMPT))


@pytest.mark.parametrize(
    ("one", "other", "possible"),
    [
        ("{}", "{}", True),
        ("{formats: png}", "{formats: [jpg, tif]}", False),
        ("{formats: png}", "{formats: [jpg, png]}", True),
        ("{orientation: square}", "{orientation: portrait}", False),
        ("{orientation: square}", "{}", True),
        ("{max_size: 1KB}", "{min_size: 2KB}", False),
        ("{min_size: 2KB}", "{max_size: 1KB}", False),
        ("{max_size: 1KB}", "{min_size: 1KB}", True),
        ("{name: '*.jpg'}", "{name: '*.png'}", False),
    ],
)
def test_rules_that_can_share_a_file(
    make_rule: Callable[[str], Rule],
    one: str,
    other: str,
    possible: bool,
) -> None:
    """Two rules share no file where a condition of one excludes what the other asks for."""
    first, second = (make_rule(f"match: {match}\nexpand: {{}}").conditions for match in (one, other))

    assert possible is may_share(first, second)


def test_a_picture_is_no_prompt_for_two_rules_either(make_rule: Callable[[str], Rule]) -> None:
    """Rules for different kinds share nothing."""
    assert not may_share(make_rule("expand: {}").conditions, make_rule("generate: {}").conditions)


def test_a_companion_is_no_drop_of_its_rule(make_rule: Callable[[str], Rule]) -> None:
    """A mask is not painted around; a rule without companions may have it."""
    masked = make_rule('expand: {mask: {sidecar: "{stem}.mask.png"}}')
    plain = make_rule("expand: {}")

    told = [reason(rule, path="in/a.mask.png") for rule in (masked, plain)]

    assert [False, True] == [each.taken for each in told]
    assert told[0].reason.startswith("by its name it belongs to a.*,")
    assert reason(masked, path="in/a.jpg").taken


def test_a_marker_is_no_drop_of_any_rule(make_rule: Callable[[str], Rule]) -> None:
    """Not even of a rule that would take such a file otherwise."""
    rules = [make_rule('expand: {}\nready: "{name}.txt"'), make_rule("generate: {}")]

    marker = decide(rules, path="sub/a.jpg.txt", size_bytes=5, facts=PROMPT)
    drop = decide(rules, path="sub/a.jpg", size_bytes=5, facts=PHOTO)

    assert () == marker.taken
    assert 2 == sum("it is the marker of a.jpg" in each.reason for each in marker.explanations)
    assert (rules[0],) == drop.taken


def test_a_rule_for_folders_takes_what_is_in_one(make_rule: Callable[[str], Rule]) -> None:
    """And no file beside them."""
    rule = make_rule("drop: folder\nexpand: {}")

    assert reason(rule, path="shoot/a.jpg").taken
    assert "it takes whole sub-folders of the inbox" in reason(rule).reason


def test_a_rule_for_files_leaves_folders_to_those_that_take_them(make_rule: Callable[[str], Rule]) -> None:
    """Only where there is such a rule; else it takes what is in sub-folders, file by file."""
    files = make_rule("expand: {}")
    rules = [files, replace(make_rule("drop: folder\nexpand: {}"), name=RuleName("whole"))]

    inside = decide(rules, path="shoot/a.jpg", size_bytes=1000, facts=PHOTO)
    beside = decide(rules, path="a.jpg", size_bytes=1000, facts=PHOTO)

    assert (["whole"], ["test"]) == ([one.name for one in inside.taken], [one.name for one in beside.taken])
    assert "because whole says drop: folder" in inside.explanations[0].reason
    assert reason(files, path="shoot/a.jpg").taken
