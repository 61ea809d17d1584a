"""Make a rule from a reading that is free of faults.

Pure: folders come in as absolute paths; whether they exist is asked elsewhere.
What values say together that cannot be is told by ``contradictions.py``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os.path
import re
from dataclasses import dataclass
from typing import Any, Final

from dropglow.model import After, Collision, Duplicates, Format, Kind, OnDoubt, RuleName
from dropglow.naming import default_template
from dropglow.rules.budget import budget_of
from dropglow.rules.globs import compile_globs
from dropglow.rules.operations import OPERATIONS, Operation
from dropglow.rules.parameters import Parameters
from dropglow.rules.prompts import Split
from dropglow.rules.rule import Conditions, Orientation, Rule
from dropglow.rules.schema import DONE_FOLDER, FAILED_FOLDER, DeliveryShape, MatchShape, RuleShape

HELD_FOLDER: Final = "_held"
# Whatever the rules say by now, earlier ones may have left originals there.
USUAL_FOLDERS: Final = (DONE_FOLDER, FAILED_FOLDER, HELD_FOLDER)
DELETE: Final = "delete"
KEEP: Final = "keep"
FOLDER_SETTLE_S: Final = 30.0  # people make a folder and fill it by hand
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


def kind_of(entry: RuleShape, parameters: Parameters) -> Kind:
    """Return what a rule takes: what it says, or else what its operation usually begins with."""
    said = entry.match.kind if entry.match is not None else None
    return parameters.usual_kind if said is None else Kind(said)


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
        give_up_s=entry.give_up,
        ready=entry.ready,
        folders=entry.drop == "folder",
        also=entry.also,
        keeps=entry.done == KEEP,
        after=_after(entry, folders),
        name_template=delivery.name or _default_template(parameters, split=entry.split is not None),
        collision=Collision(delivery.collision or Collision.UNIQUE),
        mode=delivery.mode,
        group=delivery.group,
        sidecar=bool(delivery.sidecar),
        settle_s=_settle_s(entry),
        watch=entry.watch,
        rescan_s=entry.rescan,
        priority=entry.priority,
        attempts=entry.attempts,
        on_doubt=OnDoubt(entry.on_doubt),
        duplicates=Duplicates(entry.duplicates),
        budget=budget_of(entry.budget),
        digest=digest(entry, operation.key, parameters),
    )


def digest(entry: RuleShape, operation: str, parameters: Parameters) -> str:
    """Return a short name of everything that changes what is bought, and what of a picture leaves the house."""
    bought: dict[str, Any] = {
        "operation": operation,
        "parameters": parameters.model_dump(mode="json", exclude_none=True),
    }
    # What goes without saying is left out: drops that are older than these keys are still known.
    if entry.split is not None:
        bought["split"] = entry.split.value
    if entry.prepare != "auto":
        bought["prepare"] = entry.prepare
    if entry.strip_metadata:
        bought["strip_metadata"] = True
    text = json.dumps(bought, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def delivery_of(entry: RuleShape) -> DeliveryShape:
    """Return how results appear, from the block and from the rule's own keys."""
    inner = entry.delivery or DeliveryShape()
    outer = {key: value for key in shared_keys() if (value := getattr(entry, key)) is not None}
    return inner.model_copy(update=outer)


def shared_keys() -> tuple[str, ...]:
    """Return the keys of delivery that may stand in the rule itself as well."""
    return tuple(key for key in DeliveryShape.model_fields if key != "name")


def _operation(entry: RuleShape) -> Operation | None:
    chosen = [key for key in OPERATIONS if getattr(entry, key) is not None]
    return OPERATIONS[chosen[0]] if len(chosen) == 1 else None


def _parameters(entry: RuleShape, operation: Operation) -> Parameters:
    parameters: Parameters = getattr(entry, operation.key)
    return parameters


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


def _settle_s(entry: RuleShape) -> float:
    whole = entry.drop == "folder" and "settle" not in entry.model_fields_set
    return FOLDER_SETTLE_S if whole else entry.settle


def _after(entry: RuleShape, folders: Folders) -> After:
    inbox, outbox = folders.inbox, folders.outbox
    if entry.done == KEEP:
        return After(done=None, failed=below(outbox, entry.failed), held=below(outbox, HELD_FOLDER))
    return After(
        done=None if entry.done == DELETE else below(inbox, entry.done),
        failed=below(inbox, entry.failed),
        held=below(inbox, HELD_FOLDER),
    )


def below(base: str, folder: str) -> str:
    """Return *folder* as an absolute one, relative to *base*."""
    return os.path.normpath(os.path.join(base, folder))  # noqa: PTH118  # a path is text here, odd bytes included
