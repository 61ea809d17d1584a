"""Decide what Adobe's refusal of a command's questions means: a fault of the configuration, or bad luck.

A fault has a place in a file like any other; bad luck may be over at the next try.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dropglow.cli.exits import Exit, Told
from dropglow.cli.online import Account, asked_for_account
from dropglow.errors import AuthError, FireflyError, RequestRefused
from dropglow.firefly.custom_rules import custom_model_id, remarks, rules_with_custom_models
from dropglow.rules.load import Fault, Harvest, Source, read_source
from dropglow.rules.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dropglow.config import Config
    from dropglow.firefly.custom_rules import Remark
    from dropglow.rules.rule import Rule

_BY_ITSELF: Final = "it is tried again by itself"  # by a service, and not by a command
QUOTA: Final = "quota_exhausted"
_SCOPES: Final = frozenset({"invalid_scope", "invalid_ims_scope", "10007"})


def is_fault(error: FireflyError) -> bool:
    """Return whether *error* stays until somebody mends the configuration, the credentials or the account."""
    return isinstance(error, AuthError | RequestRefused) and error.code != QUOTA


def told_of_account(error: FireflyError) -> Told:
    """Return *error* as a command ends with it."""
    if is_fault(error):
        return Told(error.message, hint=error.hint, code=Exit.CONFIGURATION)
    return Told(error.message, hint=error.hint.replace(_BY_ITSELF, "try again later"), code=Exit.LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came of asking Adobe; each remark as ``file:line:column: message``."""

    account: Account | None = None  # None: it is at fault, or was not asked about
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def findings(config: Config, environ: Mapping[str, str]) -> Findings:
    """Ask Adobe, and return what is wrong with *config* in its eyes. Nothing is spent.

    Raises:
        FireflyError: Adobe cannot be asked just now.
    """
    users = rules_with_custom_models(config.rules)
    places = Places(config, environ)
    try:
        account = asyncio.run(asked_for_account(config, custom_models=bool(users)))
    except FireflyError as error:
        if not is_fault(error):
            raise
        return Findings(faults=(str(places.of_account(error)),))
    if account.models_refusal is not None:
        rules = [rule for rule in config.rules if custom_model_id(rule)]
        return Findings(faults=tuple(str(fault) for fault in places.of_models(account.models_refusal, rules)))
    told = [
        (str(places.of_remark(remark)), remark.serious) for remark in remarks(config.rules, account.models)
    ]
    return Findings(
        account=account,
        faults=tuple(str(fault) for fault, serious in told if serious),
        warnings=tuple(str(fault) for fault, serious in told if not serious),
    )


class Places:
    """Find where in the files something stands that Adobe does not like."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        """Read files of *config* again when they are needed."""
        self._config = config
        self._environ = environ
        self._sources: dict[str, Source] = {}

    def of_account(self, error: FireflyError) -> Fault:
        """Return what is wrong with the account, at the settings of the API."""
        at = ("api", "scopes") if error.code in _SCOPES else ("api",)
        message = _line(error)
        if isinstance(error, RequestRefused):
            at = ("api", "base_url")
            where = self._config.api.base_url
            message = (
                f"{where} does not answer like Firefly's API (HTTP {error.status}): is that its address?"
            )
        return self._source(self._config.path).fault(Problem(path=at, message=message))

    def of_models(self, error: FireflyError, rules: Iterable[Rule]) -> list[Fault]:
        """Return why custom models are not for this account, at each of *rules*, which order with one."""
        return [self._of_rule(rule, ("custom_model_id",), _line(error)) for rule in rules]

    def of_remark(self, remark: Remark) -> Fault:
        """Return *remark* at the key that it is about."""
        return self._of_rule(remark.rule, remark.at, remark.message)

    def _of_rule(self, rule: Rule, at: tuple[str | int, ...], message: str) -> Fault:
        source = self._source(rule.file)
        raw = source.document.value
        entries = raw.get("rules") if isinstance(raw, dict) else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and entry.get("name") == rule.name:
                path = ("rules", index, rule.operation, *at)
                return source.fault(Problem(path=path, message=message))
        return Fault(
            file=rule.file, line=rule.line, column=1, message=message
        )  # the file was changed meanwhile

    def _source(self, file: str) -> Source:
        if file not in self._sources:
            self._sources[file] = read_source(file, environ=self._environ, harvest=Harvest())
        return self._sources[file]


def _line(error: FireflyError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
