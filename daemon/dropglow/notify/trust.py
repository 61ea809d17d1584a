"""Whose certificates are believed: those that this machine's owner believes."""

from __future__ import annotations

import ssl

import certifi


def trust() -> ssl.SSLContext:
    """Return a context that checks certificates and names, by the machine's own authorities where it has any."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(cafile=certifi.where())
    return context
