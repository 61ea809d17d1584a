"""Decide what the files of a whole folder come to: each by itself, with what belongs to it looked for in the folder. Pure.

A file that no rule takes travels along; one that cannot be used says so and keeps nobody else from being used.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from dropglow.errors import SourceFault
from dropglow.model import DropKey, Facts, Kind, Order
from dropglow.naming import shown
from dropglow.rules.beside import partner, partners
from dropglow.rules.globs import folded
from dropglow.rules.match import Explanation, decide
from dropglow.rules.order import MOST_JOBS, orders
from dropglow.rules.rule import Rule
from dropglow.rules.source import Beside

_AGAIN: Final = "replace it and drop it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of one file of a folder."""

    path: str  # below the inbox
    size_bytes: int
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which rules take a file of a folder, and what it misses there."""

    look: Look
    rules: tuple[Rule, ...]
    explanations: tuple[Explanation, ...]  # of every rule of the inbox
    beside: Mapping[str, Look]  # what belongs to it, by the paths that the rules spell
    missing: tuple[str, ...]  # likewise, what is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is ordered for a file of a folder, or why nothing is."""

    look: Look
    rules: tuple[Rule, ...] = ()  # that take it
    orders: tuple[tuple[Rule, Order], ...] = ()
    beside: tuple[str, ...] = ()  # the paths of what belongs to it
    passed_over: str = ""  # why no rule takes it
    fault: str = ""  # why it cannot be used
    hint: str = ""


def verdicts(rules: Sequence[Rule], looks: Sequence[Look]) -> tuple[Verdict, ...]:
    """Return for each file of one folder which of all the inbox's *rules* take it."""
    there = {each.path: each for each in looks}
    spelled: dict[str, list[str]] = {}
    for path in there:
        spelled.setdefault(folded(path), []).append(path)
    return tuple(_verdict(rules, look, there, spelled) for look in looks)


def parts(
    rules: Sequence[Rule], looks: Sequence[Look], *, drop_key: DropKey, now: datetime
) -> tuple[Part, ...]:
    """Return what is ordered for each file of one folder; the jobs are counted through in the order of *looks*.

    Raises:
        SourceFault: The whole of it asks for too much.
    """
    found: list[Part] = []
    ordinal = 1
    for verdict in verdicts(rules, looks):
        part = _part(verdict, drop_key=drop_key, first_ordinal=ordinal, now=now)
        ordinal += len(part.orders)
        found.append(part)
        if ordinal - 1 > MOST_JOBS:
            raise SourceFault(
                f"this folder asks for more than {MOST_JOBS:,} jobs, which is as many as one may ask for",
                hint="part it into several folders and drop those",
            )
    return tuple(found)


def unmatched(found: Sequence[Verdict]) -> tuple[Explanation, ...]:
    """Return why no rule takes anything of a folder, which has one file at least."""
    first, *others = found
    name = shown(posixpath.basename(first.look.path))
    those = f"any of its {len(found):,} files" if others else "the file in it"
    return tuple(
        Explanation(rule=each.rule, taken=False, reason=f"it does not take {those}; {name}: {each.reason}")
        for each in first.explanations
    )


def companions_fault(wanted: Mapping[str, Kind], found: Mapping[str, Facts]) -> SourceFault | None:
    """Return what keeps the files that belong to a drop from being used, naming each.

    Args:
        wanted: What each of them should be, by path.
        found: What each of them is.
    """
    faults = {
        shown(posixpath.basename(path)): fault
        for path, facts in found.items()
        if (fault := _companion_fault(facts, wanted[path])) is not None
    }
    if not faults:
        return None
    whys = "; ".join(f"{name}: {fault.message}" for name, fault in faults.items())
    hints = "; ".join(f"{name}: {fault.hint}" for name, fault in faults.items())
    return SourceFault(whys, hint=f"{hints}, with the file that it belongs to")


def companion_kinds(rules: Iterable[Rule], path: str) -> dict[str, Kind]:
    """Return what each file that belongs to the drop at *path* should be."""
    wanted: dict[str, Kind] = {}
    for rule in rules:
        said = rule.parameters.said_prompt
        prompt = partner(said.sidecar, path) if isinstance(said, Beside) else None
        wanted |= {
            each: Kind.PROMPT if each == prompt else Kind.IMAGE for each in partners(rule.companions, path)
        }
    return wanted


def _verdict(
    rules: Sequence[Rule], look: Look, there: Mapping[str, Look], spelled: Mapping[str, Sequence[str]]
) -> Verdict:
    decision = decide(rules, path=look.path, size_bytes=look.size_bytes, facts=look.facts)
    beside: dict[str, Look] = {}
    missing: list[str] = []
    for path in partners([each for rule in decision.taken for each in rule.companions], look.path):
        candidates = [path] if path in there else spelled.get(folded(path), ())
        if len(candidates) == 1:
            beside[path] = there[candidates[0]]
        else:
            missing.append(path)
    return Verdict(
        look=look,
        rules=decision.taken,
        explanations=decision.explanations,
        beside=beside,
        missing=tuple(missing),
    )


def _part(verdict: Verdict, *, drop_key: DropKey, first_ordinal: int, now: datetime) -> Part:
    look = verdict.look
    if not verdict.rules:
        return Part(look=look, passed_over=_objections(verdict.explanations))
    try:
        found = _ordered(verdict, drop_key=drop_key, first_ordinal=first_ordinal, now=now)
    except SourceFault as fault:
        return Part(look=look, rules=verdict.rules, fault=fault.message, hint=fault.hint)
    beside = tuple(each.path for each in verdict.beside.values())
    return Part(look=look, rules=verdict.rules, orders=found, beside=beside)


def _ordered(
    verdict: Verdict, *, drop_key: DropKey, first_ordinal: int, now: datetime
) -> tuple[tuple[Rule, Order], ...]:
    look = verdict.look
    if look.facts.fault is not None:
        raise SourceFault(look.facts.fault, hint=look.facts.hint)
    if verdict.missing:
        names = " and ".join(shown(posixpath.basename(path)) for path in verdict.missing)
        raise SourceFault(f"{names} is not in the folder", hint="put it in and drop the folder again")
    beside = {path: each.facts for path, each in verdict.beside.items()}
    fault = companions_fault(companion_kinds(verdict.rules, look.path), beside)
    if fault is not None:
        raise fault
    found: list[tuple[Rule, Order]] = []
    for rule in verdict.rules:
        rendered = orders(
            rule,
            drop_key=drop_key,
            path=look.path,
            facts=look.facts,
            companions=beside,
            first_ordinal=first_ordinal + len(found),
            now=now,
        )
        found += [(rule, order) for order in rendered]
    return tuple(found)


def _objections(explanations: Sequence[Explanation]) -> str:
    if len(explanations) == 1:
        return explanations[0].reason
    return "; ".join(f"{each.rule}: {each.reason}" for each in explanations)


def _companion_fault(facts: Facts, wanted: Kind) -> SourceFault | None:
    if facts.kind is None:
        return SourceFault("it is neither a picture nor a prompt", hint=_AGAIN)
    if facts.kind is wanted:
        return None if facts.fault is None else SourceFault(facts.fault, hint=facts.hint or _AGAIN)
    match wanted:
        case Kind.IMAGE:
            return SourceFault("it is a prompt, and the rule sends a picture there", hint=_AGAIN)
        case Kind.PROMPT:
            return SourceFault("it is a picture, and the rule reads a prompt there", hint=_AGAIN)
        case _:
            assert_never(wanted)
