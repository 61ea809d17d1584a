"""A bar for each job: how far it is, in words and on a terminal. For ``demo`` and for the live view of ``run``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dropglow.cli.tables import readable
from dropglow.lifecycle import RESTING
from dropglow.model import Job, JobKey, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

FULL: Final = 6
STEPS: Final[dict[Stage, tuple[int, str]]] = {
    Stage.QUEUED: (0, "is uploaded, waits"),
    Stage.HELD: (FULL, "held until somebody approves"),
    Stage.SUBMITTING: (1, "is being ordered"),
    Stage.RUNNING: (2, "is being painted"),
    Stage.CANCELLING: (2, "is being cancelled"),
    Stage.FETCHING: (4, "is fetched"),
    Stage.DELIVERING: (5, "is put into the outbox"),
    Stage.DELIVERED: (FULL, "delivered"),
    Stage.IN_DOUBT: (FULL, "in doubt"),
    Stage.FAILED: (FULL, "failed"),
    Stage.CANCELLED: (FULL, "cancelled"),
}
_WIDE: Final = 130  # columns from which Adobe's job id has room beside the bar


def job_name(job: Job) -> str:
    """Return what a person calls *job*: its file and its size."""
    return f"{readable(job.source)} {job.order.size}"


def ending(job: Job) -> str:
    """Return how *job* ended: the names of its results, or what went wrong."""
    word = STEPS[job.stage][1]
    if job.stage is Stage.DELIVERED:
        return f"{word} as {', '.join(Path(path).name for path in job.delivered)}"
    return f"{word}: {job.failure.what}" if job.failure else word


def _word(job: Job) -> str:
    """Return where *job* stands, and what stands in its way."""
    if job.failure is None or job.stage is Stage.DELIVERED:
        return STEPS[job.stage][1]
    return ending(job) if job.stage in RESTING else f"waits: {job.failure.what}"


def new_progress(console: Console) -> Progress:
    """Return where bars are drawn; nothing moves before it is shown."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=18),
        TextColumn(
            "{task.fields[word]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")
        ),
        console=console,
    )


class Bars:
    """Keep the bars of jobs as far as their jobs are."""

    def __init__(self, progress: Progress) -> None:
        """Draw in *progress*."""
        self._progress = progress
        self._wide = progress.console.width >= _WIDE
        self._tasks: dict[JobKey, TaskID] = {}

    def show(self, jobs: Sequence[Job]) -> None:
        """Move the bar of each of *jobs*, and begin one where there is none yet."""
        for job in jobs:
            if job.key not in self._tasks:
                self._tasks[job.key] = self._progress.add_task(job_name(job), total=FULL, word="")
            done, word = STEPS[job.stage][0], _word(job)
            receipt = f"  {job.submission.remote_id}" if job.submission and self._wide else ""
            self._progress.update(self._tasks[job.key], completed=done, word=readable(word + receipt))

    def keep_only(self, keys: Collection[JobKey]) -> None:
        """Remove the bars of all other jobs."""
        for key in self._tasks.keys() - set(keys):
            self._progress.remove_task(self._tasks.pop(key))
