"""Tell the demo's story: what was dropped, how each job stands, what came of it, where to look.

On a terminal each job has a moving bar; elsewhere each thing that happens is one line.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dropglow.cli.bars import FULL, STEPS, Bars, ending, job_name, new_progress
from dropglow.cli.tables import console, counted, line, readable
from dropglow.model import Drop, DropState, Job, JobKey, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from dropglow.cli.demo_folder import Sample
    from dropglow.config import Config


class Show(Protocol):
    """Tell what happens, as it happens."""

    def dropped(self, sample: Sample) -> None:
        """Tell that a file was dropped."""
        ...

    def jobs(self, jobs: Sequence[Job]) -> None:
        """Tell how *jobs* stand, as far as that is new. Oldest first."""
        ...


@contextlib.contextmanager
def show() -> Iterator[Show]:
    """Yield the way of telling that suits the standard output."""
    out = console()
    if not out.is_terminal:
        yield _Lines(out)
        return
    with new_progress(out) as progress:
        yield _Bars(progress)


class _Lines:
    """Tell in lines, one for each thing that happened."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._told: dict[JobKey, Stage] = {}

    def dropped(self, sample: Sample) -> None:
        line(_arrival(sample), console=self._out)

    def jobs(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.submission is not None and job.key not in self._told:
                self._tell(job, f"submitted as {job.submission.remote_id}")
                self._told[job.key] = Stage.RUNNING
            if STEPS[job.stage][0] == FULL and self._told.get(job.key) is not job.stage:
                self._tell(job, ending(job))
                self._told[job.key] = job.stage

    def _tell(self, job: Job, what: str) -> None:
        line(f"{job_name(job)}: {what}", console=self._out)


class _Bars:
    """Tell in bars, one for each job."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars = Bars(progress)

    def dropped(self, sample: Sample) -> None:
        line(_arrival(sample), console=self._progress.console)

    def jobs(self, jobs: Sequence[Job]) -> None:
        self._bars.show(jobs)


def opening(place: Path, samples: Sequence[Sample]) -> None:
    """Tell what is about to happen."""
    out = console()
    line(f"Dropglow's demo, in {readable(str(place))}", console=out, style="bold")
    line("A pretend Adobe runs on this computer: no credentials, no costs, no network.", console=out)
    line(f"{counted(len(samples), 'file')} will be dropped while the service watches.", console=out)
    line("", console=out)


def closing(
    place: Path, config: Config, drops: Sequence[Drop], jobs: Sequence[Job], *, expected: int
) -> bool:
    """Tell what came of everything, and where to look; return whether all of it was delivered."""
    out = console()
    line("", console=out)
    for drop in drops:
        _tell_drop(out, place, drop, [job for job in jobs if job.drop == drop.key])
    delivered = [drop for drop in drops if drop.state is DropState.DONE]
    if len(delivered) < expected:
        return False
    images = sum(len(job.delivered) for job in jobs)
    told = f"{counted(len(drops), 'file')} dropped, {counted(images, 'picture')} delivered, nothing lost, nothing paid."
    line(told, console=out, style="bold green")
    for text in _further(place, config, drops[0]):
        line(text, console=out)
    return True


def _tell_drop(out: Console, place: Path, drop: Drop, jobs: Sequence[Job]) -> None:
    lies = f"; the original is in {_below(place, str(Path(drop.place).parent))}" if drop.place else ""
    line(f"{readable(drop.path)}: {drop.state} by {drop.rule}{lies}", console=out, style="bold")
    for job in jobs:
        receipt = job.submission.remote_id if job.submission else "not ordered"
        line(f"  {job.order.size:<9}  {receipt}", console=out, style="dim")
        for path in job.delivered:
            line(f"  {'':<9}  {_below(place, path)}", console=out)
        if job.failure is not None:
            line(f"  {'':<9}  {job.failure.what}", console=out, style="red")
    line("", console=out)


def _further(place: Path, config: Config, drop: Drop) -> Iterator[str]:
    folder = readable(str(place))
    ask = f"{_program()} --config {readable(shlex.quote(str(place)))}"
    example = config.rules[0]
    yield ""
    yield f"Where to look, in {folder}:"
    yield "  outbox/social, outbox/prompts   the results"
    yield "  inbox/social/_done, …           what was dropped"
    yield "  rules/                          both rules, explained line by line"
    yield "  state/, demo.log                the ledger, and what the service said"
    yield ""
    yield "What to ask next:"
    yield f"  {ask} jobs"
    yield f"  {ask} show {drop.key}"
    yield f"  {ask} explain holiday.jpg"
    yield ""
    yield "What to try next: the same service with the same pretend Adobe, until Ctrl-C"
    yield f"  {ask} run --sandbox"
    yield f"  and copy a picture of yours into {_below(Path.cwd(), example.inbox)}"
    yield ""
    yield "For real, with credentials from the Adobe Developer Console:"
    yield "  export FIREFLY_SERVICES_CLIENT_ID=… FIREFLY_SERVICES_CLIENT_SECRET=…"
    yield f"  {_program()} --config YOUR-FOLDER run"


def _program() -> str:
    """Return how this program was called: by name, through the checkout, or by its path."""
    called = Path(sys.argv[0])
    found = shutil.which("dropglow")
    if found is not None and called.name == "dropglow" and Path(found).samefile(called):
        return "dropglow"
    if Path("daemon/__main__.py").is_file():
        return "python3 daemon"
    return f"{sys.executable} -m dropglow" if called.name == "__main__.py" else str(called)


def _arrival(sample: Sample) -> str:
    return f"Dropped {sample.name} into {sample.inbox.parent.name}/{sample.inbox.name}: {sample.about}"


def _below(place: Path, path: str) -> str:
    """Return *path* as it is written from *place*."""
    return readable(os.path.relpath(os.path.realpath(path), os.path.realpath(place)))
