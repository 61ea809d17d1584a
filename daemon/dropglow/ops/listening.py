"""Open the address that the health side listens on, or take the sockets that the service manager opened."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dropglow.errors import ConfigError, DropglowError
from dropglow.ops.host_header import Place

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 9817
BACKLOG: Final = 64
SPELLING: Final = "as PORT, HOST:PORT or [ADDRESS]:PORT; 0 takes a free port"


class AddressBusy(DropglowError):
    """Report that the address cannot be had now; later it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Address:
        """Return the address that a person wrote: this machine alone, where no host is named.

        Raises:
            ValueError: It is none.
        """
        whole = text
        if text.isascii() and text.isdecimal():
            whole = f"{LOOPBACK}:{text}"
        elif text.startswith(":"):
            whole = LOOPBACK + text
        place = Place.read(whole)
        if place is None:
            raise ValueError(f"{text!r} is no address to listen on: write it {SPELLING}")
        return cls(host=place.host, port=PORT if place.port is None else place.port)

    @property
    def name(self) -> Place | None:
        """Return the host as a name that requests may ask for; None where it is an address."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return Place(host=self.host, port=None)
        return None


def listen(address: Address) -> socket.socket:
    """Return a socket that listens on *address*.

    Raises:
        AddressBusy: Somebody else has it, or this machine does not have it yet.
        ConfigError: Nobody will ever be able to listen there.
    """
    try:
        family, where = _found(address)
        return socket.create_server(where, family=family, backlog=BACKLOG)
    except OSError as error:
        raise _refused(address, error) from error


def _found(address: Address) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Return where *address* is: a name is looked up, and may lead to several addresses, of which the first counts."""
    if address.name is None:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return family, (address.host, address.port)
    first = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    return first[0], (str(first[4][0]), address.port)


def _refused(address: Address, error: OSError) -> DropglowError:
    # Python puts the address behind the system's words, once more.
    number = error.errno or 0
    reason = os.strerror(number) if number > 0 else error.strerror or str(error)
    message = f"cannot listen on {_spelled(address.host, address.port)}: {reason.lower()}"
    if error.errno == errno.EADDRINUSE:
        return AddressBusy(message, hint="end what listens there, or name another port with --http")
    if error.errno in {errno.EADDRNOTAVAIL, socket.EAI_AGAIN}:
        return AddressBusy(
            message, hint="wait until this machine has it, or name one that it has: `ip address`"
        )
    return ConfigError(message, hint=f"name another address with --http, {SPELLING}")


def passed_on(environ: Mapping[str, str], *, pid: int) -> tuple[socket.socket, ...]:
    """Return the sockets that the service manager opened for the process *pid* (``sd_listen_fds``), if it did.

    Raises:
        ConfigError: One of them is not what can be listened on.
    """
    from dropglow.ops.systemd import passed_descriptors

    return tuple(_taken(number) for number in passed_descriptors(environ, pid=pid))


def _taken(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    try:
        taken = socket.socket(fileno=descriptor)
    except OSError as error:
        raise _useless("it is no socket") from error
    if taken.family not in {socket.AF_INET, socket.AF_INET6} or taken.type != socket.SOCK_STREAM:
        taken.close()
        raise _useless("it is none for TCP")
    if not taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        taken.close()
        raise _useless("it does not listen: `Accept=yes` is not for this")
    return taken


def _useless(why: str) -> ConfigError:
    return ConfigError(
        f"the socket that the service manager opened cannot be used: {why}",
        hint="systemd/dropglow-http.socket is one that can: `ListenStream=` with an address and a port",
    )


def addresses(listeners: Sequence[socket.socket]) -> tuple[str, ...]:
    """Return where *listeners* listen, as the beginning of a URL."""
    return tuple(f"http://{_spelled(*each.getsockname()[:2])}" for each in listeners)


def is_private(listeners: Sequence[socket.socket]) -> bool:
    """Return whether only this machine can reach *listeners*."""
    return all(ipaddress.ip_address(each.getsockname()[0]).is_loopback for each in listeners)


def _spelled(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
