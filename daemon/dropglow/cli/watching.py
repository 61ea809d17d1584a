"""``--watch``: tell again whenever something changed, until Ctrl-C; on a terminal in place, elsewhere below each other.

The terminal is given back as it was, whichever way the command ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

if TYPE_CHECKING:
    from rich.console import Console

EVERY_S: Final = 1.0
# The other screen, no cursor, and long lines are cut at the edge instead of broken.
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_END_OF_LINE: Final = "\x1b[K"
_END_OF_SCREEN: Final = "\x1b[J"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What there is to tell at one moment, both ways."""

    document: Callable[[], Any]  # JSON-able
    show: Callable[[Console], None]

    def key(self) -> str:
        """Return what differs when something changed. The moment itself does not count."""
        document = self.document()
        timeless = {**document, "at": None} if isinstance(document, dict) else document
        return json.dumps(timeless, default=str)


class Ended(Protocol):
    """Whether somebody has enough."""

    def is_set(self) -> bool:
        """Return whether that is so."""
        ...

    def wait(self, timeout: float, /) -> bool:
        """Return whether that is so, once it is, or after *timeout* seconds."""
        ...


class _Pipe:
    """Set by a signal, whose handler runs in the middle of anything: it takes no lock, for that may be ours already."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is full of signals
            os.write(self._writer, b"!")

    def is_set(self) -> bool:
        return self.wait(0.0)

    def wait(self, timeout: float, /) -> bool:
        return bool(select.select([self._reader], [], [], timeout)[0])

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


def tell(look: Callable[[], Telling], *, as_json: bool, watch: bool, every_s: float = EVERY_S) -> None:
    """Tell what *look* finds: once, or with *watch* again and again until somebody has enough."""
    from dropglow.cli.tables import console, print_json

    if not watch:
        if as_json:
            print_json(look().document())
            return
        look().show(console())
        return
    with _ending() as ended:
        out = console()
        if as_json:
            _lines(_changes(look, ended, every_s))
        elif out.is_terminal and not out.is_dumb_terminal:
            _screen(look, ended, out, every_s)
        else:
            _below_each_other(_changes(look, ended, every_s), out)


@contextlib.contextmanager
def _ending() -> Iterator[Ended]:
    """Yield what is set by Ctrl-C and SIGTERM: for who watches they are the usual end."""
    ended = _Pipe()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ended.close()


def _changes(look: Callable[[], Telling], ended: Ended, every_s: float) -> Iterator[Telling]:
    last = ""
    while not ended.is_set():
        found = look()
        if (key := found.key()) != last:
            last = key
            yield found
        ended.wait(every_s)


def _lines(changes: Iterator[Telling]) -> None:
    for found in changes:
        click.echo(json.dumps(found.document(), default=str))


def _below_each_other(changes: Iterator[Telling], out: Console) -> None:
    for place, found in enumerate(changes):
        if place:
            click.echo()
        found.show(out)
        out.file.flush()


def _screen(look: Callable[[], Telling], ended: Ended, out: Console, every_s: float) -> None:
    painted = (
        "",
        out.size,
    )  # a terminal that became smaller lost some of it, and shows it no more when it grows
    try:
        out.file.write(_ENTER)
        while not ended.is_set():
            if (frame := (_frame(look(), out), out.size)) != painted:
                painted = frame
                out.file.write(frame[0])
                out.file.flush()
            ended.wait(every_s)
    finally:
        out.file.write(_LEAVE)
        out.file.flush()


def _frame(found: Telling, out: Console) -> str:
    """Return what to write so that the screen shows *found* and nothing else, as far as it has room."""
    with out.capture() as captured:
        found.show(out)
    lines = captured.get().splitlines()
    hidden = len(lines) - out.height
    if hidden > 0:
        lines = [*lines[: out.height - 1], f"… {hidden + 1} more lines, without --watch"]
    return _HOME + "\r\n".join(text + _END_OF_LINE for text in lines) + _END_OF_SCREEN
