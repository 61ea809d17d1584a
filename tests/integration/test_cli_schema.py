"""``dropglow schema`` prints what editors can use."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from dropglow.cli.main import main

RULE = "{name: a, inbox: i, outbox: o, generate: {size: 2048x2048}}"


def printed(*options: str) -> Draft202012Validator:
    """Return a validator of the schema that is printed."""
    result = CliRunner().invoke(main, ["schema", *options])
    assert 0 == result.exit_code
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("text", ["rules: rules/*.yaml", f"rules: [{RULE}]", "limits: {in_flight: 3}"])
def test_a_sound_configuration_fits_the_schema(text: str) -> None:
    """What ``check`` takes, the schema takes."""
    assert printed().is_valid(yaml.safe_load(text))


def test_an_unknown_key_does_not_fit() -> None:
    """An editor underlines a key that does not exist."""
    assert not printed().is_valid({"limts": {}})


def test_rule_files_have_a_schema_of_their_own() -> None:
    """With --rules the schema is that of a rule file."""
    schema = printed("--rules")

    assert schema.is_valid(yaml.safe_load(f"rules: [{RULE}]"))
    assert not schema.is_valid({"state": "./state"})
