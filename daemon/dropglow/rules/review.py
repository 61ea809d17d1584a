"""Hold a raw document against a shape, and say everything that is wrong in plain words.

The result is always an object: what is at fault is left out of it, so that
the rest can be checked further and all faults come at once.
"""

from __future__ import annotations

import copy
import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import pydantic

from dropglow.rules.problem import UNREAD, Problem
from dropglow.rules.shape import Shape
from dropglow.rules.units import shown

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Generic[S]):
    """What could be read, and what could not."""

    value: S
    problems: tuple[Problem, ...]
    places: tuple[tuple[str | int, ...], ...]  # of everything that was left out, told here or before


def review(shape: type[S], raw: Any) -> Review[S]:
    """Return *raw* as a *shape*, without the keys that are at fault, and the faults."""
    problems: list[Problem] = []
    places: list[tuple[str | int, ...]] = []
    rest = copy.deepcopy(raw)
    while True:
        try:
            value = shape.model_validate(rest)
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False)
        else:
            return Review(value=value, problems=tuple(problems), places=tuple(places))
        problems += [_problem(shape, fault) for fault in found if not _told_before(fault)]
        places += (here := [fault["loc"] for fault in found])
        rest = _pruned(rest, here)


def _told_before(fault: Mapping[str, Any]) -> bool:
    """Return whether *fault* is about a value that could not even be read; an unknown key stays one."""
    given = fault["input"]
    inner = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return fault["type"] != "extra_forbidden" and (given is UNREAD or UNREAD in inner)


def _pruned(raw: Any, places: Iterable[tuple[str | int, ...]]) -> Any:
    """Return *raw* without the innermost keys around *places*; an empty block where nothing is left."""
    doomed = [_innermost(raw, place) for place in places]
    for spot in doomed:
        if spot is None:
            return {}
        block, key = spot
        block.pop(key, None)
    return raw


def _innermost(raw: Any, place: tuple[str | int, ...]) -> tuple[dict[str, Any], str] | None:
    """Return the last block on the way to *place*, and the key in it that leads there."""
    here, found = raw, None
    for step in place:
        if isinstance(here, dict) and step in here:
            found = (here, str(step))
        elif not (isinstance(here, list) and isinstance(step, int) and step < len(here)):
            break
        here = here[step]
    return found


def _problem(shape: type[Shape], fault: Mapping[str, Any]) -> Problem:
    path: tuple[str | int, ...] = fault["loc"]
    if fault["type"] == "extra_forbidden":
        return Problem(path=path, message=unknown_key(str(path[-1]), shape_at(shape, path[:-1])), of_key=True)
    name = next((step for step in reversed(path) if isinstance(step, str)), "the file")
    return Problem(path=path, message=f"{name} {_complaint(fault)}")


def shape_at(shape: type[Shape], path: tuple[str | int, ...]) -> type[Shape]:
    """Return the shape of the block to which *path* leads."""
    for step in path:
        if isinstance(step, str):
            shape = next(_shapes(shape.model_fields[step].annotation))
    return shape


def _shapes(annotation: Any) -> Iterator[type[Shape]]:
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _shapes(argument)


def unknown_key(key: str, shape: type[Shape]) -> str:
    """Return what to say about a key that *shape* does not have."""
    if key in shape.advice:
        return shape.advice[key]
    near = difflib.get_close_matches(key, shape.model_fields, n=1)
    if near:
        return f"unknown key {key}; did you mean {near[0]}?"
    block = next((name for name, inner in _blocks(shape) if key in inner.model_fields), None)
    if block is not None:
        return f"unknown key {key} here; it belongs inside {block}"
    return f"unknown key {key}; known here: {', '.join(shape.model_fields)}"


def _blocks(shape: type[Shape]) -> Iterator[tuple[str, type[Shape]]]:
    for name, info in shape.model_fields.items():
        for inner in _shapes(info.annotation):
            yield name, inner


_WANTED: Final = {
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "list_type": "should be a list",
    "model_type": "should be a block of keys",
}
_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
}


def _complaint(fault: Mapping[str, Any]) -> str:
    """Return the rest of a sentence that begins with the key's name."""
    kind, given, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in _WANTED:
        quotes = "; put it in quotes" if kind == "string_type" and isinstance(given, (int, float)) else ""
        return f"{_WANTED[kind]}, not {shown(given)}{quotes}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"should be {words} {context[bound]}, not {shown(given)}"
    match kind:
        case "literal_error":
            return f"should be {_choices(fault)}, not {shown(given)}{_meant(given, context['expected'])}"
        case "too_long":
            return f"may have at most {context['max_length']} entries, not {len(given)}"
        case "too_short" | "string_too_short":
            return "should not be empty"
        case "string_too_long":
            return f"may have at most {context['max_length']:,} characters, not {len(given):,}"
        case "string_pattern_mismatch":
            return f"is not written as it should be: {shown(given)}"
        case _:
            return f"is not possible: {fault['msg']}"


def _choices(fault: Mapping[str, Any]) -> str:
    return str(fault["ctx"]["expected"]).replace("'", "")


def _meant(given: Any, expected: str) -> str:
    words = expected.replace("'", "").replace(" or ", ", ").split(", ")
    near = difflib.get_close_matches(str(given), words, n=1)
    return f"; did you mean {near[0]}?" if near else ""
