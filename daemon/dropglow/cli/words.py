"""Say of a job what a person wants to know, in few words. For ``status``, ``jobs`` and ``show``.

Times are shown in the time zone of whoever asks, with its name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from datetime import datetime

from dropglow.cli.tables import counted, relative_time
from dropglow.lifecycle import RESTING, given_up, kept_back, not_kept
from dropglow.model import Failure, Job, Order, Stage
from dropglow.money import Amount, cost


def local(at: datetime) -> str:
    """Return *at* as the reader's clock shows it, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def stage_words(job: Job) -> str:
    """Return where *job* stands, and what is unusual about it."""
    words = [named(job.stage)]
    if job.reuses is not None:
        words.append(f"bought by {job.reuses} for the same content")
    if job.late and job.stage not in RESTING:
        words.append("late")
    if job.cancel_wanted and job.stage not in RESTING | {Stage.CANCELLING}:
        words.append("to be cancelled")
    return ", ".join(words)


def named(stage: Stage) -> str:
    """Return the name of *stage* as a person says it."""
    return stage.value.replace("_", " ")


def order_words(order: Order) -> str:
    """Return what is ordered, and how many pictures where it is not one. Its price is another thing."""
    return order.called if order.results == 1 else f"{order.called}, {counted(order.results, 'image')}"


def price_words(amount: Amount) -> str:
    """Return what something costs: in pictures, or in operations where the two differ."""
    pictures = counted(amount.images, "image")
    if amount.images == amount.operations:
        return pictures
    return f"{counted(amount.operations, 'operation')} for {pictures}"


def bill_words(orders: Iterable[Order]) -> str:
    """Return what *orders* cost together."""
    return price_words(sum(map(cost, orders), start=Amount()))


def outcome_words(job: Job, *, now: datetime) -> str:
    """Return the result of *job*, why there is none, or what it waits for."""
    if job.delivered:
        more = f" (+{len(job.delivered) - 1})" if len(job.delivered) > 1 else ""
        return under(job.delivered[0], job.order.delivery.outbox) + more
    if lost := not_kept(job):
        return not_kept_words(lost)
    if job.failure is None or job.stage is Stage.CANCELLED:
        return ""
    if job.not_before is None or job.not_before <= now:
        return sentence(job.failure)
    return f"next try {relative_time(job.not_before, now)}: {sentence(job.failure)}"


def not_kept_words(count: int) -> str:
    """Return what became of *count* results whose names were taken."""
    them = "its name was" if count == 1 else "their names were"
    return (
        f"{counted(count, 'result')} paid for and not kept: {them} taken, and the rule says collision: skip"
    )


def advice(job: Job) -> str:
    """Return what to do about the failure of *job*; empty where nothing is known to help."""
    if kept_back(job):
        return f"it is not bought twice by itself; to order it again, and pay again: dropglow retry {job.key}"
    if given_up(job):
        return "it was given up; to order it all the same: dropglow retry " + job.key
    return "" if job.failure is None else job.failure.hint


def remote_id(job: Job) -> str:
    """Return Adobe's id of *job*; empty before the order was accepted."""
    return "" if job.submission is None else job.submission.remote_id


def sentence(failure: Failure) -> str:
    """Return what happened and why, as one line."""
    return f"{failure.what}: {failure.why}" if failure.why else failure.what


def under(path: str, folder: str) -> str:
    """Return *path* below *folder*, or whole where it is not below it."""
    inside = path.startswith(folder.rstrip("/") + "/")
    return posixpath.relpath(path, folder) if inside else path
