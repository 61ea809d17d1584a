"""Show people in a browser how the service stands: what is wrong first, then files, jobs and money.

It says no more than the metrics do: names of rules and numbers. One document without a script, which the browser
asks for again by itself. Pure: what is shown is given.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from dropglow import measures
from dropglow.measures import Measure, Reading

EVERY_S: Final = 5  # the browser asks again

_STYLE: Final = """
:root { color-scheme: light dark; --edge: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
h1 small { font-weight: normal; padding: .1em .6em; border-radius: 1em; color: #fff; background: #18794e }
h1 small.bad { background: #b42318 }
.wrong { border-left: .3rem solid #d97706; padding-left: .8rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--edge) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
td.bad { color: #b42318 } meter { width: 10rem } footer { margin-top: 2rem; opacity: .7; font-size: .9rem }
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_FILES: Final[Mapping[str, str]] = {
    "ready": "ready to be taken",
    "settling": "still settling",
    "unready": "not whole yet",
    "unmarked": "waiting for their marker",
    "incomplete": "waiting for a file that belongs to them",
    "lonely": "waiting for what they belong to",
    "unmatched": "taken by no rule",
    "passed_over": "passed over: links, pipes, what cannot be read",
}
_PERIODS: Final[Mapping[str, str]] = {"day": "today", "month": "this month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the page is made of."""

    reading: Reading
    hindrances: Sequence[str]  # what keeps the service from taking files in
    at: datetime  # aware; told in its own time zone


def page(standing: Standing) -> str:
    """Return the page as HTML."""
    wrong = [*standing.hindrances, *_troubles(standing.reading)]
    word, kind = ("not ready", " class=bad") if standing.hindrances else ("ready", "")
    parts = (
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n",
        f"<meta http-equiv=refresh content={EVERY_S}>\n",
        "<meta name=viewport content='width=device-width'>\n",
        f"<title>{'! ' if wrong else ''}Dropglow</title>\n<style>{_STYLE}</style>\n",
        f"<h1>Dropglow <small{kind}>{word}</small></h1>\n",
        *(f"<p class=wrong>{escape(each)}</p>\n" for each in wrong),
        *_files(standing.reading),
        *_jobs(standing.reading),
        *_money(standing.reading),
        *_adobe(standing.reading),
        f"<footer>{escape(_footer(standing))}</footer>\n</html>\n",
    )
    return "".join(parts)


def _troubles(reading: Reading) -> Iterator[str]:
    """Yield what somebody should know, though files are taken in."""
    for (rule,), online in reading.get(measures.INBOX_ONLINE, ()):
        if not online:
            yield f"The inbox of the rule {rule} is offline; `dropglow status` says why."
    for (rule,), online in reading.get(measures.OUTBOX_ONLINE, ()):
        if not online:
            yield f"The outbox of the rule {rule} is away; paid results wait. `dropglow status` says why."
    if _one(reading, measures.SPENDING_PAUSED):
        yield "Spending is paused; `dropglow resume` lets it go on."
    if _one(reading, measures.API_TROUBLE):
        yield "No orders go out for now, and files wait; `dropglow status` says why."
    if faults := _one(reading, measures.CONFIG_FAULTS):
        yield f"The configuration on disk has {_counted(faults, 'fault')}; an older one is in force."
    if _one(reading, measures.RESTART_NEEDED):
        yield "A changed setting waits for a restart."
    in_doubt = sum(count for (_, stage), count in reading.get(measures.JOBS, ()) if stage == "in_doubt")
    if in_doubt:
        yield f"{_counted(in_doubt, 'job')} in doubt: `dropglow status` shows what `dropglow resolve` settles."


def _files(reading: Reading) -> Iterator[str]:
    found = [(_FILES[state], count) for (state,), count in reading.get(measures.INBOX_FILES, ()) if count]
    yield "<h2>Files in the inboxes</h2>\n"
    if not found:
        yield "<p>None wait.</p>\n"
        return
    yield "<table>\n"
    for words, count in found:
        yield f"<tr><td>{words}<td class=number>{count:,.0f}\n"
    yield "</table>\n"


def _jobs(reading: Reading) -> Iterator[str]:
    yield "<h2>Jobs that are not over</h2>\n"
    found = reading.get(measures.JOBS)
    if found is None:
        yield "<p>The ledger does not say now.</p>\n"
        return
    counts = {labels: count for labels, count in found if count}
    if not counts:
        yield "<p>None.</p>\n"
        return
    every = list(dict.fromkeys(stage for (_, stage), _ in found))
    stages = [stage for stage in every if any(stage == each for _, each in counts)]
    heads = "".join(f"<th class=number>{escape(stage.replace('_', ' '))}" for stage in stages)
    yield f"<table>\n<tr><th>rule{heads}\n"
    for rule in dict.fromkeys(rule for rule, _ in counts):
        cells = (f"<td class=number>{counts.get((rule, stage), 0):,.0f}" for stage in stages)
        yield f"<tr><td>{escape(rule)}{''.join(cells)}\n"
    yield "</table>\n"


def _money(reading: Reading) -> Iterator[str]:
    left = dict(reading.get(measures.BUDGET_LEFT, ()))
    limits = reading.get(measures.BUDGET_LIMIT, ())
    if not limits:
        return
    yield "<h2>Budgets</h2>\n<table>\n<tr><th>of<th>for<th class=number>left<th class=number>of<th>unit<th>spent\n"
    for labels, limit in limits:
        rule, period, unit = labels
        rest = max(0.0, left[labels])
        bad = "" if rest else " bad"
        yield (
            f"<tr><td>{escape(rule) or 'all rules'}<td>{_PERIODS[period]}<td class='number{bad}'>{rest:,.0f}"
            f"<td class=number>{limit:,.0f}<td>{unit}<td>{_meter(limit - rest, limit)}\n"
        )
    yield "</table>\n"


def _adobe(reading: Reading) -> Iterator[str]:
    places, taken = _one(reading, measures.IN_FLIGHT_LIMIT), _one(reading, measures.IN_FLIGHT)
    yield "<h2>At Adobe</h2>\n<table>\n"
    yield f"<tr><td>jobs<td class=number>{taken:,.0f} of {places:,.0f}<td>{_meter(taken, places)}\n"
    yield "</table>\n"


def _footer(standing: Standing) -> str:
    facts = [f"{standing.at:%Y-%m-%d %H:%M:%S %Z}"]
    for (version, _), _value in standing.reading.get(measures.BUILD, ()):
        facts.append(f"version {version}")
    if began := _one(standing.reading, measures.START_TIME):
        facts.append(f"up for {_length(standing.at.timestamp() - began)}")
    if memory := _one(standing.reading, measures.MEMORY):
        facts.append(f"{memory / 1e6:,.0f} MB of memory")
    if free := _one(standing.reading, measures.STATE_FREE):
        facts.append(f"{free / 1e9:,.1f} GB free for the ledger")
    return " · ".join([*facts, "names of files: `dropglow status`"])


def _one(reading: Reading, measure: Measure) -> float:
    """Return the value of a *measure* without labels; nought where it is not known."""
    return sum(value for _, value in reading.get(measure, ()))


def _meter(value: float, most: float) -> str:
    return f"<meter value={value:.0f} max={most:.0f}></meter>" if most else ""


def _counted(count: float, noun: str) -> str:
    return f"{count:,.0f} {noun}" if count == 1 else f"{count:,.0f} {noun}s"


def _length(seconds: float) -> str:
    for size_s, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size_s:
            return _counted(seconds // size_s, noun)
    return "less than a minute"
