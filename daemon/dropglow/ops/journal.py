"""Write log records to the systemd journal with their facts as fields, so that ``journalctl JOB_ID=…`` tells a story.

Through systemd-python where that is installed, else in the journal's own protocol
over its socket. A record is what a line of JSON would have been, field by field:
whatever was taken out of that is not here either.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from dropglow.ops.message_ids import MESSAGE_IDS

# From the repository's root the folder `systemd` beside the package can be imported too, and is empty.
try:
    from systemd import journal as _binding  # type: ignore[attr-defined, unused-ignore]
except ImportError:
    _binding = None

SOCKET: Final = "/run/systemd/journal/socket"
STREAM: Final = "JOURNAL_STREAM"
IDENTIFIER: Final = "dropglow"
# Fields that people ask for by name; every other fact has our name before its own.
KNOWN: Final = {
    "job": "JOB_ID",
    "job_id": "UPSTREAM_JOB_ID",
    "drop": "DROP_ID",
    "rule": "RULE",
    "source": "SOURCE",
    "exception": "EXCEPTION_TEXT",
}
PREFIX: Final = "DROPGLOW_"
PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)
# Said by other fields, or by the journal itself.
_SAID: Final = frozenset({"event", "level", "timestamp"})
# What a line for reading begins with, and what it leaves to the fields.
_FIRST: Final = ("reason", "note", "answer", "warning")
_UNSPOKEN: Final = frozenset({"sha256", "code", "exception"})

Fields = Sequence[tuple[str, str]]
Send = Callable[[Fields], None]


def is_the_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether what is written to *stream* goes to the journal, as ``$JOURNAL_STREAM`` tells."""
    device, _, inode = environ.get(STREAM, "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


class JournalHandler(logging.Handler):
    """Send each record to the journal; while that cannot be reached, to standard error."""

    def __init__(self, send: Send) -> None:
        """Send by *send*; the formatter has to make one JSON object of a record."""
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        text = self.format(record)
        try:
            self._send(tuple(fields(json.loads(text), record)))
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(text + "\n")


def sender(path: str = SOCKET) -> Send:
    """Return what sends to the journal: systemd-python where it is there, else our own hand."""
    if _binding is not None and path == SOCKET:
        return _bound
    return Native(path)


def _bound(told: Fields) -> None:
    _binding.sendv(*(f"{name}={value}" for name, value in told))


def fields(facts: Mapping[str, Any], record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """Yield the journal's fields of one record: its *facts*, and where in the program it comes from."""
    event = str(facts.get("event", ""))
    yield "MESSAGE", sentence(facts)
    yield "PRIORITY", str(next(priority for level, priority in PRIORITIES if record.levelno >= level))
    yield "SYSLOG_IDENTIFIER", IDENTIFIER
    yield "LOGGER", record.name
    yield "CODE_FILE", record.pathname
    yield "CODE_LINE", str(record.lineno)
    yield "CODE_FUNC", record.funcName or ""
    yield PREFIX + "EVENT", event
    if event in MESSAGE_IDS:
        yield "MESSAGE_ID", MESSAGE_IDS[event]
    for name, value in facts.items():
        if name in _SAID or value is None:
            continue
        field = KNOWN.get(name) or PREFIX + _field(name)
        for each in value if isinstance(value, list) else (value,):
            yield field, _text(each)


def sentence(facts: Mapping[str, Any]) -> str:
    """Return one line for reading: what happened, why, and the facts as ``name=value``."""
    first = [_text(facts[name]) for name in _FIRST if facts.get(name)]
    rest = [
        f"{name}={_text(value)}"
        for name, value in facts.items()
        if name not in {*_SAID, *_FIRST, *_UNSPOKEN} and value is not None and value != []
    ]
    parts = [": ".join([str(facts.get("event", "")), *first]), *rest]
    return " ".join(" ".join(parts).split("\n"))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return json.dumps(value, ensure_ascii=False)


def _field(name: str) -> str:
    """Return *name* as the journal takes it: A to Z, digits and underscores, at most 64 of them with the prefix."""
    upper = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name.upper())
    return upper[: 64 - len(PREFIX)]


# ---------------------------------------------------------------- the protocol


class Native:
    """Speak the journal's own protocol: a datagram a record, or a sealed file where that is too long."""

    def __init__(self, path: str = SOCKET) -> None:
        """Send to the datagram socket at *path*."""
        self._path = path

    def __call__(self, told: Fields) -> None:
        """Send one record.

        Raises:
            OSError: The journal cannot be reached.
        """
        data = b"".join(_encoded(name, value) for name, value in told)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            try:
                line.sendto(data, self._path)
            except OSError as error:
                if error.errno not in _TOO_LONG:
                    raise
                self._send_file(data, line)

    def _send_file(self, data: bytes, line: socket.socket) -> None:
        descriptor = os.memfd_create(IDENTIFIER, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(descriptor, "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            # The journal takes no file that somebody could change under its hands.
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
            line.connect(self._path)  # `send_fds` has an address, and ignores it
            socket.send_fds(line, [b""], [file.fileno()])


_TOO_LONG: Final = frozenset({errno.EMSGSIZE, errno.ENOBUFS})


def _encoded(name: str, value: str) -> bytes:
    text = value.encode("utf-8", "replace")
    if b"\n" not in text:
        return name.encode("ascii") + b"=" + text + b"\n"
    return name.encode("ascii") + b"\n" + struct.pack("<Q", len(text)) + text + b"\n"
