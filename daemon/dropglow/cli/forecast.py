"""Foresee what would happen to a file: which rule takes it, what would be ordered, where results would be.

Reads the file and nothing else; writes nothing, asks nobody. It decides with the
very functions of the service, so that it cannot be of another opinion.
What only the future knows stands in braces or angle brackets: ``{seed}``, ``<upload id>``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final

from dropglow.cli.companions import companions
from dropglow.cli.outlook import Outlook
from dropglow.cli.starting import Start
from dropglow.cli.subject import Place, Subject
from dropglow.config import Config
from dropglow.errors import SourceFault
from dropglow.firefly import wire
from dropglow.intake.plan import InboxPlan
from dropglow.model import Drop, DropKey, Facts, Kind, Order, RuleName, Upload
from dropglow.money import Amount
from dropglow.naming import render
from dropglow.preparing import Copy, Plan, Stripped, foreseen
from dropglow.rules.beside import partner
from dropglow.rules.demands import planned
from dropglow.rules.match import Explanation, decide
from dropglow.rules.order import orders
from dropglow.rules.prompts import Split
from dropglow.rules.rule import Rule
from dropglow.rules.source import Beside

# Two keys that no drop has: what differs between them follows from the key.
_KEY: Final = DropKey("{drop}")
_OTHER_KEY: Final = DropKey("{other}")
_LINK: Final = "<the address in its front matter>"
_JSON_TYPE: Final = ("content-type", "application/json")
_SECRET_HEADERS: Final = (("authorization", "Bearer <token>"), ("x-api-key", "<client id>"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to Adobe, without secrets."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any] | str  # JSON, or the file that is sent
    prepared: str = ""  # of an upload: how the copy that is sent differs from the file
    images: int = 0  # its price
    default_size: str = ""  # what Adobe makes, where the body names no size
    results: tuple[str, ...] = ()  # absolute paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What one rule would order."""

    rule: Rule
    uploads: tuple[Call, ...] = ()
    calls: tuple[Call, ...] = ()
    waits_for: tuple[str, ...] = ()  # names of files that belong to it and are not there
    unmarked: str = ""  # name of the marker that it waits for
    uncounted: bool = (
        False  # True: the rule splits a text that is not there, so that this is for one prompt of it
    )
    fault: str = ""  # why nothing would be ordered

    @property
    def images(self) -> int:
        """Return the price."""
        return sum(call.images for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would happen to a file in one inbox."""

    plan: InboxPlan
    place: Place
    facts: Facts
    explanations: tuple[Explanation, ...] = ()
    rules: tuple[Rule, ...] = ()  # of this inbox, as explained
    purchases: tuple[Purchase, ...] = ()
    before: Drop | None = None  # the same content under the same rules, as the ledger knows it
    outlook: Outlook | None = None  # what budgets say to it; None: the ledger could not be asked
    start: Start | None = (
        None  # when it would be ordered; None: nothing would be, or the ledger could not be asked
    )
    known: Drop | None = None  # what this very file was taken as, where originals stay

    @property
    def images(self) -> int:
        """Return the price."""
        return sum(purchase.images for purchase in self.purchases)

    @property
    def amounts(self) -> dict[RuleName, tuple[Amount, ...]]:
        """Return what each order of each rule would be, where one orders anything."""
        return {
            purchase.rule.name: tuple(
                Amount(images=len(call.results), operations=call.images) for call in purchase.calls
            )
            for purchase in self.purchases
            if purchase.calls
        }

    @property
    def amount(self) -> Amount:
        """Return how many results there would be, and their price."""
        results = sum(len(call.results) for purchase in self.purchases for call in purchase.calls)
        return Amount(images=results, operations=self.images)


def forecast(config: Config, subject: Subject, place: Place, *, now: datetime) -> Forecast:
    """Return what would happen to *subject* in the inbox of *place*.

    Args:
        config: The rules and Adobe's address.
        subject: The file, as far as there is one.
        place: Where it lies, or would lie.
        now: For dates in results' names, in the time zone that people expect there.
    """
    (plan,) = (plan for plan in config.inboxes if plan.folder == place.inbox)
    rules = tuple(rule for rule in config.rules if rule.inbox == place.inbox)
    if place.ignored:
        return Forecast(plan=plan, place=place, facts=subject.facts)
    size_bytes = subject.size_bytes or 0 if subject.exists else None
    decision = decide(rules, path=place.path, size_bytes=size_bytes, facts=subject.facts)
    return Forecast(
        plan=plan,
        place=place,
        facts=subject.facts,
        explanations=decision.explanations,
        rules=rules,
        purchases=tuple(_purchases(config, decision.taken, subject, place, now=now)),
    )


def _purchases(
    config: Config, rules: tuple[Rule, ...], subject: Subject, place: Place, *, now: datetime
) -> Iterator[Purchase]:
    facts = subject.facts
    if not subject.exists and facts.kind is Kind.PROMPT:
        facts = replace(facts, text=f"<the text of {PurePath(place.path).name}>")
    ordinal = 1
    uploaded: set[tuple[str | None, str]] = set()
    for rule in rules:
        beside = companions(rule, subject, place)
        try:
            rendered = _rendered(rule, place, facts, beside.facts, ordinal, now)
        except SourceFault as fault:
            told = f"{fault.message}: {fault.hint}" if fault.hint else fault.message
            yield Purchase(rule=rule, fault=told, unmarked=beside.unmarked)
            continue
        ordinal += len(rendered)
        yield Purchase(
            rule=rule,
            uploads=tuple(_uploads(config, rendered, place, facts, beside.facts, uploaded)),
            waits_for=beside.missing,
            unmarked=beside.unmarked,
            uncounted=rule.split is not Split.WHOLE and _unread(rule, subject, place, beside.missing),
            calls=tuple(_call(config, order, place, now=now) for order in rendered),
        )


def _unread(rule: Rule, subject: Subject, place: Place, missing: Collection[str]) -> bool:
    """Return whether the text that the rule reads is not there yet."""
    said = rule.parameters.said_prompt
    if isinstance(said, Beside):
        return PurePath(partner(said.sidecar, place.path)).name in missing
    return not subject.exists


def _rendered(
    rule: Rule, place: Place, facts: Facts, beside: Mapping[str, Facts], ordinal: int, now: datetime
) -> tuple[Order, ...]:
    """Return the orders; seeds that will follow from the drop's key, which it has not got yet, are left out."""
    mine, other = (
        orders(
            rule,
            drop_key=key,
            path=place.path,
            facts=facts,
            companions=beside,
            first_ordinal=ordinal,
            now=now,
        )
        for key in (_KEY, _OTHER_KEY)
    )
    return tuple(
        one if one.seeds == two.seeds else replace(one, seeds=())
        for one, two in zip(mine, other, strict=True)
    )


def _uploads(
    config: Config,
    rendered: tuple[Order, ...],
    place: Place,
    facts: Facts,
    beside: Mapping[str, Facts],
    uploaded: set[tuple[str | None, str]],
) -> Iterator[Call]:
    """Yield one upload for each content that is not *uploaded* yet, however many orders need it."""
    needed = ((order, each) for order in rendered for each in order.references if not each.linked)
    for order, reference in needed:
        file = reference.path or reference.companion
        # Of the rule's own files nothing is known: they are looked into when they are sent.
        known = facts if reference.of_drop else beside.get(reference.companion or "", Facts())
        sent = planned(order, reference.slot, known)
        content = (file, sent.recipe if isinstance(sent, Copy | Stripped) else "")
        if content in uploaded:
            continue
        uploaded.add(content)
        yield Call(
            url=config.api.base_url + wire.UPLOAD_PATH,
            headers=(*_SECRET_HEADERS, ("content-type", _media(sent, known))),
            body=file or place.path,
            prepared="" if known.format is None else foreseen(sent),
        )


def _media(sent: Plan, facts: Facts) -> str:
    if facts.format is None:
        return "<by its bytes>"
    if isinstance(sent, Copy):
        return " or ".join(dict.fromkeys(f"image/{encoding.format}" for encoding in sent.encodings))
    return f"image/{facts.format}"


def _call(config: Config, order: Order, place: Place, *, now: datetime) -> Call:
    uploads = [
        Upload(
            slot=reference.slot,
            sha256="",
            upload_id=f"<upload id of {PurePath(reference.path or reference.companion or place.path).name}>",
            valid_until=now,
        )
        for reference in order.references
    ]
    links = {reference.slot: _LINK for reference in order.references if reference.linked}
    request = wire.order_request(order, uploads, links)
    body: dict[str, Any] = json.loads(request.body)
    if not order.seeds:
        body["seeds"] = [f"<seed {number}>" for number in range(1, len(body["seeds"]) + 1)]
    return Call(
        url=config.api.base_url + request.path,
        headers=(*_SECRET_HEADERS, _JSON_TYPE, *request.headers),
        body=body,
        images=order.images,
        default_size="" if {"size", "sizes"} & body.keys() else order.size,
        results=tuple(results_of(order, len(body["seeds"]))),
    )


def results_of(order: Order, count: int) -> Iterator[str]:
    """Yield the absolute paths of an order's *count* results, with braces around what only the future knows."""
    plan = order.delivery
    for index in range(count):
        seed = str(order.seeds[index]) if order.seeds else "{seed}"
        values = {**order.tokens, "index": str(index + 1), "seed": seed, "ext": "{ext}", "job_id": "{job_id}"}
        yield str(PurePath(plan.outbox, plan.folder, render(plan.name, values)))
