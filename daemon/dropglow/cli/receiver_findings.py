"""Look at those who are told what happens, for ``doctor``: is there a secret where one is needed? Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dropglow.cli.findings import Finding, fine, wrong
from dropglow.cli.notify import way_of
from dropglow.errors import SecretError
from dropglow.notify.sending import secret_of
from dropglow.notify.settings import NotifySettings, Receiver
from dropglow.secrecy import whereabouts


def receivers(settings: NotifySettings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is to be told of each receiver; what a secret is, is never told."""
    for receiver in settings.receivers:
        yield _receiver(receiver, environ)


def _receiver(receiver: Receiver, environ: Mapping[str, str]) -> Finding:
    try:
        secret = secret_of(receiver, environ)
    except SecretError as error:
        return wrong("notifications", error.message, error.hint)
    place = whereabouts(environ, credential=receiver.credential, variable=receiver.variable)
    kept = "without a secret" if secret is None else f"with its secret from {place.words}"
    return fine(
        "notifications",
        f"{receiver.name} by {way_of(receiver)}, {kept}; whether it arrives: dropglow notify {receiver.name}",
    )
