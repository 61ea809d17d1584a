"""Foresee what would happen to a whole folder that is one drop: file by file, with the service's own functions.

Reads the folder and nothing else; writes nothing, asks nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Final

from dropglow.cli.forecast import results_of
from dropglow.cli.outlook import Outlook
from dropglow.cli.starting import Start
from dropglow.cli.subject import facts_of, found_path, ignored_folder, path_below
from dropglow.config import Config
from dropglow.errors import DropglowError, SourceFault
from dropglow.intake.ignore import Ignored
from dropglow.intake.lookout import Lookout
from dropglow.intake.plan import InboxPlan
from dropglow.intake.scan import Snag, scan_all
from dropglow.intake.wholes import together
from dropglow.model import After, DropKey, FolderSighting, JobKey, Order, RuleName
from dropglow.money import Amount
from dropglow.rules.members import Look, Part, parts, verdicts
from dropglow.rules.order import chosen_seeds
from dropglow.rules.places import lies_inside
from dropglow.rules.rule import Rule

_KEY: Final = DropKey("{drop}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderForecast:
    """What would happen to a folder in one inbox."""

    plan: InboxPlan
    path: str  # below the inbox
    dropped: bool  # True: it lies there now
    rules: tuple[Rule, ...]  # of the inbox
    not_taken: str = ""  # why it is not a drop, or not yet
    waits_for: tuple[str, ...] = ()  # paths of files that belong to some in it and are not there
    patience_s: float = 0.0  # how long it waits for them
    parts: tuple[Part, ...] = ()
    fault: str = ""  # why nothing is ordered at all
    start: Start | None = None  # when it would be ordered; None: nothing would be, or nobody could be asked
    outlook: Outlook | None = (
        None  # what budgets say to it; None: nothing is bought, or nobody could be asked
    )

    @property
    def amounts(self) -> dict[RuleName, tuple[Amount, ...]]:
        """Return what each order of each rule would be."""
        found: dict[RuleName, tuple[Amount, ...]] = {}
        for rule, order in (each for part in self.parts for each in part.orders):
            bought = Amount(images=order.results, operations=order.images)
            found[rule.name] = (*found.get(rule.name, ()), bought)
        return found

    @property
    def amount(self) -> Amount:
        """Return how many results there would be, and their price."""
        return sum((each for orders in self.amounts.values() for each in orders), Amount())

    @property
    def jobs(self) -> int:
        """Return how many orders it makes."""
        return sum(len(part.orders) for part in self.parts)

    @property
    def taken(self) -> bool:
        """Return whether a rule takes anything of it."""
        return any(part.rules for part in self.parts)

    @property
    def after(self) -> After:
        """Return where it goes: rules that take folders agree on that."""
        return next(rule.after for rule in self.rules if rule.folders)


def folder_forecasts(
    config: Config, name: str, *, cwd: str, inbox: str | None, now: datetime
) -> tuple[str, tuple[FolderForecast, ...]] | None:
    """Return the absolute folder that *name* means, and what would happen to it; None: it is none, or no rule takes any.

    Args:
        config: The rules.
        name: A path, relative to *cwd* or to an inbox.
        cwd: Absolute.
        inbox: The only inbox to think of, absolute; None: the one it lies in, else all that take folders.
        now: For dates in results' names, in the time zone that people expect there.

    Raises:
        DropglowError: It lies inside a folder that is dropped whole, or something in it cannot be read.
    """
    look = Lookout(silent=config.silent)
    file = found_path(config, name, cwd=cwd, look=look)
    if look(file).silent or os.path.islink(file) or not os.path.isdir(file):  # noqa: PTH112, PTH114
        return None
    if any(lies_inside(plan.folder, file, seen=look) for plan in config.inboxes):
        return None
    found = tuple(
        _forecast(config, plan, file, path, dropped=dropped, now=now, look=look)
        for plan, path, dropped in _places(config, file, inbox, look)
    )
    return (file, found) if found else None


def results(part: Part) -> Iterator[str]:
    """Yield where the results of a file would be, with braces around what only the future knows."""
    for _, order in part.orders:
        derived = order.seeds == chosen_seeds(JobKey(order.tokens["job"]), count=len(order.seeds))
        known: Order = replace(order, seeds=()) if derived else order
        yield from results_of(known, len(order.seeds))


def _places(
    config: Config, file: str, inbox: str | None, look: Lookout
) -> Iterator[tuple[InboxPlan, str, bool]]:
    plans = [plan for plan in config.inboxes if inbox in {None, plan.folder}]
    for plan in plans:
        path = path_below(file, plan.folder, look)
        if path is None:
            continue
        if plan.folders and "/" in path:
            top = path.partition("/")[0]
            if reason := ignored_folder(plan, os.path.join(plan.folder, top), top, look):  # noqa: PTH118
                raise DropglowError(f"{file} is not taken: {reason}", hint="explain what lies in the inbox")
            raise DropglowError(
                f"{file} lies in the folder {top}, which is one drop with all that is in it",
                hint=f"explain {top}, or a file",
            )
        if plan.folders:
            yield plan, path, True
        return
    for plan in plans:
        if plan.folders:
            yield plan, PurePath(file).name, False


def _forecast(
    config: Config, plan: InboxPlan, file: str, path: str, *, dropped: bool, now: datetime, look: Lookout
) -> FolderForecast:
    rules = tuple(rule for rule in config.rules if rule.inbox == plan.folder)
    empty = FolderForecast(plan=plan, path=path, dropped=dropped, rules=rules)
    ignored = Ignored(plan.ignore)
    if reason := ignored_folder(plan, os.path.join(plan.folder, path), path, look):  # noqa: PTH118
        return replace(empty, not_taken=reason)
    if ignored.by_globs(path):
        return replace(empty, not_taken="`ignore` in the configuration names it")
    told = [each for each in together(scan_all(file, below=path, ignored=ignored)) if _is_about(each, path)]
    if not told:
        return replace(empty, not_taken="it holds no file that could be of use")
    (whole,) = told
    if isinstance(whole, Snag):
        return replace(empty, not_taken=whole.reason)
    assert isinstance(whole, FolderSighting), "all else has another path"
    looks = [
        Look(path=each.path, size_bytes=each.size_bytes, facts=facts_of(_inside(file, path, each.path)))
        for each in whole.members
    ]
    lacking = [each for each in verdicts(rules, looks) if each.missing]
    foreseen = replace(
        empty,
        not_taken=f"it is not whole: {whole.obstacle}" if whole.obstacle else "",
        waits_for=tuple(dict.fromkeys(missing for each in lacking for missing in each.missing)),
        patience_s=max((rule.patience_s for each in lacking for rule in each.rules), default=0.0),
    )
    try:
        return replace(foreseen, parts=parts(rules, looks, drop_key=_KEY, now=now))
    except SourceFault as fault:
        return replace(foreseen, fault=f"{fault.message}: {fault.hint}")


def _is_about(each: object, path: str) -> bool:
    return getattr(each, "path", None) == path


def _inside(file: str, path: str, member: str) -> str:
    return os.path.join(file, member.removeprefix(f"{path}/"))  # noqa: PTH118  # a path is text here
