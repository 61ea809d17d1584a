"""Decide which rules take a file, and say why each other does not.

Pure, and called for every file of every sweep: patterns were compiled when
the rules were loaded, and words are made only for those who ask.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from dropglow.model import Facts, Kind, RuleName
from dropglow.naming import shown
from dropglow.rules.beside import Owner, owners
from dropglow.rules.frontmatter import divided
from dropglow.rules.globs import folded, may_share_a_name
from dropglow.rules.rule import Conditions, Orientation, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one rule takes a file, or why it does not."""

    rule: RuleName
    taken: bool
    reason: str
    provided: tuple[str, ...] = ()  # what a file that is not there yet must prove: "lies portrait"
    unless: tuple[RuleName, ...] = ()  # earlier rules that may take such a file instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which rules take a file, in order, and one explanation for each rule asked.

    Of a file that is not there yet: who takes it if it proves to be all that it is asked to be.
    """

    taken: tuple[Rule, ...]
    explanations: tuple[Explanation, ...]


def decide(rules: Sequence[Rule], *, path: str, size_bytes: int | None, facts: Facts) -> Decision:
    """Return which of one inbox's *rules* take a file.

    The first that matches takes it; ``also: true`` lets the next that matches
    have it too. What is not known about a faulty file excludes no rule, so
    that it ends in ``_failed`` with a reason rather than lying about. A file
    whose name makes it a companion of a rule's drops is never itself a drop of
    that rule: a mask is not to be painted around. A marker is never a drop of any. Where
    a rule takes folders, a file in a sub-folder is for such rules alone, and one beside
    them never is.

    Args:
        rules: All rules of the file's inbox, in order.
        path: Below the inbox, ``/`` between folders.
        size_bytes: Of the file; None: there is no file yet, and what is not known is still open.
        facts: What a look inside it told.
    """
    taken: list[Rule] = []
    explanations: list[Explanation] = []
    name = folded(path)
    marking = _marking(rules, path)
    holder: RuleName | None = None
    rivals: tuple[RuleName, ...] = ()  # who would have it, if an open question is answered their way
    folders = next((rule.name for rule in rules if rule.folders), None)
    for rule in rules:
        reason = (
            marking
            or _misplaced(rule, path, folders)
            or _belonging(rule, path)
            or _objection(rule.conditions, path=name, size_bytes=size_bytes, facts=facts)
        )
        if reason is None and holder is not None:
            reason = f"it would match, but {holder} comes first and has no 'also: true'"
        if reason is not None:
            explanations.append(Explanation(rule=rule.name, taken=False, reason=reason))
            continue
        agreed = _agreement(rule, size_bytes=size_bytes, facts=facts, rivals=rivals)
        explanations.append(agreed)
        if agreed.taken:
            taken.append(rule)
        if rule.also:
            continue
        if agreed.provided:
            rivals = (*rivals, rule.name)
        else:
            holder = rule.name
    return Decision(taken=tuple(taken), explanations=tuple(explanations))


def may_share(one: Conditions, other: Conditions) -> bool:
    """Return whether some file could meet both; True also where nobody can tell."""
    apart = (
        one.kind is not other.kind,
        one.formats and other.formats and not one.formats & other.formats,
        one.orientations and other.orientations and not one.orientations & other.orientations,
        _lies_below(one, other) or _lies_below(other, one),
        not may_share_a_name(one.names, other.names),
    )
    return not any(apart)


def _lies_below(one: Conditions, other: Conditions) -> bool:
    high, low = one.max_size_bytes, other.min_size_bytes
    return high is not None and low is not None and high < low


def _marking(rules: Sequence[Rule], path: str) -> str | None:
    """Return whose marker the file is under any of *rules*, or None if it is nobody's."""
    for rule in rules:
        if rule.ready is not None and (found := owners([rule.ready], path)):
            return f"by its name it is the marker of {_named(found)} for {rule.name} (`ready`), and no drop"
    return None


def _named(owned_by: Sequence[Owner]) -> str:
    return " or ".join(shown(posixpath.basename(each.pattern)) for each in owned_by)


def _misplaced(rule: Rule, path: str, folders: RuleName | None) -> str | None:
    """Return why a file does not lie where *rule* takes any, or None if it does; *folders* is a rule that takes folders."""
    inside = "/" in path
    if rule.folders and not inside:
        return "it takes whole sub-folders of the inbox (drop: folder), and this file lies beside them"
    if folders is not None and not rule.folders and inside:
        return (
            f"it takes single files, and this one goes with its folder, because {folders} says drop: folder"
        )
    return None


def _belonging(rule: Rule, path: str) -> str | None:
    """Return whose companion the file is under *rule*, or None if it is nobody's."""
    found = owners(rule.companions, path)
    if not found:
        return None
    return f"by its name it belongs to {_named(found)}, is waited for by that, and goes with it"


def _objection(conditions: Conditions, *, path: str, size_bytes: int | None, facts: Facts) -> str | None:
    """Return why a file does not meet *conditions*, or None if it does. Cheapest tests first."""
    if facts.kind is not conditions.kind:
        return f"it takes {_plural(conditions.kind)}; the file is {_described(facts)}"
    pattern = conditions.name_pattern
    if pattern is not None and not pattern.fullmatch(path):
        return f"the name does not match {' or '.join(conditions.names)}"
    if size_bytes is not None and (reason := _size_objection(conditions, size_bytes)) is not None:
        return reason
    match conditions.kind:
        case Kind.IMAGE:
            return _image_objection(conditions, facts)
        case Kind.PROMPT:
            return _prompt_objection(conditions, facts)
        case _:
            assert_never(conditions.kind)


def _size_objection(conditions: Conditions, size_bytes: int) -> str | None:
    low, high = conditions.min_size_bytes, conditions.max_size_bytes
    if low is not None and size_bytes < low:
        return f"the file has {size_bytes:,} bytes; min_size asks for {low:,}"
    if high is not None and size_bytes > high:
        return f"the file has {size_bytes:,} bytes; max_size allows {high:,}"
    return None


def _image_objection(conditions: Conditions, facts: Facts) -> str | None:
    if conditions.formats and facts.format is not None and facts.format not in conditions.formats:
        return f"it takes {' or '.join(sorted(conditions.formats))}; the picture is {facts.format}"
    found = _orientation(facts)
    if conditions.orientations and found is not None and found not in conditions.orientations:
        return f"it takes {' or '.join(sorted(conditions.orientations))}; the picture is {found} ({facts.width}x{facts.height})"
    return None


def _prompt_objection(conditions: Conditions, facts: Facts) -> str | None:
    if conditions.text is None:
        return None
    prompt = _prompt(facts)
    if prompt is None or conditions.text.search(prompt):
        return None
    return f"the prompt does not contain {conditions.text.pattern!r}"


def _prompt(facts: Facts) -> str | None:
    """Return the prompt itself, or None where nobody can tell it."""
    if facts.text is None:
        return None
    parts = divided(facts.text)
    return parts.text if parts.fault is None else None


def _orientation(facts: Facts) -> Orientation | None:
    if facts.width is None or facts.height is None:
        return None
    if facts.width == facts.height:
        return Orientation.SQUARE
    return Orientation.LANDSCAPE if facts.width > facts.height else Orientation.PORTRAIT


def _agreement(
    rule: Rule, *, size_bytes: int | None, facts: Facts, rivals: tuple[RuleName, ...]
) -> Explanation:
    """Return why a rule that nothing speaks against takes a file, and on what that depends."""
    demands = tuple(_demands(rule.conditions, size_bytes=size_bytes, facts=facts))
    told = [_plural(rule.conditions.kind)]
    if rule.conditions.names:
        told.append(f"named {' or '.join(rule.conditions.names)}")
    told += [demand.met for demand in demands if demand.known]
    open_yet = [demand for demand in demands if not demand.known]
    reason = f"it takes {', '.join(told)}"
    if size_bytes is not None and open_yet:
        subjects = " and ".join(f"its {demand.subject}" for demand in open_yet)
        reason += f"; {subjects} {'is' if len(open_yet) == 1 else 'are'} unknown, which excludes nothing"
    if rivals:
        reason += f", if {_none_of(rivals)} it"
    if rule.also:
        reason += "; the next rule may have it too"
    provided = tuple(demand.asked for demand in open_yet) if size_bytes is None else ()
    return Explanation(rule=rule.name, taken=not rivals, reason=reason, provided=provided, unless=rivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    """One condition on what a file is, in words."""

    subject: str  # what it is about
    met: str  # of files that meet it
    asked: str  # of one file, of which it is not known
    known: bool


def _demands(conditions: Conditions, *, size_bytes: int | None, facts: Facts) -> Iterator[_Demand]:
    sized = size_bytes is not None
    if (low := conditions.min_size_bytes) is not None:
        words = f"{low:,} bytes or more"
        yield _Demand(subject="size", met=f"of {words}", asked=f"has {words}", known=sized)
    if (high := conditions.max_size_bytes) is not None:
        words = f"{high:,} bytes or less"
        yield _Demand(subject="size", met=f"of {words}", asked=f"has {words}", known=sized)
    if conditions.formats:
        words = " or ".join(sorted(conditions.formats))
        known = facts.format is not None
        yield _Demand(
            subject="format", met=f"in format {words}", asked=f"is {words} by its bytes", known=known
        )
    if conditions.orientations:
        words = " or ".join(sorted(conditions.orientations))
        known = _orientation(facts) is not None
        yield _Demand(subject="orientation", met=f"that lie {words}", asked=f"lies {words}", known=known)
    if conditions.text is not None:
        words = repr(conditions.text.pattern)
        known = _prompt(facts) is not None
        yield _Demand(subject="text", met=f"that contain {words}", asked=f"contains {words}", known=known)


def _none_of(rules: tuple[RuleName, ...]) -> str:
    """Return the beginning of a sentence about rules that do not take something."""
    if len(rules) == 1:
        return f"{rules[0]} does not take"
    *first, last = rules
    return f"neither {', '.join(first)} nor {last} takes"


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
