r"""What helps to find an order at Adobe of which nobody knows whether it stands, and what to say once it is found.

Adobe's API lists no jobs and looks none up but by their ids; so it is a person at Adobe, or whoever keeps the log of
a gateway on the way, who is asked. As JSON, beside what ``documents.py`` says of a job::

    {"search": {"request": "POST URL", "sent_from", "sent_until", "request_id",
                "near": [{"job", "job_id", "accepted_at"}]},      what Adobe took just before and just after
     "commands": {"there", "not_there", "unknown"}}
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dropglow.model import Job, Stage

if TYPE_CHECKING:
    from rich.console import Console

    from dropglow.ledger.base import Reader

MOST: Final = 20
NEAR: Final = timedelta(minutes=15)
PROMPT_CHARACTERS: Final = 60
_LOOKED_AT: Final = 500  # of the newest jobs, for those that Adobe took about the same time
_AT_LEAST: Final = timedelta(seconds=1)
_EXPLAINED: Final = (
    "Adobe lists no jobs: ask its support, or whoever keeps the log of a gateway on the way, for this request"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostOrder:
    """One order in doubt, and what the ledger knows of its time."""

    job: Job
    near: tuple[Job, ...]  # accepted just before it was sent, and just after

    def address(self, base_url: str) -> str:
        """Return where it was sent."""
        from dropglow.rules.operations import OPERATIONS

        order = self.job.order
        return base_url.rstrip("/") + OPERATIONS[order.operation].path_of(order.model)

    def commands(self, option: str | None) -> dict[str, str]:
        """Return what settles it, ready to be pasted, by what is true; *option* is the ``--config`` of this command."""
        given = f" --config {shlex.quote(option)}" if option else ""
        start = f"dropglow{given} resolve {self.job.key}"
        return {
            "there": f"{start} --job-id URN",
            "not_there": f"{start} --resubmit",
            "unknown": f"{start} --abandon",
        }


async def lost_orders(reader: Reader) -> tuple[LostOrder, ...]:
    """Return the orders in doubt, oldest first, twenty at most."""
    from dropglow.ledger.base import Query

    doubts = await reader.find(Query(stages=frozenset({Stage.IN_DOUBT}), limit=MOST))
    found = []
    for job in reversed(doubts):
        until = None if job.begun_at is None else job.begun_at + NEAR
        known = await reader.find(Query(until=until, limit=_LOOKED_AT))
        found.append(LostOrder(job=job, near=neighbours(job, known)))
    return tuple(found)


def neighbours(job: Job, known: Sequence[Job]) -> tuple[Job, ...]:
    """Return which of the *known* jobs Adobe took last before *job* was sent, and first after, within a quarter of an hour."""
    if (sent_at := job.begun_at) is None:
        return ()
    taken = sorted(
        (each.accepted_at, each.key, each)
        for each in known
        if each.accepted_at is not None
        and each.submission is not None
        and abs(each.accepted_at - sent_at) <= NEAR
    )
    before = [each for at, _, each in taken if at <= sent_at]
    after = [each for at, _, each in taken if at > sent_at]
    return (*before[-1:], *after[:1])


def lost_document(lost: LostOrder, *, base_url: str, option: str | None) -> dict[str, Any]:
    """Return *lost* as JSON-able data."""
    from dropglow.cli.documents import instant, job_document

    job = lost.job
    search = {
        "request": f"POST {lost.address(base_url)}",
        "sent_from": instant(job.begun_at),
        "sent_until": instant(_until(job)),
        "request_id": job.request_id,
        "near": [
            {"job": each.key, "job_id": _remote_id(each), "accepted_at": instant(each.accepted_at)}
            for each in lost.near
        ],
    }
    return {**job_document(job), "search": search, "commands": lost.commands(option)}


def show_lost(lost: LostOrder, out: Console, *, base_url: str, option: str | None) -> None:
    """Write what is known of *lost*, what to ask for, and the three ways out."""
    from dropglow.cli.facts import fact
    from dropglow.cli.words import order_words

    job, commands = lost.job, lost.commands(option)
    fact(
        "in doubt",
        f"job {job.key} of {job.source}: {order_words(job.order)}",
        console=out,
        indent=0,
        style="red",
    )
    if job.failure is not None:
        fact("", f"{job.failure.what}: {job.failure.why}", console=out, indent=0)
    fact("", _EXPLAINED, console=out, indent=0)
    for name, text in (
        ("request", f"POST {lost.address(base_url)}"),
        ("sent", _sent(job)),
        ("x-request-id", job.request_id or "not known"),
        ("seeds", ", ".join(map(str, job.order.seeds))),
        ("prompt", _shortened(job.order.prompt)),
        *(("near it", _nearness(each, job)) for each in lost.near),
        ("it is there", f"-> {commands['there']}"),
        ("it is not", f"-> {commands['not_there']}"),
        ("nobody knows", f"-> {commands['unknown']}"),
    ):
        if text:
            fact(name, text, console=out)


def _sent(job: Job) -> str:
    if (begun_at := job.begun_at) is None:
        return "at a time unknown"
    here = begun_at.astimezone()
    said = f" ({here:%H:%M:%S %Z} here)" if here.utcoffset() else ""
    return f"{begun_at:%Y-%m-%d %H:%M:%S} UTC{said}, or within two minutes after that"


def _until(job: Job) -> datetime | None:
    from dropglow.firefly.settings import Timeouts

    return None if job.begun_at is None else job.begun_at + timedelta(seconds=Timeouts().answer_s)


def _nearness(other: Job, job: Job) -> str:
    assert other.accepted_at is not None
    assert job.begun_at is not None
    apart = abs(other.accepted_at - job.begun_at)
    side = "before" if other.accepted_at <= job.begun_at else "after"
    span = "less than a second" if apart < _AT_LEAST else f"{apart.total_seconds():.0f} s"
    return f"job {other.key} of {other.source}, accepted {span} {side} it was sent, as {_remote_id(other)}"


def _remote_id(job: Job) -> str:
    assert job.submission is not None
    return job.submission.remote_id


def _shortened(prompt: str) -> str:
    first = " ".join(prompt.split())
    return first if len(first) <= PROMPT_CHARACTERS else f"{first[: PROMPT_CHARACTERS - 1]}…"
