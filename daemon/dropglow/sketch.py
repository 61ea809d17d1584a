"""What commands that only look need of a configuration, kept by the service so that they need not read all of it.

Reading a configuration means checking it, and that takes longer than all else that
``status`` does. So the service leaves a sketch of what it checked in its state folder, with the
stamps of the files that it read, and of the pictures that rules name; while they are the same, and
the version too, the sketch is true. Whoever edits a file, or has ``${…}`` in one, has it read in full, faults and all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from dropglow import __version__
from dropglow.ledger.belongings import write_private
from dropglow.locating import Stamp, default_state, find_config, stamp, stamps
from dropglow.model import RuleName
from dropglow.money import Budget, Budgets, Limit, Unit
from dropglow.rules.paths import resolved

if TYPE_CHECKING:
    from dropglow.config import Config, Survey

SKETCH_FILE: Final = "configuration.json"
_FROM_ENVIRONMENT: Final = "${"
_SEAL: Final = "seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A configuration, as far as it matters to who only looks."""

    path: str  # absolute, of the configuration file
    state: str  # absolute
    in_flight: int
    requests_per_minute: int | None
    requests_per_day: int | None
    budgets: Budgets
    inboxes: tuple[str, ...]  # absolute, in order of their first rules
    rules: tuple[tuple[str, str], ...]  # names, and what each does in few words
    faults: tuple[str, ...] = ()  # ``file:line:column: message``; with any, the rest may lack something


def sketched(survey: Survey) -> Sketch:
    """Return the sketch of a configuration that was read in full, as far as it could be."""
    faults = () if survey.refusal is None else survey.refusal.faults
    return _of(survey.config, faults=faults)


def find_sketch(option: str | None, *, environ: Mapping[str, str], cwd: str) -> Sketch:
    """Return the sketch of the configuration that ``config.survey_config`` would read: kept, or made now.

    Raises:
        ConfigError: None was found, or it is so broken that nobody can tell where the state folder is.
    """
    kept = recall(find_config(option, environ=environ, cwd=cwd), environ=environ, cwd=cwd)
    if kept is not None:
        return kept
    from dropglow.config import survey_config

    return sketched(survey_config(option, environ=environ, cwd=cwd))


def remember(config: Config) -> None:
    """Keep the sketch of *config*, which has no faults, in its state folder; where that fails, nobody misses it. Blocks."""
    file = Path(config.state) / SKETCH_FILE
    try:
        if any(_FROM_ENVIRONMENT in _text(each.file) for each in config.files):
            file.unlink(missing_ok=True)  # who asks may have another environment
            return
        document = {
            "version": __version__,
            "files": [asdict(each) for each in config.files],
            "patterns": list(config.patterns),
            "pictures": [asdict(stamp(each)) for each in _pictures(config)],
            **asdict(_of(config, faults=())),
        }
        write_private(file, json.dumps({**document, _SEAL: _seal(document)}, indent=1))
    except (OSError, UnicodeError):
        return


def recall(path: str, *, environ: Mapping[str, str], cwd: str) -> Sketch | None:
    """Return the sketch of the configuration at *path*, if one was kept and everything still is as it was then."""
    try:
        state = _state(path, environ=environ, cwd=cwd)
        kept = None if state is None else json.loads(_text(os.path.join(state, SKETCH_FILE)))  # noqa: PTH118
        if kept is None or kept.pop(_SEAL) != _seal(kept):
            return None
        if (kept["version"], kept["path"], kept["state"]) != (__version__, path, state):
            return None
        if tuple(Stamp(**each) for each in kept["files"]) != stamps(path, kept["patterns"]):
            return None
        if any(Stamp(**each) != stamp(each["file"]) for each in kept["pictures"]):
            return None  # a file that a rule names, and without which it has a fault
        return _from(kept)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # whatever it is, it is not ours


def _pictures(config: Config) -> list[str]:
    """Return the files that rules name for their orders."""
    pictures = (picture for rule in config.rules for picture in rule.parameters.pictures())
    return sorted({picture.source.path for picture in pictures if picture.source.path is not None})


def _seal(document: Mapping[str, Any]) -> int:
    """Return what a change by hand, or a damage, makes another: what is in *document* is believed unseen."""
    return crc32(json.dumps(document, sort_keys=True).encode())


def _of(config: Config, *, faults: tuple[str, ...]) -> Sketch:
    return Sketch(
        path=config.path,
        state=config.state,
        in_flight=config.limits.in_flight,
        requests_per_minute=config.limits.requests_per_minute,
        requests_per_day=config.limits.requests_per_day,
        budgets=config.budgets,
        inboxes=tuple(plan.folder for plan in config.inboxes),
        rules=tuple((rule.name, f"{rule.operation}, {rule.inbox}") for rule in config.rules),
        faults=faults,
    )


def _from(kept: Mapping[str, Any]) -> Sketch:
    budgets = kept["budgets"]
    return Sketch(
        path=kept["path"],
        state=kept["state"],
        in_flight=kept["in_flight"],
        requests_per_minute=kept["requests_per_minute"],
        requests_per_day=kept["requests_per_day"],
        budgets=Budgets(
            common=_budget(budgets["common"]),
            by_rule={RuleName(name): _budget(each) for name, each in budgets["by_rule"].items()},
            brake=budgets["brake"],
        ),
        inboxes=tuple(kept["inboxes"]),
        rules=tuple((name, words) for name, words in kept["rules"]),
    )


def _budget(kept: Mapping[str, Any]) -> Budget:
    return Budget(
        per_day=_limit(kept["per_day"]),
        per_month=_limit(kept["per_month"]),
        hold_over=kept["hold_over"],
        says_hold_over=kept["says_hold_over"],
    )


def _limit(kept: Mapping[str, Any] | None) -> Limit | None:
    return None if kept is None else Limit(most=kept["most"], unit=Unit(kept["unit"]))


def _state(path: str, *, environ: Mapping[str, str], cwd: str) -> str | None:
    """Return the state folder of the configuration at *path*; None where only a full reading can tell."""
    from dropglow.rules.positions import parse

    text = _text(path)
    if _FROM_ENVIRONMENT in text:
        return None
    document = parse(text, environ={})
    if document.problems or not isinstance(document.value, dict):
        return None
    named = document.value.get("state")
    if named is None:
        return default_state(environ, cwd)
    return resolved(os.path.dirname(path), named) if isinstance(named, str) and named else None  # noqa: PTH120


def _text(file: str) -> str:
    with open(file, encoding="utf-8-sig") as stream:  # noqa: PTH123  # a path is text here
        return stream.read()
