"""Take the address of a web server apart. Pure text; nothing is looked up."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult | None:
    """Return the parts of *address*; None if it is no http:// or https:// one, or none that all programs agree on."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    # Programs disagree about the host of an address with a backslash or a space.
    odd = any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in address)
    if odd or parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return None
    return parts
