"""Find the files that belong to one that somebody asks about, and say what they are.

What a rule waits for and is not there yet is foreseen by its name, like a file that is not dropped yet.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath

from dropglow.cli.subject import Place, Subject, facts_of
from dropglow.model import Facts, Kind
from dropglow.rules.beside import partner
from dropglow.rules.globs import folded
from dropglow.rules.rule import Rule
from dropglow.rules.source import Beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    """The files beside a drop that one rule waits for."""

    facts: dict[str, Facts] = field(default_factory=dict)  # by their paths below the inbox
    missing: tuple[str, ...] = ()  # names
    unmarked: str = ""  # name of the marker that is not there


def companions(rule: Rule, subject: Subject, place: Place) -> Companions:
    """Return what lies beside *subject* for *rule*, where it lies now.

    Raises:
        DiskError: A file is there and cannot be opened.
        DropglowError: A file is there and cannot be read.
    """
    folder = os.path.dirname(subject.file)  # noqa: PTH120
    names = {folded(name): name for name in _names(folder)} if rule.belongings else {}
    said = rule.parameters.said_prompt
    facts, missing = {}, []
    for template in rule.companions:
        path = partner(template, place.path)
        wanted = PurePath(path).name
        name = names.get(folded(wanted))
        if name is not None:
            facts[path] = facts_of(os.path.join(folder, name))  # noqa: PTH118
            continue
        missing.append(wanted)
        prompt = isinstance(said, Beside) and said.sidecar == template
        text = f"<the text of {wanted}>"
        facts[path] = Facts(kind=Kind.PROMPT, text=text) if prompt else Facts(kind=Kind.IMAGE)
    marker = "" if rule.ready is None else PurePath(partner(rule.ready, place.path)).name
    unmarked = "" if folded(marker) in names else marker
    return Companions(facts=facts, missing=tuple(missing), unmarked=unmarked)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []  # the file that was asked about does not exist either
