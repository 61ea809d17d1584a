"""Talk to the service manager: ready, reloading, stopping, alive, and one line for ``systemctl status``.

The protocol is a datagram of ``NAME=value`` lines to ``$NOTIFY_SOCKET``; the standard
library speaks it. Without that socket nothing is sent, and nobody has to ask first.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from typing import Final

NOTIFY_SOCKET: Final = "NOTIFY_SOCKET"
WATCHDOG_USEC: Final = "WATCHDOG_USEC"
WATCHDOG_PID: Final = "WATCHDOG_PID"
LISTEN_PID: Final = "LISTEN_PID"
LISTEN_FDS: Final = "LISTEN_FDS"
FIRST_DESCRIPTOR: Final = 3  # after standard input, output and error
_MICROSECONDS: Final = 1_000_000


class Manager:
    """The service manager that started this process, if one did."""

    def __init__(self, address: str = "", *, watchdog_s: float | None = None) -> None:
        """Send to the socket at *address*, a path or ``@`` and an abstract name; to nobody where it is empty.

        Args:
            address: As ``$NOTIFY_SOCKET`` says it.
            watchdog_s: How long the manager waits for a sign of life; None: it wants none.
        """
        self.watchdog_s = watchdog_s
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._status = ""

    @classmethod
    def of(cls, environ: Mapping[str, str], *, pid: int) -> Manager:
        """Return the manager that *environ* tells of to the process *pid*."""
        return cls(environ.get(NOTIFY_SOCKET, ""), watchdog_s=_watchdog_s(environ, pid))

    def ready(self) -> None:
        """Say that the service serves, or serves again after a reload."""
        self._send("READY=1")

    def reloading(self, *, monotonic_s: float) -> None:
        """Say at *monotonic_s* of the machine's monotonic clock that a reload begins; ``ready`` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={round(monotonic_s * _MICROSECONDS)}")

    def stopping(self) -> None:
        """Say that the service stops."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Give the sign of life that the watchdog waits for."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show *text*, one line, in ``systemctl status``; the same text again is not sent again."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A manager that is not there, or does not listen now, is no reason to stop.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """Return the watchdog's patience, unless it waits for another process."""
    microseconds = environ.get(WATCHDOG_USEC, "")
    if not microseconds.isdecimal() or not int(microseconds):
        return None
    if environ.get(WATCHDOG_PID, str(pid)) != str(pid):
        return None
    return int(microseconds) / _MICROSECONDS


def passed_descriptors(environ: Mapping[str, str], *, pid: int) -> range:
    """Return the descriptors of the sockets that the manager opened for the process *pid* (``sd_listen_fds``)."""
    count = environ.get(LISTEN_FDS, "")
    if environ.get(LISTEN_PID) != str(pid) or not (count.isascii() and count.isdecimal()):
        return range(0)
    return range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count))
