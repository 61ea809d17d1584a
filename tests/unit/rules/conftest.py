"""Rules for tests: made from the YAML that an operator would write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dropglow.rules.assemble import Folders, assemble
from dropglow.rules.contradictions import contradictions
from dropglow.rules.positions import parse
from dropglow.rules.problem import Problem
from dropglow.rules.review import review
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape

HEAD = "name: test\ninbox: in\noutbox: out\n"


@pytest.fixture
def make_rule() -> Callable[[str], Rule]:
    """Return a maker of rules from the lines below name, inbox and outbox."""

    def make(text: str) -> Rule:
        raw = parse(HEAD + text, environ={}).value
        read = review(RuleShape, raw)
        assert not read.problems
        assert not list(contradictions(read, raw))
        folders = Folders(base="/etc/rules", inbox="/srv/in", outbox="/srv/out")
        return assemble(read.value, file="/etc/rules/a.yaml", line=2, folders=folders)

    return make


@pytest.fixture
def faults_of() -> Callable[[str], list[str]]:
    """Return a reader of what is wrong with a rule's YAML, below a head that is right."""

    def read(text: str) -> list[str]:
        return [problem.message for problem in problems(parse(HEAD + text, environ={}).value)]

    return read


def problems(raw: Any) -> Iterator[Problem]:
    """Yield everything that is wrong with a raw rule."""
    read = review(RuleShape, raw)
    yield from read.problems
    yield from contradictions(read, raw)
