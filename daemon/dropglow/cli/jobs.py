"""``dropglow jobs``: the list, filtered.

``daemon/json.md`` describes its JSON.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from dropglow.cli.watching import Telling
    from dropglow.ledger.base import Query
    from dropglow.model import Job, Stage

GROUPS: Final = ("open", "done", "doubt")
STAGES: Final = (
    *("queued", "held", "submitting", "running", "cancelling", "fetching", "delivering"),
    *("delivered", "in_doubt", "failed", "cancelled"),
)
_AGE: Final = re.compile(r"(\d{1,6})(m|h|d|w)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WIDE: Final = 160


class Since(click.ParamType[datetime]):
    """An age such as ``2h``, or a moment in ISO 8601."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, aware and in UTC."""
        text = str(value).strip()
        if found := _AGE.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
        try:
            # Without a zone it is the reader's own, as in what we print.
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{text!r} is no age like 30m, 2h, 1d or 1w, and no time like 2026-11-02T08:00.", param, ctx
            )


@click.command()
@click.option(
    "--state",
    "states",
    type=click.Choice([*GROUPS, *STAGES]),
    multiple=True,
    help="Where they stand; repeatable. open: not ended; done: delivered; doubt: in doubt.",
)
@click.option("--rule", metavar="NAME", shell_complete=completing.rules, help="Of this rule only.")
@click.option("--source", metavar="TEXT", help="TEXT is part of the file's path, in either case.")
@click.option("--since", type=Since(), metavar="WHEN", help="Made since: 30m, 2h, 1d, 1w, or a time.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--watch", is_flag=True, help="List them again whenever something changed, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of jobs.")
@click.pass_obj
def command(
    option: str | None,
    *,
    states: tuple[str, ...],
    rule: str | None,
    source: str | None,
    since: datetime | None,
    limit: int,
    watch: bool,
    as_json: bool,
) -> None:
    """List jobs, newest first. Every filter narrows the list."""
    from dropglow.cli.ledger_access import state_folder
    from dropglow.cli.watching import tell
    from dropglow.ledger.base import Query
    from dropglow.model import RuleName

    query = Query(
        stages=_stages(states),
        rule=None if rule is None else RuleName(rule),
        source=source,
        since=since,
        limit=limit + 1,  # one more, to know whether there are more
    )
    state = state_folder(option)
    tell(lambda: _look(state, query, limit), as_json=as_json, watch=watch)


def _look(state: Path, query: Query, limit: int) -> Telling:
    from dropglow.cli.documents import job_document
    from dropglow.cli.ledger_access import asked
    from dropglow.cli.watching import Telling
    from dropglow.money import as_it_stands

    found = asked(state, lambda reader: reader.find(query))
    listed = tuple(as_it_stands(job, now=datetime.now(UTC)) for job in found[:limit])
    return Telling(
        document=lambda: [job_document(job) for job in listed],
        show=lambda out: _show(listed, out, more=len(found) > limit),
    )


def _stages(states: tuple[str, ...]) -> frozenset[Stage] | None:
    from dropglow.lifecycle import RESTING
    from dropglow.model import Stage

    groups = {
        "open": frozenset(Stage) - RESTING,
        "done": frozenset({Stage.DELIVERED}),
        "doubt": frozenset({Stage.IN_DOUBT}),
    }
    chosen = (groups[name] if name in groups else frozenset({Stage(name)}) for name in states)
    return frozenset().union(*chosen) if states else None


def _show(jobs: tuple[Job, ...], out: Console, *, more: bool) -> None:
    from dropglow.cli.tables import console, line

    if not jobs:
        line("No job fits.", console=out)
        return
    if out.is_terminal and out.width < _WIDE:
        _list_narrowly(jobs, out)
    else:
        _tabulate(jobs, out)
    if more:
        # On a terminal the list may be painted in place, and nothing else may write amid it.
        line("There are more: --limit shows them.", console=out if out.is_terminal else console(stderr=True))


def _tabulate(jobs: tuple[Job, ...], out: Console) -> None:
    from dropglow.cli.tables import relative_time, table
    from dropglow.cli.words import order_words, outcome_words, remote_id, stage_words

    now = datetime.now(UTC)
    rows = [
        [
            job.key,
            job.source,
            job.rule,
            order_words(job.order),
            stage_words(job),
            remote_id(job),
            relative_time(job.created_at, now),
            outcome_words(job, now=now),
        ]
        for job in jobs
    ]
    names = ["job", "source", "rule", "order", "state", "Adobe's job id", "made", "result or reason"]
    table(names, rows, console=out)


def _list_narrowly(jobs: tuple[Job, ...], out: Console) -> None:
    """Write a job on several lines, where a table would break its ids apart."""
    from dropglow.cli.facts import paragraph
    from dropglow.cli.tables import line, readable, relative_time
    from dropglow.cli.words import order_words, outcome_words, remote_id, stage_words

    now = datetime.now(UTC)
    for job in jobs:
        age = relative_time(job.created_at, now)
        line(f"{job.key}  {readable(job.source)}  {stage_words(job)}, {age}", console=out, style="bold")
        for text in (f"{job.rule}: {order_words(job.order)}", remote_id(job), outcome_words(job, now=now)):
            if text:
                paragraph(text, console=out, indent=4)
