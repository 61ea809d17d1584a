"""Say what a rule gets wrong beyond its single values: what cannot stand together, what is missing, what is risky.

Pure. What a single value may be is said in ``notation.py`` and by each operation.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from dropglow.model import Collision, Kind
from dropglow.naming import template_faults
from dropglow.rules.assemble import DELETE, KEEP, delivery_of, kind_of, parameters_of, shared_keys
from dropglow.rules.markers import mistaken
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.order import TEXT_TOKEN
from dropglow.rules.parameters import Parameters, spelled
from dropglow.rules.problem import Problem
from dropglow.rules.review import Review
from dropglow.rules.rule import companions_of
from dropglow.rules.schema import MatchShape, RuleShape
from dropglow.rules.source import Beside


def contradictions(read: Review[RuleShape], raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a rule beyond its single values.

    What lies around a value that is at fault already is not told again.

    Args:
        read: The rule, without what was at fault, and those faults.
        raw: What stands in the file, also where it is at fault.
    """
    told = {place[:length] for place in read.places for length in range(1, len(place) + 1)}
    for problem in _contradictions(read.value, frozenset(raw)):
        if problem.path not in told:
            yield problem
    for key, each in OPERATIONS.items():
        block = raw.get(key)
        for problem in each.parameters.twice(block) if isinstance(block, dict) else ():
            yield Problem(path=(key, *problem.path), message=problem.message, of_key=True)


def _contradictions(entry: RuleShape, written: frozenset[str]) -> Iterator[Problem]:
    for key in ("name", "inbox", "outbox"):
        if getattr(entry, key) is None and (key not in written or key in entry.model_fields_set):
            yield Problem(path=(key,) if key in written else (), message=f"this rule has no {key}")
    if entry.drop == "folder":
        yield from _faults_with_folders(entry)
    yield from _operation_faults(written)
    yield from _delivery_faults(entry)
    found = parameters_of(entry)
    if found is None:
        return
    operation, parameters = found
    kind = kind_of(entry, parameters)
    problems = [
        *_kind_faults(operation, kind, parameters),
        *_source_faults(parameters),
        *parameters.faults(),
    ]
    yield from _match_faults(entry.match or MatchShape(), kind, operation, parameters)
    if entry.split is not None and kind is Kind.IMAGE and not isinstance(parameters.said_prompt, Beside):
        message = "split parts prompt files, and this rule takes pictures"
        yield Problem(path=("split",), message=message, of_key=True)
    yield from _ready_faults(entry.ready, kind, parameters)
    for problem in problems:
        yield Problem(path=(operation, *problem.path), message=problem.message, of_key=problem.of_key)
    yield from _template_faults(entry, parameters)


def _faults_with_folders(entry: RuleShape) -> Iterator[Problem]:
    """Yield what does not go with whole folders."""
    if entry.done == DELETE:
        message = (
            "done: delete cannot stand beside drop: folder: a folder may hold files that no rule takes, and those are"
            " never deleted; name a folder"
        )
        yield Problem(path=("done",), message=message)
    if entry.done == KEEP:
        message = (
            "done: keep cannot stand beside drop: folder: a whole folder is moved out of its inbox, and only single"
            " files can stay; name a folder, or leave out drop"
        )
        yield Problem(path=("done",), message=message)
    if entry.ready is not None:
        message = "ready cannot stand beside drop: folder: markers are looked for beside single files"
        yield Problem(path=("ready",), message=message, of_key=True)


def _ready_faults(ready: str | None, kind: Kind, parameters: Parameters) -> Iterator[Problem]:
    """Yield why a marker of that name could never let a file in."""
    if ready is None:
        return
    if ready in companions_of(parameters):
        message = f"ready: {ready} is a file that the operation sends, and is waited for anyway"
        yield Problem(path=("ready",), message=message)
    if (name := mistaken(ready, kind)) is not None:
        message = f"ready: {name} would be a marker by the name {ready}, and markers are never taken"
        yield Problem(path=("ready",), message=message)


def _kind_faults(operation: str, kind: Kind, parameters: Parameters) -> Iterator[Problem]:
    """Yield what does not go with the kind of file that the rule takes."""
    match kind:
        case Kind.PROMPT:
            yield from _faults_with_prompts(parameters)
        case Kind.IMAGE:
            yield from _faults_with_pictures(operation, parameters)
        case _:
            assert_never(kind)


def _faults_with_prompts(parameters: Parameters) -> Iterator[Problem]:
    said = parameters.said_prompt
    if isinstance(said, Beside):
        message = "the dropped file gives the prompt; a prompt beside it goes with pictures"
        yield Problem(path=("prompt",), message=message)
    elif said is not None and TEXT_TOKEN not in said:
        message = (
            f"the dropped file gives the prompt; write {TEXT_TOKEN} where it is to stand, or leave prompt out"
        )
        yield Problem(path=("prompt",), message=message)
    for at in parameters.places_left().values():
        message = (
            f"{spelled(at)} has no source, which stands for a dropped picture: give it one, or take pictures"
            " (match: {kind: image})"
        )
        yield Problem(path=at, message=message)


def _faults_with_pictures(operation: str, parameters: Parameters) -> Iterator[Problem]:
    yield from parameters.drop_faults()
    said = parameters.said_prompt
    if isinstance(said, str) and TEXT_TOKEN in said:
        message = f"{TEXT_TOKEN} stands for the text of a prompt file, and this rule takes pictures"
        yield Problem(path=("prompt",), message=message)
    if parameters.drop_slot() is None:
        return  # told already, and the rest follows from it
    if said is None and parameters.prompt_needed(parameters.filled_slots(Kind.IMAGE)):
        message = f'{operation} needs a prompt beside the picture: write one, or {{sidecar: "{{stem}}.txt"}}'
        yield Problem(path=(), message=message)
    for at in parameters.empty_places(Kind.IMAGE):
        message = f"{operation} needs a picture for {spelled(at)}: a path, or a sidecar"
        yield Problem(path=at, message=message)


def _source_faults(parameters: Parameters) -> Iterator[Problem]:
    for picture in parameters.pictures():
        if picture.source.url is not None:
            message = (
                "an address can only stand in the front matter of a dropped prompt: it is signed and soon out of date;"
                " give the path of a picture, relative to the rule file"
            )
            yield Problem(path=picture.at, message=message)


def cautions(entry: RuleShape) -> Iterator[Problem]:
    """Yield what costs more than it seems to, and what Adobe may refuse, depending on the organisation."""
    if delivery_of(entry).collision == "skip":
        message = "collision skip: a result whose name is taken is paid for and not kept; `unique` keeps both"
        at = ("collision",) if entry.collision is not None else ("delivery", "collision")
        yield Problem(path=at, message=message)
    near = difflib.get_close_matches(entry.done.lower(), (KEEP, DELETE), n=1, cutoff=0.7)
    if near and entry.done not in {KEEP, DELETE}:
        message = f"done names a folder {entry.done} in the inbox; did you mean {near[0]}? if not, ./{entry.done} says so"
        yield Problem(path=("done",), message=message)
    found = parameters_of(entry)
    if found is None:
        return
    operation, parameters = found
    for problem in parameters.warnings():
        yield Problem(path=(operation, *problem.path), message=problem.message)


def _operation_faults(written: frozenset[str]) -> Iterator[Problem]:
    known = [key for key in OPERATIONS if key in written]
    if not known and not any(_misspells_operation(key) for key in written):
        yield Problem(path=(), message=f"this rule has no operation: add one of {', '.join(OPERATIONS)}")
    for extra in known[1:]:
        message = (
            f"a rule has one operation, and this one has {known[0]} already; {extra} needs a rule of its own"
        )
        yield Problem(path=(extra,), message=message, of_key=True)


def _misspells_operation(key: str) -> bool:
    near = difflib.get_close_matches(key, RuleShape.model_fields, n=1)
    return key not in RuleShape.model_fields and bool(near) and near[0] in OPERATIONS


def _delivery_faults(entry: RuleShape) -> Iterator[Problem]:
    for key in shared_keys():
        if (
            entry.delivery is not None
            and getattr(entry, key) is not None
            and getattr(entry.delivery, key) is not None
        ):
            yield Problem(path=(key,), message=f"{key} stands here and in delivery; keep one", of_key=True)


def _match_faults(match: MatchShape, kind: Kind, operation: str, parameters: Parameters) -> Iterator[Problem]:
    if kind is Kind.IMAGE and parameters.drop_slot() is None and not list(parameters.drop_faults()):
        yield Problem(path=("match", "kind"), message=f"{operation} takes prompts here, and no pictures")
    foreign = {Kind.IMAGE: ("text",), Kind.PROMPT: ("formats", "orientation")}[kind]
    for key in foreign:
        if getattr(match, key) is not None:
            message = f"{key} cannot be asked of kind {kind}, which this rule takes"
            yield Problem(path=("match", key), message=message, of_key=True)
    if match.min_size is not None and match.max_size is not None and match.min_size > match.max_size:
        yield Problem(
            path=("match", "min_size"), message="min_size is larger than max_size: no file can match"
        )


def _template_faults(entry: RuleShape, parameters: Parameters) -> Iterator[Problem]:
    delivery = delivery_of(entry)
    if delivery.name is None:
        return
    at = ("delivery", "name")
    for fault in template_faults(delivery.name):
        yield Problem(path=at, message=f"name: {fault}")
    if delivery.collision in {None, Collision.UNIQUE}:
        return
    for token in _missing_tokens(delivery.name, parameters, split=entry.split is not None):
        message = f"name needs {{{token}}}: with collision {delivery.collision}, results of one file would get in each other's way"
        yield Problem(path=at, message=message)


def _missing_tokens(template: str, parameters: Parameters, *, split: bool) -> Iterator[str]:
    variants = parameters.variants()
    if split and not any(token in template for token in ("{part}", "{job}", "{job_id}")):
        yield "part"
    for field, told_by in (
        ("size", ("{size}", "{width}", "{height}")),
        ("content_class", ("{content_class}",)),
        ("model", ("{model}",)),
    ):
        varies = len({getattr(variant, field) for variant in variants}) > 1
        if varies and not any(token in template for token in (*told_by, "{job}", "{job_id}")):
            yield field
    if parameters.count > 1 and "{seed}" not in template and "{index}" not in template:
        yield "index"
