"""Runs of the program without reading its code each time: one process reads it once and forks every run.

Run by its path. Orders come in on standard input, one JSON line each: ``arguments``, ``environ``, ``log``. For each,
the process id of the run is written to standard output, and its exit code once it has ended. A run is a process of its
own, ends by itself or by a signal, and leaves nothing here; what reading code costs, and nothing else, is missing in it.

The shim (``shim/shim.c``) may be preloaded: it begins to count in the run, not here.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dropglow.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a run reads before its first call that lasts; the last two are read by httpx when it is first used.
CODE: Final = (
    "dropglow.cli.run",
    "dropglow.app",
    "dropglow.config",
    "dropglow.ops.logging",
    "dropglow.ops.systemd",
    "httpcore",
    "anyio.streams.tls",
)


def serve() -> None:
    """Fork a run for each order, one after the other, until no more orders come."""
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            live(order["arguments"], order["environ"], order["log"])
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def live(arguments: Sequence[str], environ: Mapping[str, str], log: str) -> None:
    """Be the program, in a process that was just forked: with this environment, and its output in *log*."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.close(nothing)
    os.close(output)
    os.environ.clear()
    os.environ.update(environ)
    if (begin := getattr(ctypes.CDLL(None), "shim_begin", None)) is not None:
        begin()
    main(list(arguments), prog_name="dropglow")


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for each in CODE:
        importlib.import_module(each)
    serve()
