"""Render what a rule orders for one drop: complete requests, each with its price.

Pure and repeatable: the same rule, drop and time give the same orders, seeds
included. A seed that no rule chose comes from the job's key, so that a
repeated order asks for the same picture.
"""

from __future__ import annotations

import hashlib
import os.path
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dropglow.errors import SourceFault
from dropglow.model import DeliveryPlan, DropKey, Facts, JobKey, Kind, Order, Reference
from dropglow.naming import places_folder, safe_folder
from dropglow.rules.frontmatter import OPEN_HINT, divided, overridden
from dropglow.rules.operations import OPERATIONS, Operation
from dropglow.rules.parameters import LONGEST_PROMPT, Parameters, Variant
from dropglow.rules.rule import Rule
from dropglow.rules.units import Size

TEXT_TOKEN: Final = "{text}"  # noqa: S105  # a token of a prompt, not a password
_SEED_BITS: Final = 31  # Adobe's examples all fit into a signed 32-bit number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What one drop asks of one rule, before it is multiplied into jobs."""

    parameters: Parameters
    prompt: str


def orders(
    rule: Rule, *, drop_key: DropKey, path: str, facts: Facts, first_ordinal: int, now: datetime
) -> tuple[Order, ...]:
    """Return the orders of a drop under *rule*, one for each job.

    Args:
        rule: Took the drop.
        drop_key: Of the drop; with the ordinals it makes the jobs' keys.
        path: Of the drop below its inbox.
        facts: What a look inside the drop told.
        first_ordinal: The number of the first job; a second rule of the same drop goes on counting.
        now: For the date in results' names, in the time zone that people expect there.

    Raises:
        SourceFault: The prompt or its front matter cannot be used.
    """
    operation = OPERATIONS[rule.operation]
    request = _request(rule, facts)
    return tuple(
        _order(rule, operation, request, variant, path=path, now=now, job=JobKey(f"{drop_key}.{ordinal}"))
        for ordinal, variant in enumerate(request.parameters.variants(), start=first_ordinal)
    )


def price(rule: Rule, facts: Facts) -> int:
    """Return how many images a drop buys under *rule*.

    Raises:
        SourceFault: The prompt or its front matter cannot be used.
    """
    parameters = _request(rule, facts).parameters
    return len(parameters.variants()) * parameters.count * OPERATIONS[rule.operation].images_each


def _request(rule: Rule, facts: Facts) -> _Request:
    if facts.fault is not None:
        raise SourceFault(facts.fault, hint="replace the file and drop it again")
    if rule.conditions.kind is Kind.IMAGE:
        return _Request(parameters=rule.parameters, prompt=rule.parameters.prompt or "")
    parts = divided(facts.text or "")
    if parts.fault is not None:
        raise SourceFault(parts.fault, hint=OPEN_HINT)
    parameters = rule.parameters if parts.front is None else overridden(rule.parameters, parts.front)
    return _Request(parameters=parameters, prompt=_prompt(parameters.prompt, parts.text))


def _prompt(template: str | None, text: str) -> str:
    if not text and (template is None or TEXT_TOKEN in template):
        raise SourceFault(
            "the prompt is empty", hint="write what the picture should show and drop the file again"
        )
    prompt = _filled(template, text)
    if len(prompt) > LONGEST_PROMPT:
        raise SourceFault(
            f"the prompt is too long: {len(prompt):,} characters; Firefly reads at most {LONGEST_PROMPT:,}",
            hint=f"shorten it by {len(prompt) - LONGEST_PROMPT:,} characters and drop the file again",
        )
    return prompt


def _filled(template: str | None, text: str) -> str:
    if template is None or not text:
        return template or text
    if TEXT_TOKEN not in template:
        raise SourceFault(
            f"the front matter gives a prompt, and so does the text below it; {TEXT_TOKEN} is missing",
            hint=f"write {TEXT_TOKEN} into the front matter's prompt, or leave the text away, and drop the file again",
        )
    return template.replace(TEXT_TOKEN, text)


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
    size = variant.size or _default_size(parameters)
    return Order(
        operation=operation.key,
        model=variant.model,
        body=_body(request, variant, seeds),
        references=_references(operation, parameters),
        images=len(seeds) * operation.images_each,
        results=len(seeds),
        size=str(size or ""),
        seeds=seeds,
        prompt=request.prompt,
        tokens=_tokens(rule, operation, variant, size=size, path=path, now=now, job=job),
        delivery=_delivery(rule, path),
    )


def _body(request: _Request, variant: Variant, seeds: tuple[int, ...]) -> dict[str, Any]:
    body = request.parameters.body(variant, prompt=request.prompt)
    return body | {"numVariations": len(seeds), "seeds": list(seeds)}


def _default_size(parameters: Parameters) -> Size | None:
    """Return the size that Adobe documents for a request without one; a mask brings its own."""
    return None if any(file.slot == "mask.source" for file in parameters.files()) else parameters.default_size


def _references(operation: Operation, parameters: Parameters) -> tuple[Reference, ...]:
    drop = () if operation.drop_slot is None else (Reference(slot=operation.drop_slot, path=None),)
    return drop + tuple(Reference(slot=file.slot, path=file.path) for file in parameters.files())


def _tokens(
    rule: Rule,
    operation: Operation,
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
