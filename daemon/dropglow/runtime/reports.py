"""The texts that lie beside a file in ``_failed`` and ``_held``, for somebody who never sees a terminal.

A folder that is one drop has one in ``_done`` as well: nobody counts a hundred files by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Final

from dropglow.disk import shown
from dropglow.lifecycle import given_up, kept_back, not_kept
from dropglow.model import Billed, Drop, DropState, Duplicates, Failure, Job, Member, Order, Stage

ERROR_SUFFIX: Final = ".error.txt"
HELD_SUFFIX: Final = ".held.txt"
DONE_SUFFIX: Final = ".report.txt"  # of a folder only: what became of each file in it

_LONGEST: Final = 80  # characters of a prompt in a report

_BILLED: Final = {
    Billed.YES: "yes",
    Billed.NO: "no",
    Billed.UNKNOWN: "not known; Adobe does not say",
}


def outcome(drop: Drop, jobs: Sequence[Job]) -> DropState:
    """Return how *drop* ends, now that all of its *jobs* rest."""
    stages = {job.stage for job in jobs}
    if stages & {Stage.IN_DOUBT, Stage.HELD} or any(kept_back(job) for job in jobs):
        return DropState.HELD
    if drop.reason or stages & {Stage.FAILED, Stage.CANCELLED} or not jobs:
        return DropState.FAILED
    return DropState.DONE


def reason(drop: Drop, jobs: Sequence[Job]) -> str:
    """Return why *drop* failed or is held, in one line."""
    if drop.reason:
        return drop.reason
    if (failure := _first_failure(jobs)) is not None:
        return _line(failure)
    if any(job.stage is Stage.CANCELLED for job in jobs):
        return "cancelled on request"
    return ""


def hint(drop: Drop, jobs: Sequence[Job]) -> str:
    """Return what to do about the reason of *drop*, in one line."""
    if drop.reason:
        return drop.hint
    failure = _first_failure(jobs)
    return "" if failure is None else failure.hint


def _first_failure(jobs: Sequence[Job]) -> Failure | None:
    unwell = {Stage.IN_DOUBT, Stage.FAILED, Stage.HELD}
    return next((job.failure for job in jobs if job.stage in unwell and job.failure is not None), None)


def report(drop: Drop, jobs: Sequence[Job], *, state: DropState, at: datetime) -> str:
    """Return the text of the report beside the file: what, why, what to do, job ids, billed or not."""
    name = _named(drop)
    if not jobs:
        lines = [f"{name} could not be used.", "", *_about_file(drop), *_about_members(drop, jobs)]
        return _signed([*lines, *_whereabouts(drop)], drop, at)
    lines = [_headline(name, jobs, state)]
    if drop.folder:
        lines += [_counted(drop, jobs)]
    if drop.reason:
        lines += ["", f"What happened: {drop.reason}"]
    for job in () if drop.folder else jobs:
        lines += ["", *_about(job)]
    lines += _about_members(drop, jobs)
    if state is not DropState.DONE:
        lines += ["", *_advice(drop, jobs, state)]
    lines += _whereabouts(drop)
    return _signed(lines, drop, at)


def original_line(drop: Drop) -> str:
    """Return the line of a report by which it is known which original, that stays in its inbox, it is about."""
    return f"Original:      {shown(drop.whereabouts(drop))}"


def _whereabouts(drop: Drop) -> list[str]:
    """Return where the file is, if it is not beside the report."""
    if not drop.after.workshop:
        return []
    return [
        "",
        original_line(drop),
        "               It was only read, and lies there as it was. Another content is taken as a new file.",
    ]


def _named(drop: Drop) -> str:
    """Return what the report is about: the file, and those that belong to it."""
    if drop.folder:
        return f"The folder {shown(drop.path)}"
    paths = (drop.path, *(each.path for each in drop.companions))
    name, *others = (shown(PurePath(path).name) for path in paths)
    return f"{name} (with {' and '.join(others)})" if others else name


def _it(drop: Drop) -> str:
    if drop.folder:
        return "the folder"
    return "the files" if drop.companions else "the file"


def _counted(drop: Drop, jobs: Sequence[Job]) -> str:
    """Return in one line what came of a folder."""
    used = len({job.members[0] for job in jobs})
    results = sum(len(job.delivered) for job in jobs)
    return f"Files: {len(drop.members):,}; used: {used:,}. Jobs: {len(jobs):,}. Results: {results:,}."


def _about_members(drop: Drop, jobs: Sequence[Job]) -> list[str]:
    """Return what became of each file of a folder; nothing for a file."""
    by_path: dict[str, list[Job]] = {}
    for job in jobs:
        for path in job.members[:1]:
            by_path.setdefault(path, []).append(job)
    lines: list[str] = []
    for member in drop.members:
        name = shown(member.path.removeprefix(f"{drop.path}/"))
        mine = by_path.get(member.path, ())
        lines += ["", *(_about_ordered(name, mine) if mine else _about_unordered(name, member))]
    return lines


def _about_ordered(name: str, jobs: Sequence[Job]) -> list[str]:
    lines = [f"{name}:"]
    for job in jobs:
        lines += [f"  {line}" for line in _about(job)]
        if lost := not_kept(job):
            lines.append(f"    Skipped:       {lost} of its results, because their names were taken")
    return lines


def _about_unordered(name: str, member: Member) -> list[str]:
    if not member.fault:
        return [f"{name}: left as it is; {member.passed_over or 'nothing was ordered for it'}"]
    lines = [f"{name}: cannot be used", f"  What happened: {member.fault}"]
    if member.hint:
        lines.append(f"  What to do:    {member.hint}")
    return [*lines, "  Billed:        no; nothing was sent to Adobe"]


def _about_file(drop: Drop) -> list[str]:
    again = (
        "put that right in the inbox: a file that changed is looked at again"
        if drop.after.workshop
        else f"put that right, then bring {_it(drop)} into the inbox again"
    )
    return [
        f"What happened: {drop.reason}",
        f"What to do:    {drop.hint or again}",
        "Billed:        no; nothing was sent to Adobe",
    ]


def _headline(name: str, jobs: Sequence[Job], state: DropState) -> str:
    if state is DropState.HELD:
        return f"{name} is held: a person has to decide."
    if state is DropState.DONE:
        return f"{name} is done."
    if len(jobs) == 1:
        return f"{name} could not be finished."
    delivered = sum(job.stage is Stage.DELIVERED for job in jobs)
    return f"{name} could not be finished: {delivered} of its {len(jobs)} jobs were delivered."


def _about(job: Job) -> list[str]:
    lines = [f"{job.order.called}: {_stage(job)}", *_asked(job.order), *_what_happened(job)]
    lines.append(f"  Job:           {job.key}")
    if job.reuses is not None:
        lines.append(f"  Bought by:     job {job.reuses}, for the same content")
    if job.submission is not None:
        lines.append(f"  Adobe's job:   {job.submission.remote_id}")
    if job.stage is Stage.IN_DOUBT and job.begun_at is not None:
        lines.append(f"  Sent:          {job.begun_at:%Y-%m-%d %H:%M:%S} UTC")
    lines += [f"  Result:        {shown(path)}" for path in job.delivered]
    return lines


def _asked(order: Order) -> list[str]:
    """Return the prompt, where its file has several: nobody counts lines."""
    if not order.tokens.get("part"):
        return []
    prompt = shown(order.prompt)
    return [f"  Prompt:        {prompt if len(prompt) <= _LONGEST else prompt[: _LONGEST - 1] + '…'}"]


def _what_happened(job: Job) -> list[str]:
    if job.stage is Stage.CANCELLED:
        return [f"  Billed:        {_BILLED[Billed.NO if job.accepted_at is None else Billed.UNKNOWN]}"]
    if job.failure is None or job.stage is Stage.DELIVERED:
        return []
    lines = [f"  What happened: {_line(job.failure)}"]
    hint = job.failure.hint
    if hint and job.stage is not Stage.IN_DOUBT and job.reuses is None:  # what to do then stands below
        lines.append(f"  What to do:    {hint}")
    return [*lines, f"  Billed:        {_BILLED[job.failure.billed]}"]


def _stage(job: Job) -> str:
    if given_up(job):
        return "given up on request, being in doubt"
    if kept_back(job):
        return "not ordered again"
    return {
        Stage.DELIVERED: "delivered",
        Stage.FAILED: "failed",
        Stage.CANCELLED: "cancelled on request",
        Stage.IN_DOUBT: "in doubt",
        Stage.HELD: "held until somebody approves",
    }.get(job.stage, job.stage.value)


def _advice(drop: Drop, jobs: Sequence[Job], state: DropState) -> list[str]:
    stages = {job.stage for job in jobs}
    if Stage.HELD in stages:
        waiting = [
            "It was not ordered, and costs nothing while it waits.",
            f"{_touching(drop).capitalize()} changes nothing. One of:",
            *(
                f"  dropglow {way:<{max(len(drop.key), len(drop.rule)) + 10}} {meaning}"
                for way, meaning in (
                    (f"approve {drop.key}", "let it go on"),
                    (f"approve {drop.rule}", "let everything go on that is held under this rule"),
                    (f"cancel {drop.key}", "leave it"),
                )
            ),
        ]
        if Stage.IN_DOUBT not in stages:
            return waiting
        return [*waiting, "", *_advice(drop, [job for job in jobs if job.stage is not Stage.HELD], state)]
    if state is DropState.HELD and all(job.stage is not Stage.IN_DOUBT for job in jobs):
        known = (
            "what was bought is neither in the outbox nor at Adobe any more"
            if any(job.reuses is not None for job in jobs)
            else "nobody knows yet whether that order stands"
        )
        return [
            f"The same content was dropped before under this rule, and {known}.",
            f"It is not bought again by itself (duplicates: reuse), and {_touching(drop)} changes nothing. One of:",
            f"  dropglow retry {drop.key}     order it again; it is billed again",
            "  do nothing                    leave it"
            if drop.after.workshop
            else f"  take {_it(drop)} away           leave it",
        ]
    if state is DropState.HELD:
        return [
            "Adobe may have taken the order and billed it, so it is not sent again by itself.",
            f"{_touching(drop).capitalize()} changes nothing. To settle it, one of:",
            f"  dropglow resolve {drop.key} --job-id URN   Adobe's job id was found: fetch its results",
            f"  dropglow resolve {drop.key} --resubmit     order it again; it may be billed twice",
            f"  dropglow resolve {drop.key} --abandon      leave it",
        ]
    advice = [
        f"To try again{_by_hand(drop, jobs)}: dropglow retry {drop.key}",
        "Only what failed is done again.",
    ]
    if drop.folder and any(job.duplicates is Duplicates.REUSE for job in jobs):
        advice.append("If you change files in it, only those are ordered anew; what was delivered stands.")
    elif any(job.stage is Stage.DELIVERED for job in jobs):
        advice.append(
            "If you change a file it counts as a new one: then what was delivered is ordered again too."
        )
    return advice


def _by_hand(drop: Drop, jobs: Sequence[Job]) -> str:
    """Return how somebody without a terminal asks once more, as a part of a sentence."""
    if not drop.after.workshop:
        return f", move {_it(drop)} back into the inbox, or"
    if not any(job.stage is Stage.FAILED and not given_up(job) for job in jobs):
        return ""
    return f", save {_it(drop)} again as before (a new time is enough), or"


def _touching(drop: Drop) -> str:
    return f"saving {_it(drop)} again" if drop.after.workshop else f"moving {_it(drop)}"


def _line(failure: Failure) -> str:
    return f"{failure.what}: {failure.why}" if failure.why else failure.what


def _signed(lines: list[str], drop: Drop, at: datetime) -> str:
    when = at.strftime("%Y-%m-%d %H:%M UTC")
    return "\n".join([*lines, "", f"Rule {drop.rule}, drop {drop.key}, {when}", ""])
