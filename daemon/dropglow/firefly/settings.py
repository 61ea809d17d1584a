"""Say where Adobe is, who may be trusted and how long to wait. Plain data: it may be imported without an HTTP library."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Bound every wait for the other side, in seconds.

    Waiting long for the answer to an order is cheap; giving up early makes a doubt.
    """

    connect_s: float = 5.0  # also for looking a name up
    read_s: float = 60.0  # from one piece to the next
    write_s: float = 60.0
    answer_s: float = 120.0  # for one answer as a whole, its head included
    upload_s: float = 600.0  # for sending one picture as a whole
    download_s: float = (
        2700.0  # for one result as a whole: a lossless clip at 2 Mbit/s, within its link's hour
    )

    @property
    def of_httpx(self) -> dict[str, float]:
        """Return the waits for single steps, as httpx's extension ``timeout`` names them."""
        return {"connect": self.connect_s, "read": self.read_s, "write": self.write_s}
