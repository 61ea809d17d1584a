"""What rules get wrong about custom models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dropglow.firefly.custom_models import CustomModel
from dropglow.firefly.custom_rules import Remark, custom_model_id, remarks, rules_with_custom_models
from dropglow.model import After, Kind, RuleName
from dropglow.rules.expand import Expand
from dropglow.rules.generate import Generate
from dropglow.rules.parameters import Parameters
from dropglow.rules.rule import Conditions, Rule

MUG = CustomModel(
    id="urn:aaid:1",
    name="Northwind Mug",
    asset_name="northwind-mug",
    training_mode="subject",
    concept_id="northwind mug",
    base_name="Firefly Image 4",
    base_version="4.0",
    state="published",
)
INK = CustomModel(
    id="urn:aaid:22", name="Ink", training_mode="style", base_name="Firefly Image 3", state="published"
)


def rule_of(parameters: Parameters, *, operation: str = "generate", name: str = "mugs") -> Rule:
    return Rule(
        name=RuleName(name),
        file="/etc/rules.yaml",
        line=1,
        inbox="/in",
        outbox="/out",
        conditions=Conditions(kind=Kind.PROMPT),
        operation=operation,
        parameters=parameters,
        after=After(done=None, failed="/in/_failed", held="/in/_held"),
        name_template="{stem}{ext}",
        digest="d",
    )


def rule(model: str = "image4_custom", named: str = MUG.id, **more: Any) -> Rule:
    return rule_of(Generate(model=model, custom_model_id=named, **more))


def told(rule: Rule, *models: CustomModel) -> list[Remark]:
    return list(remarks([rule], models or (MUG, INK)))


def changed(model: CustomModel, **facts: Any) -> CustomModel:
    return replace(model, **facts)


def test_a_rule_that_fits_is_not_remarked_upon() -> None:
    """The model is there, published, of the right base, and its subject is in the rule's prompt."""
    assert [] == told(rule(prompt="A Northwind Mug in {text}"))


def test_rules_without_custom_models_are_left_alone() -> None:
    """Neither another model nor another operation has one."""
    plain = rule_of(Generate(), name="plain")
    sizes = rule_of(Expand(), operation="expand", name="sizes")

    assert ["", ""] == [custom_model_id(plain), custom_model_id(sizes)]
    assert [] == list(remarks([plain, sizes], [MUG]))


def test_rules_are_found_by_their_custom_models() -> None:
    """Two rules may share one."""
    rules = [rule(), rule(), rule(named=INK.id), rule_of(Generate())]

    assert {MUG.id: rules[:2], INK.id: rules[2:3]} == rules_with_custom_models(rules)


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("urn:aaid:222", "did you mean urn:aaid:22, which is Ink?"),
        ("Northwind Mug", "that is a name, and its id is urn:aaid:1"),
        ("northwind-mug", "that is a name, and its id is urn:aaid:1"),
        ("Nordwind Mug", "did you mean urn:aaid:1, which is Northwind Mug?"),
        ("0123456789", "dropglow models lists those that there are"),
    ],
)
def test_a_model_that_is_not_there_may_be_a_slip(named: str, meant: str) -> None:
    """The nearest id or name is offered."""
    remark = told(rule(named=named))[0]

    assert f"Adobe knows no custom model {named}; {meant}" == remark.message
    assert (("custom_model_id",), True) == (remark.at, remark.serious)


@pytest.mark.parametrize(
    ("state", "words"),
    [("never", "is not published yet"), ("unpublished", "is unpublished"), ("training", "is training")],
)
def test_a_model_that_is_not_published_cannot_be_used(state: str, words: str) -> None:
    """Adobe would refuse each order."""
    remark = told(rule(named=INK.id, model="image3_custom"), changed(INK, state=state))[0]

    assert words in remark.message
    assert remark.serious


def test_a_model_of_which_adobe_says_nothing_is_let_pass() -> None:
    """What is not told is not held against it."""
    assert [] == told(rule(named="a"), CustomModel(id="a", name="a"))


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Firefly Image 3", "3.0"),
        ("image3", ""),
        ("firefly_image_v3", ""),
        ("Image3 Model", "9"),
        ("", "3.0"),
        ("Firefly", "v3"),
    ],
)
def test_a_model_goes_with_its_own_base(name: str, version: str) -> None:
    """However Adobe writes the generation of the base model, the rule's model has to be of it."""
    model = changed(INK, base_name=name, base_version=version)

    remark = told(rule(named=INK.id), model)[0]

    assert f"trained upon {name or version}" in remark.message
    assert "goes with the model image3_custom, not image4_custom" in remark.message
    assert (("model",), True) == (remark.at, remark.serious)
    assert [] == told(rule(named=INK.id, model="image3_custom"), model)


def test_each_of_several_models_is_looked_at() -> None:
    """The remark names the one in the list that does not fit."""
    both = rule_of(Generate(models=["image4_custom", "image3_custom"], custom_model_id=INK.id))

    assert [("models", 0)] == [remark.at for remark in told(both)]


@pytest.mark.parametrize("base", ["", "Aurora", "model 4 of image"])
def test_a_base_that_names_no_generation_fits(base: str) -> None:
    """What cannot be compared is not compared."""
    assert [] == told(rule(named=INK.id), changed(INK, base_name=base))


@pytest.mark.parametrize("prompt", [None, "A picture of {text}"])
def test_a_subject_has_to_be_in_the_prompt(prompt: str | None) -> None:
    """Since whoever drops a prompt may say it, this is a warning."""
    remark = told(rule(prompt=prompt))[0]

    assert "each prompt has to say 'northwind mug'" in remark.message
    assert 'prompt: "northwind mug, {text}"' in remark.message
    assert not remark.serious


def test_a_subject_without_a_name_cannot_be_asked_for() -> None:
    """Nothing is said where Adobe does not say what the prompt needs."""
    assert [] == told(rule(), changed(MUG, concept_id=""))
