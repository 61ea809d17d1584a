"""Tell what was foreseen of a whole folder: as text for a person, as a document for a program."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dropglow.cli.folder_forecast import FolderForecast, results
from dropglow.cli.tables import counted, line, readable
from dropglow.cli.words import price_words
from dropglow.model import Duplicates
from dropglow.money import Amount
from dropglow.naming import shown
from dropglow.rules.members import Part
from dropglow.rules.units import spelled

if TYPE_CHECKING:
    from rich.console import Console


def tell(folder: str, forecasts: Sequence[FolderForecast], *, out: Console) -> None:
    """Write everything as text."""
    line(readable(folder), console=out, style="bold")
    for each in forecasts:
        line("", console=out)
        for text, style in _lines(each):
            line(readable(text), console=out, style=style)


def document(folder: str, forecasts: Sequence[FolderForecast]) -> dict[str, Any]:
    """Return everything as JSON-able data; ``daemon/json.md`` describes its shape."""
    return {"folder": shown(folder), "inboxes": [_inbox_document(each) for each in forecasts]}


def _lines(each: FolderForecast) -> Iterator[tuple[str, str]]:
    where = "It lies in the inbox" if each.dropped else "If it is dropped into the inbox"
    yield f"{where} {each.plan.folder}{', it is one drop' if each.parts else ''}:", "bold"
    for part in each.parts:
        yield from _part_lines(part, each)
    if each.not_taken:
        yield f"  It is not taken: {each.not_taken}", "yellow"
    if each.fault:
        yield f"  Nothing is ordered: {each.fault}", "red"
        yield f"  The folder goes to {_put(each.after.failed, each)}, with the reason beside it.", ""
        return
    if not each.parts:
        return
    if not each.taken:
        yield "  No rule takes anything of it: it stays where it is, and costs nothing.", "yellow"
        return
    yield f"  Price: {price_words(each.amount)}, by {counted(each.jobs, 'order')}", "bold"
    rules = {rule.name: rule for part in each.parts for rule in part.rules}
    reusing = [rule.name for rule in rules.values() if rule.duplicates is Duplicates.REUSE]
    if each.outlook is not None:
        yield from ((f"  {text}", style) for text, style in each.outlook.lines())
    if each.start is not None:
        yield from ((f"  {text}", style) for text, style in each.start.lines())
    if reusing and each.jobs:
        yield f"  What {' and '.join(reusing)} bought before for the same files is not bought again.", ""
    if each.waits_for:
        names = " and ".join(each.waits_for)
        longest = spelled(each.patience_s)
        yield f"  It waits for {names}, at most {longest}; then the rest of it is ordered.", "yellow"
    if any(part.fault for part in each.parts):
        failed = _put(each.after.failed, each)
        yield f"  Because of what cannot be used, the folder goes to {failed} when the rest is done.", "red"
        return
    yield f"  The folder goes to {_put(each.after.done or '', each)}, with a report beside it,", ""
    yield f"  or to {_put(each.after.failed, each)} if something fails.", ""


def _part_lines(part: Part, each: FolderForecast) -> Iterator[tuple[str, str]]:
    name = part.look.path.removeprefix(f"{each.path}/")
    if part.fault:
        told = f"{part.fault}: {part.hint}" if part.hint else part.fault
        yield f"  {name} cannot be used: {told}", "red"
        return
    if not part.orders:
        yield f"  {name} is left as it is: {part.passed_over}", "dim"
        return
    amount = Amount(
        images=sum(order.results for _, order in part.orders),
        operations=sum(order.images for _, order in part.orders),
    )
    rules = " and ".join(dict.fromkeys(rule.name for rule, _ in part.orders))
    yield f"  {name}: {counted(len(part.orders), 'order')} by {rules}, {price_words(amount)}", "green"
    for path, times in Counter(results(part)).items():
        yield f"    {path}{f'  ({times} of them)' if times > 1 else ''}", "cyan"


def _put(folder: str, each: FolderForecast) -> str:
    return os.path.join(folder, each.path)  # noqa: PTH118  # a path is text here


def _inbox_document(each: FolderForecast) -> dict[str, Any]:
    return {
        "inbox": shown(each.plan.folder),
        "path": shown(each.path),
        "dropped": each.dropped,
        "not_taken": shown(each.not_taken) or None,
        "fault": shown(each.fault) or None,
        "waits_for": [shown(path) for path in each.waits_for],
        "files": [
            {
                "path": shown(part.look.path),
                "size_bytes": part.look.size_bytes,
                "rules": [rule.name for rule in part.rules],
                "orders": len(part.orders),
                "images": sum(order.images for _, order in part.orders),
                "passed_over": shown(part.passed_over) or None,
                "fault": shown(part.fault) or None,
                "hint": shown(part.hint) or None,
                "results": [shown(path) for path in results(part)],
            }
            for part in each.parts
        ],
        "orders": each.jobs,
        "images": each.amount.operations,
        "money": None if each.outlook is None else each.outlook.document(),
        "start": None if each.start is None else each.start.document(),
        "done": shown(_put(each.after.done or "", each)),
        "failed": shown(_put(each.after.failed, each)),
    }
