"""Where the health side listens, and what the service manager may hand over."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator

import pytest

from dropglow.ops.listening import Address, AddressBusy, addresses, is_private, listen, passed_on
from dropglow.ops.systemd import passed_descriptors


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a socket that listens on this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9090", "127.0.0.1", 9090),
        (":9090", "127.0.0.1", 9090),
        ("0", "127.0.0.1", 0),
        ("127.0.0.1", "127.0.0.1", 9817),
        ("0.0.0.0:9090", "0.0.0.0", 9090),  # noqa: S104
        ("[::1]:9090", "::1", 9090),
        ("nas.local:9090", "nas.local", 9090),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    """A port alone means this machine alone."""
    assert Address(host=host, port=port) == Address.read(text)


@pytest.mark.parametrize("text", ["", ":", "99999", "nas:", "nas:http", "::1:9090", "[::1", "a:1:2"])
def test_what_is_no_address_is_said(text: str) -> None:
    """As it was written, with the way to write one."""
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} is no address to listen on: .*HOST:PORT"):
        Address.read(text)


def test_only_a_name_is_asked_for_by_name() -> None:
    """An address needs no other name than itself."""
    names = [Address.read(text).name for text in ("nas:1", "127.0.0.1:1", "[::1]:1")]

    assert [name and name.host for name in names] == ["nas", None, None]


def test_a_free_port_can_be_listened_on() -> None:
    """The URL tells which it is."""
    with listen(Address(host="127.0.0.1", port=0)) as made:
        port = made.getsockname()[1]

        assert (f"http://127.0.0.1:{port}",) == addresses([made])
        assert is_private([made])


def test_a_port_that_is_taken_is_tried_later(listener: socket.socket) -> None:
    """Another service may be about to stop."""
    port = listener.getsockname()[1]

    with pytest.raises(AddressBusy, match=f"127.0.0.1:{port}: address already in use"):
        listen(Address(host="127.0.0.1", port=port))


def test_an_address_of_another_machine_is_tried_later() -> None:
    """This machine may get it once its network is up."""
    with pytest.raises(AddressBusy) as caught:
        listen(Address(host="192.0.2.1", port=0))

    assert caught.value.message.endswith(f"192.0.2.1:0: {os.strerror(errno.EADDRNOTAVAIL).lower()}")
    assert "wait until this machine has it" in caught.value.hint


def test_every_address_is_open_to_others() -> None:
    """Which is said in the log."""
    with listen(Address(host="0.0.0.0", port=0)) as made:  # noqa: S104
        assert not is_private([made])


@pytest.mark.parametrize(
    ("environ", "count"),
    [
        ({}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 2),
        ({"LISTEN_PID": "8", "LISTEN_FDS": "2"}, 0),
        ({"LISTEN_PID": "7"}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "two"}, 0),
        ({"LISTEN_FDS": "2"}, 0),
    ],
)
def test_sockets_are_for_one_process(environ: dict[str, str], count: int) -> None:
    """A child that inherits the variables has no part in them; the first descriptor is 3."""
    assert range(3, 3 + count) == passed_descriptors(environ, pid=7)


def test_nothing_is_passed_on_where_nobody_manages() -> None:
    """On a terminal there is nothing to take."""
    assert () == passed_on({}, pid=os.getpid())
