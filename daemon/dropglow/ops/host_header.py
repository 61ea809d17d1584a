"""Decide whether a request is meant for us: by its ``Host``, to the letter.

A page in somebody's browser may let its own name lead to this machine (DNS rebinding) and then read the answers. Its
requests carry that name as their ``Host``. So only the very address that the connection came to is accepted,
``localhost`` where that is a loopback address, and names that the operator gave.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

HTTP_PORT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host, as a client names it, and a port; None: whatever port the connection came to."""

    host: str
    port: int | None

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Return the place that *text* names, as in ``NAME``, ``NAME:PORT`` or ``[ADDRESS]:PORT``; None if it does not."""
        if text.startswith("["):
            host, closed, rest = text[1:].partition("]")
            if not closed or (rest and not rest.startswith(":")):
                return None
            port = rest[1:]
        else:
            host, rest, port = text.partition(":")
        if not host or (rest and not port):
            return None
        if port and not _is_port(port):
            return None
        return cls(host=_plain(host), port=int(port) if port else None)


def meant_for_us(header: str, *, address: str, port: int, names: Iterable[Place] = ()) -> bool:
    """Return whether a request with the ``Host`` *header*, on a connection to *address* and *port*, is for us.

    *names* are those that the operator gave; one without a port goes with the connection's.
    """
    asked = Place.read(header)
    if asked is None:
        return False
    asked = Place(host=asked.host, port=HTTP_PORT if asked.port is None else asked.port)
    ours = [Place(host=_plain(address), port=port)]
    if _is_loopback(address):
        ours.append(Place(host="localhost", port=port))
    ours += [Place(host=each.host, port=port if each.port is None else each.port) for each in names]
    return asked in ours


def _is_port(text: str) -> bool:
    # Of a number with thousands of digits, Python would rather raise than make one.
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) < 65536


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(_plain(address)).is_loopback
    except ValueError:
        return False


def _plain(host: str) -> str:
    """Return *host* in its one spelling: a v4 address in the clothes of v6 is a v4 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
