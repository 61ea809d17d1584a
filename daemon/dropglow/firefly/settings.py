"""Say where Adobe is and who may be trusted. Plain data: it may be imported without an HTTP library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Hold the addresses of the API, and the hosts that may see the token or give results.

    Scopes are those of Adobe's getting-started guide. The globs are read by ``hosts.py``.
    """

    base_url: str = "https://firefly-api.adobe.io"
    token_url: str = "https://ims-na1.adobelogin.com/ims/token/v3"  # noqa: S105 - an address
    scopes: tuple[str, ...] = (
        "openid",
        "AdobeID",
        "session",
        "additional_info",
        "read_organizations",
        "firefly_api",
        "ff_apis",
    )
    trusted_hosts: tuple[str, ...] = ("firefly-*.adobe.io",)
    result_hosts: tuple[str, ...] = ("*.amazonaws.com", "*.windows.net", "*.adobe.io")
