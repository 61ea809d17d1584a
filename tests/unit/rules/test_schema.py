"""The typed shape of the configuration and of rule files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]

from dropglow.rules.configuration import configuration_schema
from dropglow.rules.positions import parse
from dropglow.rules.review import review
from dropglow.rules.schema import MatchShape, rules_schema

EXAMPLES = sorted((Path(__file__).parents[3] / "rules").glob("*.yaml"))
RULE = {
    "name": "a",
    "inbox": "in",
    "outbox": "out",
    "expand": {"sizes": ["2048x2048", {"width": 1, "height": 1}]},
}


def test_the_schemas_are_schemas() -> None:
    """Editors accept what is exported."""
    Draft202012Validator.check_schema(configuration_schema())
    Draft202012Validator.check_schema(rules_schema())


def test_a_usual_rule_file_is_valid() -> None:
    """What the program accepts, an editor accepts."""
    rule = RULE | {
        "match": {"name": "*.jpg", "min_size": "1KB"},
        "settle": "2s",
        "delivery": {"mode": "0664"},
    }

    Draft202012Validator(rules_schema()).validate({"rules": [rule]})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(example: Path) -> None:
    """An editor marks nothing in what the project shows."""
    document = parse(example.read_text(encoding="utf-8"), environ={}).value

    Draft202012Validator(rules_schema()).validate(document)


@pytest.mark.parametrize(
    "match",
    [
        {"orientation": "square", "formats": "jpeg", "name": "*.jpg"},
        {"orientation": ["square", "portrait"], "formats": ["jpeg", "png"], "name": ["*.jpg"]},
        {"formats": ["jpg", "tif"]},
    ],
)
def test_one_word_or_a_list(match: Any) -> None:
    """A single word is as good as a list of one, for the program and for an editor."""
    read = review(MatchShape, match)

    assert () == read.problems
    Draft202012Validator(rules_schema()).validate({"rules": [RULE | {"match": match}]})


@pytest.mark.parametrize(
    "change",
    [
        {"split": "words"},
        {"settle": 2},
        {"fill": {"mask": "m.png"}},
        {"expand": {"mask": {"source": 7}}},
        {"expand": {"image": {"sidecar": "{stem}.png", "more": 1}}},
        {"generate": {}},
        {"expand": {"promt": "x"}},
        {"delivery": {"mode": 664}},
    ],
)
def test_slips_in_a_rule_show_in_an_editor(change: Any) -> None:
    """Unknown keys, missing units and second operations are marked."""
    with pytest.raises(ValidationError):
        Draft202012Validator(rules_schema()).validate({"rules": [RULE | change]})


@pytest.mark.parametrize("rules", ["rules/*.yaml", ["a.yaml", "b.yaml"], [RULE]])
def test_the_configuration_names_rules_or_holds_them(rules: Any) -> None:
    """Patterns and the rules themselves are both right."""
    limits = {"requests_per_minute": "off", "poll": {"min": "1s"}}

    Draft202012Validator(configuration_schema()).validate(
        {"rules": rules, "limits": limits, "ledger": "sqlite"}
    )


def test_every_key_is_described() -> None:
    """An editor shows what each key is for."""
    definitions = configuration_schema()["$defs"].values()

    undescribed = [
        (definition["title"], key)
        for definition in definitions
        for key, field in definition.get("properties", {}).items()
        if "description" not in field
    ]
    assert [] == undescribed
