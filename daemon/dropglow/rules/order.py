"""Render what a rule orders for one drop: complete requests, each with its price.

Pure and repeatable: the same rule, drop and time give the same orders, seeds
included. A seed that no rule chose comes from the job's key, so that a
repeated order asks for the same picture.
"""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dropglow.errors import SourceFault
from dropglow.model import DeliveryPlan, DropKey, Facts, JobKey, Kind, Order, Reference
from dropglow.naming import places_folder, safe_folder
from dropglow.rules.beside import partner
from dropglow.rules.demands import accept
from dropglow.rules.frontmatter import OPEN_HINT, divided, overridden
from dropglow.rules.operations import OPERATIONS, Operation
from dropglow.rules.parameters import NamedPicture, Parameters, Variant, spelled
from dropglow.rules.pricing import price_of
from dropglow.rules.prompts import Piece, Split, pieces
from dropglow.rules.rule import Rule
from dropglow.rules.source import Beside
from dropglow.rules.units import Size

TEXT_TOKEN: Final = "{text}"  # noqa: S105  # a token of a prompt, not a password
MOST_JOBS: Final = 5000  # of one drop: a file of ten thousand lines is a mistake more often than a wish
_SEED_BITS: Final = 31  # Adobe's examples all fit into a signed 32-bit number
_AGAIN: Final = "and drop the file again"
_NOTHING: Final[Mapping[str, Facts]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What one prompt of a drop asks of one rule, before it is multiplied into jobs."""

    parameters: Parameters
    prompt: str
    part: str = ""  # which prompt of its file, where that is split


def orders(
    rule: Rule,
    *,
    drop_key: DropKey,
    path: str,
    facts: Facts,
    companions: Mapping[str, Facts] = _NOTHING,
    first_ordinal: int,
    now: datetime,
) -> tuple[Order, ...]:
    """Return the orders of a drop under *rule*, one for each job.

    Args:
        rule: Took the drop.
        drop_key: Of the drop; with the ordinals it makes the jobs' keys.
        path: Of the drop below its inbox.
        facts: What a look inside the drop told.
        companions: What a look inside its companions told, by their paths below the inbox.
        first_ordinal: The number of the first job; a second rule of the same drop goes on counting.
        now: For the date in results' names, in the time zone that people expect there.

    Raises:
        SourceFault: The drop, its prompt, its front matter or a file beside it cannot be used.
    """
    operation = OPERATIONS[rule.operation]
    wanted = [
        (request, variant)
        for request in _requests(rule, path, facts, companions)
        for variant in request.parameters.variants()
    ]
    if len(wanted) > MOST_JOBS:
        raise SourceFault(
            f"this file asks for {len(wanted):,} jobs, and one file may ask for {MOST_JOBS:,}",
            hint=f"part it into several files {_AGAIN}",
        )
    rendered = tuple(
        _order(rule, operation, request, variant, path=path, now=now, job=JobKey(f"{drop_key}.{ordinal}"))
        for ordinal, (request, variant) in enumerate(wanted, start=first_ordinal)
    )
    for order in rendered:
        accept(order, facts=facts, companions=companions)
    return rendered


def price(rule: Rule, facts: Facts, *, path: str = "", companions: Mapping[str, Facts] = _NOTHING) -> int:
    """Return how many images a drop buys under *rule*, in operations as Adobe counts them.

    Raises:
        SourceFault: The drop, its prompt or its front matter cannot be used.
    """
    return sum(
        request.parameters.count * _price(rule, request.parameters, variant)
        for request in _requests(rule, path, facts, companions)
        for variant in request.parameters.variants()
    )


def _price(rule: Rule, parameters: Parameters, variant: Variant) -> int:
    return price_of(rule.prices, rule.operation, parameters.variety(variant))


def _requests(rule: Rule, path: str, facts: Facts, companions: Mapping[str, Facts]) -> tuple[_Request, ...]:
    for each in (facts, *companions.values()):
        if each.fault is not None:
            raise SourceFault(each.fault, hint=each.hint or "replace the file and drop it again")
    said = rule.parameters.said_prompt
    if rule.conditions.kind is Kind.PROMPT:
        return _written(rule, facts.text or "", template=None if isinstance(said, Beside) else said)
    if isinstance(said, Beside):
        return _written(rule, companions[partner(said.sidecar, path)].text or "", template=None)
    return (_checked(rule, _Request(parameters=rule.parameters, prompt=said or "")),)


def _written(rule: Rule, text: str, *, template: str | None) -> tuple[_Request, ...]:
    """Return what a prompt file asks for."""
    parts = divided(text)
    if parts.fault is not None:
        raise SourceFault(parts.fault, hint=OPEN_HINT)
    parameters = rule.parameters
    if parts.front is not None:
        parameters = overridden(parameters, parts.front, first_line=parts.front_line)
        said = parameters.said_prompt
        template = said if isinstance(said, str) else template
    found = pieces(parts.text, rule.split, first_line=parts.line)
    if not found:
        prompt = _without_text(template, parameters, rule.conditions.kind)
        return (_checked(rule, _Request(parameters=parameters, prompt=prompt)),)
    faults = [fault for piece in found for fault in _prompt_faults(template, piece, parameters, rule.split)]
    if faults:
        raise SourceFault("; ".join(faults), hint=f"shorten or mend it {_AGAIN}")
    digits = len(str(len(found)))
    return tuple(
        _checked(
            rule,
            _Request(
                parameters=parameters,
                prompt=_filled(template, piece.text),
                part="" if rule.split is Split.WHOLE else f"{number:0{digits}}",
            ),
        )
        for number, piece in enumerate(found, start=1)
    )


def _without_text(template: str | None, parameters: Parameters, kind: Kind) -> str:
    if template is not None and TEXT_TOKEN not in template:
        return template
    if template is not None or parameters.prompt_needed(parameters.filled_slots(kind)):
        raise SourceFault("the prompt is empty", hint=f"write what the picture should show {_AGAIN}")
    return ""


def _prompt_faults(template: str | None, piece: Piece, parameters: Parameters, split: Split) -> Iterator[str]:
    longest = parameters.longest_prompt
    where = "" if split is Split.WHOLE and piece.line == 1 else f"line {piece.line}: "
    if longest == 0:
        yield f"{where}this operation reads no prompt: leave only the lines between --- and ---"
        return
    if template is not None and TEXT_TOKEN not in template:
        yield (
            f"the front matter gives a prompt, and so does the text below it; write {TEXT_TOKEN} into the"
            " front matter's prompt, or leave the text away"
        )
        return
    length = len(_filled(template, piece.text))
    if length > longest:
        yield (
            f"{where}the prompt is too long: {length:,} characters; Firefly reads at most {longest:,}, so it is"
            f" {length - longest:,} too many"
        )


def _filled(template: str | None, text: str) -> str:
    return text if template is None else template.replace(TEXT_TOKEN, text)


def _checked(rule: Rule, request: _Request) -> _Request:
    """Return *request*, if the drop and all pictures that Adobe needs have their places."""
    parameters, kind = request.parameters, rule.conditions.kind
    if kind is Kind.IMAGE:
        _require_place(parameters)
    for at in parameters.empty_places(kind):
        raise SourceFault(
            f"this prompt file names no picture for {spelled(at)}",
            hint=f"write `{_as_yaml(at)}` between two lines --- at its beginning {_AGAIN}",
        )
    return request


def _require_place(parameters: Parameters) -> None:
    """Raise SourceFault if a prompt beside the picture changed what the rule says, so that the picture does not fit."""
    problem = next(parameters.drop_faults(), None)
    if problem is None and parameters.drop_slot() is not None:
        return
    why = problem.message if problem is not None else "what it says takes prompts, and no pictures"
    raise SourceFault(f"the front matter beside this picture cannot be used: {why}", hint=f"mend it {_AGAIN}")


def _as_yaml(at: Sequence[str | int]) -> str:
    """Return how an address is given for the parameter at a place."""
    *outer, last = (step for step in at if step != "source")
    inner = f"{last}: https://…"
    for step in reversed(outer):
        inner = f"{step}: {{{inner}}}"
    return inner


def _drop_slot(rule: Rule, request: _Request) -> str | None:
    return request.parameters.drop_slot() if rule.conditions.kind is Kind.IMAGE else None


def _order(
    rule: Rule,
    operation: Operation,
    request: _Request,
    variant: Variant,
    *,
    path: str,
    now: datetime,
    job: JobKey,
) -> Order:
    parameters = request.parameters
    seeds = tuple(parameters.seeds) if parameters.seeds else chosen_seeds(job, count=parameters.count)
    size = parameters.expected_size(variant)
    references = _references(rule, request, path)
    slots = {reference.slot for reference in references}
    body = parameters.body(variant, prompt=request.prompt, slots=slots)
    return Order(
        operation=operation.key,
        model=variant.model or (operation.default_model if operation.model_needed else None),
        body=body | parameters.seeding(seeds),
        references=references,
        images=len(seeds) * _price(rule, parameters, variant),
        results=len(seeds),
        prepared=rule.prepared,
        stripped=rule.stripped,
        size=str(size or ""),
        seeds=seeds,
        prompt=request.prompt,
        tokens=_tokens(rule, operation, request, variant, size=size, path=path, now=now, job=job),
        delivery=_delivery(rule, path),
    )


def _references(rule: Rule, request: _Request, path: str) -> tuple[Reference, ...]:
    slot = _drop_slot(rule, request)
    drop = () if slot is None else (Reference(slot=slot),)
    return drop + tuple(_reference(picture, path) for picture in request.parameters.pictures())


def _reference(picture: NamedPicture, path: str) -> Reference:
    source = picture.source
    if source.sidecar is not None:
        return Reference(slot=picture.slot, companion=partner(source.sidecar, path))
    return Reference(slot=picture.slot, path=source.path, linked=source.url is not None)


def _tokens(
    rule: Rule,
    operation: Operation,
    request: _Request,
    variant: Variant,
    *,
    size: Size | None,
    path: str,
    now: datetime,
    job: JobKey,
) -> dict[str, str]:
    folder, name = os.path.split(path)
    return {
        "stem": os.path.splitext(name)[0],  # noqa: PTH122  # a path is text here, odd bytes included
        "folder": folder,
        "part": request.part,
        "size": str(size or ""),
        "width": str(size.width if size else ""),
        "height": str(size.height if size else ""),
        "content_class": variant.content_class or "",
        "model": variant.model or operation.default_model or operation.key,
        "rule": rule.name,
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H%M%S}",
        "job": job,
        "drop": job.rpartition(".")[0],
    }


def _delivery(rule: Rule, path: str) -> DeliveryPlan:
    # A template with {folder} says itself what becomes of the sub folder.
    mirrored = "" if places_folder(rule.name_template) else os.path.dirname(path)  # noqa: PTH120
    return DeliveryPlan(
        outbox=rule.outbox,
        folder=safe_folder(mirrored),
        name=rule.name_template,
        collision=rule.collision,
        mode=rule.mode,
        group=rule.group,
        sidecar=rule.sidecar,
    )


def chosen_seeds(job: JobKey, *, count: int) -> tuple[int, ...]:
    """Return *count* different seeds that follow from a job's key alone."""
    seeds: dict[int, None] = {}
    turn = 0
    while len(seeds) < count:
        digest = hashlib.sha256(f"{job}/{turn}".encode()).digest()
        seeds[int.from_bytes(digest[:4], "big") >> (32 - _SEED_BITS)] = None
        turn += 1
    return tuple(seeds)
