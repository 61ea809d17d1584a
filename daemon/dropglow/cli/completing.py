"""Complete what is typed: ids and rules, from the configuration and the ledger. Never asks the network, never fails.

A shell asks on each press of a key, so nothing is told where nothing can be
read: a completion that explains itself would stand amid what somebody types.
Imported by every command, so nothing heavy stands at the top.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from click import Context, Parameter
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from dropglow.ledger.base import Reader
    from dropglow.model import Job, Stage

Completer = Callable[[Context, Parameter, str], list[CompletionItem[str]]]

MANY: Final = 300  # jobs, the newest: nobody reads a longer list


def files(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Let the shell complete the path of a file."""
    return [CompletionItem(incomplete, type="file")]


def folders(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Let the shell complete the path of a folder."""
    return [CompletionItem(incomplete, type="dir")]


def rules(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Return the rules of the configuration that *incomplete* begins."""
    from dropglow.cli.ledger_access import found_sketch
    from dropglow.cli.tables import readable
    from dropglow.errors import DropglowError

    try:
        sketch = found_sketch(_option(ctx))
    except (DropglowError, OSError):
        return []
    return [
        CompletionItem(name, help=readable(words))
        for name, words in sketch.rules
        if name.startswith(incomplete)
    ]


def ids(*stages: str) -> Completer:
    """Return what completes the ids of drops and jobs at *stages*, the newest first; of all where none is named.

    Where one drop is left, its jobs are offered as well.
    """

    def complete(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:
        taken = set(ctx.params.get(param.name or "") or ())
        return [each for each in _ids(_option(ctx), stages, incomplete) if each.value not in taken]

    return complete


def held(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return rules, and the ids of what is held."""
    return [*rules(ctx, param, incomplete), *ids("held")(ctx, param, incomplete)]


def _option(ctx: Context) -> str | None:
    option = ctx.find_root().params.get("config")
    return None if option is None else str(option)


def _ids(option: str | None, stages: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    from pathlib import Path

    from dropglow.cli.ledger_access import asked, found_sketch
    from dropglow.errors import DropglowError

    try:
        jobs = asked(Path(found_sketch(option).state), _question(tuple(stages)))
    except (DropglowError, OSError):
        return []
    fitting = [job for job in jobs if job.key.startswith(incomplete)]
    drops = {job.drop: job for job in fitting if job.drop.startswith(incomplete)}
    offered = [CompletionItem(str(key), help=_about(job, whole=True)) for key, job in drops.items()]
    if len({job.drop for job in fitting}) == 1:
        offered += [CompletionItem(str(job.key), help=_about(job, whole=False)) for job in reversed(fitting)]
    return offered


def _question(stages: tuple[str, ...]) -> Callable[[Reader], Awaitable[tuple[Job, ...]]]:
    from dropglow.ledger.base import Query

    query = Query(stages=_stages(stages), limit=MANY)
    return lambda reader: reader.find(query)


def _stages(named: tuple[str, ...]) -> frozenset[Stage] | None:
    from dropglow.lifecycle import RESTING
    from dropglow.model import Stage

    groups = {"open": frozenset(Stage) - RESTING}
    chosen = (groups[name] if name in groups else frozenset({Stage(name)}) for name in named)
    return frozenset().union(*chosen) or None


def _about(job: Job, *, whole: bool) -> str:
    from dropglow.cli.tables import readable

    return readable(job.source if whole else f"{job.source}, {job.order.size}, {job.stage.value}")
