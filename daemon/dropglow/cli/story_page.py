"""Render ``show`` for a person: a drop, its jobs, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dropglow.cli.facts import fact, heading, paragraph
from dropglow.cli.tables import counted, line, readable, table
from dropglow.cli.words import advice, local, not_kept_words, order_words, price_words, stage_words
from dropglow.ledger.base import Record
from dropglow.lifecycle import not_kept
from dropglow.model import Billed, Drop, DropState, Failure, Job, Stage
from dropglow.money import cost

if TYPE_CHECKING:
    from rich.console import Console

_STATE = {
    DropState.OPEN: "open",
    DropState.DONE: "done",
    DropState.FAILED: "failed",
    DropState.HELD: "held: a person has to decide",
}


def show(drop: Drop, jobs: Sequence[Job], history: Sequence[Record], out: Console) -> None:
    """Write the story of *drop* and *jobs* to *out*."""
    _drop(drop, out)
    for job in jobs:
        line("", console=out)
        _job(job, out)
    _history(history, drop, out)


def _history(history: Sequence[Record], drop: Drop, out: Console) -> None:
    heading("History", console=out)
    if not out.is_terminal:
        rows = [
            [
                _when(record),
                _short(record, drop),
                record.event,
                _move(record),
                _attempt(record),
                record.detail,
            ]
            for record in history
        ]
        table(["when", "job", "what", "state", "attempt", "detail"], rows, console=out)
        return
    for record in history:
        line(f"  {_when(record)}  {_short(record, drop):<4}{record.event:<14}{_move(record)}", console=out)
        if record.detail:
            paragraph(record.detail, console=out, indent=6, style="dim")


def _drop(drop: Drop, out: Console) -> None:
    line(f"Drop {drop.key}  {readable(drop.path)}", console=out, style="bold")
    fact("state", _STATE[drop.state], console=out)
    if drop.reason:
        fact("why", drop.reason, console=out)
    if drop.hint:
        fact("what to do", drop.hint, console=out)
    fact("rule", drop.rule, console=out)
    fact("inbox", drop.inbox, console=out)
    fact(
        "folder now" if drop.folder else "file now",
        drop.whereabouts(drop) or "gone: deleted, or taken away by somebody",
        console=out,
    )
    for companion in drop.companions:
        fact(
            "with it",
            drop.whereabouts(companion) or f"{companion.path}, gone: deleted, or taken away",
            console=out,
        )
    if drop.folder:
        fact("files", f"{len(drop.members):,}", console=out)
    for member in drop.members:
        if why := member.fault or member.passed_over:
            told = "cannot be used" if member.fault else "left as it is"
            fact("", f"{member.path}: {told}: {why}", console=out)
    fact("size", counted(drop.size_bytes, "byte"), console=out)
    fact("sha256", drop.sha256, console=out)
    fact("taken", local(drop.admitted_at), console=out)
    if drop.closed_at is not None:
        fact("closed", local(drop.closed_at), console=out)


def _job(job: Job, out: Console) -> None:
    order = job.order
    line(f"Job {job.key}  {order_words(order)}", console=out, style="bold")
    fact("state", stage_words(job), console=out)
    if job.members:
        fact("file", job.source, console=out)
    if job.not_before is not None:
        fact("not before", local(job.not_before), console=out)
    if job.stage is not Stage.CANCELLED and job.failure is not None:
        _failure(job.failure, advice(job), out)
    if job.stage is Stage.IN_DOUBT:
        fact(
            "to settle it",
            f"dropglow resolve {job.key} with --job-id URN, --resubmit or --abandon",
            console=out,
        )
    if job.stage is Stage.HELD:
        fact("to let it go on", f"dropglow approve {job.key}", console=out)
    if order.prompt:
        fact("prompt", order.prompt, console=out)
    fact("price", "nothing" if job.reuses else price_words(cost(order)), console=out)
    if job.reuses is not None:
        fact("bought by", f"job {job.reuses}, for the same content", console=out)
    if order.seeds:
        fact("seed" if len(order.seeds) == 1 else "seeds", ", ".join(map(str, order.seeds)), console=out)
    if job.submission is not None:
        fact("Adobe's job id", job.submission.remote_id, console=out)
    if job.attempt > 1:
        fact("attempts", f"{job.attempt:,}", console=out)
    for name, at in (
        ("ordered", job.begun_at),
        ("accepted", job.accepted_at),
        ("ready", job.completed_at),
        ("ended", job.ended_at),
    ):
        if at is not None:
            fact(name, local(at), console=out)
    for path in job.delivered:
        fact("result", path, console=out)
    if lost := not_kept(job):
        fact("skipped", not_kept_words(lost), console=out)
    if not job.delivered:
        fact("results go to", order.delivery.outbox, console=out)


def _failure(failure: Failure, hint: str, out: Console) -> None:
    fact("what happened", failure.what, console=out)
    if failure.why:
        fact("why", failure.why, console=out)
    if hint:
        fact("what to do", hint, console=out)
    billed = {Billed.YES: "yes", Billed.NO: "no", Billed.UNKNOWN: "not known; Adobe does not say"}
    fact("billed", billed[failure.billed], console=out)


def _short(record: Record, drop: Drop) -> str:
    """Return the job's part of its key: the drop stands above."""
    return "" if record.job is None else record.job.removeprefix(drop.key)


def _when(record: Record) -> str:
    return f"{record.at.astimezone():%Y-%m-%d %H:%M:%S}.{record.at.microsecond // 1000:03}"


def _attempt(record: Record) -> str:
    return str(record.attempt) if record.attempt else ""


def _move(record: Record) -> str:
    after = record.after.replace("_", " ")
    before = record.before.replace("_", " ")
    return after if before in {"", after} else f"{before} → {after}"
