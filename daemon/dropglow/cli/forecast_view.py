"""Tell a forecast: as text for a person, as a document for a program."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, assert_never

from dropglow.cli.forecast import Call, Forecast, Purchase
from dropglow.cli.subject import Subject
from dropglow.cli.tables import counted, line, readable
from dropglow.cli.words import price_words
from dropglow.model import After, Drop, DropState, Duplicates, Facts, Kind
from dropglow.naming import shown
from dropglow.rules.folders import differing_after
from dropglow.rules.match import Explanation
from dropglow.rules.prompts import Split
from dropglow.rules.rule import Rule
from dropglow.rules.units import spelled

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST: Final = 100  # columns of a JSON body before it is broken into lines


def tell(subject: Subject, forecasts: Sequence[Forecast], *, out: Console) -> None:
    """Write everything as text."""
    line(f"{readable(subject.file)}", console=out, style="bold")
    line(f"  {_described(subject)}", console=out)
    if subject.facts.fault is not None:
        told = f"{subject.facts.fault}: {subject.facts.hint}" if subject.facts.hint else subject.facts.fault
        line(f"  {readable(told)}", console=out, style="red")
    for each in sorted(forecasts, key=lambda each: not each.purchases):
        line("", console=out)
        for text, style in _lines(subject, each):
            line(readable(text), console=out, style=style)


def document(subject: Subject, forecasts: Sequence[Forecast]) -> dict[str, Any]:
    """Return everything as JSON-able data; ``daemon/json.md`` describes its shape."""
    facts = subject.facts
    return {
        "file": shown(subject.file),
        "exists": subject.exists,
        "size_bytes": subject.size_bytes,
        "kind": facts.kind,
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "fault": facts.fault,
        "hint": facts.hint or None,
        "unfinished": facts.unfinished,
        "inboxes": [_inbox_document(each) for each in forecasts],
    }


# ---------------------------------------------------------------- text


def _described(subject: Subject) -> str:
    facts = subject.facts
    if not subject.exists:
        if facts.kind is None:
            return "there is no such file, and the name does not tell whether it is a picture or a prompt"
        return f"there is no such file; by its name it would be {_kind(facts)}"
    if subject.size_bytes is None:
        return "not a regular file"
    told = [_kind(facts)]
    if facts.format is not None:
        told.append(facts.format.upper())
    if facts.width is not None:
        told.append(f"{facts.width}x{facts.height}")
    told.append(counted(subject.size_bytes, "byte"))
    if facts.located:
        told.append("tells where it was taken")
    return ", ".join(told)


def _kind(facts: Facts) -> str:
    if facts.kind is None:
        return "neither a picture nor a prompt"
    return "a picture" if facts.kind is Kind.IMAGE else "a prompt"


def _lines(subject: Subject, each: Forecast) -> Iterator[tuple[str, str]]:
    where = "It lies in the inbox" if each.place.dropped else "If it is dropped into the inbox"
    below = "" if each.place.path == PurePath(subject.file).name else f" as {each.place.path}"
    yield f"{where} {each.plan.folder}{below}:", "bold"
    if each.place.ignored:
        yield f"  ignored: {each.place.ignored}", "yellow"
        return
    top, inside, _ = each.place.path.partition("/")
    if each.plan.folders and inside:
        yield f"  It goes with its folder {top}, which is one drop; of that: dropglow explain {top}", ""
    for explanation, rule in zip(each.explanations, each.rules, strict=True):
        answer, style = _answer(explanation)
        proviso = f"; provided that it {', '.join(explanation.provided)}" if explanation.provided else ""
        yield f"  {answer}  {rule.name}: {explanation.reason}{proviso}", style
    if each.known is not None:
        yield from _taken_before(each.known)
        return
    if not each.purchases:
        yield "  No rule takes it: it stays where it is, and costs nothing.", "yellow"
        return
    yield from _outcome(each)
    for purchase in each.purchases:
        if purchase.calls:
            yield from _requests(purchase)


def _answer(explanation: Explanation) -> tuple[str, str]:
    """Return yes, no or if, and its colour."""
    if explanation.provided or explanation.unless:
        return "if ", "yellow"
    return ("yes", "green") if explanation.taken else ("no ", "dim")


def _taken_before(known: Drop) -> Iterator[tuple[str, str]]:
    """Yield that nothing happens to an original that was taken and stays."""
    outcome = {
        DropState.OPEN: "which is being worked on",
        DropState.DONE: "which is done",
        DropState.FAILED: "which failed",
        DropState.HELD: "which waits for a person",
    }[known.state]
    yield "", ""
    yield f"  It was taken already as drop {known.key}, {outcome}, and stays here (done: keep).", "yellow"
    yield "  Nothing more happens to it, and nothing is bought, until it is written again.", "yellow"
    yield f"  What became of it: dropglow show {known.key}", ""


def _outcome(each: Forecast) -> Iterator[tuple[str, str]]:
    """Yield what it costs, what comes of it and where the original goes."""
    yield "", ""
    for purchase in each.purchases:
        if purchase.fault:
            yield f"  {purchase.rule.name} orders nothing: {purchase.fault}", "red"
    first, *later = (purchase.rule for purchase in each.purchases)
    after = first.after
    failed = _put(after.failed, each)
    yield from _unmarked(each)
    if each.facts.unfinished:
        longest = spelled(max(purchase.rule.give_up_s for purchase in each.purchases))
        yield (
            f"  Not ready: somebody may be writing it still. It is given up {longest} after its last change.",
            "yellow",
        )
    if not each.amount.images:
        yield "  Price: nothing", "bold"
        yield _without_order(first, failed), ""
        yield from _overruled(first, later)
        return
    unsure = [one.rule for one in each.explanations if one.taken and one.provided]
    proviso = f", if {' and '.join(unsure)} {'takes' if len(unsure) == 1 else 'take'} it" if unsure else ""
    yield f"  Price: {price_words(each.amount)}{_for_each(each)}{proviso}", "bold"
    yield from _bought_before(each)
    if each.outlook is not None:
        yield from ((f"  {text}", style) for text, style in each.outlook.lines())
    if each.start is not None:
        yield from ((f"  {text}", style) for text, style in each.start.lines())
    yield "  Results, with the seed and the kind of file that Adobe gives:", ""
    for purchase in each.purchases:
        for call in purchase.calls:
            for path, times in Counter(call.results).items():
                yield f"    {path}{f'  ({times} of them)' if times > 1 else ''}", "cyan"
    for purchase in each.purchases:
        if purchase.waits_for:
            names = " and ".join(purchase.waits_for)
            longest = spelled(purchase.rule.patience_s)
            yield f"  It waits for {names} beside it, at most {longest}.", "yellow"
    yield from ((text, "") for text in _afterwards(first, each, failed))
    yield from _overruled(first, later)


def _unmarked(each: Forecast) -> Iterator[tuple[str, str]]:
    """Yield which markers the file waits for."""
    if names := " and ".join(dict.fromkeys(one.unmarked for one in each.purchases if one.unmarked)):
        yield f"  It is not taken before {names} lies beside it, however long that takes.", "yellow"


def _without_order(rule: Rule, failed: str) -> str:
    if rule.keeps:
        return f"  The original stays where it is; the reason goes to {failed}.error.txt."
    return f"  The original goes to {failed}, with the reason beside it."


def _afterwards(rule: Rule, each: Forecast, failed: str) -> Iterator[str]:
    """Yield where the original goes."""
    if rule.keeps:
        yield "  The original stays where it is, and is remembered as taken;"
        yield f"  if something fails, a report goes to {failed}.error.txt."
        return
    after = rule.after
    done = "is deleted" if after.done is None else f"goes to {_put(after.done, each)}"
    yield f"  The original {done},"
    yield f"  or to {failed} if something fails."


def _for_each(each: Forecast) -> str:
    """Return that the price is of one prompt, where nobody can count yet how many there will be."""
    uncounted = [purchase.rule.split for purchase in each.purchases if purchase.uncounted]
    if not uncounted:
        return ""
    (noun, *others) = {"line" if split is Split.LINES else "block" for split in uncounted}
    return f" for each {'prompt' if others else noun} of the text"


def _bought_before(each: Forecast) -> Iterator[tuple[str, str]]:
    """Yield what it means that the same content was dropped before."""
    if (before := each.before) is None:
        return
    known = f"  The same content was dropped before, as {shown(before.path)} (drop {before.key})"
    for purchase in each.purchases:
        match purchase.rule.duplicates:
            case Duplicates.REUSE:
                yield (
                    f"{known}: {purchase.rule.name} buys nothing again. What is in the outbox is kept,",
                    "yellow",
                )
                yield (
                    "  what is gone is fetched again from Adobe; if it is not there either, the file is held.",
                    "yellow",
                )
            case Duplicates.WARN | Duplicates.BUY:
                yield f"{known}, and {purchase.rule.name} buys it again.", "yellow"
            case _:
                assert_never(purchase.rule.duplicates)


def _overruled(first: Rule, later: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    for rule in later:
        if keys := differing_after(first, rule):
            wish = f"{rule.name} asks for another {' and '.join(keys)}, which has no effect"
            yield f"  {first.name} comes first and decides where the original goes; {wish}.", "yellow"


def _requests(purchase: Purchase) -> Iterator[tuple[str, str]]:
    rule = purchase.rule
    orders = counted(len(purchase.calls), "order")
    yield "", ""
    yield f"  {orders} by {rule.name} ({rule.file}:{rule.line}):", "bold"
    for upload in purchase.uploads:
        yield f"    POST {upload.url}", ""
        yield from _headers(upload)
        yield f"      {upload.body}, once for all orders, free", ""
        if upload.prepared:
            yield f"      as a copy: {upload.prepared}", "yellow"
    for call in purchase.calls:
        yield f"    POST {call.url}", ""
        yield from _headers(call)
        yield from ((f"      {text}", "") for text in _json(call.body))
        if call.default_size:
            yield f"      no size is sent; Adobe's default is {call.default_size}", "dim"


def _headers(call: Call) -> Iterator[tuple[str, str]]:
    for name, value in call.headers:
        yield f"      {name}: {value}", "dim"


def _json(body: dict[str, Any] | str) -> Iterator[str]:
    """Yield *body* in one line, or with a line for each of its keys."""
    text = json.dumps(body, ensure_ascii=False)
    if len(text) <= _WIDEST or not isinstance(body, dict):
        yield text
        return
    last = len(body) - 1
    for place, (key, value) in enumerate(body.items()):
        inner = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        yield f"{' ' if place else '{'}{inner}{'}' if place == last else ','}"


def _put(folder: str, each: Forecast) -> str:
    return os.path.join(folder, each.place.path)  # noqa: PTH118  # a path is text here


# ---------------------------------------------------------------- documents


def _inbox_document(each: Forecast) -> dict[str, Any]:
    return {
        "inbox": shown(each.place.inbox),
        "path": shown(each.place.path),
        "dropped": each.place.dropped,
        "ignored": shown(each.place.ignored) or None,
        "rules": [
            {
                "rule": rule.name,
                "file": rule.file,
                "line": rule.line,
                "taken": explanation.taken,
                "reason": explanation.reason,
                "if": list(explanation.provided),
                "unless": list(explanation.unless),
            }
            for explanation, rule in zip(each.explanations, each.rules, strict=False)
        ],
        "orders": [
            _purchase_document(purchase, each, each.purchases[0].rule.after) for purchase in each.purchases
        ],
        "money": None if each.outlook is None else each.outlook.document(),
        "start": None if each.start is None else each.start.document(),
        "before": None if each.before is None else each.before.key,
        "known": None if each.known is None else each.known.key,
        "images": each.images,
    }


def _purchase_document(purchase: Purchase, each: Forecast, after: After) -> dict[str, Any]:
    return {
        "rule": purchase.rule.name,
        "images": purchase.images,
        "fault": purchase.fault or None,
        "uncounted": purchase.uncounted,
        "waits_for": [shown(name) for name in purchase.waits_for],
        "marker": shown(purchase.unmarked) or None,
        "uploads": [
            {
                **_call_document(call),
                "file": shown(str(call.body)),
                "prepared": call.prepared or None,
            }
            for call in purchase.uploads
        ],
        "requests": [
            {
                **_call_document(call),
                "body": call.body,
                "images": call.images,
                "default_size": call.default_size or None,
                "results": [shown(path) for path in call.results],
            }
            for call in purchase.calls
        ],
        "done": None if after.done is None else shown(_put(after.done, each)),
        "failed": shown(_put(after.failed, each)),
        "kept": purchase.rule.keeps,
    }


def _call_document(call: Call) -> dict[str, Any]:
    return {"method": "POST", "url": call.url, "headers": dict(call.headers)}
