"""Sign download links the way S3's pre-signed URLs look, and check them.

Pure. The signature is our own keyed hash, not AWS's algorithm: a client must treat the link as opaque anyway.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Verdict", "check_link", "sign_link"]

STAMP = "%Y%m%dT%H%M%SZ"


class Verdict(enum.Enum):
    """Name what a signature check finds."""

    GOOD = "good"
    EXPIRED = "expired"
    FORGED = "forged"


def sign_link(path: str, *, at: float, life_s: float, key: bytes) -> str:
    """Return the path with the query that makes it valid for so many seconds from ``at`` (seconds since 1970)."""
    stamp = datetime.fromtimestamp(at, UTC).strftime(STAMP)
    life = str(int(life_s))
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"SANDBOX/{stamp[:8]}/us-east-1/s3/aws4_request",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": life,
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": _signature(path, stamp=stamp, life=life, key=key),
    }
    return f"{path}?{urlencode(query, quote_via=quote, safe='')}"


def check_link(path: str, query: Mapping[str, str], *, now: float, key: bytes) -> Verdict:
    """Return whether a link is ours and still valid."""
    stamp, life = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    expected = _signature(path, stamp=stamp, life=life, key=key)
    # Bytes, because hmac refuses to compare text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), query.get("X-Amz-Signature", "").encode()):
        return Verdict.FORGED
    ends_at = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) + timedelta(seconds=int(life))
    return Verdict.GOOD if now < ends_at.timestamp() else Verdict.EXPIRED


def _signature(path: str, *, stamp: str, life: str, key: bytes) -> str:
    return hmac.new(key, f"{path}\n{stamp}\n{life}".encode(), hashlib.sha256).hexdigest()
