"""Make drops and jobs of what was claimed. Pure: whoever asks stores them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from dropglow.disk import shown
from dropglow.errors import SourceFault
from dropglow.intake.claiming import Claimed
from dropglow.intake.plan import InboxPlan
from dropglow.model import Companion, Drop, Job, Kind, Member, Order
from dropglow.rules.members import Look, Part, companion_kinds, companions_fault, parts
from dropglow.rules.order import orders
from dropglow.rules.rule import Rule
from dropglow.runtime.keys import job_key
from dropglow.runtime.taking import Taken

_MOST_NAMED: Final = 3  # faulty files of a folder; the report names all of them


def drafted(taken: Taken, *, plan: InboxPlan, now: datetime) -> tuple[Drop, tuple[Job, ...]]:
    """Return the drop of what was claimed in the inbox of *plan*, with its jobs; with none, why it cannot be used.

    A folder's faulty files keep nobody else from being ordered: then there are jobs, and a reason as well.
    """
    if taken.claimed.members:
        return _folder_drafted(taken, inbox=plan.folder, now=now)
    drop = _drop_of(taken, plan=plan, now=now)
    try:
        return drop, _jobs_of(drop, taken)
    except SourceFault as fault:
        return replace(drop, reason=fault.message, hint=fault.hint), ()


def _drop_of(taken: Taken, *, plan: InboxPlan, now: datetime) -> Drop:
    file, rule = taken.claimed, taken.rules[0]
    fault = _fault_of(taken)
    return Drop(
        key=file.key,
        inbox=plan.folder,
        path=file.sighting.path,
        place=file.place,
        rule=rule.name,
        rule_digest=_digest(taken.rules),
        sha256=file.sha256,
        size_bytes=file.sighting.size_bytes,
        device=file.sighting.device,
        inode=file.sighting.inode,
        kind=file.facts.kind or Kind.IMAGE,
        companions=_companions(file),
        after=replace(rule.after, workshop=plan.workshop),
        reason=fault.message if fault else "",
        hint=fault.hint if fault else "",
        admitted_at=now,
    )


def _jobs_of(drop: Drop, taken: Taken) -> tuple[Job, ...]:
    """Return the jobs of a sound drop, none for one with a fault.

    Raises:
        SourceFault: A rule cannot make an order of this file.
    """
    if drop.reason:
        return ()
    found: list[tuple[Rule, Order]] = []
    for rule in taken.rules:
        rendered = orders(
            rule,
            drop_key=drop.key,
            path=drop.path,
            facts=taken.claimed.facts,
            companions={each.path: each.facts for each in taken.claimed.partners if not each.marker},
            first_ordinal=len(found) + 1,
            now=drop.admitted_at.astimezone(),  # names of results are read by people
        )
        found += [(rule, order) for order in rendered]
    return tuple(
        _job(drop, rule, order, ordinal=ordinal) for ordinal, (rule, order) in enumerate(found, start=1)
    )


def _folder_drafted(taken: Taken, *, inbox: str, now: datetime) -> tuple[Drop, tuple[Job, ...]]:
    claimed = taken.claimed
    looks = [
        Look(path=each.sighting.path, size_bytes=each.sighting.size_bytes, facts=each.facts)
        for each in claimed.members
    ]
    try:
        found = parts(taken.rules, looks, drop_key=claimed.key, now=now.astimezone())
    except SourceFault as fault:
        found = tuple(Part(look=look) for look in looks)
        drop = _folder_drop(taken, found, inbox=inbox, now=now)
        return replace(drop, reason=fault.message, hint=fault.hint), ()
    drop = _folder_drop(taken, found, inbox=inbox, now=now)
    ordered = (((part.look.path, *part.beside), rule, order) for part in found for rule, order in part.orders)
    jobs = tuple(
        _job(drop, rule, order, ordinal=ordinal, members=members)
        for ordinal, (members, rule, order) in enumerate(ordered, start=1)
    )
    return drop, jobs


def _folder_drop(taken: Taken, found: Sequence[Part], *, inbox: str, now: datetime) -> Drop:
    claimed = taken.claimed
    used = {rule.name for part in found for rule in part.rules}
    rules = [rule for rule in taken.rules if rule.name in used] or [
        rule for rule in taken.rules if rule.folders
    ]
    faulty = [part for part in found if part.fault]
    sha256 = {each.sighting.path: each.sha256 for each in claimed.members}
    return Drop(
        key=claimed.key,
        inbox=inbox,
        path=claimed.sighting.path,
        place=claimed.place,
        rule=rules[0].name,
        rule_digest=_digest(rules),
        sha256=claimed.sha256,
        size_bytes=claimed.sighting.size_bytes,
        device=claimed.sighting.device,
        inode=claimed.sighting.inode,
        kind=next((part.look.facts.kind for part in found if part.look.facts.kind), Kind.IMAGE),
        members=tuple(_member(part, sha256[part.look.path]) for part in found),
        after=rules[0].after,
        reason=_reason(faulty, among=len(found)),
        hint="put those files right, and move the folder back into the inbox" if faulty else "",
        admitted_at=now,
    )


def _member(part: Part, sha256: str) -> Member:
    return Member(
        path=part.look.path,
        sha256=sha256,
        size_bytes=part.look.size_bytes,
        kind=part.look.facts.kind,
        passed_over=part.passed_over,
        fault=part.fault,
        hint=part.hint,
    )


def _reason(faulty: Sequence[Part], *, among: int) -> str:
    if not faulty:
        return ""
    told = [f"{shown(part.look.path)}: {part.fault}" for part in faulty[:_MOST_NAMED]]
    more = [] if len(faulty) == len(told) else [f"and {len(faulty) - len(told):,} more"]
    return f"{len(faulty):,} of its {among:,} files cannot be used: {'; '.join([*told, *more])}"


def _job(drop: Drop, rule: Rule, order: Order, *, ordinal: int, members: tuple[str, ...] = ()) -> Job:
    return Job(
        key=job_key(drop.key, ordinal),
        drop=drop.key,
        rule=rule.name,
        inbox=drop.inbox,
        source=shown(members[0] if members else drop.path),
        members=members,
        order=order,
        priority=rule.priority,
        attempts=rule.attempts,
        on_doubt=rule.on_doubt,
        duplicates=rule.duplicates,
        created_at=drop.admitted_at,
    )


def _digest(rules: Iterable[Rule]) -> str:
    return "+".join(rule.digest for rule in rules)


def _companions(file: Claimed) -> tuple[Companion, ...]:
    return tuple(
        Companion(
            path=each.path,
            place=each.place,
            sha256=each.sha256,
            size_bytes=each.sighting.size_bytes,
            device=each.sighting.device,
            inode=each.sighting.inode,
            kind=None if each.marker else each.facts.kind or Kind.IMAGE,
        )
        for each in file.partners
    )


def _fault_of(taken: Taken) -> SourceFault | None:
    """Return what keeps the drop from being used: the file itself, one that did not come, or those that did."""
    facts = taken.claimed.facts
    if facts.fault is not None:
        return SourceFault(facts.fault, hint=facts.hint)
    found = {each.path: each.facts for each in taken.claimed.partners if not each.marker}
    return taken.fault or companions_fault(companion_kinds(taken.rules, taken.claimed.sighting.path), found)
