"""The live view of ``run``, as one picture: inboxes, jobs with their bars, money, what failed. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dropglow.cli.rations import Ration
from dropglow.cli.standing import Ended
from dropglow.cli.tables import counted, duration, readable, relative_time
from dropglow.cli.words import named, price_words, sentence
from dropglow.ledger.base import Counts
from dropglow.lifecycle import REMOTE_OPEN
from dropglow.model import Job, Stage
from dropglow.money import Amount, Switch

if TYPE_CHECKING:
    from rich.console import RenderableType

_HOW: Final = {"notify": "watched", "poll": "polled"}
_NOT_READY: Final = ("unready", "unmarked", "incomplete", "lonely")  # not whole, or not together yet
_NUMBERS: Final = ("waiting", "settling", "not ready", "no rule")
_TABLE: Final = 72  # columns from which a folder's name has room beside its numbers
_FOOTER: Final = "Ctrl-C stops it: jobs at Adobe go on, and the next start takes their results. --plain shows the log instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the live view shows of one moment."""

    at: datetime
    told: Mapping[str, Any] | None  # what the service says of itself; None: it is starting
    stopped: bool = False  # it says no more: told is what it said last
    counts: Counts
    jobs: tuple[Job, ...]  # those with a bar, in the order of their bars
    spent: Amount  # today
    rations: tuple[Ration, ...]
    switch: Switch | None
    failures: tuple[Ended, ...]


def picture(scene: Scene, bars: RenderableType, *, columns: int) -> RenderableType:
    """Return *scene* as something to draw on a terminal of so many *columns*, with the *bars* of its jobs."""
    from rich.console import Group

    parts: list[RenderableType] = [*map(_line, _head(scene))]
    if scene.told is not None:
        parts += [_line(("", "")), *_inboxes(scene.told, columns=columns)]
    parts += [_line(("", "")), _line((_jobs(scene.counts), "bold"))]
    if scene.jobs:
        parts.append(bars)
    parts += [_line(("", "")), *map(_line, _money(scene))]
    if scene.failures:
        parts += [_line(("", "")), *map(_line, _failures(scene))]
    if not scene.stopped:
        parts += [_line(("", "")), _footer(columns)]
    return Group(*parts)


def _footer(columns: int) -> RenderableType:
    from rich.text import Text

    text = Text(_FOOTER, style="dim", no_wrap=True)
    # The cursor stands behind it, and the terminal writes ^C there: that must not begin another line.
    text.truncate(columns - len("^C"), overflow="ellipsis")
    return text


def _line(told: tuple[str, str]) -> RenderableType:
    from rich.text import Text

    text, style = told
    return Text(readable(text), style=style, no_wrap=True, overflow="ellipsis")


def _head(scene: Scene) -> Iterator[tuple[str, str]]:
    told = scene.told
    if told is None:
        yield "Dropglow starts …", "bold"
        return
    if scene.stopped:
        yield f"Dropglow {told['version']} stopped", "bold"
        return
    since = duration((scene.at - datetime.fromisoformat(told["started_at"])).total_seconds())
    sandbox = ", with the sandbox in place of Adobe" if told["sandbox"] else ""
    flying = sum(scene.counts.jobs.get(stage, 0) for stage in REMOTE_OPEN)
    yield (
        f"Dropglow {told['version']} runs since {since}{sandbox}: {flying} of {told['in_flight_limit']} at Adobe",
        "bold",
    )
    if told["trouble"]:
        yield told["trouble"], "red"
    if told.get("config_faults"):
        faults = counted(len(told["config_faults"]), "fault")
        yield f"The configuration on disk has {faults}, the old one is in force: dropglow check", "red"
    if scene.switch is not None and scene.switch.stopped:
        yield f"Spending is paused ({scene.switch.reason}): dropglow resume", "yellow"


def _inboxes(told: Mapping[str, Any], *, columns: int) -> Iterator[RenderableType]:
    """Yield a table, or a line for each inbox where that would fold their names into strips."""
    rows = [_row(inbox) for inbox in told["inboxes"]]
    if columns >= _TABLE:
        yield _table(rows)
        return
    for folder, how, numbers, style in rows:
        words = (f"{number:,} {name}" for name, number in zip(_NUMBERS, numbers, strict=True) if number)
        yield _line((f"{', '.join((how, *words))}: {folder}", style))


def _row(inbox: Mapping[str, Any]) -> tuple[str, str, tuple[int, ...], str]:
    """Return folder, how it is watched, numbers and colour of one inbox."""
    how = "offline" if inbox["offline"] else _HOW.get(inbox["mode"], "starts")
    unready = sum(inbox[name] for name in _NOT_READY)
    numbers = (inbox["ready"], inbox["settling"], unready, inbox["unmatched"])
    return inbox["folder"], how, numbers, "red" if inbox["offline"] else ""


def _table(rows: Iterable[tuple[str, str, tuple[int, ...], str]]) -> RenderableType:
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    drawn.add_column("inbox", overflow="fold")
    for name in ("how", *_NUMBERS):
        drawn.add_column(name, no_wrap=True)
    for folder, how, numbers, style in rows:
        drawn.add_row(readable(folder), how, *(f"{number:,}" for number in numbers), style=style)
    return drawn


def _jobs(counts: Counts) -> str:
    told = ", ".join(f"{count:,} {named(stage)}" for stage in Stage if (count := counts.jobs.get(stage, 0)))
    return f"Jobs: {told or 'none yet'}"


def _money(scene: Scene) -> Iterator[tuple[str, str]]:
    yield f"Spent today: {price_words(scene.spent)}", "bold"
    for ration in scene.rations:
        yield f"  {ration.words()}", "" if ration.left else "yellow"


def _failures(scene: Scene) -> Iterator[tuple[str, str]]:
    yield "Failed last", "bold"
    for each in scene.failures:
        yield f"  {relative_time(each.at, scene.at):<8} {each.source}: {sentence(each.failure)}", "red"
