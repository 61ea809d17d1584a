"""Say where rules of one inbox get in each other's way because one of them takes whole folders. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dropglow.model import RuleName
from dropglow.rules.folders import differing_after
from dropglow.rules.load import Fault, Loaded


def folder_faults(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield last folders that differ among rules which may share a folder: that goes to one place."""
    first: dict[str, Loaded] = {}
    for loaded in rules:
        rule = loaded.rule
        if not rule.folders:
            continue
        one = first.setdefault(rule.inbox, loaded).rule
        for key in differing_after(one, rule):
            message = (
                f"{key} differs from that of {one.name}, and both take whole folders of this inbox (drop: folder):"
                " a folder goes to one place, so give both the same"
            )
            yield loaded.entry.fault(key, message)


def kept_folder_faults(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield, once for each inbox, that one rule moves whole folders out of it and another leaves originals in it."""
    takers = _takers(rules)
    told: set[str] = set()
    for loaded in rules:
        rule = loaded.rule
        if not rule.keeps or rule.inbox not in takers or rule.inbox in told:
            continue
        told.add(rule.inbox)
        message = (
            f"done: keep cannot stand beside drop: folder, which {takers[rule.inbox]} says of the same inbox:"
            " a whole folder is moved out of it; give one of the two an inbox of its own"
        )
        yield loaded.entry.fault("done", message)


def folder_warnings(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield rules that see less than they may seem to, because another one takes the sub-folders whole."""
    takers = _takers(rules)
    for loaded in rules:
        taker = takers.get(loaded.rule.inbox)
        if taker is None or loaded.rule.folders:
            continue
        message = (
            f"this rule takes only files that lie in the inbox itself: {taker} says drop: folder,"
            " so sub-folders are taken whole and by such rules alone"
        )
        yield loaded.entry.fault("inbox", message)


def _takers(rules: Sequence[Loaded]) -> dict[str, RuleName]:
    """Return for each inbox whose sub-folders are taken whole a rule that says so."""
    return {loaded.rule.inbox: loaded.rule.name for loaded in rules if loaded.rule.folders}
