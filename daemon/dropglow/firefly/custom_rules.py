"""Say what a rule gets wrong about the custom model that it names, once Adobe's list of them is known.

Pure: who asks and where a remark stands in a file is decided elsewhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dropglow.firefly.custom_models import CustomModel
from dropglow.rules.rule import Rule

PUBLISHED: Final = "published"
SUBJECT: Final = "subject"

_ORDERED: Final = re.compile(r"image([0-9]+)_custom", re.ASCII)
# Adobe's document gives no example of a base model; so whatever names a generation counts.
_GENERATION: Final = re.compile(r"image[^0-9a-z]*v?([0-9]+)|^\W*v?([0-9]+)", re.IGNORECASE | re.ASCII)

_ALIKE: Final = 0.9  # ids have long beginnings in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing about one rule, and the key among its parameters that it is about."""

    rule: Rule
    at: tuple[str | int, ...]
    message: str
    serious: bool  # True: orders of this rule will be refused


def custom_model_id(rule: Rule) -> str:
    """Return the id of the custom model that *rule* orders with, or nothing."""
    named = getattr(rule.parameters, "custom_model_id", None)  # a parameter of some operations only
    return named if isinstance(named, str) else ""


def rules_with_custom_models(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """Return the rules that order with a custom model, by its id."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        if named := custom_model_id(rule):
            found.setdefault(named, []).append(rule)
    return found


def remarks(rules: Sequence[Rule], models: Sequence[CustomModel]) -> Iterator[Remark]:
    """Yield what does not fit between *rules* and the *models* that there are, in the order of the rules."""
    by_id = {model.id: model for model in models}
    for rule in rules:
        named = custom_model_id(rule)
        if not named:
            continue
        if named in by_id:
            yield from _of_model(rule, by_id[named])
        else:
            message = f"Adobe knows no custom model {named}{_meant(named, by_id)}"
            yield Remark(rule=rule, at=("custom_model_id",), message=message, serious=True)


def _of_model(rule: Rule, model: CustomModel) -> Iterator[Remark]:
    if model.state and model.state != PUBLISHED:
        state = "not published yet" if model.state == "never" else model.state
        message = (
            f"the custom model {model.name} is {state}; its owner has to publish it before it can be used"
        )
        yield Remark(rule=rule, at=("custom_model_id",), message=message, serious=True)
    yield from _of_base(rule, model)
    template = getattr(rule.parameters, "prompt", None) or ""
    if model.training_mode == SUBJECT and model.concept_id and not _says(template, model.concept_id):
        message = (
            f"the custom model {model.name} was trained on a subject: each prompt has to say {model.concept_id!r}, "
            f'or the rule does: prompt: "{model.concept_id}, {{text}}"'
        )
        yield Remark(rule=rule, at=("custom_model_id",), message=message, serious=False)


def _of_base(rule: Rule, model: CustomModel) -> Iterator[Remark]:
    base = _generation(model)
    many = getattr(rule.parameters, "models", None)
    ordered = many if many is not None else [getattr(rule.parameters, "model", None)]
    for place, version in enumerate(ordered):
        found = _ORDERED.fullmatch(version or "")
        if base and found and found[1] != base:
            message = (
                f"the custom model {model.name} was trained upon {model.base}, so that it goes with the model "
                f"image{base}_custom, not {version}"
            )
            at: tuple[str | int, ...] = ("model",) if many is None else ("models", place)
            yield Remark(rule=rule, at=at, message=message, serious=True)


def _generation(model: CustomModel) -> str:
    """Return the generation of the base model, such as ``4``; nothing where Adobe does not name one."""
    for text in (model.base_name, model.base_version):
        if found := _GENERATION.search(text):
            return found[1] or found[2]
    return ""


def _says(template: str, concept: str) -> bool:
    return concept.casefold() in template.casefold()


def _meant(named: str, models: Mapping[str, CustomModel]) -> str:
    by_name = {
        text.casefold(): model.id
        for model in models.values()
        for text in (model.name, model.asset_name)
        if text
    }
    if named.casefold() in by_name:
        return f"; that is a name, and its id is {by_name[named.casefold()]}"
    near = difflib.get_close_matches(named, models, n=1, cutoff=_ALIKE)
    if near:
        return f"; did you mean {near[0]}, which is {models[near[0]].name}?"
    near = difflib.get_close_matches(named.casefold(), by_name, n=1)
    if near:
        return f"; did you mean {by_name[near[0]]}, which is {models[by_name[near[0]]].name}?"
    return "; dropglow models lists those that there are"
