"""Read files and environment into one frozen configuration, or say all that is wrong with them.

Imports no HTTP library, no logging, no imaging: every command starts here.
Credentials are not read here; they are read when a token is fetched.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dropglow.endpoints import api_settings
from dropglow.errors import ConfigError
from dropglow.firefly.settings import ApiSettings
from dropglow.inboxes import belonging_faults, folders, plans, watch_faults
from dropglow.intake.lookout import Lookout
from dropglow.intake.plan import InboxPlan
from dropglow.locating import Stamp, default_state, find_config, rule_files, stamp, stamps
from dropglow.money import Budget, Budgets
from dropglow.notify.reading import settings_of
from dropglow.notify.settings import NotifySettings
from dropglow.rules.budget import CommonBudgetShape, budget_of
from dropglow.rules.configuration import ConfigurationShape, LimitsShape, PollShape
from dropglow.rules.folders import (
    after_faults,
    after_warnings,
    keep_faults,
    missing_folders,
    nesting_faults,
    silent_folders,
    unwritable_inboxes,
)
from dropglow.rules.load import (
    Fault,
    Harvest,
    Source,
    load_rule_file,
    load_rules,
    read_source,
)
from dropglow.rules.paths import resolved
from dropglow.rules.positions import LARGEST_DOCUMENT, parse
from dropglow.rules.pricing import priced
from dropglow.rules.problem import Problem
from dropglow.rules.receivers import NotifyShape
from dropglow.rules.review import Review, review
from dropglow.rules.rule import Rule
from dropglow.rules.shared_inbox import marker_warnings
from dropglow.rules.whole_folders import folder_faults, folder_warnings, kept_folder_faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at once, and how fast. None: no limit."""

    in_flight: int = 16  # jobs at Adobe at once
    requests_per_minute: int | None = 4  # submissions and uploads
    requests_per_day: int | None = 9000
    poll_s_min: float = 1.0
    poll_s_max: float = 15.0
    job_timeout_s: float = 1800.0  # after this a job is late


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything an operator settled, checked."""

    path: str  # absolute path of the configuration file
    state: str  # absolute folder
    api: ApiSettings
    limits: Limits
    budgets: Budgets = field(default_factory=Budgets)
    notify: NotifySettings = field(default_factory=NotifySettings)
    rules: tuple[Rule, ...]  # in order: file name, then position
    inboxes: tuple[InboxPlan, ...]  # in order of their first rules
    warnings: tuple[str, ...] = ()  # ``file:line:column: message``
    silent: tuple[str, ...] = ()  # inboxes and outboxes whose share did not answer just now
    silences: tuple[str, ...] = ()  # the same as warnings; the service has its own words for them
    patterns: tuple[str, ...] = ()  # absolute globs of rule files
    files: tuple[Stamp, ...] = ()  # what was read, as it was then


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A configuration as far as it can be read, and what is wrong with it."""

    config: Config
    refusal: ConfigError | None  # None: nothing is wrong


def load_config(option: str | None, *, environ: Mapping[str, str], cwd: str) -> Config:
    """Return the checked configuration.

    Args:
        option: What ``--config`` said: a file or a folder.
        environ: The environment: addresses, folders, and what ``${NAME}`` stands for.
        cwd: What relative paths on the command line and in the environment are relative to.

    Raises:
        ConfigError: None was found, or it has faults; all of them are in ``faults``.
    """
    survey = _surveyed(find_config(option, environ=environ, cwd=cwd), environ=environ, cwd=cwd)
    if survey.refusal is not None:
        raise survey.refusal
    return survey.config


def survey_config(option: str | None, *, environ: Mapping[str, str], cwd: str) -> Survey:
    """Return as much of the configuration as can be read, for what needs little more than the state folder.

    A service that was started before somebody broke the configuration goes on, and has to be reached.

    Args:
        option: As for ``load_config``.
        environ: As for ``load_config``.
        cwd: As for ``load_config``.

    Raises:
        ConfigError: None was found, or it is so broken that nobody can tell where the state folder is.
    """
    survey = _surveyed(find_config(option, environ=environ, cwd=cwd), environ=environ, cwd=cwd)
    if survey.refusal is not None and not survey.config.state:
        raise survey.refusal
    return survey


def _surveyed(path: str, *, environ: Mapping[str, str], cwd: str) -> Survey:
    harvest = Harvest(look=Lookout())
    first = stamp(path)  # before it is read: who edits it meanwhile is not missed
    source = read_source(path, environ=environ, harvest=harvest)
    read = _read(source, harvest)
    shape = read.value
    patterns = _patterns(read, source)
    files = stamps(path, patterns)[1:]
    _gather_rules(source, patterns, environ=environ, harvest=harvest)
    api = api_settings(read, source, environ=environ, harvest=harvest)
    limits = _limits(shape.limits or LimitsShape(), source, harvest)
    notify, problems = settings_of(
        shape.notify or NotifyShape(),
        apprise=importlib.util.find_spec("apprise") is not None,
        told=read.places,
    )
    harvest.faults += [source.fault(problem) for problem in problems]
    state = _state(read, source, environ=environ, cwd=cwd)
    harvest.faults += nesting_faults(
        harvest.entries, source=source, state=state or default_state(environ, cwd), look=harvest.look
    )
    harvest.faults += after_faults(harvest.rules, harvest.entries, look=harvest.look)
    harvest.faults += folder_faults(harvest.rules)
    harvest.faults += kept_folder_faults(harvest.rules)
    harvest.faults += watch_faults(harvest.rules)
    harvest.faults += belonging_faults(harvest.rules, tuple(shape.ignore))
    harvest.faults += keep_faults(harvest.rules)
    if not harvest.faults:
        harvest.warnings += [
            *after_warnings(harvest.rules),
            *folder_warnings(harvest.rules),
            *marker_warnings(harvest.rules),
            *missing_folders(
                harvest.entries,
                base=source.folder,
                kept={loaded.rule.inbox for loaded in harvest.rules if loaded.rule.keeps},
                look=harvest.look,
            ),
            *unwritable_inboxes(harvest.rules, look=harvest.look),
        ]
    prices = priced(shape.prices)
    rules = tuple(replace(loaded.rule, prices=prices) for loaded in harvest.rules)
    config = Config(
        path=path,
        state=state,
        api=api,
        limits=limits,
        budgets=_budgets(shape.budget, rules),
        notify=notify,
        rules=rules,
        inboxes=plans(rules, tuple(shape.ignore), state, harvest.look),
        warnings=tuple(str(warning) for warning in sorted(harvest.warnings)),
        silent=tuple(folder for folder in folders(rules) if harvest.look(folder).silent),
        silences=tuple(str(each) for each in sorted(silent_folders(harvest.entries, look=harvest.look))),
        patterns=patterns,
        files=(first, *files),
    )
    return Survey(config=config, refusal=_refusal(path, harvest.faults) if harvest.faults else None)


def _state(read: Review[ConfigurationShape], source: Source, *, environ: Mapping[str, str], cwd: str) -> str:
    """Return the state folder, absolute; nothing where the faults of the file leave that open."""
    named = read.value.state
    if named is None and source.document.value is None and source.document.problems:
        named = _salvaged(source.file, environ)
        if named is None:
            return ""
    if named:
        return resolved(source.folder, named)
    # A key that nobody knows may have been meant to be this one.
    known = set(ConfigurationShape.model_fields) - {"state"}
    if any(len(place) < 2 and not known.issuperset(place[:1] or ("",)) for place in read.places):
        return ""
    return default_state(environ, cwd)


def _salvaged(file: str, environ: Mapping[str, str]) -> str | None:
    """Return what the line of ``state:`` says in a file that is no YAML; None unless there is exactly one."""
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape") as stream:  # noqa: PTH123  # a path is text here
            lines = [line for line in stream.read(LARGEST_DOCUMENT).splitlines() if line.startswith("state:")]
    except OSError:
        return None
    if len(lines) != 1:
        return None
    document = parse(lines[0], environ=environ)
    named = document.value.get("state") if isinstance(document.value, dict) else None
    return named if isinstance(named, str) and not document.problems else None


def _refusal(path: str, faults: list[Fault]) -> ConfigError:
    told = tuple(dict.fromkeys(str(fault) for fault in sorted(faults)))
    count = "a fault" if len(told) == 1 else f"{len(told)} faults"
    return ConfigError(
        f"the configuration {path} has {count}",
        hint="mend what is named above; `dropglow check` looks again",
        faults=told,
    )


def _read(source: Source, harvest: Harvest) -> Review[ConfigurationShape]:
    """Return what the file says; rules that stand in it are left to be read as rules."""
    raw = {} if source.document.value is None else source.document.value
    if isinstance(raw, dict) and _inline(raw):
        raw = {key: value for key, value in raw.items() if key != "rules"}
    read = review(ConfigurationShape, raw)
    harvest.faults += [source.fault(problem) for problem in read.problems]
    return read


def _inline(raw: Mapping[str, Any]) -> bool:
    rules = raw.get("rules")
    return isinstance(rules, list) and any(isinstance(entry, dict) for entry in rules)


def _patterns(read: Review[ConfigurationShape], source: Source) -> tuple[str, ...]:
    """Return the absolute globs of rule files; none where the rules stand in the file, or nobody can tell."""
    raw = source.document.value
    unreadable = source.document.problems and raw is None
    if unreadable or any(place[:1] in {(), ("rules",)} for place in read.places):
        return ()  # that is fault enough
    if isinstance(raw, dict) and _inline(raw):
        return ()
    return tuple(resolved(source.folder, pattern) for pattern in read.value.rules)


def _gather_rules(
    source: Source,
    patterns: tuple[str, ...],
    *,
    environ: Mapping[str, str],
    harvest: Harvest,
) -> None:
    raw = source.document.value
    if isinstance(raw, dict) and _inline(raw):
        load_rules(raw["rules"], source, harvest=harvest)
        return
    files: set[str] = set()
    for pattern in patterns:
        matching = rule_files(pattern)
        if not matching:
            message = f"no rule file is at {pattern}"
            harvest.faults.append(source.fault(Problem(path=("rules",), message=message)))
        files |= matching
    for file in sorted(files, key=lambda file: (os.path.basename(file), file)):  # noqa: PTH119
        load_rule_file(file, environ=environ, harvest=harvest)
    if files and not harvest.entries and not harvest.faults:
        message = "there is no rule at all: the rule files are empty"
        harvest.faults.append(source.fault(Problem(path=("rules",), message=message)))


def _limits(shape: LimitsShape, source: Source, harvest: Harvest) -> Limits:
    poll = shape.poll or PollShape()
    limits = Limits(
        in_flight=shape.in_flight,
        requests_per_minute=shape.requests_per_minute,
        requests_per_day=shape.requests_per_day,
        poll_s_min=Limits().poll_s_min if poll.min is None else poll.min,
        poll_s_max=Limits().poll_s_max if poll.max is None else poll.max,
        job_timeout_s=shape.job_timeout,
    )
    if limits.poll_s_max < limits.poll_s_min:
        message = f"max ({limits.poll_s_max:g}s) is shorter than min ({limits.poll_s_min:g}s)"
        harvest.faults.append(source.fault(Problem(path=("limits", "poll", "max"), message=message)))
    return limits


def _budgets(shape: CommonBudgetShape | None, rules: tuple[Rule, ...]) -> Budgets:
    said = shape or CommonBudgetShape()
    return Budgets(
        common=budget_of(said),
        by_rule={rule.name: rule.budget for rule in rules if rule.budget != Budget()},
        brake=said.brake,
    )
