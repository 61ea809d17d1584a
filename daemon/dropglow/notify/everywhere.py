"""Reach whatever apprise can reach. The only module that imports it: it is an extra. Blocks."""

from __future__ import annotations

import logging
from typing import Final

from dropglow.errors import NotTold
from dropglow.notices import Kind, Message
from dropglow.notify.reading import WITHOUT_APPRISE

_KINDS: Final = {Kind.SUCCESS: "success", Kind.RECOVERY: "success", Kind.HOLD: "warning"}
# They write addresses, which are secrets here, into their logs.
_INDISCREET: Final = ("apprise", "urllib3", "requests")


def send_everywhere(addresses: str, message: Message, *, title: str) -> None:
    """Send *message* to each of *addresses*, one a line; lines that begin with # are left out.

    Raises:
        NotTold: Apprise is not installed, does not know an address, or could not reach everybody.
    """
    try:
        import apprise
    except ImportError as error:
        raise NotTold(WITHOUT_APPRISE) from error
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    lines = [line.strip() for line in addresses.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    sender = apprise.Apprise()
    for number, address in enumerate(wanted, 1):
        if not sender.add(address):
            raise NotTold(f"apprise does not know what address {number} of {len(wanted)} in its secret is")
    if not sender.notify(body=message.text, title=title, notify_type=_KINDS.get(message.kind, "failure")):
        raise NotTold("apprise could not reach everybody", hint="is each address in its secret right?")
