"""Decide which addresses may see the token, and from which a result may be fetched.

Pure. Addresses come from answers, so they are read by a strict parser of our own: what it does not understand is
not trusted. A status address that is not trusted is no loss, since the documented path works with the id alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from dropglow.errors import ConfigError, ProtocolError
from dropglow.firefly.settings import ApiSettings
from dropglow.model import Submission

# Printable ASCII without space, backslash and `#`; user names (`@`) are impossible before the first slash.
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?][!\"$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ID: Final = re.compile(r"(?!\.+\Z)[A-Za-z0-9:_.-]{1,200}", re.ASCII)
_URN: Final = re.compile(r"urn:.+", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.ASCII)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes
_PORTS: Final = {"http": 80, "https": 443}
_LENGTH_MAX: Final = 8192  # characters; Adobe's longest are signed links of up to 4096
_HOST_LENGTH_MAX: Final = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Say whom an address talks to."""

    scheme: str
    host: str  # lower case; IPv6 in brackets
    port: int

    @property
    def loopback(self) -> bool:
        """Return whether this is the machine itself."""
        return _LOOPBACK.fullmatch(self.host) is not None

    @property
    def literal(self) -> bool:
        """Return whether the host is an IP address rather than a name."""
        return self.host.startswith("[") or _NUMBER.fullmatch(self.host.rpartition(".")[2]) is not None


def origin_of(url: str) -> Origin | None:
    """Return whom *url* talks to, or None if it is anything but a plain http or https address."""
    found = _ADDRESS.fullmatch(url) if len(url) <= _LENGTH_MAX else None
    if found is None or len(found["host"]) > _HOST_LENGTH_MAX:
        return None
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else _PORTS[scheme]
    origin = Origin(scheme=scheme, host=found["host"].lower(), port=port)
    if not 0 < port < 65536 or (origin.literal and not _sound_literal(origin.host)):
        return None
    return origin


def _sound_literal(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def clean_id(text: str) -> bool:
    """Return whether *text* may stand in a path as Adobe's id."""
    return _ID.fullmatch(text) is not None


def job_id_like(text: str) -> bool:
    """Return whether *text* has the form of a job id that Adobe gives: ``urn:ff:jobs:<shard>:<uuid>``, or a bare UUID.

    Other ``urn:`` forms pass as well: what follows it is not promised anywhere (Adobe's OpenAPI document, ``jobId``).
    """
    return clean_id(text) and (_URN.fullmatch(text) or _UUID.fullmatch(text)) is not None


def is_public(address: str) -> bool:
    """Return whether *address*, an IP address, belongs to the public internet and to one machine of it.

    An IPv4 address that is wrapped into an IPv6 one counts by itself: it is where the packets end.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        packed = found.packed[-4:] if found in _TRANSLATED else None
        inner = found.ipv4_mapped or found.sixtofour or (ip_address(packed) if packed else None)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast


class Gate:
    """Answer who is trusted, for one configuration."""

    def __init__(self, settings: ApiSettings) -> None:
        """Read *settings* once.

        Raises:
            ConfigError: An address of the settings is not https, nor http on the machine itself.
        """
        self._base_url = settings.base_url.rstrip("/")
        self._own = _checked(settings.base_url, "api.base_url", loopback=True)
        _checked(settings.token_url, "api.token_url", loopback=self._own.loopback)
        self._trusted = _globs(settings.trusted_hosts)
        self._results = _globs((*settings.trusted_hosts, *settings.result_hosts))
        self._named = frozenset(host.lower() for host in settings.result_hosts)

    def may_see_token(self, url: str) -> bool:
        """Return whether the token may be sent to *url*."""
        return self._passes(url, self._trusted)

    def may_give_results(self, url: str) -> bool:
        """Return whether a result may be fetched from *url*. It never gets the token."""
        return self._passes(url, self._results)

    def must_be_public(self, url: str) -> bool:
        """Return whether the host of *url* may give results only from an address of the public internet.

        A name that many may register under says nothing of where it leads. A host that the operator named in full is
        trusted wherever it is, and so is everybody where the API itself is this machine.
        """
        origin = origin_of(url)
        return (
            not self._own.loopback
            and origin is not None
            and origin != self._own
            and origin.host not in self._named
        )

    def status_url(self, submission: Submission) -> str:
        """Return where to ask for the job's status.

        Raises:
            ProtocolError: Neither the address nor the id of the receipt can be used.
        """
        return self._trusted_or_rebuilt(submission.status_url, submission, "status")

    def cancel_url(self, submission: Submission) -> str:
        """Return where to cancel the job.

        Raises:
            ProtocolError: Neither the address nor the id of the receipt can be used.
        """
        return self._trusted_or_rebuilt(submission.cancel_url, submission, "cancel")

    def _trusted_or_rebuilt(self, url: str, submission: Submission, verb: str) -> str:
        if self.may_see_token(url):
            return url
        if clean_id(submission.remote_id):
            return f"{self._base_url}/v3/{verb}/{submission.remote_id}"
        raise ProtocolError(
            "the receipt of the order names neither a trusted host nor a usable job id",
            hint="if the host is Adobe's, add it to api.trusted_hosts",
            code="untrusted_host",
        )

    def _passes(self, url: str, globs: tuple[re.Pattern[str], ...]) -> bool:
        origin = origin_of(url)
        if origin is None:
            return False
        if origin == self._own:
            return True
        if origin.scheme != "https" or origin.port != 443 or origin.literal:
            return False
        return any(glob.fullmatch(origin.host) for glob in globs)


def _checked(url: str, key: str, *, loopback: bool) -> Origin:
    origin = origin_of(url)
    if origin is None:
        raise ConfigError(f"{key} is not an address: {url!r}", hint="write it like https://host/path")
    if origin.scheme == "http" and not (loopback and origin.loopback):
        raise ConfigError(
            f"{key} is not encrypted: {url}",
            hint="use https; http is for a base_url on this machine only",
        )
    return origin


def _globs(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_expression(pattern.lower()), re.ASCII) for pattern in patterns)


def _expression(glob: str) -> str:
    """Return *glob* as an expression: ``*.`` at the start is one or more labels, any other ``*`` a part of one."""
    labels = glob.startswith("*.")
    rest = re.escape(glob[2:] if labels else glob).replace(r"\*", "[a-z0-9-]*")
    return (r"(?:[a-z0-9-]+\.)+" if labels else "") + rest
