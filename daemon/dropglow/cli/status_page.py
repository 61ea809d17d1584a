"""Render ``status`` for a person: the service, its inboxes, and first of all what needs somebody."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dropglow.cli.facts import fact, heading
from dropglow.cli.rations import Funds
from dropglow.cli.standing import LATEST, Standing
from dropglow.cli.tables import counted, line, readable, relative_time, table
from dropglow.cli.words import local, named, order_words, sentence
from dropglow.lifecycle import RESTING
from dropglow.model import Billed, DropState, Job, Stage

if TYPE_CHECKING:
    from rich.console import Console

_SLOW_LOOK_S = 1.0  # quicker ones are not worth a line
_ORDER = "look for the order at Adobe (by what, says dropglow doctor); then one of these:"


def show(standing: Standing, out: Console) -> None:
    """Write *standing* to *out*."""
    _service(standing, out)
    _inboxes(standing, out)
    _counts(standing, out)
    _money(standing.funds, out)
    _doubts(standing, out)
    _obstacles(standing, out)
    _failures(standing, out)


def _service(standing: Standing, out: Console) -> None:
    told = standing.snapshot
    if standing.holder is None:
        line("No service runs.", console=out, style="yellow")
        if left := _unfinished(standing):
            line(f"  {counted(left, 'job')} will go on at the next: dropglow run", console=out)
    elif told is None:
        pid = standing.holder.pid or "unknown"
        line(f"A service is starting, or a command is at work (pid {pid}).", console=out, style="yellow")
    else:
        _running(told, standing.at, out)
    fact("state", standing.sketch.state, console=out)
    fact("configuration", standing.sketch.path, console=out)
    if told is not None and told.get("config") not in {None, standing.sketch.path}:
        text = f"the service runs with another configuration: {readable(str(told['config']))}"
        fact("", text, console=out, style="yellow")
    if told is not None:
        _reloading(told, standing.at, out)
    for each in standing.receivers_failing():
        text = f"nothing arrives at {each['receiver']}: {each['reason']}; try it: dropglow notify {each['receiver']}"
        fact("notifications", readable(text), console=out, style="red")
    limits = standing.sketch
    fact("at Adobe now", _of(standing.in_flight(), limits.in_flight), console=out)
    minute = _of(standing.requests_last_minute, limits.requests_per_minute)
    day = _of(standing.requests_last_day, limits.requests_per_day)
    fact("requests", f"{minute} in the last minute, {day} in the last day", console=out)


def _running(told: Mapping[str, Any], now: datetime, out: Console) -> None:
    started_at = datetime.fromisoformat(told["started_at"])
    since = relative_time(started_at, now)
    sandbox = ", with the sandbox in place of Adobe" if told["sandbox"] else ""
    line(
        f"The service runs{sandbox}: pid {told['pid']}, version {told['version']}, started {since}.",
        console=out,
        style="green",
    )
    if told["trouble"]:
        fact("trouble", told["trouble"], console=out, style="red")


def _reloading(told: Mapping[str, Any], now: datetime, out: Console) -> None:
    """Say how what is on disk stands to what is in force."""
    if read_at := told.get("config_read_at"):
        fact("", f"read again {relative_time(datetime.fromisoformat(read_at), now)}", console=out)
    if faults := told.get("config_faults"):
        since = relative_time(datetime.fromisoformat(told["config_faults_since"]), now)
        text = f"on disk it has {counted(len(faults), 'fault')}, found {since}; the old one is in force"
        fact("", text, console=out, style="red")
        for fault in faults[:LATEST]:
            line(f"  {readable(fault)}", console=out, style="red")
        if len(faults) > LATEST:
            line("  all of them: dropglow check", console=out)
    if keys := told.get("restart_for"):
        text = f"restart the service for the new {' and '.join(keys)}"
        fact("", text, console=out, style="yellow")


def _inboxes(standing: Standing, out: Console) -> None:
    rows = []
    notes = []
    for inbox in standing.inboxes():
        numbers = [inbox[name] for name in ("ready", "settling", "unmatched", "open_jobs")]
        mode = (
            "offline" if inbox["offline"] else {"notify": "watched", "poll": "polled"}.get(inbox["mode"], "-")
        )
        rows.append([inbox["folder"], mode, *("-" if each is None else f"{each:,}" for each in numbers)])
        if inbox["offline"]:
            notes.append((f"offline: {inbox['offline']}", "red"))
        elif inbox["mode"] == "poll" and inbox["mode_reason"]:
            notes.append((f"{inbox['folder']} is polled: {inbox['mode_reason']}", ""))
        if inbox["unmatched"]:
            them = "it" if inbox["unmatched"] == 1 else "them"
            files = f"{counted(inbox['unmatched'], 'file')} in {inbox['folder']}"
            text = f"{files}: no rule takes {them}; why: dropglow explain FILE"
            notes.append((text, "yellow"))
        if inbox["passed_over"]:
            things, are = counted(inbox["passed_over"], "thing"), "is" if inbox["passed_over"] == 1 else "are"
            text = f"{things} in {inbox['folder']} {are} passed over: links, pipes, what cannot be read; the log names each"
            notes.append((text, "yellow"))
        if inbox["known"]:
            files = counted(inbox["known"], "file")
            notes.append((f"{inbox['folder']}: {files} taken before, left in place (done: keep)", ""))
        if (inbox["look_s"] or 0) >= _SLOW_LOOK_S:
            files = counted(inbox["files"], "file")
            notes.append((f"{inbox['folder']}: a look over its {files} takes {inbox['look_s']:.1f} s", ""))
        notes += [(text, "") for text in _waiting_for_something(inbox)]
    notes += [
        (f"the outbox {each['folder']} is away: {each['reason']}", "red") for each in standing.outboxes_away()
    ]
    heading("Inboxes", console=out)
    table(["folder", "how", "waiting", "settling", "no rule", "open jobs"], rows, console=out)
    for text, style in notes:
        line(f"  {readable(text)}", console=out, style=style)


def _waiting_for_something(inbox: dict[str, Any]) -> Iterable[str]:
    """Yield what files of an inbox wait for, to be whole or to be together."""
    if count := inbox["unready"]:
        are = "it lies still and is not whole" if count == 1 else "they lie still and are not whole"
        files = f"{counted(count, 'file')} in {inbox['folder']}"
        yield f"{files}: {are}, and may be written still; what is missing: dropglow explain FILE"
    if count := inbox["unmarked"]:
        marker = "its marker" if count == 1 else "their markers"
        files = f"{counted(count, 'file')} in {inbox['folder']}"
        yield f"{files}: waiting for {marker} (`ready`); which: dropglow explain FILE"
    if count := inbox["incomplete"]:
        them = "it" if count == 1 else "them"
        files = f"{counted(count, 'file')} in {inbox['folder']}"
        yield f"{files}: waiting for what belongs to {them}; which: dropglow explain FILE"
    if count := inbox["lonely"]:
        belongs = "it belongs" if count == 1 else "they belong"
        files = f"{counted(count, 'file')} in {inbox['folder']}"
        yield f"{files}: waiting for the picture or prompt that {belongs} to"


def _counts(standing: Standing, out: Console) -> None:
    jobs = [(named(stage), standing.counts.jobs.get(stage, 0)) for stage in Stage]
    drops = [(state.value, standing.counts.drops.get(state, 0)) for state in DropState]
    heading("So far", console=out)
    fact("jobs", _listed(jobs), console=out)
    fact("drops", _listed(drops), console=out)


def _money(funds: Funds, out: Console) -> None:
    if (paused := funds.paused) is not None:
        heading(f"Spending is paused since {local(paused.at)}", console=out, style="yellow")
        fact("why", paused.reason, console=out)
        fact("what to do", "let it go on with: dropglow resume", console=out)
    if funds.rations or funds.waiting:
        heading("Budget", console=out)
        for ration in funds.rations:
            line(f"  {readable(ration.words())}", console=out, style="" if ration.left else "yellow")
        if funds.waiting:
            line(
                f"  {counted(funds.waiting, 'job')} waiting for it: dropglow jobs --state queued", console=out
            )
    if funds.held:
        jobs = counted(sum(funds.held.values()), "job")
        heading(f"Held until somebody approves: {jobs}", console=out, style="yellow")
        for rule, count in funds.held.items():
            line(f"  {counted(count, 'job')} of {rule}: dropglow approve {shlex.quote(rule)}", console=out)


def _doubts(standing: Standing, out: Console) -> None:
    if not standing.doubts:
        return
    heading(f"In doubt: {counted(len(standing.doubts), 'job')}", console=out, style="red")
    line("  Nobody knows whether Adobe took these orders. They count as spent.", console=out)
    for job in standing.doubts:
        line("", console=out)
        _doubt(job, standing.at, out)


def _doubt(job: Job, now: datetime, out: Console) -> None:
    line(f"  {job.key}  {readable(job.source)}", console=out, style="bold")
    seeds = ", ".join(str(seed) for seed in job.order.seeds)
    fact(
        "order",
        f"{order_words(job.order)}, rule {job.rule}{seeds and f', seed {seeds}'}",
        console=out,
        indent=4,
    )
    if job.begun_at is not None:
        fact("sent", f"{local(job.begun_at)}, {relative_time(job.begun_at, now)}", console=out, indent=4)
    if job.failure is not None:
        fact("why", sentence(job.failure), console=out, indent=4)
    fact("what to do", _ORDER, console=out, indent=4)
    for way, meaning in (
        ("--job-id URN", "it is there: take its results"),
        ("--resubmit", "it is not there: order again"),
        ("--abandon", "leave it"),
    ):
        line(f"      dropglow resolve {job.key} {way:<13} {meaning}", console=out)


def _obstacles(standing: Standing, out: Console) -> None:
    if standing.late:
        heading(f"Late: {counted(len(standing.late), 'job')}", console=out, style="yellow")
        for job in standing.late[:LATEST]:
            since = "" if job.accepted_at is None else f", at Adobe since {local(job.accepted_at)}"
            line(f"  {job.key}  {readable(job.source)}{since}", console=out)
    if not standing.waiting:
        return
    heading(f"Held up: {counted(len(standing.waiting), 'job')}", console=out, style="yellow")
    reasons = Counter(sentence(job.failure) for job in standing.waiting if job.failure is not None)
    hints = {sentence(job.failure): job.failure.hint for job in standing.waiting if job.failure is not None}
    for reason, count in reasons.most_common(LATEST):
        line(f"  {counted(count, 'job')}: {readable(reason)}", console=out)
        if hints[reason]:
            line(f"    {readable(hints[reason])}", console=out)


def _failures(standing: Standing, out: Console) -> None:
    if not standing.failures:
        return
    count = len(standing.failures)
    latest = f", the latest {LATEST}" if count > LATEST else ""
    heading(f"Failed in the last day: {count:,}{latest}", console=out, style="red")
    for each in standing.failures[:LATEST]:
        line(f"  {each.job or each.drop}  {readable(each.source)}", console=out, style="bold")
        fact("when", f"{local(each.at)}, {relative_time(each.at, standing.at)}", console=out, indent=4)
        fact("why", sentence(each.failure), console=out, indent=4)
        if each.hint:
            fact("what to do", each.hint, console=out, indent=4)
        billed = {Billed.YES: "yes", Billed.NO: "no", Billed.UNKNOWN: "not known"}[each.failure.billed]
        fact("billed", billed, console=out, indent=4)


def _unfinished(standing: Standing) -> int:
    return sum(count for stage, count in standing.counts.jobs.items() if stage not in RESTING)


def _listed(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in pairs if count) or "none"


def _of(used: int, limit: int | None) -> str:
    return f"{used:,}" if limit is None else f"{used:,} of {limit:,}"
