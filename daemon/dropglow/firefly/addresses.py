"""Judge addresses of the API as they stand in a configuration. Pure text; nothing is looked up."""

from __future__ import annotations

import urllib.parse
from ipaddress import ip_address

from dropglow.weblinks import parts_of


def url_fault(url: str, *, loopback: bool) -> str | None:
    """Return what is wrong with *url*, which may be http:// only if it is this machine's and *loopback* allows it."""
    parts = parts_of(url)
    if parts is None:
        return "should be an address like https://host"
    if "@" in parts.netloc or "?" in url or "#" in url:
        return "should hold no user name, query or fragment: credentials never stand here"
    if parts.scheme == "http" and not (loopback and is_loopback(url)):
        return "should begin with https://; http:// is possible only where base_url is this computer itself"
    return None


def is_loopback(url: str) -> bool:
    """Return whether *url* leads to this machine."""
    try:
        host = urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_host_pattern(host: str) -> bool:
    """Return whether *host* names hosts narrowly enough: its last two labels have no wildcard."""
    allowed = all(sign.isascii() and (sign.isalnum() or sign in "-.*") for sign in host)
    return allowed and "*" not in "".join(host.split(".")[-2:]) and all(host.split("."))
