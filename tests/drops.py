"""A dropped prompt and its job, for tests that need some to be in a ledger and care little which."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dropglow.model import After, DeliveryPlan, Drop, DropKey, Job, JobKey, Kind, Order, RuleName

PLAN = DeliveryPlan(outbox="/out", folder="", name="{stem}{ext}")


def drop_of(key: str, *, at: datetime, path: str = "fox.txt") -> Drop:
    """Return a drop that was taken *at* this moment; all of them have the same content."""
    return Drop(
        key=DropKey(key),
        inbox="/in",
        path=path,
        place=f"/in/.dropglow/work/{key}~{path}",
        rule=RuleName("art"),
        rule_digest="digest",
        sha256="0" * 64,
        size_bytes=3,
        device=1,
        inode=2,
        kind=Kind.PROMPT,
        after=After(done="/in/_done", failed="/in/_failed", held="/in/_held"),
        admitted_at=at,
    )


def job_of(drop: Drop, order: Order, **changes: Any) -> Job:
    """Return the first job of *drop*, which was not ordered yet."""
    job = Job(
        key=JobKey(f"{drop.key}.1"),
        drop=drop.key,
        rule=drop.rule,
        inbox=drop.inbox,
        source=drop.path,
        order=order,
        created_at=drop.admitted_at,
    )
    return replace(job, **changes)
