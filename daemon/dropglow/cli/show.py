"""``dropglow show``: one drop or one job with its whole history.

``daemon/json.md`` describes its JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from dropglow.ledger.base import Reader, Record
    from dropglow.model import Drop, Job, JobKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A drop, or one job of it, with what happened, oldest first."""

    drop: Drop
    jobs: tuple[Job, ...]  # all of the drop's, or the one
    job: JobKey | None
    history: tuple[Record, ...]


@click.command()
@click.argument("id_", metavar="ID", shell_complete=completing.ids())
@click.option("--json", "as_json", is_flag=True, help="One JSON document with everything.")
@click.pass_obj
def command(option: str | None, *, id_: str, as_json: bool) -> None:
    """Show one drop or job: its order, its results, and its whole history.

    An ID is a drop's, a job's, the beginning of one, or Adobe's job id.
    """
    from dropglow.cli.ledger_access import asked, state_folder

    story = asked(state_folder(option), lambda reader: _read(reader, id_))
    if as_json:
        from dropglow.cli.tables import print_json

        print_json(_document(story))
        return
    from dropglow.cli.story_page import show
    from dropglow.cli.tables import console

    show(story.drop, story.jobs, story.history, console())


async def _read(reader: Reader, typed: str) -> Story:
    from dropglow.money import as_it_stands

    key, job = await reader.resolve_key(typed)
    jobs = await reader.jobs_of(key) if job is None else (await reader.job(job),)
    jobs = tuple(as_it_stands(each, now=datetime.now(UTC)) for each in jobs)
    history = await reader.history(key, job)
    return Story(drop=await reader.drop(key), jobs=jobs, job=job, history=history)


def _document(story: Story) -> dict[str, Any]:
    from dropglow.cli.documents import drop_document, job_document, record_document

    history = [record_document(record) for record in story.history]
    drop = drop_document(story.drop, story.jobs)
    if story.job is None:
        return {**drop, "history": history}
    del drop["jobs"]
    return {**job_document(story.jobs[0]), "of": drop, "history": history}
