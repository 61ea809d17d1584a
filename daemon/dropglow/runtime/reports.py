"""The texts that lie beside a file in ``_failed`` and ``_held``, for somebody who never sees a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Final

from dropglow.model import Billed, Drop, DropState, Failure, Job, Stage

ERROR_SUFFIX: Final = ".error.txt"
HELD_SUFFIX: Final = ".held.txt"

_BILLED: Final = {
    Billed.YES: "yes",
    Billed.NO: "no",
    Billed.UNKNOWN: "not known; Adobe does not say",
}


def outcome(drop: Drop, jobs: Sequence[Job]) -> DropState:
    """Return how *drop* ends, now that all of its *jobs* rest."""
    stages = {job.stage for job in jobs}
    if Stage.IN_DOUBT in stages:
        return DropState.HELD
    if drop.reason or stages & {Stage.FAILED, Stage.CANCELLED} or not jobs:
        return DropState.FAILED
    return DropState.DONE


def reason(drop: Drop, jobs: Sequence[Job]) -> str:
    """Return why *drop* failed or is held, in one line."""
    if drop.reason:
        return drop.reason
    for job in jobs:
        if job.stage in {Stage.IN_DOUBT, Stage.FAILED} and job.failure is not None:
            return _line(job.failure)
    if any(job.stage is Stage.CANCELLED for job in jobs):
        return "cancelled on request"
    return ""


def report(drop: Drop, jobs: Sequence[Job], *, state: DropState, at: datetime) -> str:
    """Return the text of the report beside the file: what, why, what to do, job ids, billed or not."""
    name = PurePath(drop.path).name
    lines = [_headline(name, state), "", f"What happened: {reason(drop, jobs)}"]
    if not jobs:
        lines += [
            "Billed:        no; nothing was sent to Adobe",
            "",
            "What to do:    mend the file and drop it again.",
        ]
        return _signed(lines, drop, at)
    for job in jobs:
        lines += ["", *_about(job)]
    lines += ["", *_advice(drop, state)]
    return _signed(lines, drop, at)


def _headline(name: str, state: DropState) -> str:
    if state is DropState.HELD:
        return f"{name} is held: a person has to decide."
    return f"{name} could not be finished."


def _about(job: Job) -> list[str]:
    size = f" {job.order.size}" if job.order.size else ""
    lines = [f"{job.order.operation}{size}: {_stage(job)}"]
    if job.failure is not None and job.stage in {Stage.FAILED, Stage.IN_DOUBT}:
        lines.append(f"  Why:          {_line(job.failure)}")
        if job.failure.hint:
            lines.append(f"  What to do:   {job.failure.hint}")
        lines.append(f"  Billed:       {_BILLED[job.failure.billed]}")
    lines.append(f"  Job:          {job.key}")
    if job.submission is not None:
        lines.append(f"  Adobe's job:  {job.submission.remote_id}")
    lines += [f"  Result:       {path}" for path in job.delivered]
    return lines


def _stage(job: Job) -> str:
    return {
        Stage.DELIVERED: "delivered",
        Stage.FAILED: "failed",
        Stage.CANCELLED: "cancelled on request",
        Stage.IN_DOUBT: "in doubt",
    }.get(job.stage, job.stage.value)


def _advice(drop: Drop, state: DropState) -> list[str]:
    if state is DropState.HELD:
        return [
            "To settle it:  look for the order at Adobe, by its time; then one of",
            f"               dropglow resolve {drop.key} --job-id URN   (it is there: take its results)",
            f"               dropglow resolve {drop.key} --resubmit     (it is not there: order again)",
            f"               dropglow resolve {drop.key} --abandon      (leave it)",
        ]
    return [
        "To try again:  move the file back into the inbox, or: dropglow retry " + drop.key,
        "               Only what failed is done again.",
    ]


def _line(failure: Failure) -> str:
    return f"{failure.what}: {failure.why}" if failure.why else failure.what


def _signed(lines: list[str], drop: Drop, at: datetime) -> str:
    when = at.strftime("%Y-%m-%d %H:%M UTC")
    return "\n".join([*lines, "", f"Rule {drop.rule}, drop {drop.key}, {when}", ""])
