"""Decide which rules take a file, and say why each other does not.

Pure, and called for every file of every sweep: patterns were compiled when
the rules were loaded, and words are made only for those who ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from dropglow.model import Facts, Kind, RuleName
from dropglow.rules.frontmatter import divided
from dropglow.rules.globs import folded
from dropglow.rules.rule import Conditions, Orientation, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one rule takes a file, or why it does not."""

    rule: RuleName
    taken: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which rules take a file, in order, and one explanation for each rule asked."""

    taken: tuple[Rule, ...]
    explanations: tuple[Explanation, ...]


def decide(rules: Sequence[Rule], *, path: str, size_bytes: int, facts: Facts) -> Decision:
    """Return which of one inbox's *rules* take a file.

    The first that matches takes it; ``also: true`` lets the next that matches
    have it too. What is not known about a faulty file excludes no rule, so
    that it ends in ``_failed`` with a reason rather than lying about.

    Args:
        rules: All rules of the file's inbox, in order.
        path: Below the inbox, ``/`` between folders.
        size_bytes: Of the file.
        facts: What a look inside it told.
    """
    taken: list[Rule] = []
    explanations: list[Explanation] = []
    name = folded(path)
    holder: RuleName | None = None
    for rule in rules:
        reason = _objection(rule.conditions, path=name, size_bytes=size_bytes, facts=facts)
        if reason is None and holder is not None:
            reason = f"it would match, but {holder} comes first and has no 'also: true'"
        if reason is not None:
            explanations.append(Explanation(rule=rule.name, taken=False, reason=reason))
            continue
        taken.append(rule)
        explanations.append(Explanation(rule=rule.name, taken=True, reason=_agreement(rule)))
        holder = None if rule.also else rule.name
    return Decision(taken=tuple(taken), explanations=tuple(explanations))


def _objection(conditions: Conditions, *, path: str, size_bytes: int, facts: Facts) -> str | None:
    """Return why a file does not meet *conditions*, or None if it does. Cheapest tests first."""
    if facts.kind is not conditions.kind:
        return f"it takes {_plural(conditions.kind)}; the file is {_described(facts)}"
    pattern = conditions.name_pattern
    if pattern is not None and not pattern.fullmatch(path):
        return f"the name does not match {' or '.join(conditions.names)}"
    low, high = conditions.min_size_bytes, conditions.max_size_bytes
    if low is not None and size_bytes < low:
        return f"the file has {size_bytes:,} bytes; min_size asks for {low:,}"
    if high is not None and size_bytes > high:
        return f"the file has {size_bytes:,} bytes; max_size allows {high:,}"
    match conditions.kind:
        case Kind.IMAGE:
            return _image_objection(conditions, facts)
        case Kind.PROMPT:
            return _prompt_objection(conditions, facts)
        case _:
            assert_never(conditions.kind)


def _image_objection(conditions: Conditions, facts: Facts) -> str | None:
    if conditions.formats and facts.format is not None and facts.format not in conditions.formats:
        return f"it takes {' or '.join(sorted(conditions.formats))}; the picture is {facts.format}"
    found = _orientation(facts)
    if conditions.orientations and found is not None and found not in conditions.orientations:
        return f"it takes {' or '.join(sorted(conditions.orientations))}; the picture is {found} ({facts.width}x{facts.height})"
    return None


def _prompt_objection(conditions: Conditions, facts: Facts) -> str | None:
    if conditions.text is None or facts.text is None:
        return None
    parts = divided(facts.text)
    if parts.fault is not None or conditions.text.search(parts.text):
        return None
    return f"the prompt does not contain {conditions.text.pattern!r}"


def _orientation(facts: Facts) -> Orientation | None:
    if facts.width is None or facts.height is None:
        return None
    if facts.width == facts.height:
        return Orientation.SQUARE
    return Orientation.LANDSCAPE if facts.width > facts.height else Orientation.PORTRAIT


def _agreement(rule: Rule) -> str:
    conditions = rule.conditions
    told = [_plural(conditions.kind)]
    if conditions.names:
        told.append(f"named {' or '.join(conditions.names)}")
    if conditions.formats:
        told.append(f"in format {' or '.join(sorted(conditions.formats))}")
    if conditions.min_size_bytes is not None:
        told.append(f"of {conditions.min_size_bytes:,} bytes or more")
    if conditions.max_size_bytes is not None:
        told.append(f"of {conditions.max_size_bytes:,} bytes or less")
    if conditions.orientations:
        told.append(f"that lie {' or '.join(sorted(conditions.orientations))}")
    if conditions.text is not None:
        told.append(f"that contain {conditions.text.pattern!r}")
    passed_on = "; the next rule may have it too" if rule.also else ""
    return f"it takes {', '.join(told)}{passed_on}"


def _plural(kind: Kind) -> str:
    return "pictures" if kind is Kind.IMAGE else "prompts"


def _described(facts: Facts) -> str:
    match facts.kind:
        case None:
            return "neither a picture nor a prompt"
        case Kind.IMAGE:
            return "a picture"
        case Kind.PROMPT:
            return "a prompt"
        case _:
            assert_never(facts.kind)
