"""Read YAML with YAML 1.2's meanings, and remember where everything stands.

PyYAML's own resolvers are those of YAML 1.1, where ``16:9`` is 969 and ``on``
is true; so only its parser is used, and scalars get their meaning here.
Refused: duplicate keys, anchors and aliases, tags, several documents, more
than a megabyte, more than 32 levels, numbers that are no numbers.

Every fault that can be told from the others is told at once; a broken
syntax ends the reading at its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

from dropglow.rules.problem import UNREAD, Problem

LARGEST_DOCUMENT: Final = 1024 * 1024  # characters
DEEPEST_LEVEL: Final = 32
LONGEST_NUMBER: Final = 30  # characters

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS: Final = {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_VARIABLE: Final = re.compile(r"\$(\$|\{([^}]*)\})")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_TAGS: Final = frozenset({f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")})
_QUOTE_ADVICE: Final = 'put the pattern in quotes: "*.png" (an unquoted * starts an alias)'


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a text file, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML document's value, and where each key and each value of it stands.

    A value with a fault is ``UNREAD``, wherever it stands; without any syntax there is None.
    """

    value: Any
    problems: tuple[tuple[Position, str], ...]
    keys: dict[tuple[str | int, ...], Position] = field(default_factory=dict)
    values: dict[tuple[str | int, ...], Position] = field(default_factory=dict)

    def position(self, problem: Problem) -> Position:
        """Return where *problem* is: its key or value, or the nearest thing around it."""
        path = problem.path
        if problem.of_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
            if path in self.keys:
                return self.keys[path]
        return self.values.get(path, Position(line=1, column=1))


class _Loader(yaml.SafeLoader):
    """Composes nodes only: no implicit meanings, no anchors, bounded depth."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own type
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=_QUOTE_ADVICE, problem_mark=event.start_mark)
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors (&name) are not used here", problem_mark=event.start_mark
            )
        self.depth += 1
        if self.depth > DEEPEST_LEVEL:
            problem = f"this is nested more than {DEEPEST_LEVEL} levels deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse(text: str, *, environ: Mapping[str, str] | None) -> Document:
    """Return what *text* says, with every fault of its form and their places.

    Args:
        text: One YAML document.
        environ: What ``${NAME}`` in a value stands for; None leaves values as they are written.
    """
    if len(text) > LARGEST_DOCUMENT:
        fault = f"this file is too large: {len(text):,} characters; at most {LARGEST_DOCUMENT:,} are read"
        return Document(value=None, problems=((Position(line=1, column=1), fault),))
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        return Document(value=None, problems=(_syntax_fault(error),))
    except yaml.reader.ReaderError as error:
        place = _place_of(text, error.position)
        fault = f"the character U+{ord(text[error.position]):04X} cannot stand in YAML"
        return Document(value=None, problems=((place, fault),))
    if node is None:
        return Document(value=None, problems=())
    reading = _Reading(environ=environ)
    value = reading.value(node, ())
    return Document(value=value, problems=tuple(reading.problems), keys=reading.keys, values=reading.values)


def _syntax_fault(error: yaml.MarkedYAMLError) -> tuple[Position, str]:
    mark = error.problem_mark or error.context_mark
    place = Position(line=1, column=1) if mark is None else _position(mark)
    if error.context == "while scanning an alias":
        return place, _QUOTE_ADVICE
    if error.problem and "'\\t'" in error.problem:
        return place, "indent with spaces: YAML takes no tab character here"
    context = f" ({error.context})" if error.context else ""
    return place, f"this is not YAML: {error.problem}{context}"


def _place_of(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(line=before.count("\n") + 1, column=offset - before.rfind("\n"))


def _position(mark: Any) -> Position:
    return Position(line=mark.line + 1, column=mark.column + 1)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One walk over the nodes of a document, collecting places and faults."""

    environ: Mapping[str, str] | None
    problems: list[tuple[Position, str]] = field(default_factory=list)
    keys: dict[tuple[str | int, ...], Position] = field(default_factory=dict)
    values: dict[tuple[str | int, ...], Position] = field(default_factory=dict)

    def value(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        place = _position(node.start_mark)
        self.values[path] = place
        if node.tag not in _PLAIN_TAGS:
            self.problems.append((place, f"the tag {node.tag} is not used here"))
            return UNREAD
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            case _:
                return self._scalar(cast("yaml.ScalarNode", node), place)

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = _position(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append((place, "a key should be a word"))
                continue
            key = str(key_node.value)
            if key in found:
                first = self.keys[*path, key].line
                self.problems.append((place, f"the key {key} is here twice; the first is in line {first}"))
                continue
            self.keys[*path, key] = place
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: Position) -> Any:
        text = str(node.value)
        if self.environ is not None and "$" in text:
            told = len(self.problems)
            text = _VARIABLE.sub(lambda found: self._variable(found, place), text)
            if len(self.problems) > told:
                return UNREAD
        if node.style is not None:
            return text
        return self._plain(text, place)

    def _variable(self, found: re.Match[str], place: Position) -> str:
        name = found[2]
        if name is None:
            return "$"
        if not _VARIABLE_NAME.fullmatch(name):
            self.problems.append(
                (place, f"{found[0]} is no environment variable's name; write $$ for a plain $")
            )
            return ""
        value = (self.environ or {}).get(name)
        if value is None:
            self.problems.append((place, f"the environment variable {name} is not set"))
            return ""
        return value

    def _plain(self, text: str, place: Position) -> Any:
        if text in _NULLS:
            return None
        if text in _TRUTHS:
            return _TRUTHS[text]
        if _NO_NUMBER.fullmatch(text):
            self.problems.append((place, f"{text} is no number that can be used here"))
            return UNREAD
        whole = _INTEGER.fullmatch(text)
        if whole is None and not _FLOAT.fullmatch(text):
            return text
        if len(text) > LONGEST_NUMBER:
            self.problems.append(
                (place, f"this number has {len(text):,} characters; put it in quotes if it is text")
            )
            return UNREAD
        if whole is None:
            return float(text)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
