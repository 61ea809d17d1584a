"""Say who is told of what, and over which way. Plain data: it may be imported without an HTTP library."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, assert_never

from dropglow.notices import Bounds, Topic
from dropglow.secrecy import Secret
from dropglow.weblinks import parts_of

_LOCAL_ENDINGS: Final = (".local", ".lan", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A JSON document, posted to an address."""

    address: Secret | None  # None: the receiver's secret is the address


@dataclass(frozen=True, slots=True, kw_only=True)
class Ntfy:
    """A message of ntfy's, posted to a topic."""

    address: Secret | None  # of the topic; None: the receiver's secret is the address


class Tls(StrEnum):
    """Say how a mail server is spoken to, as the configuration spells it."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    OFF = "off"


PORTS: Final = {Tls.STARTTLS: 587, Tls.IMPLICIT: 465, Tls.OFF: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail, handed to a server."""

    server: str
    port: int
    tls: Tls
    user: str  # empty: nobody logs in
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Apprise:
    """Whatever apprise can reach; the receiver's secret holds its addresses, one a line."""


Way = Webhook | Ntfy | Mail | Apprise


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is told."""

    name: str
    way: Way
    topics: frozenset[Topic] = frozenset(Topic)

    @property
    def needs_secret(self) -> bool:
        """Return whether nothing can be sent without a secret."""
        match self.way:
            case Webhook(address=address) | Ntfy(address=address):
                return address is None
            case Mail(user=user):
                return bool(user)
            case Apprise():
                return True
            case _:
                assert_never(self.way)

    @property
    def credential(self) -> str:
        """Return the name of the systemd credential that holds the receiver's secret."""
        return f"notify_{self.name}"

    @property
    def variable(self) -> str:
        """Return the variable that holds it, or, with ``_FILE`` behind it, names its file."""
        return f"DROPGLOW_NOTIFY_{self.name.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Everybody who is told, and how much at most."""

    receivers: tuple[Receiver, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)


def address_fault(address: str) -> str:
    """Return what is wrong with a web address that messages, and perhaps a token, are sent to; or nothing.

    The words do not repeat the address: it may be a secret.
    """
    parts = parts_of(address)
    if parts is None:
        return "should be an address like https://host/path"
    if "@" in parts.netloc or parts.fragment:
        return "should hold no user name and no fragment"
    if parts.scheme == "http" and not is_near(parts.hostname or ""):
        return "should begin with https://; http:// is possible only within your own network"
    return ""


def is_near(host: str) -> bool:
    """Return whether *host* is this machine, or by its name or address within one's own network."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.lower().endswith(_LOCAL_ENDINGS)
    return address.is_private or address.is_link_local


def is_here(host: str) -> bool:
    """Return whether *host* is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
