"""Set logging up: for a person on a terminal, for the journal under systemd, for a collector otherwise.

Everything that logs, ours or a library's, goes through the same processors.
Whatever looks like a signed address or a token loses it here, once more: the
places that know secrets do not log them in the first place.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from dropglow.ops.journal import JournalHandler, Send, is_the_journal, sender

_SIGNED: Final = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+")
_BEARER: Final = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+")
# httpx writes whole addresses at INFO, and ours carry signatures.
_LOUD: Final = ("httpx", "httpcore", "asyncio", "watchdog", "PIL", "uvicorn", "multipart")


def set_up(
    *,
    stream: TextIO | None = None,
    json: bool | None = None,
    level: int = logging.INFO,
    environ: Mapping[str, str] | None = None,
    send: Send | None = None,
) -> None:
    """Send every log record to *stream* (default: standard error), or to the journal where that is its end.

    Args:
        stream: Where to write.
        json: JSON lines (True), console (False), or by what *stream* is (None): a terminal, the journal, or else.
        level: The lowest level that is shown.
        environ: Tells whether *stream* is the journal; None: the process's own.
        send: Sends to the journal; None: as ``journal.sender`` finds best.
    """
    out = stream or sys.stderr
    to_journal = json is None and is_the_journal(out, os.environ if environ is None else environ)
    as_json = writes_json(out) if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Here already, and plainly: a terminal's own tracebacks show every local variable, tokens among them.
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = JournalHandler(send or sender()) if to_journal else logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _json() if as_json or to_journal else structlog.dev.ConsoleRenderer(colors=_colours(out)),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


def writes_json(stream: TextIO) -> bool:
    """Return whether what is logged to *stream* is JSON lines, unless somebody says otherwise."""
    return not stream.isatty()


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the record with the queries of addresses and bearer tokens removed."""
    return {name: _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        if "?" not in value and "earer" not in value and "EARER" not in value:
            return value
        return _BEARER.sub(r"\1…", _SIGNED.sub(r"\1?…", value))
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _clean(each) for name, each in value.items()}
    return value


def _json() -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)


def _colours(out: TextIO) -> bool:
    return out.isatty()
