"""The words that the service manager hears."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from dropglow.ops.systemd import Manager


class Ear:
    """A manager's socket, and what came to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        messages = []
        try:
            while True:
                messages.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    """Return a socket of either kind that a manager may have."""
    ear = Ear(str(tmp_path / "notify") if request.param == "path" else f"@dropglow-test-{token_hex(8)}")
    yield ear
    ear.close()


def test_every_word_is_in_the_manager_s_language(ear: Ear) -> None:
    """One datagram for each thing that is said; a reload tells when it began, in microseconds."""
    manager = Manager.of({"NOTIFY_SOCKET": ear.address}, pid=7)

    manager.ready()
    manager.reloading(monotonic_s=12.5)
    manager.alive()
    manager.stopping()

    assert ["READY=1", "RELOADING=1\nMONOTONIC_USEC=12500000", "WATCHDOG=1", "STOPPING=1"] == ear.heard()


def test_a_status_is_one_line_and_said_once(ear: Ear) -> None:
    """Line breaks would be further assignments; the same text again is no news."""
    manager = Manager(ear.address)

    manager.status("3 inboxes\nREADY=1")
    manager.status("3 inboxes\nREADY=1")
    manager.status("2 inboxes")

    assert ["STATUS=3 inboxes READY=1", "STATUS=2 inboxes"] == ear.heard()


def test_a_manager_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    """Neither without a socket nor with a dead one does anything happen."""
    Manager.of({}, pid=7).ready()
    Manager(str(tmp_path / "nobody")).ready()


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_waits_for_whom_it_says(environ: dict[str, str], watchdog_s: float | None) -> None:
    """A watchdog of another process, or none, wants no sign of life of ours."""
    assert watchdog_s == Manager.of(environ, pid=7).watchdog_s
