"""``dropglow costs``: what was spent, by rule, folder and day, from the ledger.

``daemon/json.md`` describes its JSON.

A sum is ``{"orders", "images", "operations"}``. ``bought``: the order runs at Adobe or brought its results. ``in_doubt``:
nobody knows whether it stands. ``failed``: Adobe took it, and it failed or was cancelled there; whether that is billed
Adobe does not say. ``returned``: certainly not accepted, so it costs nothing. ``spent`` is what budgets count: the first
three together. Images are pictures and clips as they were ordered; operations are what they cost by the table of prices
that held when the file was taken. A day is the machine's own, as it was when the order was sent.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from dropglow.cli import completing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropglow.ledger.base import Entry

COLUMNS: Final = ("day", "rule", "folder", "operation", "model")
FATES: Final = ("bought", "in_doubt", "failed", "returned")
SPENT: Final = frozenset({"bought", "in_doubt", "failed"})


class Day(click.ParamType[str]):
    """A day such as 2026-11-29, or `today`, `yesterday`, `month` for the first of this month."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the day in ISO 8601."""
        text = str(value).strip()
        today = date.today()  # noqa: DTZ011  # the machine's own day, as budgets count it
        named = {"today": today, "yesterday": today - timedelta(days=1), "month": today.replace(day=1)}
        if text in named:
            return named[text].isoformat()
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self.fail(f"{text!r} is no day like 2026-11-29, today, yesterday or month.", param, ctx)


@click.command()
@click.option(
    "--by",
    "columns",
    type=click.Choice(COLUMNS),
    multiple=True,
    help="What to tell apart; repeatable. Without it: the rules.",
)
@click.option(
    "--since", type=Day(), metavar="DAY", help="From this day on: 2026-11-29, today, yesterday, month."
)
@click.option("--until", type=Day(), metavar="DAY", help="To this day, included.")
@click.option("--rule", metavar="NAME", shell_complete=completing.rules, help="Of this rule only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with lines and their total.")
@click.pass_obj
def command(
    option: str | None,
    *,
    columns: tuple[str, ...],
    since: str | None,
    until: str | None,
    rule: str | None,
    as_json: bool,
) -> None:
    """Show what was spent: by rule, folder, day, operation or model; in images and in Adobe's operations.

    Counted from the ledger: also what is in doubt, or failed at Adobe, which may
    be billed. What Adobe declined costs nothing and is shown as given back.
    """
    from dropglow.cli.ledger_access import asked, state_folder
    from dropglow.cli.tables import print_json

    found = asked(state_folder(option), lambda reader: reader.costs(since=since or "", until=until or ""))
    entries = [entry for entry in found if rule in {None, entry.rule}]
    names = tuple(dict.fromkeys(columns)) or ("rule",)
    lines = _lines(entries, names)
    total = _sums(entries)
    if as_json:
        documents = [{**_named(names, key), **sums} for key, sums in lines]
        print_json({"since": since, "until": until, "by": list(names), "lines": documents, "total": total})
        return
    _show(names, lines, total)


def _lines(entries: Sequence[Entry], names: tuple[str, ...]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Return the sums for each combination of the columns *names*, in order."""
    grouped: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        key = tuple(str(getattr(entry, name) or "") for name in names)
        grouped.setdefault(key, []).append(entry)
    return [(key, _sums(mine)) for key, mine in sorted(grouped.items())]


def _sums(entries: Sequence[Entry]) -> dict[str, Any]:
    sums = {fate: _sum([entry for entry in entries if entry.fate == fate]) for fate in FATES}
    return {**sums, "spent": _sum([entry for entry in entries if entry.fate in SPENT])}


def _sum(entries: Sequence[Entry]) -> dict[str, int]:
    return {
        "orders": sum(entry.orders for entry in entries),
        "images": sum(entry.amount.images for entry in entries),
        "operations": sum(entry.amount.operations for entry in entries),
    }


def _named(names: tuple[str, ...], key: tuple[str, ...]) -> dict[str, str]:
    from dropglow.naming import shown

    return {name: shown(value) for name, value in zip(names, key, strict=True)}


def _show(
    names: tuple[str, ...], lines: list[tuple[tuple[str, ...], dict[str, Any]]], total: dict[str, Any]
) -> None:
    from dropglow.cli.tables import console, line, table

    out = console()
    if not lines:
        line("Nothing was ordered.", console=out)
        return
    heads = [*names, "images spent", "operations", "of these in doubt", "failed or cancelled", "given back"]
    rows = [[*key, *_cells(sums)] for key, sums in lines]
    if len(rows) > 1:
        rows.append(["all", *[""] * (len(names) - 1), *_cells(total)])
    table(heads, rows, console=out)
    if total["in_doubt"]["orders"] or total["failed"]["orders"]:
        line(
            "What is in doubt, or failed or was cancelled at Adobe, may be billed, so it counts as spent.",
            console=out,
        )


def _cells(sums: dict[str, Any]) -> list[str]:
    counts = [sums["spent"]["images"], sums["spent"]["operations"]]
    counts += [sums[fate]["images"] for fate in ("in_doubt", "failed", "returned")]
    return [f"{count:,}" for count in counts]
