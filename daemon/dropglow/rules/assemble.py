"""Make a rule from a reading that is well formed, or say why that is impossible.

Pure: folders come in as absolute paths; whether they exist is asked elsewhere.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os.path
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from dropglow.model import After, Collision, Duplicates, Format, Kind, OnDoubt, RuleName
from dropglow.naming import default_template, template_faults
from dropglow.rules.globs import compile_globs
from dropglow.rules.operations import OPERATIONS, Operation
from dropglow.rules.order import TEXT_TOKEN
from dropglow.rules.parameters import Parameters, spelled
from dropglow.rules.prompts import Split
from dropglow.rules.review import Review
from dropglow.rules.rule import Conditions, Orientation, Rule
from dropglow.rules.schema import DeliveryShape, MatchShape, RuleShape
from dropglow.rules.shape import Problem
from dropglow.rules.source import Beside

HELD_FOLDER: Final = "_held"
DELETE: Final = "delete"
_DIGEST_LENGTH: Final = 16  # hexadecimal digits: enough to tell revisions apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The absolute folders of one rule."""

    base: str  # of the rule file: references are relative to it
    inbox: str
    outbox: str


def parameters_of(entry: RuleShape) -> tuple[str, Parameters] | None:
    """Return a rule's one operation and its parameters; None if it has none, or several."""
    operation = _operation(entry)
    return None if operation is None else (operation.key, _parameters(entry, operation))


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
    for key, operation in OPERATIONS.items():
        block = raw.get(key)
        for problem in operation.parameters.twice(block) if isinstance(block, dict) else ():
            yield Problem(path=(key, *problem.path), message=problem.message, of_key=True)


def _contradictions(entry: RuleShape, written: frozenset[str]) -> Iterator[Problem]:
    for key in ("name", "inbox", "outbox"):
        if getattr(entry, key) is None and (key not in written or key in entry.model_fields_set):
            yield Problem(path=(key,) if key in written else (), message=f"this rule has no {key}")
    yield from _operation_faults(written)
    yield from _delivery_faults(entry)
    operation = _operation(entry)
    if operation is None:
        return
    parameters = _parameters(entry, operation)
    kind = kind_of(entry, parameters)
    problems = [
        *_kind_faults(operation.key, kind, parameters),
        *_source_faults(parameters),
        *parameters.faults(),
    ]
    yield from _match_faults(entry.match or MatchShape(), kind, operation, parameters)
    if entry.split is not None and kind is Kind.IMAGE and not isinstance(parameters.said_prompt, Beside):
        message = "split parts prompt files, and this rule takes pictures"
        yield Problem(path=("split",), message=message, of_key=True)
    for problem in problems:
        yield Problem(path=(operation.key, *problem.path), message=problem.message, of_key=problem.of_key)
    yield from _template_faults(entry, parameters)


def kind_of(entry: RuleShape, parameters: Parameters) -> Kind:
    """Return what a rule takes: what it says, or else what its operation usually begins with."""
    said = entry.match.kind if entry.match is not None else None
    return parameters.usual_kind if said is None else Kind(said)


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
    operation = _operation(entry)
    if operation is None:
        return
    for problem in _parameters(entry, operation).warnings():
        yield Problem(path=(operation.key, *problem.path), message=problem.message)


def assemble(entry: RuleShape, *, file: str, line: int, folders: Folders) -> Rule:
    """Return the rule that *entry* says. It must be free of faults."""
    (operation,) = (OPERATIONS[key] for key in OPERATIONS if getattr(entry, key) is not None)
    parameters = _parameters(entry, operation).located(folders.base)
    delivery = delivery_of(entry)
    return Rule(
        name=RuleName(str(entry.name)),
        file=file,
        line=line,
        inbox=folders.inbox,
        outbox=folders.outbox,
        conditions=_conditions(entry.match or MatchShape(), kind_of(entry, parameters)),
        operation=operation.key,
        parameters=parameters,
        split=entry.split or Split.WHOLE,
        prepared=entry.prepare == "auto",
        stripped=entry.strip_metadata,
        patience_s=entry.patience,
        also=entry.also,
        after=_after(entry, folders.inbox),
        name_template=delivery.name or _default_template(parameters, split=entry.split is not None),
        collision=Collision(delivery.collision or Collision.UNIQUE),
        mode=delivery.mode,
        group=delivery.group,
        sidecar=bool(delivery.sidecar),
        settle_s=entry.settle,
        watch=entry.watch,
        rescan_s=entry.rescan,
        priority=entry.priority,
        attempts=entry.attempts,
        on_doubt=OnDoubt(entry.on_doubt),
        duplicates=Duplicates(entry.duplicates),
        digest=digest(operation.key, parameters, split=entry.split),
    )


def digest(operation: str, parameters: Parameters, *, split: Split | None = None) -> str:
    """Return a short name of everything that changes what is bought."""
    bought: dict[str, Any] = {
        "operation": operation,
        "parameters": parameters.model_dump(mode="json", exclude_none=True),
    }
    if split is not None:
        bought["split"] = split.value
    text = json.dumps(bought, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def delivery_of(entry: RuleShape) -> DeliveryShape:
    """Return how results appear, from the block and from the rule's own keys."""
    inner = entry.delivery or DeliveryShape()
    outer = {key: value for key in _shared() if (value := getattr(entry, key)) is not None}
    return inner.model_copy(update=outer)


def _shared() -> tuple[str, ...]:
    return tuple(key for key in DeliveryShape.model_fields if key != "name")


def _operation(entry: RuleShape) -> Operation | None:
    chosen = [key for key in OPERATIONS if getattr(entry, key) is not None]
    return OPERATIONS[chosen[0]] if len(chosen) == 1 else None


def _parameters(entry: RuleShape, operation: Operation) -> Parameters:
    parameters: Parameters = getattr(entry, operation.key)
    return parameters


def _operation_faults(written: frozenset[str]) -> Iterator[Problem]:
    known = [key for key in OPERATIONS if key in written]
    if not known:
        yield Problem(path=(), message=f"this rule has no operation: add one of {', '.join(OPERATIONS)}")
    for extra in known[1:]:
        message = (
            f"a rule has one operation, and this one has {known[0]} already; {extra} needs a rule of its own"
        )
        yield Problem(path=(extra,), message=message, of_key=True)


def _delivery_faults(entry: RuleShape) -> Iterator[Problem]:
    for key in _shared():
        if (
            entry.delivery is not None
            and getattr(entry, key) is not None
            and getattr(entry.delivery, key) is not None
        ):
            yield Problem(path=(key,), message=f"{key} stands here and in delivery; keep one", of_key=True)


def _match_faults(
    match: MatchShape, kind: Kind, operation: Operation, parameters: Parameters
) -> Iterator[Problem]:
    if kind is Kind.IMAGE and parameters.drop_slot() is None and not list(parameters.drop_faults()):
        yield Problem(path=("match", "kind"), message=f"{operation.key} takes prompts here, and no pictures")
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


def _default_template(parameters: Parameters, *, split: bool) -> str:
    variants = parameters.variants()
    varying = {
        field: any(
            getattr(one, field) != getattr(other, field) for one, other in itertools.pairwise(variants)
        )
        for field in ("content_class", "model")
    }
    return default_template(parts=split, content_classes=varying["content_class"], models=varying["model"])


def _conditions(match: MatchShape, kind: Kind) -> Conditions:
    return Conditions(
        kind=kind,
        names=tuple(match.name or ()),
        name_pattern=compile_globs(match.name) if match.name else None,
        formats=frozenset(Format(name) for name in match.formats or ()),
        min_size_bytes=match.min_size,
        max_size_bytes=match.max_size,
        orientations=frozenset(Orientation(word) for word in match.orientation or ()),
        text=None if match.text is None else re.compile(match.text),
    )


def _after(entry: RuleShape, inbox: str) -> After:
    return After(
        done=None if entry.done == DELETE else _below(inbox, entry.done),
        failed=_below(inbox, entry.failed),
        held=_below(inbox, HELD_FOLDER),
    )


def _below(inbox: str, folder: str) -> str:
    return os.path.normpath(os.path.join(inbox, folder))  # noqa: PTH118  # a path is text here, odd bytes included
